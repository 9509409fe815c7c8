"""What is used of plans, in both ledgers; and what the books say of it at the start."""

import asyncio
import random

import pytest
from msgspec.structs import replace

from halfdoor.canon.commands import Hold, Reserve, Settle, Short
from halfdoor.canon.money import Usage
from halfdoor.canon.plans import Fill, Plan, Standing, Told, Use, Window
from halfdoor.canon.record import Attempt, Planned
from halfdoor.decide.money import TOKENS_LIMIT
from halfdoor.store.file import LogFile
from halfdoor.store.keys import LogKeys
from halfdoor.store.ledger import Calendar, Ledger, SharedLedger
from halfdoor.store.opening import used
from halfdoor.store.periods import zone
from halfdoor.store.schema import FILE
from tests.record.samples import decided, outcome

HOUR_MS = 3_600_000
FIVE_HOURS = Window(18_000, requests=3, tokens=1_000)
MAX = Plan("max", 10**14, "month", models=("*",), windows=(FIVE_HOURS,))
UTC = zone("UTC")
# 2026-11-21 09:30:00 UTC, when a quarter of an hour begins.
NOON_MS = 1_795_253_400_000


class Hands:
    """A clock that a test sets."""

    def __init__(self):
        self.ms = NOON_MS

    def __call__(self):
        return self.ms


@pytest.fixture
def hands():
    return Hands()


@pytest.fixture(params=["memory", "shared"])
async def ledger(request, tmp_path, hands):
    calendar = Calendar((), hands, UTC)
    made = Ledger(calendar) if request.param == "memory" else await opened(tmp_path, calendar)
    yield made
    await made.close()


async def opened(directory, calendar, used_before=lambda _plan, _since: {}):
    return await asyncio.to_thread(
        SharedLedger, directory, calendar, (), lambda _budget, _since: {}, (MAX,), used_before
    )


def taking(tokens):
    return Reserve((), 0, Use("max", 1, tokens), MAX.windows)


async def fill(ledger):
    return (await ledger.spending((), (MAX,))).plans["max"].fills[0]


async def test_a_use_counts_from_its_hold_on_and_then_as_it_was(ledger):
    hold = await ledger.reserve(taking(700))
    assert await fill(ledger) == Fill(1, 700, "2026-11-21 14:45 UTC")
    await ledger.settle(Settle(hold, 0, Use("max", 1, 123)))
    assert await fill(ledger) == Fill(1, 123, "2026-11-21 14:45 UTC")


async def test_a_use_that_nobody_knows_stays_as_it_was_held(ledger):
    hold = await ledger.reserve(taking(700))
    await ledger.settle(Settle(hold, 0))
    assert (await fill(ledger)).tokens == 700


@pytest.mark.parametrize("tokens", [(400, 601), (1, 1, 1, 1)])
async def test_what_does_not_fit_into_a_window_is_not_held(ledger, tokens):
    *fitting, last = tokens
    for each in fitting:
        assert isinstance(await ledger.reserve(taking(each)), Hold)
    assert await ledger.reserve(taking(last)) == Short(("", ""), 0, "max")
    assert (await fill(ledger)).tokens == sum(fitting)


async def test_a_window_slides_and_its_first_quarter_counts_as_a_whole(ledger, hands):
    await ledger.reserve(taking(900))
    hands.ms += 5 * HOUR_MS + 899_999
    assert (await fill(ledger)).tokens == 900
    hands.ms += 1
    assert await fill(ledger) == Fill()


async def test_a_call_that_the_plan_did_not_pay_for_takes_nothing(ledger):
    hold = await ledger.reserve(Reserve((), 0, Use("max", 0, 0)))
    await ledger.settle(Settle(hold, 5, Use("max", 0, 0)))
    assert await fill(ledger) == Fill()


async def test_a_refused_call_says_nothing_of_when_some_of_a_plan_is_free_again(ledger, hands):
    refused = await ledger.reserve(taking(700))
    hands.ms += HOUR_MS
    await ledger.reserve(taking(10))
    await ledger.settle(Settle(refused, 0, Use("max", 0, 0)))
    assert await fill(ledger) == Fill(1, 10, "2026-11-21 15:45 UTC")


async def test_a_vendors_word_is_kept_until_its_window_ends(ledger, hands):
    hold = await ledger.reserve(taking(1))
    told = Told(18_000, 420_000, NOON_MS + HOUR_MS)
    await ledger.settle(Settle(hold, None, None, (told,)))
    (said,) = (await ledger.spending((), (MAX,))).plans["max"].told
    assert (said.used_ppm, said.until) == (420_000, "2026-11-21 10:30 UTC")
    hands.ms += HOUR_MS
    assert (await ledger.spending((), (MAX,))).plans["max"].told == ()


