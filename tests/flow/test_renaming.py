from typing import Any

import pytest

from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, gateway, model
from tests.helpers.scenes import Report, Scene, Use
from tests.helpers.sdk import STREAMED, WHOLE
from tests.helpers.tongues import SDKS, again, results

LONG = "mcp__a_server_with_a_long_name__" + "read_the_file_" * 4
DOTTED = "files.read"
SCHEMA = {"type": "object", "properties": {"file_path": {"type": "string"}}}
FUNCTION = {"type": "function", "function": {"description": "Reads.", "parameters": SCHEMA}}
TOOLS: dict[str, dict[str, Any]] = {
    "anthropic_messages": {"description": "Reads.", "input_schema": SCHEMA},
    "openai_chat": FUNCTION,
    "ollama": FUNCTION,
}


def tool(near, name):
    made = dict(TOOLS[near])
    if "function" in made:
        return made | {"function": made["function"] | {"name": name}}
    return made | {"name": name}


PAIRS = [(near, far) for near in TOOLS for far in SDKS if near != far]


@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize("how", [STREAMED, WHOLE])
@pytest.mark.parametrize("name", [LONG, DOTTED], ids=["long", "dotted"])
@pytest.mark.parametrize(("near", "far"), PAIRS)
async def test_a_name_that_the_far_side_refuses_makes_its_full_loop(near, far, name, how):
    sdk, send, field = SDKS[near]
    hi = [{"role": "user", "content": "hi"}]
    with FakeModel() as fake:
        of = backend(far, fake, far)
        async with gateway(
            backends=[of], models=[model("m", far, "x", context_tokens=9000)]
        ) as door:
            async with getattr(door, sdk)() as (client, wire):
                sent = {"model": "m", "tools": [tool(near, name), tool(near, "Plain")]}
                fake.play(Scene((Report(),)))
                await send(client, how, **sent, **{field: hi})
                assert fake.last.heard
                given = fake.last.heard.tools[0]
                fake.play(Scene((Use(given, {"file_path": "a"}, "call_1"),)), Scene((Report(),)))
                told = await send(client, how, **sent, **{field: hi})
                assert [call.name for call in told.calls] == [name]
                turns = [*hi, *again(near, told), *results(near, told)]
                await send(client, how, **sent, **{field: turns})
            why = await door.why(wire.headers["x-halfdoor-id"])
    assert fake.last.heard.tools == [given, "Plain"]
    assert len(given) <= 64
    assert set(given) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
    assert name.encode() not in b"".join(seen.body for seen in fake.seen)
    assert "tool-names" in why["outcome"]["attempts"][0]["edits"]
