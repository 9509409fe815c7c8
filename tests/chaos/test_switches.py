"""A session that is forced to and fro between a vendor and an engine, in the middle of its tool loops."""

import itertools
from typing import Any

import pytest

from tests.chaos.claude_code import ClaudeCode
from tests.chaos.codex import Codex
from tests.chaos.habits import Client, Reply
from tests.chaos.sdk import Sdk
from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, gateway, model
from tests.helpers.scenes import Refuse, Say, Scene, Think, Use

pytestmark = pytest.mark.usefixtures("loopback")

SWITCHES = 10
DOWN = Scene(trouble=Refuse(529, "Overloaded"))
BUDGET = {"type": "enabled", "budget_tokens": 2048}
# Kimi's ids, which not every vendor takes back.
ENGINES = {"openai_chat": "functions.Read:{}_", "ollama": "functions.Read:{}_"}
# (tool, the vendor's dialect, the engine's)
PAIRS: list[tuple[Any, str, str]] = [
    (ClaudeCode(), "anthropic_messages", "openai_chat"),
    (ClaudeCode(BUDGET), "anthropic_messages", "openai_chat"),
    (ClaudeCode(BUDGET), "anthropic_messages", "anthropic_messages"),
    (ClaudeCode(BUDGET), "anthropic_messages", "ollama"),
    (ClaudeCode(), "openai_responses", "openai_chat"),
    (Codex(), "openai_responses", "openai_chat"),
    (Codex(), "anthropic_messages", "openai_responses"),
    (Sdk(), "anthropic_messages", "openai_chat"),
]


def calling(who: str, call_id: str):
    """Thinks, says something, and calls; an engine has habits of its own."""
    numbers = itertools.count()

    def scene(seen: Any) -> Scene:
        n = next(numbers)
        first = Say("\n\n") if who == "engine" and n % 3 == 0 else Say(f"From the {who}.")
        call = Use("Read", {"file_path": f"src/{n}.py"}, call_id.format(n))
        return Scene((Think(f"The {who} thinks {n}."), first, call))

    return scene


@pytest.mark.parametrize(("tool", "far", "near"), PAIRS, ids=lambda p: getattr(p, "name", p))
async def test_ten_forced_switches_brick_no_session(tool, far, near):
    with FakeModel() as cloud, FakeModel(open_fields=True) as local:
        async with gateway(
            backends=[backend("far", cloud, far, "cloud"), backend("near", local, near)],
            models=[model("sonnet", "far", "s"), model("qwen", "near", "q")],
            names=[{"match": "any", "choose": ["sonnet", "qwen"]}],
        ) as door, Client(tool, door.url) as client:  # fmt: skip
            history = [tool.says("Mend the parser.")]
            for switch in range(2 * SWITCHES):
                well, ill = (cloud, local) if switch % 2 else (local, cloud)
                well.directs = calling(*(("vendor", f"toolu_{switch}a{{}}") if well is cloud
                                         else ("engine", ENGINES.get(near, "call_{}_").format(switch) + "{}")))  # fmt: skip
                ill.directs = lambda _: DOWN
                for step in range(3):
                    told = await client.turn("any", history)
                    assert isinstance(told, Reply), told
                    history += told.items
                    history += [tool.result(call, f"text {switch}") for call in told.calls]
                    if step == 1 and switch % 4 == 1:  # a person says something in between
                        history.append(tool.says("And the printer."))
                assert not [seen.complaint for seen in (*cloud.seen, *local.seen) if seen.complaint]
    assert client.asked == 2 * SWITCHES * 3
