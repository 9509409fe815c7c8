import base64
import hashlib
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.errors import ClientError
from halfdoor.reading import hidden
from halfdoor.reading.leaves import expand, expand_all, read, walk

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=16,
)
SENTENCE = "the quick brown fox jumps over it"


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_what_was_encoded_is_read(value):
    assert read(json.dumps(value).encode()) == walk(value)


def plainly(value):
    """(objects, keys, strings), as one would define them."""
    if isinstance(value, str):
        return [], [], [value]
    members = value.values() if isinstance(value, dict) else value
    inner = [plainly(item) for item in members] if isinstance(value, dict | list) else []
    objects, keys, strings = ([x for found in inner for x in found[i]] for i in range(3))
    return (
        ([value, *objects], [*value, *keys], strings)
        if isinstance(value, dict)
        else (objects, keys, strings)
    )


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_one_walk_finds_what_three_plain_ones_would(value):
    objects, keys, strings = plainly(value)
    found = walk(value)
    assert found.objects == objects
    assert (found.keys, found.strings) == (keys, strings)
    assert found.leaves[: len(keys) + len(strings)] == [*keys, *strings]


@pytest.mark.parametrize("raw", [b'{"a":1,"a":2}', b'[{"b":{"a":1,"\\u0061":2}}]'])
def test_a_key_that_stands_twice_is_refused(raw):
    with pytest.raises(ClientError) as caught:
        read(raw)
    assert caught.value.code == "duplicate_key"


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"NaN", b"[Infinity]", b'"\xff"', b"\xef\xbb\xbf{}", '{"a":1}'.encode("utf-16"),
        b"[" * 100_000, b"1" * 5000, b'"\x01"', b"{} {}", b"'a'",
    ],
    ids=range(12),
)  # fmt: skip
def test_what_is_not_strict_json_is_refused(raw):
    with pytest.raises(ClientError) as caught:
        read(raw)
    assert caught.value.code == "invalid_json"
    assert caught.value.status == 400


def test_an_error_never_repeats_the_text():
    with pytest.raises(ClientError) as caught:
        read(b'{"a": topsecret}')
    assert "topsecret" not in str(caught.value)


def test_lone_surrogates_survive():
    assert read(b'"\\ud800 a"').leaves == ["\ud800 a"]
    assert list(expand("\ud800 " + base64.b64encode(SENTENCE.encode()).decode())) == [SENTENCE]


def keyed(value):
    return walk(value).leaves


def test_a_telling_key_comes_with_its_value():
    assert 'db_password = "hunter22"' in set(keyed({"db_password": "hunter22"}))
    assert 'API_KEY = "abcdef12"' in set(keyed({"name": "API_KEY", "value": "abcdef12"}))
    assert set(keyed({"title": "hunter22"})) == {"title", "hunter22"}


