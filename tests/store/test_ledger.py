"""One contract for both ledgers, and what only the shared one must keep."""

import asyncio
import random
import subprocess
import sys
from datetime import datetime

import pytest

from halfdoor.backends import guard
from halfdoor.canon.commands import Hold, Reserve, Settle, Short
from halfdoor.canon.money import Budget, Draw
from halfdoor.store.ledger import Calendar, Ledger, SharedLedger
from halfdoor.store.periods import zone

DAY_MS = 86_400_000
TEAM = Budget("team", 1_000, "day")
EACH = Budget("each", 500, "day", each="person")
BUDGETS = (TEAM, EACH)
UTC = zone("UTC")
BERLIN = zone("Europe/Berlin")
DRAW = Draw(("team", ""), 1_000)


class Hands:
    """A clock that a test sets."""

    def __init__(self):
        self.ms = 1_700_000_000_000

    def __call__(self):
        return self.ms


def nothing(_budget, _since):
    return {}


@pytest.fixture
def hands():
    return Hands()


@pytest.fixture(params=["memory", "shared"])
async def ledger(request, tmp_path, hands):
    calendar = Calendar(BUDGETS, hands, UTC)
    memory = request.param == "memory"
    made = Ledger(calendar) if memory else await opened(tmp_path, calendar, nothing)
    yield made
    await made.close()


async def opened(directory, calendar, opening):
    return await asyncio.to_thread(SharedLedger, directory, calendar, BUDGETS, opening)


async def taken(ledger, *purses):
    return (await ledger.spending(purses or (("team", ""),))).taken


async def test_a_hold_counts_until_it_is_settled_to_the_cost(ledger):
    hold = await ledger.reserve(Reserve((DRAW,), 700))
    assert await taken(ledger) == {("team", ""): 700}
    await ledger.settle(Settle(hold, 123))
    assert await taken(ledger) == {("team", ""): 123}


async def test_what_a_purse_cannot_pay_is_not_held_anywhere(ledger):
    other = Draw(("each", "ann"), 500)
    found = await ledger.reserve(Reserve((DRAW, other), 501))
    assert found == Short(("each", "ann"), 500)
    assert not any((await taken(ledger, ("team", ""), ("each", "ann"))).values())


async def test_a_draw_that_only_warns_has_no_limit(ledger):
    assert isinstance(await ledger.reserve(Reserve((Draw(("team", ""), None),), 10**6)), Hold)


async def test_a_cost_that_nobody_knows_leaves_the_hold(ledger):
    hold = await ledger.reserve(Reserve((DRAW,), 700))
    await ledger.settle(Settle(hold, None))
    assert await taken(ledger) == {("team", ""): 700}


async def test_a_new_period_begins_with_nothing_and_old_holds_do_not_reach_into_it(ledger, hands):
    hold = await ledger.reserve(Reserve((DRAW,), 700))
    hands.ms += DAY_MS
    assert not any((await taken(ledger)).values())
    await ledger.reserve(Reserve((DRAW,), 50))
    await ledger.settle(Settle(hold, 1))
    assert await taken(ledger) == {("team", ""): 50}


async def test_the_day_on_which_the_clocks_go_back_has_25_hours_of_one_budget(hands):
    hands.ms = int(datetime(2026, 10, 25, tzinfo=BERLIN).timestamp() * 1000)
    ledger = Ledger(Calendar(BUDGETS, hands, BERLIN))
    await ledger.reserve(Reserve((DRAW,), 700))
    hands.ms += DAY_MS + 3_599_999
    found = await ledger.spending((("team", ""),))
    assert found.taken == {("team", ""): 700}
    assert found.until["day"] == "2026-10-26 00:00 CET"
    hands.ms += 1
    assert not any((await taken(ledger)).values())


async def test_all_keys_of_a_budget_are_told_where_the_answer_decides_it(ledger):
    for who in ("ann", "ben"):
        await ledger.reserve(Reserve((Draw(("each", who), 500),), 10))
    assert await taken(ledger, ("each", None)) == {("each", "ann"): 10, ("each", "ben"): 10}


@pytest.mark.parametrize("seed", range(5))
async def test_under_64_at_once_no_limit_is_passed_and_every_unit_is_there(ledger, seed):
    chance = random.Random(seed)
    spent = 0

    async def one():
        nonlocal spent
        amount = chance.randrange(1, 60)
        hold = await ledger.reserve(Reserve((DRAW,), amount))
        if isinstance(hold, Short):
            return
        assert sum((await taken(ledger)).values()) <= 1_000
        await asyncio.sleep(0)
        cost = chance.randrange(0, amount + 1)
        spent += cost
        await ledger.settle(Settle(hold, cost))

    await asyncio.gather(*(one() for _ in range(64)))
    assert (await taken(ledger))["team", ""] == spent


def nine(_budget, _since):
    return {"": 9}


async def test_the_only_user_begins_with_what_the_books_say(tmp_path, hands):
    calendar = Calendar(BUDGETS, hands, UTC)
    first = await opened(tmp_path, calendar, nothing)
    await first.reserve(Reserve((DRAW,), 700))
    second = await opened(tmp_path, calendar, nine)
    assert await taken(second) == {("team", ""): 700}
    await first.close()
    await second.close()
    third = await opened(tmp_path, calendar, nine)
    assert await taken(third) == {("team", ""): 9}
    await third.close()


HOLDER = """
import asyncio, sys
from pathlib import Path
from tests.store.test_ledger import *
async def main():
    ledger = await opened(Path(sys.argv[1]), Calendar(BUDGETS, Hands(), UTC), nothing)
    await ledger.reserve(Reserve((DRAW,), 700))
    print("held", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds 700 of the team's."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with guard.start_permit("a test's other process"):
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


async def test_another_process_sees_the_hold_and_a_killed_one_leaves_the_books_word(
    tmp_path, hands, holder
):
    calendar = Calendar(BUDGETS, hands, UTC)
    beside = await opened(tmp_path, calendar, nine)
    assert await taken(beside) == {("team", ""): 700}
    await beside.close()
    holder.kill()
    await asyncio.to_thread(holder.wait)
    after = await opened(tmp_path, calendar, nine)
    assert await taken(after) == {("team", ""): 9}
    await after.close()
