"""`[[plans]]` of the user's file → plans as `decide` reads them, and what is wrong with them."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Final

from halfdoor.canon.plans import Beyond, Plan, Window
from halfdoor.config.check import callable_so
from halfdoor.config.model import Tables
from halfdoor.config.parse import Source
from halfdoor.config.suggest import meant
from halfdoor.config.tables.plans import PlanLimit, PlanTable

_UNITS: Final = {"m": 60, "h": 3_600, "d": 86_400}
_SHORTEST_S: Final = 15 * 60
_LONGEST_S: Final = 31 * 86_400


def plans(source: Source, tables: Tables) -> tuple[Plan, ...]:
    """The plans, in the file's order. Raises SetupError."""
    for index, plan in enumerate(tables.plans):
        _check(source, index, plan, tables)
        for at, limit in enumerate(plan.limits):
            _check_limit(source, index, at, limit)
        _check_earlier(source, index, tables)
    return tuple(_plan(each) for each in tables.plans)


def seconds(span: str) -> int:
    """`5h` in seconds."""
    return int(span[:-1]) * _UNITS[span[-1]]


def _check(source: Source, index: int, plan: PlanTable, tables: Tables) -> None:
    if not plan.backends and not plan.models:
        raise source.error(
            ("plans", index),
            f"plan `{plan.name}` covers nothing",
            'say what it is for, as `backends = ["anthropic"]` or `models = ["claude-*"]`',
        )
    backends = [backend.name for backend in tables.backends]
    for name in plan.backends:
        if name not in backends:
            raise source.error(
                ("plans", index, "backends"),
                f"plan `{plan.name}` covers `{name}`, which is no backend",
                meant(name, backends) or "add `[[backends]]`",
            )
    for glob in plan.models:
        if not callable_so(glob, tables):
            raise source.error(
                ("plans", index, "models"),
                f"plan `{plan.name}` covers `{glob}`, and no model is called so",
                meant(glob, [model.name for model in tables.models]) or "add `[[models]]`",
            )
    try:
        date.fromisoformat(plan.since or "2026-01-01")
    except ValueError:
        raise source.error(
            ("plans", index, "since"),
            f"there is no day `{plan.since}`",
            "write one as `2026-11-01`",
        ) from None


def _check_limit(source: Source, index: int, at: int, limit: PlanLimit) -> None:
    if not _SHORTEST_S <= seconds(limit.window) <= _LONGEST_S:
        raise source.error(
            ("plans", index, "limits", at, "window"),
            f"`{limit.window}` is no window that is counted",
            "write one from `15m` to `31d`",
        )
    if limit.requests is None and limit.tokens is None:
        raise source.error(
            ("plans", index, "limits", at),
            f"the limit for `{limit.window}` limits nothing",
            "give it `requests` or `tokens`",
        )


def _check_earlier(source: Source, index: int, tables: Tables) -> None:
    plan, every = tables.plans[index], [backend.name for backend in tables.backends]
    for at, earlier in enumerate(tables.plans[:index]):
        if _within(plan.backends or every, earlier.backends) and _within(
            plan.models or ("*",), earlier.models
        ):
            raise source.error(
                ("plans", index),
                f"plan `{plan.name}` never pays: `{earlier.name}` covers all that it does",
                f"of two the first pays (at {source.place('plans', at)}); tell them apart by "
                "`models` or `backends`, or put this one before it",
            )


def _within(inner: Sequence[str], outer: Sequence[str]) -> bool:
    """Does an earlier plan's list take all that another's does? Globs with `?` or `[` only as such.

    outer: () for all.
    """
    plain = [glob for glob in outer if not set("?[") & set(glob)]
    return not outer or all(
        each in outer or any(fnmatchcase(each, glob) for glob in plain) for each in inner
    )


def _plan(table: PlanTable) -> Plan:
    return Plan(
        name=table.name,
        # As it is written, see `config/budgets.py`.
        fee=int(Decimal(str(table.usd)).scaleb(12)),
        period=table.period,
        backends=table.backends,
        models=table.models,
        beyond=Beyond(table.beyond),
        windows=tuple(
            Window(seconds(each.window), each.requests, each.tokens) for each in table.limits
        ),
        since=table.since,
    )
