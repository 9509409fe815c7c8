"""A session stays where its prompt is cached, leaves when it must, and comes back once."""

from typing import Any

import pytest

from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, gateway, model
from tests.helpers.scenes import BUSY, Counts, Scene
from tests.helpers.sdk import WHOLE, messages

pytestmark = pytest.mark.usefixtures("loopback")

LONG = "We talk about the parser. " * 1000
DOCS, FIX = "Please add docstrings to a.py.", "Please fix the bug in a.py."


@pytest.fixture
def door(cloud):
    price = {"input": 3_000_000, "output": 15_000_000, "cached_input": 300_000}
    with (
        FakeModel() as local,
        gateway(
            backends=[
                backend("far", cloud, "anthropic_messages", "cloud"),
                backend("near", local, "openai_chat"),
            ],
            models=[model("sonnet", "far", "s", price=price), model("qwen", "near", "q")],
            names=[{"match": "any", "choose": ["sonnet", "qwen"]}],
            routes=[{"name": "docs", "match": {"task": ["document"]}, "models": ["qwen"]}],
        ) as started,
    ):
        yield started


async def ask(door, text, session="s1", before=LONG):
    said = [{"role": "user", "content": before}, {"role": "assistant", "content": "I see."}]
    async with door.anthropic() as (client, wire):
        await messages(
            client,
            WHOLE,
            model="any",
            messages=[*said, {"role": "user", "content": text}],
            extra_headers={"x-claude-code-session-id": session},
        )
    return wire.headers["x-halfdoor-model"]


async def leaving(door):
    return (await door.why("last"))["decided"]["choice"]["leaving"]


async def test_a_long_prompt_in_a_vendors_cache_is_not_left_for_one_ask(door):
    assert [await ask(door, FIX), await ask(door, DOCS), await ask(door, DOCS)] == ["sonnet"] * 3
    told = await leaving(door)
    assert (told["model"], told["other"], told["why"]) == ("sonnet", "qwen", "stays")
    assert told["worth"] == told["tokens"] * (3_000_000 - 300_000)
    assert await ask(door, DOCS, "another") == "qwen"


async def test_a_short_one_is_and_comes_back(door):
    models = [await ask(door, text, before="Hi.") for text in (FIX, DOCS, DOCS, FIX)]
    assert models == ["sonnet", "qwen", "qwen", "sonnet"]
    assert (await leaving(door))["why"] == "back"


async def test_a_session_that_fell_to_the_device_comes_back_once(door, cloud):
    answers = [await ask(door, FIX)]
    for _ in range(2):
        cloud.default = BUSY
        answers.append(await ask(door, FIX))
        cloud.default = Scene()
        door.well_again()
        answers.append(await ask(door, FIX))
    assert answers == ["sonnet", "qwen", "sonnet", "qwen", "qwen"]
    assert (await leaving(door))["why"] == "stays"


async def test_a_restart_forgets_nothing_of_what_a_models_tokens_weigh(tmp_path):
    counts = Counts(prompt=12_000, cached=0)  # some 2.2 bytes a token
    with FakeModel() as fake:
        fake.default = Scene(counts=counts)
        tables: dict[str, Any] = {
            "backends": [backend("far", fake, "anthropic_messages", "cloud")],
            "models": [model("one", "far", "s"), model("other", "far", "t")],
            "names": [{"match": "any", "choose": ["one", "other"]}],
            "server": {"state_dir": str(tmp_path / "state")},
        }
        async with gateway(**tables) as door:
            await ask(door, FIX)
        async with gateway(**tables) as door:
            await ask(door, FIX, "another")
            told = await door.why("last")
    assert 11_000 < told["decided"]["expected_tokens"] < 13_000
