"""Whose word a backend's name is taken on: the system's authorities, or those it is pinned to."""

import ssl
import warnings

import pytest

from halfdoor.backends import control
from halfdoor.backends.dialling import tls_context
from halfdoor.canon.decision import ControlPermit
from halfdoor.errors import BackendError
from tests.helpers.authority import DAY, Authority
from tests.helpers.raw_server import OK, raw_server, sends


@pytest.fixture
def ours(tmp_path):
    return Authority(tmp_path, "ours")


@pytest.fixture
def theirs(tmp_path):
    return Authority(tmp_path, "theirs")


async def asked(tls, context):
    """The status of an answer over TLS, or the fault's kind and words."""
    async with raw_server(sends(OK), tls=tls) as server:
        permit = ControlPermit(control.authority(server.url), "test")
        try:
            status, _ = await control.control_get(server.url, permit, 10.0, tls=context)
        except BackendError as error:
            assert server.requests == []
            return error.kind, error.message
        return status, ""


async def test_a_server_that_the_pinned_authority_signed_is_asked(ours):
    assert await asked(ours.server(), tls_context(str(ours.file))) == (200, "")


async def test_a_server_that_another_authority_signed_is_not(ours, theirs):
    kind, said = await asked(theirs.server(), tls_context(str(ours.file)))
    assert kind == "tls"
    assert "unable to get local issuer certificate" in said


async def test_what_the_system_believes_counts_for_nothing_where_another_is_pinned(
    ours, theirs, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(theirs.file))
    assert await asked(theirs.server(), tls_context()) == (200, "")
    assert (await asked(theirs.server(), tls_context(str(ours.file))))[0] == "tls"


async def test_a_certificate_for_another_name_is_refused(ours):
    kind, said = await asked(ours.server("127.0.0.2"), tls_context(str(ours.file)))
    assert kind == "tls"
    assert "mismatch" in said


async def test_a_certificate_that_has_ended_is_refused(ours):
    ended = ours.server(good_for=-DAY)
    kind, said = await asked(ended, tls_context(str(ours.file)))
    assert kind == "tls"
    assert "expired" in said


async def test_a_pinned_certificate_below_a_root_is_believed_by_itself(ours):
    ours.server()
    own = (ours.file.parent / "server.pem").read_bytes()
    pinned = ours.file.parent / "leaf.pem"
    pinned.write_bytes(own[own.index(b"-----BEGIN CERTIFICATE") :])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ours.file.parent / "server.pem")
    assert await asked(context, tls_context(str(pinned))) == (200, "")


def only_1_1(context):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


async def test_tls_1_1_is_refused(ours):
    """The control is a client that would speak it: the server does."""
    old = only_1_1(ours.server())
    assert await asked(old, only_1_1(tls_context(str(ours.file)))) == (200, "")
    kind, said = await asked(old, tls_context(str(ours.file)))
    assert kind in {"tls", "connect"}, said


async def test_tls_1_2_is_not(ours):
    plain = ours.server()
    plain.maximum_version = ssl.TLSVersion.TLSv1_2
    assert await asked(plain, tls_context(str(ours.file))) == (200, "")


def test_the_least_version_is_the_same_with_a_pin_and_without(ours):
    for context in (tls_context(), tls_context(str(ours.file))):
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
        assert context.check_hostname
        assert context.verify_mode is ssl.CERT_REQUIRED


def test_a_pin_brings_no_authority_but_its_own(ours):
    assert len(tls_context(str(ours.file)).get_ca_certs()) == 1
