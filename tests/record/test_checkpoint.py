import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.canon.record import Checkpoint
from halfdoor.errors import LogError
from halfdoor.record.checkpoint import VerifierKey, read_vkey, sign, verify, vkey

SEED = bytes(range(32))
NAME = "halfdoor/0123456789abcdef"
PUBLIC = Ed25519PrivateKey.from_private_bytes(SEED).public_key()
KEY = VerifierKey(NAME, PUBLIC.public_bytes_raw())
HEAD = Checkpoint(NAME, 42, b"\x07" * 32)


def test_a_checkpoint_is_the_text_that_other_tools_read():
    origin, size, root, blank, line, end = sign(HEAD, SEED, NAME).split("\n")
    assert (origin, size, base64.b64decode(root), blank, end) == (NAME, "42", HEAD.root, "", "")
    dash, name, encoded = line.split(" ")
    assert (dash, name) == ("—", NAME)
    body = f"{origin}\n{size}\n{root}\n".encode()
    PUBLIC.verify(base64.b64decode(encoded)[4:], body)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**60), st.binary(min_size=32, max_size=32))
def test_what_is_signed_is_read_back(size, root):
    head = Checkpoint(NAME, size, root)
    assert verify(sign(head, SEED, NAME), KEY) == head


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_changed_character_goes_unseen(data):
    text = sign(HEAD, SEED, NAME)
    at = data.draw(st.integers(0, len(text) - 2))
    changed = text[:at] + data.draw(st.sampled_from("Ax9=\n")) + text[at + 1 :]
    try:
        assert verify(changed, KEY) == HEAD
        # Only unused bits of the last base64 character may differ.
        assert changed == text
    except LogError:
        assert changed != text


def test_another_key_is_named_as_the_reason():
    text = sign(HEAD, bytes(32), NAME)
    with pytest.raises(LogError, match=r"not signed by .* was the log's key replaced"):
        verify(text, KEY)


def test_a_witness_may_add_its_signature():
    text = sign(HEAD, SEED, NAME) + "— witness.example AAAABBBBCCCC\n"
    assert verify(text, KEY) == HEAD


@pytest.mark.parametrize("text", ["", "hello\n", "a\n-1\nAAAA\n\n", "a\n1\n!\n\n", "a\n01\nAAAA\n"])
def test_text_that_is_no_checkpoint_is_refused(text):
    with pytest.raises(LogError):
        verify(text, KEY)


# Published verifier keys: the Go checksum database's, and the example of Go's note package.
@pytest.mark.parametrize(
    "text",
    [
        "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_verifier_keys_of_other_tools_are_understood(text):
    key = read_vkey(text)
    assert vkey(key.name, key.public) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sum.golang.org+033de0af+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "sum.golang.org+033de0ae+As4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "a b+033de0ae+AAAA",
        "name+00000000+*",
    ],
)
def test_verifier_keys_that_are_none_are_refused(text):
    with pytest.raises(LogError):
        read_vkey(text)
