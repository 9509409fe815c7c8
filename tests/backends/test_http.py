import asyncio
import datetime as dt
import ipaddress
import ssl
import traceback

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from halfdoor.backends.control import authority, control_get, local_post
from halfdoor.backends.credentials import Credentials
from halfdoor.backends.dialling import tls_context
from halfdoor.backends.http import ERROR_BODY_BYTES, HttpBackend, below
from halfdoor.canon.commands import Outbound
from halfdoor.canon.decision import ControlPermit, Permit, Target
from halfdoor.canon.labels import Zone
from halfdoor.config.tables.backends import Timeouts
from halfdoor.errors import BackendError, SetupError
from halfdoor.record.permits import seal
from tests.helpers.raw_server import OK, closes_after, raw_server, sends

KEY = b"a seal key of thirty-two bytes.."
SECRET = "sk-planted-key"
TARGET = Target("qwen", "backend", "qwen3", Zone.DEVICE, "openai_chat", "ollama")
HEADERS = (("content-type", "application/json"), ("anthropic-beta", "a,b"))


def outbound(body=b"{}", headers=HEADERS):
    return Outbound("chat/completions", headers, body, stream=False)


def permit(widest=Zone.DEVICE):
    targets = (("qwen", widest),)
    return Permit("hd_1", targets, 7, seal(KEY, "hd_1", targets, 7))


def backend(url, *, key=SECRET, zone=Zone.DEVICE, tls=None, **times):
    show = Credentials(
        "backend", lambda key: (("authorization", f"Bearer {key}"),), "K", {"K": key}
    )
    limits = Timeouts(**{"connect_s": 0.3, "first_byte_s": 0.3, "idle_s": 0.3, **times})
    return HttpBackend("backend", url, zone, show, KEY, timeouts=limits, tls=tls)


async def ask(asked, sent=None, leave=None):
    """The whole answer: (status, headers, body)."""
    call = asked.call(TARGET, sent or outbound(), leave or permit(), "")
    async with call as incoming:
        body = b"".join([chunk async for chunk in incoming.chunks()])
        return incoming.status, incoming.headers, body


async def fault(answer, **options):
    """The error that an answer leads to."""
    async with raw_server(answer) as server:
        asked = backend(server.url, **options)
        with pytest.raises(BackendError) as caught:
            await ask(asked)
        await asked.close()
        return caught.value


async def test_only_our_headers_go_out():
    async with raw_server(sends(OK)) as server:
        asked = backend(server.url)
        stray = (("cookie", "c"), ("Authorization", "Bearer theirs"), ("x-api-key", "theirs"))
        await ask(asked, outbound(headers=(*HEADERS, *stray)))
        await asked.close()
    [got] = server.requests
    assert got.line == "POST /v1/chat/completions HTTP/1.1"
    assert sorted((name.lower(), value) for name, value in got.headers) == [
        ("accept-encoding", "identity"),
        ("anthropic-beta", "a,b"),
        ("authorization", f"Bearer {SECRET}"),
        ("content-length", "2"),
        ("content-type", "application/json"),
        ("host", server.url.removeprefix("http://").removesuffix("/v1")),
    ]


async def test_the_answers_headers_come_as_they_are():
    head = b"HTTP/1.1 200 OK\r\nX-One: a\r\nx-one: b\r\nx-odd: caf\xe9\r\ncontent-length: 0\r\n\r\n"
    async with raw_server(sends(head)) as server:
        asked = backend(server.url)
        _, headers, _ = await ask(asked)
        await asked.close()
    assert headers == (("x-one", "a"), ("x-one", "b"), ("x-odd", "café"), ("content-length", "0"))


async def test_a_cookie_never_comes_back():
    answer = OK.replace(b"\r\n\r\n", b"\r\nset-cookie: id=1; path=/\r\n\r\n")
    async with raw_server(sends(answer)) as server:
        asked = backend(server.url)
        await ask(asked)
        await ask(asked)
        await asked.close()
    assert [got.header("cookie") for got in server.requests] == [None, None]


async def test_a_redirect_is_a_fault_and_is_not_followed():
    async with raw_server(sends(OK)) as elsewhere:
        moved = f"HTTP/1.1 307 Moved\r\nlocation: {elsewhere.url}\r\ncontent-length: 0\r\n\r\n"
        error = await fault(sends(moved.encode()))
    assert error.kind == "protocol"
    assert "redirect" in str(error)
    assert elsewhere.connections == 0


