"""What budgets had taken, and plans had given, before this process began: read from the books."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from halfdoor.canon.money import Budget
from halfdoor.canon.plans import Plan, Use
from halfdoor.decide.purses import Names, counts, key
from halfdoor.store.books import LARGEST, Books, Key, Pending

Owners = Mapping[str, tuple[str, str]]


class Taken(Struct, frozen=True):
    """What a purse has taken. unknown: calls besides, of which not even the most is known."""

    amount: int = 0
    unknown: int = 0


def opening(directory: Path, owners: Owners, budget: Budget, start_ms: int) -> dict[str, int]:
    """Pico-USD by key since a moment, as far as any amount is known; see `taken`."""
    found = taken(directory, owners, budget, start_ms)
    return {key: each.amount for key, each in found.items()}


def taken(directory: Path, owners: Owners, budget: Budget, start_ms: int) -> dict[str, Taken]:
    """What a budget's purses have taken by key since a moment.

    owners: (person, team) by name of a token. What nobody knows the cost of, and what never ended,
    counts with the most that it may have cost; of an exchange without an outcome that is the sum
    over its whole plan. Raises LogError.
    """
    found: dict[str, Taken] = {}
    with Books(directory) as books:
        books.catch_up()
        for line in books.lines(start_ms):
            more = Taken(line.sum.cost + line.sum.most, line.sum.unbounded)
            _take(found, budget, names_of(line.key, owners), more)
        for pending in books.pending(start_ms):
            for names, more in _planned(pending, owners):
                _take(found, budget, names, more)
    return found


def used(directory: Path, plan: Plan, start_ms: int) -> dict[int, Use]:
    """What was used of a plan since a moment, by quarter of an hour. Raises LogError.

    That is what the ledger counted, except where the log says less than it heard: an exchange
    without an outcome counts with the most that its whole plan may take, and a call that broke off
    before another one with its own most, whatever its backend had told.
    """
    found: dict[int, Use] = {}
    with Books(directory) as books:
        books.catch_up()
        for line in books.lines(start_ms):
            if line.key.plan == plan.name:
                _use(found, plan, line.key.quarter, line.sum.plan_calls, line.sum.plan_tokens)
        for pending in books.pending(start_ms):
            for each in pending.plan:
                if each.plan == plan.name:
                    _use(found, plan, pending.quarter, 1, each.tokens)
    return found


def _use(found: dict[int, Use], plan: Plan, quarter: int, requests: int, tokens: int) -> None:
    before = found.get(quarter, Use(plan.name, 0, 0))
    total = min(before.tokens + tokens, LARGEST)
    found[quarter] = Use(plan.name, before.requests + requests, total)


def _take(found: dict[str, Taken], budget: Budget, names: Names, more: Taken) -> None:
    whose = key(budget, names)
    if whose is not None and counts(budget, names):
        before = found.get(whose, Taken())
        found[whose] = Taken(before.amount + more.amount, before.unknown + more.unknown)


def names_of(line: Key, owners: Owners) -> Names:
    """All names that a budget may match; INVARIANT: the same that a decision draws on."""
    person, team = owners.get(line.token, ("", ""))
    return {
        "token": line.token,
        "person": person,
        "team": team,
        "project": line.project,
        "tool": line.tool,
        "model": line.model,
        "zone": line.zone,
    }


def _planned(pending: Pending, owners: Owners) -> Iterator[tuple[Names, Taken]]:
    who = pending.who
    for each in pending.plan:
        model = each.priced_as or each.model
        place = Key(pending.quarter, model, each.backend, each.zone)
        line = replace(place, token=who.token, tool=who.tool, project=who.project)
        unknown = each.most is None and not each.plan
        yield names_of(line, owners), Taken(each.most or 0, int(unknown))