@pytest.mark.parametrize("seed", range(5))
async def test_under_64_at_once_no_window_holds_more_than_it_may(ledger, seed):
    chance = random.Random(seed)
    taken = []

    async def one():
        tokens = chance.randrange(1, 600)
        hold = await ledger.reserve(taking(tokens))
        if isinstance(hold, Short):
            return
        now = await fill(ledger)
        assert now.requests <= 3
        assert now.tokens <= 1_000
        await asyncio.sleep(0)
        taken.append(chance.randrange(tokens))
        await ledger.settle(Settle(hold, 0, Use("max", 1, taken[-1])))

    await asyncio.gather(*(one() for _ in range(64)))
    now = await fill(ledger)
    assert (now.requests, now.tokens) == (len(taken), sum(taken))


async def test_another_process_on_the_same_ledger_counts_the_same_uses(tmp_path, hands):
    calendar = Calendar((), hands, UTC)
    first, second = await opened(tmp_path, calendar), await opened(tmp_path, calendar)
    await first.reserve(taking(700))
    assert (await fill(second)).tokens == 700
    await first.close()
    await second.close()
    quarter = NOON_MS // 900_000
    third = await opened(tmp_path, calendar, lambda _plan, _since: {quarter: Use("max", 2, 55)})
    assert (await third.spending((), (MAX,))).plans["max"] == Standing(
        (Fill(2, 55, "2026-11-21 14:45 UTC"),)
    )
    await third.close()


def test_the_books_tell_what_a_plan_gave_and_what_it_may_have_given(tmp_path):
    file = LogFile(tmp_path / FILE, LogKeys.load_or_create(tmp_path))
    by_plan = Attempt("m", "b", "cloud", "answered", 200, 9, 9, 5, cost=0, plan="max", worth=7)
    paid = Attempt("m", "b", "cloud", "answered", 200, 9, 9, 5, cost=9)
    for number, attempt in enumerate((by_plan, by_plan, paid)):
        file.append([decided(number)], last=False)
        ended = outcome(number, attempts=(attempt,), usage=Usage(100, 10, 90))
        file.append([ended], last=False)
    open_ = (Planned("m", "b", "cloud", 0, plan="max", tokens=5_000),)
    file.append([decided(3, plan=open_)], last=False)
    file.close()
    assert used(tmp_path, MAX, 0) == {NOON_MS // 900_000: Use("max", 3, 5_220)}


M = Attempt("m", "b", "cloud", "answered", 200, 9, 9, 5, cost=0, plan="max", worth=7)
N = replace(M, model="n")
OTHERS = replace(M, model="o", plan="other")
PAID = replace(M, plan="", cost=9, worth=None)
TOLD = Usage(100, 10, 90)


def ended(call, result, sent=9):
    return replace(call, result=result, status=0, sent_bytes=sent, worth=None)


@pytest.mark.parametrize(
    ("attempts", "usage", "gave"),
    [
        ([ended(M, "timeout"), N], TOLD, (2, 5_110)),
        ([ended(M, "cut"), ended(N, "timeout")], None, (2, 12_000)),
        ([ended(M, "cut")], TOLD, (1, 110)),
        ([ended(M, "hung-up")], None, (1, 5_000)),
        ([ended(M, "hung-up", sent=0)], None, (0, 0)),
        ([ended(M, "connect", sent=0), N], TOLD, (1, 110)),
        ([ended(M, "busy", sent=0)], None, (0, 0)),
        ([ended(M, "status")], None, (0, 0)),
        ([ended(M, "timeout"), ended(N, "status")], None, (1, 5_000)),
        ([ended(M, "timeout"), OTHERS], TOLD, (1, 5_000)),
        ([ended(OTHERS, "timeout"), N], TOLD, (1, 110)),
        ([ended(M, "cut"), replace(PAID, model="q")], TOLD, (1, 5_000)),
        ([PAID], TOLD, (0, 0)),
        ([N], Usage(2**53 - 1, 2**53 - 1), (1, TOKENS_LIMIT)),
    ],
)
def test_a_restart_forgets_no_call_that_nobody_told_of_and_adds_none_that_was_refused(
    tmp_path, attempts, usage, gave
):
    of_max = (("m", "max", 5_000), ("n", "max", 7_000), ("o", "other", 3_000))
    plan = tuple(Planned(m, "b", "cloud", 0, plan=p, tokens=t) for m, p, t in of_max)
    file = LogFile(tmp_path / FILE, LogKeys.load_or_create(tmp_path))
    over = outcome(0, attempts=tuple(attempts), usage=usage)
    file.append([decided(0, plan=plan), over], last=True)
    file.close()
    (found,) = used(tmp_path, MAX, 0).values() or [Use("max", 0, 0)]
    assert (found.requests, found.tokens) == gave
