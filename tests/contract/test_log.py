"""What every `flow.ports.Log` does: the real one, and the fake that is shipped for trials."""

import asyncio

import pytest

from halfdoor.canon.decision import Target
from halfdoor.canon.labels import Zone
from halfdoor.canon.record import LabelCount
from halfdoor.errors import LogError
from halfdoor.record.permits import covers
from halfdoor.store.keys import LogKeys
from halfdoor.store.log import MemoryLog, SqliteLog
from tests.record.samples import decided, noted, outcome

LOCAL = Target("qwen-coder", "ollama", "qwen3", Zone.DEVICE, "openai_chat", "qwen")


@pytest.fixture
def keys(tmp_path):
    """Made before any loop runs: reading files blocks."""
    return LogKeys.load_or_create(tmp_path / "state")


@pytest.fixture(params=["disk", "memory"])
async def log(request, keys, tmp_path):
    opened: SqliteLog | MemoryLog = MemoryLog(keys.seal_key)
    if request.param == "disk":
        opened = await asyncio.to_thread(SqliteLog, tmp_path / "state", keys)
    yield opened
    await opened.close()


async def test_a_decision_gives_a_permit_for_its_plan(log, keys):
    permit = await log.append(decided())
    assert (permit.exchange, permit.targets) == (decided().id, (("qwen-coder", Zone.DEVICE),))
    assert covers(permit, keys.seal_key, LOCAL, Zone.DEVICE)


async def test_other_entries_permit_nobody(log):
    await log.append(decided())
    assert (await log.append(outcome())).targets == ()
    assert (await log.append(noted())).targets == ()


async def test_entries_are_numbered_in_the_order_in_which_they_came(log):
    permits = await asyncio.gather(*[log.append(decided(number)) for number in range(50)])
    assert [permit.sequence for permit in permits] == list(range(50))


async def test_an_entry_that_is_too_large_fails_alone(log):
    places = tuple(f"messages[{number}]" for number in range(5000))
    large = decided(labels=(LabelCount("secret", "", "secrets", 5000, places),))
    results = await asyncio.gather(
        log.append(decided(0)), log.append(large), log.append(decided(1)), return_exceptions=True
    )
    assert isinstance(results[1], LogError)
    assert (await log.append(outcome())).sequence == 2


async def test_a_closed_log_says_so(log):
    await log.close()
    with pytest.raises(LogError, match="is closed"):
        await log.append(decided())


async def test_closing_twice_does_no_harm(log):
    await log.append(decided())
    await log.close()
    await log.close()
