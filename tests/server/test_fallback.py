"""What breaks on one side is answered by the other, where the other may answer."""

import pytest

from tests.helpers.gateway import backend, gateway, model
from tests.helpers.house import AWS_KEY
from tests.helpers.scenes import BUSY, Refuse, Scene
from tests.helpers.sdk import WHOLE, messages

pytestmark = pytest.mark.usefixtures("loopback")


@pytest.fixture
def door(cloud, local):
    with gateway(
        backends=[
            backend("far", cloud, "anthropic_messages", "cloud"),
            backend("near", local, "openai_chat"),
        ],
        models=[model("sonnet", "far", "s"), model("qwen", "near", "q")],
        names=[{"match": "any", "choose": ["sonnet", "qwen"]}],
    ) as started:
        yield started


async def ask(door, text="hi"):
    async with door.anthropic() as (client, wire):
        said = [{"role": "user", "content": text}]
        await messages(client, WHOLE, model="any", messages=said)
    return dict(wire.headers)


async def test_a_busy_cloud_is_asked_once_and_the_device_answers_until_it_is_over(
    door, cloud, local
):
    cloud.default = BUSY
    answers = [await ask(door) for _ in range(5)]
    assert [headers["x-halfdoor-model"] for headers in answers] == ["qwen"] * 5
    assert len(cloud.seen) == 1
    assert answers[-1]["x-halfdoor-fallback"] == "sonnet: 429"
    assert (await door.why("last"))["decided"]["unwell"] == ["sonnet: 429"]


async def test_what_must_stay_is_refused_and_not_sent_further_when_its_engine_is_down(
    door, cloud, local
):
    local.default = Scene(trouble=Refuse(500, "broken"))
    for _ in range(4):
        with pytest.raises(Exception, match="rule `secret`"):
            await ask(door, f"key = {AWS_KEY}")
    assert not cloud.saw(AWS_KEY.encode())
    headers = await ask(door)
    assert headers["x-halfdoor-model"] == "sonnet"
