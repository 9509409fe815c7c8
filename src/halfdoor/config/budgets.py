"""The configuration's budgets as the pure core knows them."""

from decimal import Decimal

from halfdoor.canon.money import Budget
from halfdoor.config.model import Tables
from halfdoor.config.tables.budgets import BudgetMatch, BudgetTable


def budgets(read: Tables) -> tuple[Budget, ...]:
    """One for each, in the file's order."""
    return tuple(_budget(each) for each in read.budgets)


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
