"""The newest exchanges of the log, as `ps` lists them."""

from typing import Any, Final

import msgspec

from halfdoor.canon.record import Decided
from halfdoor.cli.ledger import age, tokens
from halfdoor.config.load import Loaded
from halfdoor.errors import LogError
from halfdoor.store.reader import Exchange, LogReader
from halfdoor.store.schema import FILE

TITLES: Final = ("ID", "AGE", "BY", "MODEL", "ZONE", "RULE", "TOKENS", "MS", "RESULT")


def recent(loaded: Loaded, count: int) -> list[Exchange]:
    """The newest exchanges. A gateway that has recorded nothing yet is no error here."""
    try:
        with LogReader(loaded.state_dir) as reader:
            return reader.recent(count)
    except LogError:
        if (loaded.state_dir / FILE).exists():  # a log that cannot be read is one
            raise
        return []


def row(found: Exchange, length: int | None) -> tuple[str, ...]:
    """An exchange under `TITLES`. length: letters of its id, None for all."""
    decided, outcome = found.decided, found.outcome
    shown = decided.id[:length]
    if outcome is None:
        result = "refused" if decided.refusal else "open"
        return (shown, age(decided.time), _by(decided), "", "", decided.rule, "", "", result)
    return (
        shown,
        age(decided.time),
        _by(decided),
        outcome.model,
        outcome.zone,
        decided.rule,
        tokens(outcome.usage),
        f"{outcome.ms:,}",
        outcome.result,
    )


def _by(decided: Decided) -> str:
    """The tool, and its project where `launch` told it."""
    return " ".join(part for part in (decided.tool, decided.project) if part)


def document(found: Exchange) -> dict[str, Any]:
    """The same for programs."""
    decided, outcome = found.decided, found.outcome
    return {
        "id": decided.id,
        "time": decided.time,
        "asked": decided.asked,
        "token": decided.token,
        "tool": decided.tool,
        "project": decided.project,
        "rule": decided.rule,
        "model": outcome.model if outcome else "",
        "zone": outcome.zone if outcome else "",
        "usage": msgspec.to_builtins(outcome.usage) if outcome else None,
        "ms": outcome.ms if outcome else None,
        "result": outcome.result if outcome else "refused" if decided.refusal else "open",
    }
