"""What every tool hears of every trouble, in its own dialect, over real sockets: the table that
docs/reference/clients.md counts requests for."""

import asyncio
import http.client
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, gateway, model
from tests.helpers.house import AWS_KEY
from tests.helpers.loop_thread import LoopThread
from tests.helpers.raw_server import raw_server, sends
from tests.helpers.scenes import (
    Cut,
    ErrorEvent,
    Garble,
    Refuse,
    Say,
    Scene,
    Slow,
    Stall,
    Trouble,
)

pytestmark = pytest.mark.usefixtures("loopback")

WORDS = "the backend's own words"
LONG = Say("word " * 40)
HI = [{"role": "user", "content": "hi"}]
# Patience of the backends that are slow, and of the one whose answer has an end.
# A busy machine is slow to its first byte, and must not be taken for a silent one.
HURRIED = {"first_byte_s": 1.0, "idle_s": 0.2}
ENDING = {"answer_s": 0.3}


@dataclass(frozen=True)
class Mouth:
    """An endpoint as a tool uses it. fars: dialects of backends that can answer; its own first."""

    path: str
    body: dict[str, Any]
    fars: tuple[str, ...]
    kind: str = "chat"
    hows: tuple[bool, ...] = (True, False)

    @property
    def family(self) -> str:
        return self.fars[0]


MOUTHS = {
    "messages": Mouth("/v1/messages", {"messages": HI, "max_tokens": 99},
                      ("anthropic_messages", "openai_chat")),
    "chat": Mouth("/v1/chat/completions", {"messages": HI}, ("openai_chat", "anthropic_messages")),
    "responses": Mouth("/v1/responses", {"input": HI}, ("openai_responses", "openai_chat")),
    "ollama chat": Mouth("/api/chat", {"messages": HI}, ("ollama", "openai_chat")),
    "ollama generate": Mouth("/api/generate", {"prompt": "hi"}, ("ollama",)),
    "completions": Mouth("/v1/completions", {"prompt": "def f("}, ("openai_chat",), "completion"),
    "embeddings": Mouth("/v1/embeddings", {"input": "hi"}, ("openai_chat",), "embedding",
                        hows=(False,)),
}  # fmt: skip
Case = tuple[Mouth, str, bool]
CASES: dict[str, Case] = {
    f"{name} to {far}, {'streamed' if stream else 'whole'}": (mouth, far, stream)
    for name, mouth in MOUTHS.items()
    for far in mouth.fars
    for stream in mouth.hows
}


def each(fits: Callable[[Mouth, str, bool], bool]) -> pytest.MarkDecorator:
    """The cases of the table that fit."""
    chosen = [pytest.param(*case, id=id_) for id_, case in CASES.items() if fits(*case)]
    return pytest.mark.parametrize(("mouth", "far", "stream"), chosen)


every = each(lambda mouth, far, stream: True)
streamed = each(lambda mouth, far, stream: stream)
FARS = sorted({far for mouth in MOUTHS.values() for far in mouth.fars})


@dataclass
class Heard:
    """An answer as it came off the wire. Reading it fails when its end is missing."""

    status: int
    headers: dict[str, str]
    body: bytes
    frames: list[Any] = field(default_factory=list)


