"""The configuration's budgets as the pure core knows them."""

from decimal import Decimal

from halfdoor.canon.money import Budget
from halfdoor.canon.request import LAUNCHED
from halfdoor.config.check import callable_so
from halfdoor.config.model import Tables
from halfdoor.config.parse import Source
from halfdoor.config.suggest import meant
from halfdoor.config.tables.budgets import BudgetMatch, BudgetTable


def budgets(source: Source, read: Tables) -> tuple[Budget, ...]:
    """One for each, in the file's order. Raises SetupError for one that could never count."""
    tokens = read.tokens
    known = {
        "token": {LAUNCHED, *(each.name for each in tokens)},
        "person": {each.person for each in tokens},
        "team": {each.team for each in tokens},
    }
    for index, table in enumerate(read.budgets):
        for field, names in known.items():
            _named(source, index, table, field, sorted(names - {""}))
        _model(source, index, table, read)
    return tuple(_budget(each) for each in read.budgets)


def _named(source: Source, index: int, table: BudgetTable, field: str, names: list[str]) -> None:
    """INVARIANT: a limit for somebody whom no token stands for would hold nothing, and nobody."""
    name = getattr(table.match, field)
    if name and name not in names:
        raise source.error(
            ("budgets", index, "match", field),
            f"budget `{table.name}` counts the {field} `{name}`, and no `[[tokens]]` has it",
            meant(name, names) or f"add `[[tokens]]` with that {field}",
        )


def _model(source: Source, index: int, table: BudgetTable, read: Tables) -> None:
    glob = table.match.model
    if glob and not callable_so(glob, read):
        raise source.error(
            ("budgets", index, "match", "model"),
            f"budget `{table.name}` counts the model `{glob}`, and none is called so",
            meant(glob, [model.name for model in read.models]) or "add `[[models]]`",
        )


def _budget(table: BudgetTable) -> Budget:
    return Budget(
        name=table.name,
        # As it is written: a limit of 0.1 is a tenth, not the nearest binary fraction.
        limit=int(Decimal(str(table.limit_usd)).scaleb(12)),
        period=table.period,
        hard=table.mode == "hard",
        match=_match(table.match),
        each=table.each,
    )


def _match(match: BudgetMatch) -> tuple[tuple[str, str], ...]:
    stated = ((name, getattr(match, name)) for name in BudgetMatch.__struct_fields__)
    return tuple((name, value) for name, value in stated if value)
