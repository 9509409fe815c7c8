import json

import pytest

from halfdoor.backends.scripted import ScriptedBackend, Turn
from halfdoor.canon.commands import Outbound
from halfdoor.canon.decision import Permit, Target
from halfdoor.canon.events import PartKind, Stop, StopReason, Used
from halfdoor.canon.labels import Zone
from halfdoor.dialects.anthropic_messages import AnthropicMessages
from halfdoor.dialects.openai_chat import OpenAIChat
from halfdoor.record.permits import seal

KEY = b"a seal key of thirty-two bytes.."
PERMIT = Permit("hd_1", (("qwen", Zone.CLOUD),), 7, seal(KEY, "hd_1", (("qwen", Zone.CLOUD),), 7))
CALL = ("call_1", "read", '{"path":"a.py"}')


@pytest.fixture(params=[OpenAIChat(), AnthropicMessages()], ids=lambda dialect: dialect.name)
def dialect(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def stream(request):
    return request.param


async def answered(dialect, stream, *turns):
    """(content type, body, backend) of one call."""
    backend = ScriptedBackend("stand-in", dialect, Zone.NETWORK, KEY, turns)
    target = Target("qwen", "stand-in", "qwen3", Zone.NETWORK, dialect.name, "ollama")
    said = [{"role": "user", "content": "the caller's own words"}]
    body = {"model": "qwen3", "max_tokens": 9, "stream": stream, "messages": said}
    if stream and dialect.name == "openai_chat":
        body["stream_options"] = {"include_usage": True}
    out = Outbound(dialect.outbound_path(None), (), json.dumps(body).encode(), stream)
    async with backend.call(target, out, PERMIT, "") as incoming:
        chunks = [chunk async for chunk in incoming.chunks()]
        return dict(incoming.headers)["content-type"], chunks, backend


def events(dialect, stream, chunks):
    if not stream:
        return dialect.events(b"".join(chunks))
    parser = dialect.parser()
    return [event for chunk in chunks for event in parser.feed(chunk)] + parser.end()


async def test_without_a_script_it_says_loudly_that_no_model_spoke(dialect, stream):
    kind, chunks, _ = await answered(dialect, stream)
    text = "".join(getattr(event, "text", "") for event in events(dialect, stream, chunks))
    assert "SCRIPTED: no model was asked" in text
    for fact in ("`qwen`", "`stand-in`", "zone `network`", "1 message(s)"):
        assert fact in text
    assert "own words" not in text
    assert kind == (dialect.content_type_stream if stream else "application/json")


async def test_a_turn_of_thinking_text_and_calls_reads_back_as_it_was_written(dialect, stream):
    turn = Turn("two\nlines", "let me see", "sig", (CALL, ("call_2", "list", "{}")))
    _, chunks, _ = await answered(dialect, stream, turn)
    read = events(dialect, stream, chunks)
    opened = [(event.kind, event.name) for event in read if hasattr(event, "kind")]
    assert opened[-2:] == [(PartKind.TOOL_CALL, "read"), (PartKind.TOOL_CALL, "list")]
    assert {event.reason for event in read if isinstance(event, Stop)} == {StopReason.TOOL_CALLS}
    assert any(isinstance(event, Used) and event.usage.output_tokens > 0 for event in read)


async def test_turns_are_answered_in_order_and_then_comes_the_default(dialect):
    backend = ScriptedBackend("stand-in", dialect, Zone.DEVICE, KEY, [Turn("one"), Turn("two")])
    target = Target("qwen", "stand-in", "q", Zone.DEVICE, dialect.name, "ollama")
    body = b'{"model":"q","max_tokens":9,"messages":[{"role":"user","content":"x"}]}'
    said = []
    for _ in range(3):
        async with backend.call(target, Outbound("", (), body, False), PERMIT, "") as incoming:
            said.append(b"".join([chunk async for chunk in incoming.chunks()]))
    assert [b"one" in said[0], b"two" in said[1], b"SCRIPTED" in said[2]] == [True, True, True]
    assert len(backend.calls) == 3
    assert backend.cancelled == 0


async def test_a_body_can_be_cut_to_any_size_of_pieces(dialect, stream):
    _, chunks, _ = await answered(dialect, stream, Turn("some words", chunk_bytes=7))
    assert {len(chunk) for chunk in chunks[:-1]} == {7}
    assert not any(type(event).__name__ == "Failed" for event in events(dialect, stream, chunks))


async def test_an_error_without_a_body_is_worded_in_the_dialect(dialect, stream):
    kind, [body], _ = await answered(dialect, stream, Turn(status=503))
    assert kind == "application/json"
    assert dialect.error_text(body)[1]
