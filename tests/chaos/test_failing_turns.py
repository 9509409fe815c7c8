"""A turn that fails costs at most two calls, however often its client asks again."""

from typing import Any

import pytest

from tests.chaos.claude_code import ClaudeCode
from tests.chaos.codex import Codex
from tests.chaos.habits import Client, Failed, Reply
from tests.chaos.sdk import Sdk
from tests.chaos.weather import TROUBLES
from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, gateway, model
from tests.helpers.scenes import Refuse, Scene

pytestmark = pytest.mark.usefixtures("loopback")

TOOLS: list[Any] = [ClaudeCode(), Codex(), Sdk()]
HURRIED = {"connect_s": 1, "first_byte_s": 0.3, "idle_s": 0.2, "answer_s": 1}
# Who answers: the client's own dialect, another, or one after the other.
PLANS = {"own": 1, "another": 1, "both": 2}
OWN = {
    "claude-code": "anthropic_messages",
    "codex": "openai_responses",
    "openai-sdk": "openai_chat",
}
OTHER = {"claude-code": "openai_chat", "codex": "openai_chat", "openai-sdk": "anthropic_messages"}


@pytest.fixture(scope="module")
def fakes():
    with FakeModel() as one, FakeModel() as other:
        yield one, other


@pytest.fixture(scope="module", params=TOOLS, ids=lambda tool: tool.name)
def tool(request):
    return request.param


@pytest.fixture(scope="module")
def door(fakes, tool):
    one, other = fakes
    with gateway(
        backends=[
            backend("far", one, OWN[tool.name], "cloud", timeouts=HURRIED),
            backend("near", other, OTHER[tool.name], timeouts=HURRIED),
        ],
        models=[model("own", "far", "s"), model("another", "near", "q")],
        names=[{"match": "both", "choose": ["own", "another"]}],
    ) as started:
        yield started


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_failing_turn_is_two_calls_at_most(door, fakes, tool, trouble, plan):
    door.well_again()
    for fake in fakes:
        fake.reset()
        fake.default = TROUBLES[trouble]
    async with Client(tool, door.url) as client:
        told = await client.turn(plan, [tool.says(f"{trouble} of {plan}")])
    # Events in the wrong order pass byte for byte: what a tool makes of them is its own affair.
    assert isinstance(told, Failed) or trouble == "events in the wrong order", told
    calls = [len(fake.seen) for fake in fakes]
    assert sum(calls) <= 2, (calls, told)
    # A kept connection that its server has just closed takes a request with it, unseen.
    assert sum(calls) or "closed" in str(told)


async def test_a_new_question_after_a_failing_turn_is_asked(door, fakes, tool):
    door.well_again()
    for fake in fakes:
        fake.reset()
        fake.default = TROUBLES["529"]
    async with Client(tool, door.url) as client:
        said = [tool.says("A turn that fails.")]
        for _ in range(2):
            assert isinstance(await client.turn("own", said), Failed)
        for fake in fakes:
            fake.default = Scene()
        assert isinstance(await client.turn("own", said), Failed)
        assert isinstance(await client.turn("another", said), Reply)
        assert isinstance(await client.turn("own", [*said, tool.says("Go on.")]), Reply)


async def test_a_turn_that_failed_once_is_asked_of_somebody_else_first(door, fakes, tool):
    door.well_again()
    one, other = fakes
    for fake in fakes:
        fake.reset()
        fake.default = Scene()
    one.play(TROUBLES["cut in the stream"])
    async with Client(tool, door.url) as client:
        said = [tool.says("A turn that is cut.")]
        told = await client.turn("both", said)
        if isinstance(told, Failed):  # an SDK leaves it to its program to ask again
            told = await client.turn("both", said)
    assert isinstance(told, Reply)
    assert (len(one.seen), len(other.seen)) == (1, 1)


async def test_a_limit_that_says_when_to_come_back_is_waited_out(door, fakes, tool):
    door.well_again()
    one, _ = fakes
    one.reset()
    one.default = Scene()
    one.play(Scene(trouble=Refuse(429, "slow down", (("retry-after", "1"),))))
    async with Client(tool, door.url) as client:
        assert isinstance(await client.turn("own", [tool.says("Patience.")]), Reply)
    assert len(one.seen) == 2