ENCODINGS = {
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 url": lambda s: base64.urlsafe_b64encode(s.encode()).decode().rstrip("="),
    "base64 in a path": lambda s: "/api/v1/" + base64.b64encode(s.encode()).decode().rstrip("="),
    "base64 wrapped": lambda s: base64.encodebytes((s * 4).encode()).decode(),
    "utf-16": lambda s: base64.b64encode(s.encode("utf-16-le")).decode(),
    "hex": lambda s: s.encode().hex(),
    "percent": lambda s: "".join(f"%{byte:02X}" for byte in s.encode()),
    "escapes": lambda s: "".join(f"\\x{byte:02x}" for byte in s.encode()),
    "unicode escapes": lambda s: "".join(f"\\u{byte:04x}" for byte in s.encode()),
    "json": lambda s: json.dumps({"a": [{"b": s}]}),
    "json key": lambda s: json.dumps({s: 1}),
    "json with a key twice": lambda s: json.dumps({"a": s})[:-1] + ', "a": 1}',
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_an_encoded_text_is_read(name):
    assert any(
        SENTENCE in text
        for text in expand("before " * (name[0] != "j") + ENCODINGS[name](SENTENCE))
    )


@pytest.mark.parametrize("outer", ENCODINGS)
@pytest.mark.parametrize("inner", ENCODINGS)
def test_two_encodings_deep_is_read(inner, outer):
    assert any(SENTENCE in text for text in expand(ENCODINGS[outer](ENCODINGS[inner](SENTENCE))))


def test_other_scripts_in_base64_are_read():
    said = "Ελλάδα και Κύπρος μιλούν ελληνικά"
    assert said in set(expand(base64.b64encode(said.encode()).decode()))


def test_an_image_is_not_text():
    pixels = hashlib.shake_256(b"pixels").digest(10_000)
    png = base64.b64encode(b"\x89PNG\r\n\x1a\n" + pixels).decode()
    assert list(expand(png)) == []


def test_broken_json_in_a_string_hides_nothing_and_breaks_nothing():
    assert list(expand('{"a": ')) == []
    assert list(expand("[" * 100_000)) == []


KEYLIKE = "ghp_hT9vQm2LxWc7RfKz4NpYb6JdAq8sUeGo1iVn"
HIDDEN_FROM_SIGHT = {
    "colours around it": f"\x1b[01;31m\x1b[K{KEYLIKE}\x1b[m",
    "colours inside it": f"\x1b[1m{KEYLIKE[:6]}\x1b[0m{KEYLIKE[6:]}",
    "a terminal's link": f"\x1b]8;;https://host/\x07{KEYLIKE}\x1b]8;;\x07",
    "UTF-16 read as bytes": "\0".join(KEYLIKE),
    "a space without width": f"{KEYLIKE[:9]}\u200b{KEYLIKE[9:]}",
    "a soft hyphen": f"{KEYLIKE[:9]}\u00ad{KEYLIKE[9:]}",
    "Markdown's escape": KEYLIKE.replace("_", "\\_"),
    "a lone surrogate beside colours": f"\ud800\x1b[31m{KEYLIKE}",
}


@pytest.mark.parametrize("how", HIDDEN_FROM_SIGHT)
def test_what_a_screen_does_not_show_hides_nothing(how):
    assert any(KEYLIKE in text for text in expand("see " + HIDDEN_FROM_SIGHT[how]))


def test_a_slash_that_json_escaped_hides_no_url():
    said = r'curl says {"to": "https:\/\/deploy:vT7q9LmX2wRk@git.internal"}'
    assert any("https://deploy:vT7q9LmX2wRk@" in text for text in expand(said))


def test_the_printable_runs_of_a_binary_in_base64_are_read():
    tar = b"env.txt" + b"\0" * 505 + b"TOKEN=" + KEYLIKE.encode() + b"\n" + b"\0" * 1500
    packed = base64.b64encode(tar).decode()
    assert any(KEYLIKE in text for text in expand(f"$ base64 env.tar\n{packed}"))
    wrapped = "\n".join(packed[at : at + 76] for at in range(0, len(packed), 76))
    assert any(KEYLIKE in text for text in expand(wrapped))


def test_wide_letters_behind_plain_ones_are_read_in_base64():
    for before in ("notes\n", "odd\n", ""):
        log = before.encode() + f"TOKEN={KEYLIKE}\n".encode("utf-16-le")
        packed = base64.b64encode(log).decode()
        assert any(KEYLIKE in text for text in expand(packed)), before


LETTERS = st.sampled_from(["aB3/", "_-", "c" * 23, "D" * 24, "e" * 76, "f" * 77])
BREAKS = st.sampled_from(["\n", "\r\n", "\n\n", " ", "=", "==\n", "é", "."])


@settings(max_examples=300, deadline=None)
@given(st.lists(LETTERS | BREAKS, max_size=40))
def test_runs_are_those_of_the_pattern_that_defines_them(pieces):
    data = "".join(pieces).encode()
    pattern = rb"[A-Za-z0-9+/_-]{24,}(?:\r?\n[A-Za-z0-9+/_-]{4,76})*={0,2}"
    assert list(hidden.encoded(data)) == re.findall(pattern, data)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(["plain", "\x1b[1m", "a\\_b", "a\0b", "\u200b", "é"]).map("x ".__add__)
    )
)
def test_no_dressed_text_is_overlooked_among_others(texts):
    assert set(filter(None, map(hidden.bared, texts))) <= set(expand_all(texts))


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="\\/_a ", max_size=24))
def test_needless_escapes_are_undone_as_by_plain_replacement(text):
    plain = text.replace("\\/", "/").replace("\\_", "_")
    assert hidden.bared(text) == ("" if plain == text else plain)


@pytest.mark.parametrize("size", [255, 256, 300, 1000, 5000])
def test_a_long_text_in_hex_is_text_and_no_picture(size):
    text = (SENTENCE * 200)[:size]
    for dump in (text.encode().hex(), text.encode().hex().upper()):
        assert not hidden.is_binary(dump)
        assert text in set(expand(dump))


@pytest.mark.parametrize("noise", [100, 600, 5000])
def test_text_inside_a_long_dump_of_bytes_in_hex_is_read(noise):
    bytes_ = hashlib.shake_256(b"noise").digest(noise)
    dump = (bytes_ + SENTENCE.encode() + bytes_ + bytes_).hex()
    assert SENTENCE in hidden.embedded(dump)
    assert len(dump) < 512 or any(SENTENCE in text for text in expand("dump: " + dump))


@pytest.mark.parametrize("above", ["notes", "a" * 30, "data:"])
def test_a_word_above_a_long_base64_text_does_not_make_it_a_picture(above):
    dump = base64.b64encode((SENTENCE * 30).encode().hex().encode()).decode()
    for text in (f"{above}\n{dump}\n", f"{above}\r\n{dump}"):
        assert not hidden.is_binary(text)
        assert any(SENTENCE in inner for inner in expand(text))
    wrapped = base64.encodebytes(hashlib.shake_256(b"noise").digest(2000)).decode()
    assert hidden.is_binary(wrapped)