async def test_proxy_variables_of_the_environment_are_ignored(monkeypatch):
    async with raw_server(sends(OK)) as proxy, raw_server(sends(OK)) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        asked = backend(server.url)
        assert (await ask(asked))[0] == 200
        await asked.close()
        assert proxy.connections == 0


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n", "protocol", "compressed"),
        (
            b"HTTP/1.1 200 OK\r\ncontent-encoding: identity\r\ncontent-encoding: gzip\r\n\r\n",
            "protocol",
            "compressed",
        ),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "protocol",
            "compressed",
        ),
        (b"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n", "protocol", "101"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "protocol", "HTTP"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "protocol", "HTTP"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1234", "cut", "before its answer"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n12", "cut", "before"),
        (b"", "cut", "closed the connection"),
    ],
)
async def test_an_answer_that_cannot_be_used_says_why(answer, kind, words):
    error = await fault(closes_after(answer))
    assert error.kind == kind
    assert words in str(error)
    assert "`backend`" in str(error)
    assert "hint:" in str(error)


async def test_a_backend_that_says_nothing_times_out_with_a_hint():
    error = await fault(sends(b""))
    assert str(error) == (
        "backend `backend` did not answer in 0.3 s; hint: is it running? try `halfdoor doctor`"
    )


async def test_silence_inside_an_answer_has_its_own_limit():
    started = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1234"
    error = await fault(sends(started), first_byte_s=60, idle_s=0.05)
    assert error.kind == "timeout"
    assert "fell silent for 0.05 s" in str(error)


