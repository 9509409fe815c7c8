"""Budgets: which purses a call draws on, and which permitted targets they can pay for."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from halfdoor.canon.commands import Short
from halfdoor.canon.decision import Exclusion, Target, Verdict
from halfdoor.canon.money import Budget, Draw, PicoUSD, Spending
from halfdoor.canon.plans import Beyond, Plan, Use, Window
from halfdoor.canon.request import Actor, Request
from halfdoor.decide.money import TOKENS_LIMIT, apart, most, shown
from halfdoor.decide.plans import beyond, use
from halfdoor.decide.purses import Names, answering, asking, counts, key

# What stands in an exclusion instead of a label: no detector gives it.
BUDGET: Final = "budget"
PRICE: Final = "price"
# What a refused caller may do.
DEAR: Final = (
    "ask for a model that costs less or is on the device, or raise its limit in [[budgets]]"
)
UNPRICED: Final = "give it `usd_per_million_tokens` in [[models]], or ask for one with a price"
# How long an answer is taken to be where neither the tool nor the model's card says.
ASSUMED_OUTPUT_TOKENS: Final = 8192
# Pico-USD, some 9,000 USD: no call costs that, and a thousand of them can still be added up.
AMOUNT_LIMIT: Final = 2**53 - 1
# From this share of a limit on, an answer says how much is left.
TOLD_FROM: Final = 0.8


class Due(Struct, frozen=True):
    """What a call to one target may cost at most, None when unknown, and the purses it draws on.

    use, windows: what it takes of a flat plan, and how much of that there is.
    beyond: what is due instead if the plan has no room left; None where nothing is sent then.
    """

    most: PicoUSD | None
    draws: tuple[Draw, ...]
    use: Use | None = None
    windows: tuple[Window, ...] = ()
    beyond: "Due | None" = None

    @property
    def payable(self) -> bool:
        """Is a price known, where a hard budget wants one?"""
        return self.most is not None or all(draw.limit is None for draw in self.draws)


class Afforded(Struct, frozen=True):
    """The verdict without targets that no purse can pay. dues: by target.

    INVARIANT: its permitted targets are among those of the verdict before.
    """

    verdict: Verdict
    dues: Mapping[str, Due]


def purses(budgets: Iterable[Budget], actor: Actor) -> tuple[tuple[str, str | None], ...]:
    """The purses that a request of this actor may draw on, see `commands.Begin`."""
    names = asking(actor)
    return tuple((each.name, key(each, names)) for each in budgets if counts(each, names))


def afford(
    verdict: Verdict,
    request: Request,
    actor: Actor,
    budgets: Sequence[Budget],
    spending: Spending,
    input_tokens: Callable[[str], int],
    plans: Sequence[Plan] = (),
    halting: Collection[str] = (),
) -> Afforded:
    """Leave out what a hard budget cannot pay. A target that draws on none is never left out.

    input_tokens: by target, the most that it may be. An unknown price under a hard budget is not
        nothing: it is left out.
    halting: targets whose flat plan stops at them. They are not called, so nothing is paid, and
        they stay for `plans.halted` to find.
    """
    by_name = {budget.name: budget for budget in budgets}
    who = asking(actor)
    dues = {
        target.name: _due(target, request, who, budgets, input_tokens(target.name), plans)
        for target in verdict.permitted
    }
    permitted: list[Target] = []
    excluded = list(verdict.excluded)
    empty: list[tuple[Target, Draw]] = []
    for target in verdict.permitted:
        due = dues[target.name]
        held = next((d for d in due.draws if not _pays(d, due.most, spending)), None)
        if held is None or target.name in halting:
            permitted.append(target)
            continue
        empty.append((target, held))
        unmet = () if due.most is not None else (PRICE,)
        excluded.append(Exclusion(target.name, target.zone, held.purse[0], BUDGET, unmet))
    verdict = replace(verdict, permitted=tuple(permitted), excluded=tuple(excluded))
    if permitted or not empty:
        return Afforded(verdict, dues)
    target, held = empty[0]
    due = dues[target.name]
    refusal = _refusal(target, held, due.most, by_name[held.purse[0]], spending)
    hint = DEAR if due.most is not None else UNPRICED
    return Afforded(replace(verdict, refusal=refusal, hint=hint), dues)


def told(due: Due | None, budgets: Iterable[Budget], spending: Spending) -> str:
    """Budgets that a call finds nearly used up or beyond, each with how much of it, for a header.

    And those that warn and cannot count it, because no price is known: unknown is not nothing.
    """
    if due is None or not due.draws:
        return ""
    by_name = {budget.name: budget for budget in budgets}
    parts = []
    for draw in due.draws:
        budget = by_name[draw.purse[0]]
        taken = spending.taken.get(draw.purse, 0)
        if due.most is None or taken >= budget.limit * TOLD_FROM:
            share = 100 * taken // budget.limit if budget.limit else 100
            more = " + unknown" if due.most is None else ""
            parts.append(f"{budget.name} {share}%{more} of {shown(budget.limit)} a {budget.period}")
    return ", ".join(parts)


def short(held: Short, budgets: Iterable[Budget], spending: Spending) -> str:
    """What a target is told that another exchange was faster than."""
    name, key = held.purse
    budget = next((each for each in budgets if each.name == name), None)
    until = spending.until.get(budget.period, "") if budget else ""
    whose = f" of {budget.each} `{key}`" if budget and budget.each else ""
    end = f" until {until}" if until else ""
    return f"budget `{name}`{whose} has {shown(held.left)} left{end}, which does not pay for it"


def _due(
    target: Target,
    request: Request,
    who: Names,
    budgets: Iterable[Budget],
    input_tokens: int,
    plans: Sequence[Plan],
) -> Due:
    output = longest(request, target)
    plan = next((each for each in plans if each.name == target.plan), None)
    draws = tuple(_draws({**who, **answering(target)}, budgets))
    amount = _bounded(most(input_tokens, output, target.price))
    taken = use(target, input_tokens + output)
    if plan is None or target.listed is None:
        return Due(amount, draws, taken)
    listed = beyond(target)
    pays = plan.beyond is Beyond.PAY
    worst = _bounded(most(input_tokens, output, listed.price))
    otherwise = Due(worst, draws, use(listed, 0))
    return Due(amount, draws, taken, plan.windows, otherwise if pays else None)


def _bounded(amount: PicoUSD | None) -> PicoUSD | None:
    return None if amount is None else min(amount, AMOUNT_LIMIT)


def longest(request: Request, target: Target) -> int:
    """Tokens that an answer may have at most, as far as anybody says.

    INVARIANT: within 1 and TOKENS_LIMIT, whatever a tool states: a negative number would give money
    back to a purse, and a huge one breaks sums. What is not positive counts as not stated.
    """
    stated = (request.max_tokens, target.max_output_tokens)
    limits = [n for n in stated if n is not None and n > 0]
    return min(*limits, TOKENS_LIMIT) if limits else ASSUMED_OUTPUT_TOKENS


def _draws(names: Names, budgets: Iterable[Budget]) -> Iterator[Draw]:
    for budget in budgets:
        whose = key(budget, names)
        if whose is not None and counts(budget, names):
            yield Draw((budget.name, whose), budget.limit if budget.hard else None)


def _pays(draw: Draw, amount: PicoUSD | None, spending: Spending) -> bool:
    if draw.limit is None:
        return True
    if amount is None:
        return False
    # What costs nothing is never left out, however empty the purse is.
    return not amount or spending.taken.get(draw.purse, 0) + amount <= draw.limit


def _refusal(
    target: Target, held: Draw, amount: PicoUSD | None, budget: Budget, spending: Spending
) -> str:
    until = spending.until.get(budget.period, "")
    limit = f"{shown(budget.limit)} a {budget.period}"
    whose = f" of {budget.each} `{held.purse[1]}`" if budget.each else ""
    if amount is None:
        return (
            f"nothing was sent: budget `{budget.name}` ({limit}){whose} is a hard limit, and no "
            f"price of `{target.name}` is known{_beyond(target)}"
        )
    left, asked = apart(max(0, budget.limit - spending.taken.get(held.purse, 0)), amount)
    return (
        f"nothing was sent: budget `{budget.name}` ({limit}){whose} has {left} left until "
        f"{until}, and this request may cost {asked} at `{target.name}`"
        f"{_beyond(target)}"
    )


def _beyond(target: Target) -> str:
    """That a plan would pay for it, and does not."""
    return f", which plan `{target.plan}` does not pay for now" if target.plan else ""