@pytest.fixture(scope="module")
def drips():
    """Answers everybody with a byte now and then, for ever, inside a stream or a body."""

    async def drip(_, writer):
        if "/api/show" in server.requests[-1].line:
            writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
            return
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked"
        writer.write(head + b"\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"1\r\n \r\n")
            await writer.drain()
            await asyncio.sleep(0.02)

    with LoopThread("drips") as loop:
        serving = raw_server(drip)
        server = loop.run(serving.__aenter__())
        yield server
        loop.run(serving.__aexit__(None, None, None))


PAGE = b"<!doctype html>\n\n<p>It works!</p>\n\n"


@pytest.fixture(scope="module")
def pages():
    """Answers everybody with a web page, as what stands before an engine does when it is gone."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: %d"
    with LoopThread("pages") as loop:
        serving = raw_server(sends(head % len(PAGE) + b"\r\n\r\n" + PAGE))
        yield loop.run(serving.__aenter__())
        loop.run(serving.__aexit__(None, None, None))


def tables(
    shared: FakeModel, drips: Any, pages: Any
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """For each dialect a backend that is well, one that is not there, hurried and ending ones."""
    for far in FARS:
        root = drips.url.removesuffix("/v1")
        v1 = "/v1" if far.startswith("openai_") else ""
        kinds = ["chat", "completion", "embedding"]
        for name, of in {
            far: backend(far, shared, far),
            f"{far}-absent": backend(f"{far}-absent", shared, far)
            | {"url": f"http://127.0.0.1:9{v1}"},
            f"{far}-hurried": backend(f"{far}-hurried", shared, far, timeouts=HURRIED),
            f"{far}-drips": backend(f"{far}-drips", shared, far, timeouts=ENDING)
            | {"url": f"{root}{v1}"},
            f"{far}-pages": backend(f"{far}-pages", shared, far)
            | {"url": pages.url.removesuffix("/v1") + v1},
            f"{far}-cloud": backend(f"{far}-cloud", shared, far, "cloud"),
        }.items():
            yield of, [model(name, name, "real-model", kinds=kinds, context_tokens=32768)]


@pytest.fixture(scope="module")
def door(shared, drips, pages):
    made = list(tables(shared, drips, pages))
    models = [each for _, several in made for each in several]
    with gateway(backends=[of for of, _ in made], models=models) as started:
        yield started


@pytest.fixture
def ask(door, shared):
    """Ask a model: plays the scene to it. more: members of the body, or headers."""
    shared.reset()

    def asking(mouth: Mouth, to: str, stream: bool, scene: Scene | None = None, **more: Any):
        if scene:
            shared.play(scene)
        headers = more.pop("headers", {})
        body = {**mouth.body, "model": to, "stream": stream, **more}
        if mouth.kind == "embedding":
            del body["stream"]
        client = http.client.HTTPConnection(urlsplit(door.url).netloc, timeout=10)
        client.request("POST", mouth.path, json.dumps(body), headers)
        with client.getresponse() as answer:
            told = {name.lower(): value for name, value in answer.getheaders()}
            heard = Heard(answer.status, told, answer.read())
        client.close()
        return heard

    return asking


def words_of(mouth: Mouth, heard: Heard) -> str:
    """The message of an error body, which must have exactly its dialect's shape."""
    assert heard.headers["content-type"] == "application/json"
    return shaped(mouth.family, json.loads(heard.body))


def shaped(family: str, told: Any) -> str:
    if family == "ollama":
        assert list(told) == ["error"]
        assert isinstance(told["error"], str)
        return str(told["error"])
    inner = told["error"]
    assert isinstance(inner["message"], str)
    assert isinstance(inner["type"], str)
    if family == "anthropic_messages":
        assert told["type"] == "error"
    else:
        assert {"message", "type", "code"} <= set(inner)
    return str(inner["message"])


def last_words(mouth: Mouth, heard: Heard) -> str:
    """The message of the error that ends a stream, in frames that its dialect knows."""
    assert heard.status == 200
    if mouth.family == "ollama":
        return shaped("ollama", json.loads(heard.body.splitlines()[-1]))
    frames = [frame for frame in heard.body.decode().split("\n\n") if frame.strip()]
    data = [frame.partition("data: ")[2] for frame in frames]
    if mouth.family == "openai_responses":
        told = json.loads(data[-1])
        assert told["type"] == "response.failed"
        assert frames[-1].startswith("event: response.failed\n")
        return str(told["response"]["error"]["message"])
    if mouth.family == "anthropic_messages":
        assert frames[-1].startswith("event: error\n")
        return shaped(mouth.family, json.loads(data[-1]))
    told = [one for one in data if one != "[DONE]"]
    return shaped(mouth.family, json.loads(told[-1]))


def late_words(mouth: Mouth, heard: Heard) -> str:
    """Where the target's first events say nothing in the caller's dialect, nothing is out yet."""
    assert heard.status in {200, 504}
    return last_words(mouth, heard) if heard.status == 200 else words_of(mouth, heard)


STATUSES = [400, 404, 413, 429, 500, 503, 529]


@pytest.mark.parametrize("status", STATUSES)
@every
def test_a_backends_error_keeps_its_status_and_words_and_is_not_asked_for_again(
    ask, shared, mouth, far, stream, status
):
    heard = ask(mouth, far, stream, Scene(trouble=Refuse(status, WORDS)))
    assert heard.status == status
    assert WORDS in words_of(mouth, heard)
    assert heard.headers["x-should-retry"] == "false"
    assert len(shared.seen) == 1


@pytest.mark.parametrize("status", [401, 403])
@every
def test_a_key_of_halfdoors_own_that_is_refused_is_a_400(ask, shared, mouth, far, stream, status):
    heard = ask(mouth, far, stream, Scene(trouble=Refuse(status, WORDS)))
    assert heard.status == 400
    assert f"refused halfdoor's key ({status})" in words_of(mouth, heard)
    assert len(shared.seen) == 1


WORD_ON_COMING_BACK = [("retry-after", "2"), ("retry-after-ms", "1500"), ("x-should-retry", "true")]


@pytest.mark.parametrize("word", WORD_ON_COMING_BACK, ids=lambda word: word[0])
@pytest.mark.parametrize("status", [429, 503])
@every
def test_a_backends_own_word_on_coming_back_goes_through(ask, mouth, far, stream, status, word):
    heard = ask(mouth, far, stream, Scene(trouble=Refuse(status, WORDS, (word,))))
    assert heard.status == status
    assert heard.headers[word[0]] == word[1]
    assert heard.headers.get("x-should-retry") in {None, "true"}


LIMITS = (
    ("x-ratelimit-remaining-tokens", "149984"),
    ("anthropic-ratelimit-tokens-reset", "2026-11-21T06:00:00Z"),
    ("x-request-id", "req_x1"),
    ("request-id", "req_x2"),
)


@every
def test_limits_and_request_ids_of_an_error_go_through(ask, mouth, far, stream):
    heard = ask(mouth, far, stream, Scene(trouble=Refuse(429, WORDS, LIMITS)))
    assert set(LIMITS) <= set(heard.headers.items())


OWN_IDS = {"anthropic_messages": "request-id", "openai_chat": "x-request-id",
           "openai_responses": "x-request-id"}  # fmt: skip


@every
def test_the_request_id_of_an_answer_goes_through(ask, mouth, far, stream):
    heard = ask(mouth, far, stream)
    assert heard.status == 200
    assert far == "ollama" or heard.headers[OWN_IDS[far]] == "req_fake0001"


@every
def test_a_backend_that_is_not_there_is_a_502_that_says_what_to_do(ask, mouth, far, stream):
    heard = ask(mouth, f"{far}-absent", stream)
    assert heard.status == 502
    told = words_of(mouth, heard)
    assert f"backend `{far}-absent`" in told
    assert "halfdoor doctor" in told
    assert heard.headers["x-should-retry"] == "false"


@every
def test_silence_before_the_status_is_a_504(ask, mouth, far, stream):
    heard = ask(mouth, f"{far}-hurried", stream, Scene(trouble=Stall(5)))
    assert heard.status == 504
    assert "did not answer in 1 s" in words_of(mouth, heard)


@every
def test_a_cut_before_the_first_byte_is_a_502(ask, mouth, far, stream):
    heard = ask(mouth, far, stream, Scene((LONG,), Cut(0, inside=False)))
    assert heard.status == 502
    assert f"backend `{far}` closed the connection" in words_of(mouth, heard)


@pytest.mark.parametrize("inside", [True, False], ids=["in an event", "between events"])
@streamed
def test_a_cut_in_a_stream_is_told_and_the_stream_ends(ask, mouth, far, stream, inside):
    heard = ask(mouth, far, stream, Scene((LONG,), Cut(6, inside=inside)))
    assert f"halfdoor: backend `{far}` closed the connection" in last_words(mouth, heard)


@streamed
def test_silence_in_a_stream_is_told_and_the_stream_ends(ask, mouth, far, stream):
    heard = ask(mouth, f"{far}-hurried", stream, Scene((LONG,), Slow(0.4)))
    assert "fell silent for 0.2 s" in late_words(mouth, heard)


@streamed
def test_an_error_event_of_the_backend_is_told_in_the_callers_own(ask, mouth, far, stream):
    heard = ask(mouth, far, stream, Scene((LONG,), ErrorEvent(WORDS, 6)))
    assert WORDS.encode() in heard.body


# The status with which each vendor says the same where its stream has not begun.
AT_FIRST = {
    "anthropic_messages": 529,
    "openai_chat": 500,
    "openai_responses": 500,
    "ollama": 500,
}


@streamed
def test_an_error_in_place_of_a_streams_beginning_is_the_status_that_it_stands_for(
    ask, mouth, far, stream
):
    heard = ask(mouth, far, stream, Scene((LONG,), ErrorEvent(WORDS, 0)))
    assert heard.status == AT_FIRST[far]
    assert WORDS in words_of(mouth, heard)


@streamed
def test_an_event_that_cannot_be_read_is_told_and_the_stream_ends(ask, mouth, far, stream):
    heard = ask(mouth, far, stream, Scene((LONG,), Garble(6)))
    assert last_words(mouth, heard)


@each(lambda mouth, far, stream: not stream and far != mouth.family)
def test_a_whole_answer_that_cannot_be_translated_is_a_502(ask, mouth, far, stream):
    heard = ask(mouth, far, stream, Scene((LONG,), Garble()))
    assert heard.status == 502
    assert words_of(mouth, heard)


@every
def test_a_web_page_in_place_of_an_answer_is_a_502_and_nothing_of_it_arrives(
    ask, mouth, far, stream
):
    heard = ask(mouth, f"{far}-pages", stream)
    assert heard.status == 502
    assert "a web page came" in words_of(mouth, heard)
    assert b"It works!" not in heard.body


@every
def test_a_byte_now_and_then_does_not_hold_a_caller_past_the_end(ask, mouth, far, stream):
    heard = ask(mouth, f"{far}-drips", stream)
    assert "took longer than 0.3 s" in late_words(mouth, heard)


@every
def test_what_a_rule_refuses_is_a_400_and_nobody_is_asked(ask, shared, mouth, far, stream):
    member = next(name for name in mouth.body if name != "max_tokens")
    text = f"access = {AWS_KEY}"
    planted = text if isinstance(mouth.body[member], str) else [{"role": "user", "content": text}]
    heard = ask(mouth, f"{far}-cloud", stream, **{member: planted})
    assert heard.status == 400
    assert "`secret`" in words_of(mouth, heard)
    assert heard.headers["x-should-retry"] == "false"
    assert shared.seen == []


@every
def test_an_unknown_model_is_a_400_that_names_the_known_ones(ask, shared, mouth, far, stream):
    heard = ask(mouth, "nobody", stream)
    assert heard.status == 400
    assert "openai_chat" in words_of(mouth, heard)


OVER = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens."
TOLD = {
    "anthropic": "prompt is too long: 5000 tokens > 4096 maximum (",
    "openai": "This model's maximum context length is 4096 tokens. However, your messages resulted "
    "in 5000 tokens.",
    "ollama": "the input length exceeds the context length: 5000 tokens > 4096 (",
}


@every
def test_a_prompt_that_is_too_long_is_told_in_the_words_that_the_tool_acts_on(
    ask, shared, mouth, far, stream
):
    heard = ask(mouth, far, stream, Scene(trouble=Refuse(400, OVER)))
    assert (heard.status, len(shared.seen)) == (400, 1)
    told = words_of(mouth, heard)
    if mouth.family == "ollama" == far:
        assert told == OVER
    else:
        assert told.startswith(TOLD[mouth.family.partition("_")[0]])
        assert OVER in told
    if mouth.family.startswith("openai_"):
        assert json.loads(heard.body)["error"]["code"] == "context_length_exceeded"


CODEX = {"headers": {"user-agent": "codex_cli_rs/0.169.0"}}
codex = each(lambda mouth, far, stream: mouth.path == "/v1/responses")


@pytest.mark.parametrize("status", [500, 529])
@codex
def test_codex_hears_a_429_for_a_5xx_because_it_asks_thirty_times(ask, mouth, far, stream, status):
    heard = ask(mouth, far, stream, Scene(trouble=Refuse(status, WORDS)), **CODEX)
    assert (heard.status, "retry-after" in heard.headers) == (429, False)
    assert WORDS in words_of(mouth, heard)


@codex
def test_codex_hears_an_overloaded_503_as_it_is_because_it_asks_five_times(ask, mouth, far, stream):
    heard = ask(mouth, far, stream, Scene(trouble=Refuse(503, WORDS)), **CODEX)
    assert heard.status == 503
    assert json.loads(heard.body)["error"]["code"] == "server_is_overloaded"


@codex
def test_codex_hears_what_somebody_must_mend_in_words(ask, mouth, far, stream):
    heard = ask(mouth, f"{far}-absent", stream, **CODEX)
    assert heard.status == 400
    assert "is it running?" in words_of(mouth, heard)


@codex
def test_codex_hears_silence_and_cuts_as_a_429(ask, mouth, far, stream):
    silent = ask(mouth, f"{far}-hurried", stream, Scene(trouble=Stall(5)), **CODEX)
    cut = ask(mouth, far, stream, Scene((LONG,), Cut(0, inside=False)), **CODEX)
    assert (silent.status, cut.status) == (429, 429)


# --- A stream that is held until it is complete. ---

HOLD = {"headers": {"x-halfdoor-hold": "true"}}
BREAKS: dict[str, Trouble] = {
    "cut in an event": Cut(6),
    "cut between events": Cut(6, inside=False),
    "error event": ErrorEvent(WORDS, 6),
    "garbled event": Garble(6),
}


@streamed
def test_a_held_stream_that_is_complete_is_the_stream_itself(ask, shared, mouth, far, stream):
    scene = Scene((LONG,))
    plain, held = ask(mouth, far, stream, scene), ask(mouth, far, stream, scene, **HOLD)
    assert (held.status, held.headers["content-type"]) == (200, plain.headers["content-type"])
    assert undated(held.body) == undated(plain.body)
    assert b"x-halfdoor-hold" not in b"".join(name.lower() for name, _ in shared.last.headers)


def undated(body: bytes) -> bytes:
    """Without what each translation makes anew: times and ids."""
    return re.sub(rb'"(created|created_at|id|item_id)":("[^"]*"|\d+(\.\d+)?)', b"", body)


@pytest.mark.parametrize("how", BREAKS)
@streamed
def test_a_held_stream_that_breaks_off_is_an_error_before_the_first_byte(
    ask, mouth, far, stream, how
):
    heard = ask(mouth, far, stream, Scene((LONG,), BREAKS[how]), **HOLD)
    assert heard.status == (AT_FIRST[far] if how == "error event" else 502)
    assert words_of(mouth, heard)


@streamed
def test_a_held_stream_that_falls_silent_is_a_504(ask, mouth, far, stream):
    heard = ask(mouth, f"{far}-hurried", stream, Scene((LONG,), Slow(0.4)), **HOLD)
    assert heard.status == 504
    assert "fell silent" in words_of(mouth, heard)