async def test_an_answer_that_drips_has_an_end_and_says_so():
    async def drip(_, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    error = await fault(drip, first_byte_s=60, idle_s=60, answer_s=0.1)
    assert error.kind == "timeout"
    assert "took longer than 0.1 s for its answer" in str(error)


async def test_a_server_that_accepts_and_says_nothing_in_tls_cannot_be_reached():
    async with raw_server(sends(b"")) as server:
        asked = backend(server.url.replace("http:", "https:"), connect_s=0.1)
        with pytest.raises(BackendError, match=r"could not be reached in 0.1 s") as caught:
            await ask(asked)
        assert caught.value.kind == "connect"
        await asked.close()


async def test_an_address_wider_than_permitted_is_never_dialled():
    asked = backend("http://192.0.2.1:9")
    call = asked.call(TARGET, outbound(), permit(), "")
    with pytest.raises(BackendError, match=r"192\.0\.2\.1, in zone `cloud`") as caught:
        await call.__aenter__()
    assert caught.value.kind == "zone"
    assert call.sent_bytes == 0
    await asked.close()


async def test_the_address_is_judged_after_the_name_was_looked_up(monkeypatch):
    async def poisoned(*_, **__):
        place = ("10.1.2.3", 9)
        return [(2, 1, 6, "", place)]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", poisoned)
    asked = backend("http://engine.internal:9")
    with pytest.raises(BackendError, match="zone `network`") as caught:
        await ask(asked)
    assert caught.value.kind == "zone"
    await asked.close()


async def test_connections_are_kept_for_the_next_call():
    async with raw_server(sends(OK)) as server:
        asked = backend(server.url)
        for _ in range(3):
            await ask(asked)
        await asked.close()
    assert server.connections == 1


async def test_a_connection_made_for_a_wider_zone_does_not_serve_a_narrower_one():
    async with raw_server(sends(OK)) as server:
        asked = backend(server.url)
        await ask(asked, leave=permit(Zone.CLOUD))
        await ask(asked, leave=permit(Zone.DEVICE))
        await asked.close()
    assert server.connections == 2


async def test_a_backend_found_wider_loses_its_narrow_connections():
    async with raw_server(sends(OK)) as server:
        asked = backend(server.url)
        await ask(asked)
        await asked.widen(Zone.NETWORK)
        with pytest.raises(BackendError) as caught:
            await ask(asked)
        assert caught.value.kind == "zone"
        assert (await ask(asked, leave=permit(Zone.NETWORK)))[0] == 200
        await asked.close()
    assert server.connections == 2


async def test_a_large_body_arrives_whole():
    body = bytes(range(256)) * 12_000
    async with raw_server(sends(OK)) as server:
        asked = backend(server.url)
        call = asked.call(TARGET, outbound(body), permit(), "")
        async with call as incoming:
            assert incoming.status == 200
        await asked.close()
    assert call.sent_bytes == len(body)
    assert server.requests[0].body == body


async def test_a_peer_that_stops_reading_times_out_with_a_true_count():
    stop = asyncio.Event()

    async def deaf(reader, writer):
        await stop.wait()
        writer.close()

    body = bytes(32 * 1024 * 1024)
    listening = await asyncio.start_server(deaf, "127.0.0.1", 0)
    asked = backend(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
    call = asked.call(TARGET, outbound(body), permit(), "")
    with pytest.raises(BackendError) as caught:
        await call.__aenter__()
    assert caught.value.kind == "timeout"
    assert 0 < call.sent_bytes < len(body)
    stop.set()
    await asked.close()
    listening.close()


async def test_chunks_come_as_they_are_sent():
    more = asyncio.Event()

    async def slowly(_, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nfour")
        await more.wait()
        writer.write(b"more")

    async with raw_server(slowly) as server:
        asked = backend(server.url)
        async with asked.call(TARGET, outbound(), permit(), "") as incoming:
            chunks = incoming.chunks()
            assert await anext(chunks) == b"four"
            more.set()
            assert [chunk async for chunk in chunks] == [b"more"]
        await asked.close()


async def test_an_errors_body_has_an_end():
    length = ERROR_BODY_BYTES * 4
    head = f"HTTP/1.1 500 No\r\ncontent-length: {length}\r\n\r\n".encode()
    async with raw_server(sends(head + bytes(length))) as server:
        asked = backend(server.url, idle_s=5)
        status, _, body = await ask(asked)
        await asked.close()
    assert status == 500
    assert len(body) == ERROR_BODY_BYTES


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0\r\n", b"HTTP/1.1 302 No\r\n\r\n"])
async def test_a_key_is_in_no_error_and_in_nothing_that_hangs_on_it(answer):
    error = await fault(closes_after(answer))
    told = "".join(traceback.format_exception(error)) + repr(error.__context__)
    assert SECRET not in told


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that only a test trusts: (server context, CA file)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "halfdoor test")])
    now = dt.datetime.now(dt.UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    pem = made.public_bytes(serialization.Encoding.PEM)
    (folder / "cert.pem").write_bytes(pem)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "both.pem").write_bytes(secret + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context, folder / "cert.pem"


async def test_a_certificate_that_nobody_signed_is_a_tls_fault(certificate):
    async with raw_server(sends(OK), tls=certificate[0]) as server:
        asked = backend(server.url, connect_s=5)
        with pytest.raises(BackendError, match="self-signed") as caught:
            await ask(asked)
        assert caught.value.kind == "tls"
        assert server.requests == []
        await asked.close()


async def test_a_trusted_certificate_is_answered_over_tls_1_2_or_later(certificate):
    trusting = tls_context()
    trusting.load_verify_locations(certificate[1])
    assert trusting.minimum_version is ssl.TLSVersion.TLSv1_2
    async with raw_server(sends(OK), tls=certificate[0]) as server:
        asked = backend(server.url, tls=trusting, connect_s=5)
        assert (await ask(asked))[0] == 200
        await asked.close()


@pytest.mark.parametrize(
    "url",
    ["ftp://x", "localhost:11434", "http://", "http://me:sk-planted@x", "http://x/?k=planted"],
)
def test_a_url_that_cannot_be_used_stops_the_start_without_telling_its_secrets(url):
    with pytest.raises(SetupError) as caught:
        backend(url)
    assert "planted" not in str(caught.value)
    assert caught.value.hint


async def test_a_control_call_asks_what_its_permit_names():
    async with raw_server(sends(OK)) as server:
        url = f"{server.url}/models"
        assert await control_get(url, ControlPermit(authority(url), "discovery")) == (200, b"{}")
        assert server.requests[0].line == "GET /v1/models HTTP/1.1"
        with pytest.raises(BackendError) as caught:
            await control_get(url, ControlPermit("127.0.0.1:1", "discovery"))
        assert caught.value.kind == "zone"


async def test_a_control_call_gives_up_soon():
    async with raw_server(sends(b"")) as server:
        leave = ControlPermit(authority(server.url), "status")
        with pytest.raises(BackendError, match=r"did not answer in 0.1 s"):
            await control_get(server.url, leave, timeout_s=0.1)


async def test_a_halfdoor_on_this_device_is_asked_as_a_tool_would():
    async with raw_server(sends(OK)) as server:
        leave = ControlPermit(authority(server.url), "demo")
        headers = (("user-agent", "aider/0.86"),)
        status, came, body = await local_post(server.url, leave, b"hello", headers)
        assert (status, body) == (200, b"{}")
        assert ("content-type", "application/json") in came
        assert server.requests[0].body == b"hello"
        assert server.requests[0].header("user-agent") == "aider/0.86"


@pytest.mark.parametrize("host", ["192.0.2.1:80", "10.0.0.7:4114", "models.example:80"])
async def test_a_local_post_never_leaves_the_device_whatever_its_permit_says(host):
    with pytest.raises(BackendError, match="no permit to post") as caught:
        await local_post(f"http://{host}/v1/messages", ControlPermit(host, "demo"), b"text")
    assert caught.value.kind == "zone"


async def test_a_local_post_goes_only_where_its_permit_says():
    with pytest.raises(BackendError, match="no permit to post"):
        await local_post("http://127.0.0.1:9/", ControlPermit("127.0.0.1:1", "demo"), b"text")


async def test_a_kept_connection_that_dies_of_a_request_is_not_asked_twice():
    async def once(_, writer):
        if len(server.requests) == 1:
            writer.write(OK)
        else:
            writer.close()

    async with raw_server(once) as server:
        asked = backend(server.url)
        await ask(asked)
        call = asked.call(TARGET, outbound(), permit(), "")
        with pytest.raises(BackendError) as caught:
            await call.__aenter__()
        assert (caught.value.kind, call.sent_bytes) == ("cut", 2)
        assert len(server.requests) == 2
        await asked.close()


async def test_a_kept_connection_that_was_closed_meanwhile_is_not_used():
    async with raw_server(closes_after(OK)) as server:
        asked = backend(server.url)
        for _ in range(2):
            assert (await ask(asked))[0] == 200
            await asyncio.sleep(0.01)
        await asked.close()
    assert server.connections == 2


async def test_an_answer_comes_before_a_large_body_has_left():
    async def early(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too much\r\ncontent-length: 2\r\n\r\n{}")
        await writer.drain()
        await stop.wait()
        writer.close()

    stop = asyncio.Event()
    listening = await asyncio.start_server(early, "127.0.0.1", 0)
    asked = backend(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", first_byte_s=5)
    body = bytes(32 * 1024 * 1024)
    call = asked.call(TARGET, outbound(body), permit(), "")
    async with call as incoming:
        assert incoming.status == 413
        assert b"".join([chunk async for chunk in incoming.chunks()]) == b"{}"
    assert 0 < call.sent_bytes < len(body)
    stop.set()
    await asked.close()
    listening.close()


@pytest.mark.parametrize(
    "head", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"]
)
async def test_a_body_without_a_length_ends_with_its_connection(head):
    async with raw_server(closes_after(head + b"all of it")) as server:
        asked = backend(server.url)
        assert (await ask(asked))[2] == b"all of it"
        assert (await ask(asked))[2] == b"all of it"
        await asked.close()
    assert server.connections == 2


async def test_a_header_with_a_line_break_is_sent_nowhere():
    async with raw_server(sends(OK)) as server:
        asked = backend(server.url)
        call = asked.call(TARGET, outbound(headers=(("a", "b\r\ncookie: c"),)), permit(), "")
        with pytest.raises(BackendError, match="no HTTP line may hold") as caught:
            await call.__aenter__()
        assert (caught.value.kind, server.connections) == ("protocol", 0)
        await asked.close()


@pytest.mark.parametrize(
    ("url", "path", "place"),
    [
        ("http://h/v1", "/chat/completions", "http://h/v1/chat/completions"),
        ("http://h/v1", "../infill", "http://h/infill"),
        ("http://h/llama/v1", "../infill", "http://h/llama/infill"),
        ("http://h", "../infill", "http://h/infill"),
        (
            "https://h/v1beta/openai",
            "/chat/completions",
            "https://h/v1beta/openai/chat/completions",
        ),
    ],
)
def test_a_path_stands_below_the_url_or_beside_its_v1(url, path, place):
    assert below(url, path) == place
