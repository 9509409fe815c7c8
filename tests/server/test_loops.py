"""A tool loop whose model fails: the next of the plan takes it over once, and its history fits."""

import pytest

from tests.helpers.gateway import backend, gateway, model
from tests.helpers.scenes import BUSY, Refuse, Say, Scene, Think, Use
from tests.helpers.sdk import STREAMED, WHOLE
from tests.helpers.tongues import SDKS, TOOLS, again, results

pytestmark = pytest.mark.usefixtures("loopback")

GONE = Scene(trouble=Refuse(503, "out of order"))
HI = [{"role": "user", "content": "read two files"}]


def calling(number, thought):
    return Scene((Think(thought), Use("Read", {"file_path": f"{number}.py"}, f"toolu_{number}")))


def served(cloud, local, near, *order):
    return gateway(
        backends=[
            backend("far", cloud, "anthropic_messages", "cloud"),
            backend("near", local, near),
        ],
        models=[model("sonnet", "far", "s"), model("qwen", "near", "q")],
        names=[{"match": "any", "choose": list(order)}],
    )


class Talk:
    """One session of a tool that speaks a dialect."""

    def __init__(self, door, dialect, how) -> None:
        self._door, self._dialect, self._how = door, dialect, how
        self._sdk, self._call, self._field = SDKS[dialect]
        self.said = list(HI)

    async def turn(self):
        """The model that answered; its calls are answered in the history."""
        async with getattr(self._door, self._sdk)() as (client, wire):
            body = {self._field: self.said, "tools": [TOOLS[self._dialect]]}
            told = await self._call(client, self._how, model="any", **body)
        self.said = [*self.said, *again(self._dialect, told)]
        self.said += results(self._dialect, told) if told.calls else HI
        return wire.headers["x-halfdoor-model"]


FRONTS = [("anthropic_messages", STREAMED), ("anthropic_messages", WHOLE),
          ("openai_chat", STREAMED), ("openai_responses", STREAMED)]  # fmt: skip


every = pytest.mark.parametrize(("dialect", "how"), FRONTS)
nears = pytest.mark.parametrize("near", ["openai_chat", "ollama"])


async def taken_over(door, talk, fails, trouble, takes):
    """(models that answered, thinking that the one which takes over was sent), of three turns.

    The first model fails in the second turn, and is well again in the third.
    """
    fails.play(calling(1, "The first file."))
    takes.play(calling(2, "The second file."), Scene((Say("Both are read."),)))
    answered = [await talk.turn()]
    fails.default = trouble
    answered.append(await talk.turn())
    assert list(takes.last.heard.results.values()) == ["of toolu_1"]
    thinking = takes.last.heard.thinking
    fails.default = Scene()
    door.well_again()
    answered.append(await talk.turn())
    assert len(takes.last.heard.results) == 2
    return answered, thinking


@every
@nears
async def test_a_loop_goes_from_a_cloud_that_fails_to_the_device_and_stays_there(
    cloud, local, dialect, how, near
):
    async with served(cloud, local, near, "sonnet", "qwen") as door:
        talk = Talk(door, dialect, how)
        answered, thinking = await taken_over(door, talk, cloud, BUSY, local)
        assert answered == ["sonnet", "qwen", "qwen"]
        if dialect != near:  # Chat knows no seals, and its bytes go on as they are
            assert thinking == []
        # The next ask goes back, and the vendor finds its own seals and nobody else's.
        assert await talk.turn() == "sonnet"
    assert cloud.last.status == 200
    assert "The second file." not in cloud.last.heard.thinking


@every
@nears
async def test_a_loop_goes_from_a_device_that_fails_to_the_cloud_and_stays_there(
    cloud, local, dialect, how, near
):
    async with served(cloud, local, near, "qwen", "sonnet") as door:
        talk = Talk(door, dialect, how)
        answered, thinking = await taken_over(door, talk, local, GONE, cloud)
        assert (answered, thinking) == (["qwen", "sonnet", "sonnet"], [])
    assert cloud.last.status == 200
    asked = [seen for seen in (*cloud.seen, *local.seen) if seen.heard]
    assert len(asked) == 4  # one of them in vain: whoever fails is asked once
