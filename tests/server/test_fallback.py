"""What breaks on one side is answered by the other, where the other may answer."""

import anthropic
import pytest

from tests.helpers.gateway import backend, gateway, model
from tests.helpers.house import AWS_KEY
from tests.helpers.scenes import BUSY, ErrorEvent, Refuse, Scene
from tests.helpers.sdk import STREAMED, WHOLE, messages

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


# What vendors say of an account that has nothing left: as they are reported, under their statuses.
CREDIT = (
    "Your credit balance is too low to access the Anthropic API. "
    "Please go to Plans & Billing to upgrade or purchase credits."
)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, CREDIT),
        (400, "You have reached your specified API usage limits. You will regain access on …"),
        (402, "Insufficient Balance"),
        (403, "Your team has either used all available credits or reached its monthly limit."),
    ],
)
async def test_an_account_without_credit_is_no_fault_of_the_request_and_the_device_answers(
    door, cloud, status, said
):
    cloud.default = Scene(trouble=Refuse(status, said))
    answers = [await ask(door, f"turn {turn}") for turn in range(3)]
    assert [headers["x-halfdoor-model"] for headers in answers] == ["qwen"] * 3
    assert len(cloud.seen) == 1
    assert answers[-1]["x-halfdoor-fallback"] == "sonnet: quota"


async def test_a_stream_that_begins_with_an_error_is_answered_by_the_next_and_trips_the_breaker(
    door, cloud
):
    cloud.default = Scene(trouble=ErrorEvent("Overloaded", 0))
    async with door.anthropic() as (client, wire):
        for turn in range(3):
            said = [{"role": "user", "content": f"turn {turn}"}]
            await messages(client, STREAMED, model="any", messages=said)
    assert len(cloud.seen) == 1
    assert wire.headers["x-halfdoor-fallback"] == "sonnet: 529"


async def test_without_anybody_else_the_caller_hears_its_vendors_own_words_on_credit(door, cloud):
    cloud.default = Scene(trouble=Refuse(400, CREDIT))
    async with door.anthropic() as (client, _):
        for _ in range(2):
            with pytest.raises(anthropic.BadRequestError, match="Your credit balance is too low"):
                said = [{"role": "user", "content": "hi"}]
                await messages(client, WHOLE, model="sonnet", messages=said)


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
