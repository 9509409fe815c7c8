"""A session that moves between vendors: what one sealed goes to no other, whatever the dialects."""

import pytest

from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, gateway, model
from tests.helpers.scenes import Say, Scene, Think
from tests.helpers.sdk import STREAMED
from tests.helpers.tongues import SDKS, again

pytestmark = pytest.mark.usefixtures("loopback")

HI = [{"role": "user", "content": "hi"}]
MOVES = [
    ("openai_responses", "openai_responses", "anthropic_messages"),
    ("openai_responses", "anthropic_messages", "openai_responses"),
    ("anthropic_messages", "anthropic_messages", "openai_responses"),
    ("anthropic_messages", "openai_responses", "anthropic_messages"),
]


@pytest.fixture(scope="module")
def vendors():
    with FakeModel() as one, FakeModel() as other:
        yield {"openai_responses": one, "anthropic_messages": other}


@pytest.fixture(scope="module")
def door(vendors):
    with gateway(
        backends=[backend(name, fake, name) for name, fake in vendors.items()],
        models=[model(name, name, "real-model") for name in vendors],
    ) as started:
        yield started


@pytest.mark.parametrize(("near", "first", "then"), MOVES)
async def test_thinking_goes_back_to_who_sealed_it_and_to_nobody_else(
    vendors, door, near, first, then
):
    for fake in vendors.values():
        fake.reset()
        fake.default = Scene((Think("First the parser."), Say("Done.")))
    sdk, call, field = SDKS[near]
    async with getattr(door, sdk)() as (client, wire):
        told = await call(client, STREAMED, model=first, **{field: HI})
        said = [*HI, *again(near, told), *HI]
        await call(client, STREAMED, model=first, **{field: said})
        assert vendors[first].last.heard.thinking == ["First the parser."]
        await call(client, STREAMED, model=then, **{field: said})
    assert vendors[then].last.status == 200
    assert vendors[then].last.heard.thinking == []
    if near != then:
        assert wire.headers["x-halfdoor-degraded"] == "thinking"
