"""What budgets had taken before this process began: read from the books."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec.structs import replace

from halfdoor.canon.money import Budget
from halfdoor.store.books import Books, Key, Pending

Owners = Mapping[str, tuple[str, str]]


def opening(directory: Path, owners: Owners, budget: Budget, start_ms: int) -> dict[str, int]:
    """Pico-USD by key since a moment. owners: (person, team) by name of a token.

    What nobody knows the cost of, and what never ended, counts with the most that it may have cost;
    of an exchange without an outcome that is the sum over its whole plan. Raises LogError.
    """
    taken: dict[str, int] = {}
    with Books(directory) as books:
        books.catch_up()
        for line in books.lines(start_ms):
            _take(taken, budget, _names(line.key, owners), line.sum.cost + line.sum.most)
        for pending in books.pending(start_ms):
            for names, most in _planned(pending, owners):
                _take(taken, budget, names, most)
    return taken


def _take(taken: dict[str, int], budget: Budget, names: Mapping[str, str], amount: int) -> None:
    if all(_holds(field, value, names) for field, value in budget.match):
        key = names[budget.each] if budget.each else ""
        taken[key] = taken.get(key, 0) + amount


def _holds(field: str, value: str, names: Mapping[str, str]) -> bool:
    return fnmatchcase(names[field], value) if field == "model" else names[field] == value


def _names(key: Key, owners: Owners) -> dict[str, str]:
    person, team = owners.get(key.token, ("", ""))
    return {
        "token": key.token,
        "person": person,
        "team": team,
        "project": key.project,
        "tool": key.tool,
        "model": key.model,
        "zone": key.zone,
    }


def _planned(pending: Pending, owners: Owners) -> Iterator[tuple[dict[str, str], int]]:
    who = pending.who
    for each in pending.plan:
        model = each.priced_as or each.model
        place = Key(pending.quarter, model, each.backend, each.zone)
        key = replace(place, token=who.token, tool=who.tool, project=who.project)
        yield _names(key, owners), each.most or 0
