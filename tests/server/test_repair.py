"""An engine that leaves tool calls in its text, and tools that hear calls: the SDKs say what they heard."""

import pytest

from tests.helpers.gateway import backend, gateway, model
from tests.helpers.scenes import Report, Say, Scene, Use
from tests.helpers.sdk import STREAMED, WHOLE, Called
from tests.helpers.tongues import FORMS, SDKS, TOOLS, again, results

pytestmark = pytest.mark.usefixtures("loopback")

HI = [{"role": "user", "content": "hi"}]
LEAK = '<tool_call>\n{"name": "Read", "arguments": {"file_path": "src/notes.py"}}\n</tool_call>'
HOW = pytest.mark.parametrize("how", [WHOLE, STREAMED])
NEAR = pytest.mark.parametrize("near", SDKS)


@pytest.fixture(scope="module")
def door(server):
    """Of each dialect: as it is, always repaired, never."""
    said = {"": {}, "-always": {"repair_tools": True}, "-never": {"repair_tools": False}}
    with gateway(
        backends=[backend(name, server, name) for name in SDKS],
        models=[
            model(name + word, name, "real-model", context_tokens=32768, **more)
            for name in SDKS
            for word, more in said.items()
        ],
    ) as started:
        yield started


async def asked(door, near, how, name, said=HI, **more):
    """What the SDK heard, and halfdoor's headers."""
    sdk, call, field = SDKS[near]
    async with getattr(door, sdk)() as (client, wire):
        fields = {field: said, "tools": [TOOLS[near]], **more}
        return await call(client, how, model=name, **fields), wire.headers


def far_of(near):
    return "ollama" if near == "openai_chat" else "openai_chat"


@HOW
@NEAR
async def test_a_translated_answer_has_a_call_where_the_engine_left_text(fake, door, near, how):
    fake.play(Scene((Say(LEAK),)), Scene((Report(),)))
    told, headers = await asked(door, near, how, far_of(near))
    assert told.text == ""
    assert [(c.name, c.arguments) for c in told.calls] == [("Read", {"file_path": "src/notes.py"})]
    why = await door.why(headers["x-halfdoor-id"])
    assert "repaired:tool-call-tag" in why["outcome"]["attempts"][0]["edits"]
    more = [*HI, *again(near, told), *results(near, told)]
    await asked(door, near, how, far_of(near), more)
    assert list(fake.last.heard.results.values()) == [f"of {told.calls[0].id or 0}"]


@HOW
@NEAR
async def test_in_one_dialect_the_text_is_the_engines_own(fake, door, near, how):
    fake.play(Scene((Say(LEAK),)))
    told, headers = await asked(door, near, how, near)
    assert (told.text, told.calls) == (LEAK, ())
    assert "x-halfdoor-degraded" not in headers


@HOW
@NEAR
async def test_in_one_dialect_it_is_repaired_where_the_model_says_so(fake, door, near, how):
    fake.play(Scene((Say("I look.\n"), Say(LEAK))))
    told, headers = await asked(door, near, how, f"{near}-always")
    assert [(c.name, c.arguments) for c in told.calls] == [("Read", {"file_path": "src/notes.py"})]
    assert told.text.strip() == "I look."
    assert headers["x-halfdoor-degraded"] == "answer-rewritten"


@HOW
async def test_a_model_that_must_never_be_repaired_is_not(fake, door, how):
    fake.play(Scene((Say(LEAK),)))
    told, _ = await asked(door, "anthropic_messages", how, "openai_chat-never")
    assert (told.text, told.calls) == (LEAK, ())


@HOW
async def test_json_that_the_tool_asked_for_is_no_call(fake, door, how):
    said = '{"name": "Read", "arguments": {"file_path": "a"}}'
    fake.play(Scene((Say(said),)), Scene((Say(said),)))
    form = FORMS["openai_chat"]
    told, _ = await asked(door, "openai_chat", how, "ollama", **form)
    assert (told.text, told.calls) == (said, ())
    told, _ = await asked(door, "openai_chat", how, "ollama")
    assert [call.name for call in told.calls] == ["Read"]


async def test_a_real_call_beside_it_is_the_only_one(fake, door):
    fake.play(Scene((Say(LEAK), Use("Read", {"file_path": "b"}, "call_r1"))))
    told, _ = await asked(door, "anthropic_messages", STREAMED, "openai_chat")
    assert told.calls == (Called("call_r1", "Read", {"file_path": "b"}),)
    assert told.text == LEAK
