"""`halfdoor ps`: the newest exchanges, and whether a gateway runs."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
import typer

from halfdoor.backends.control import authority, control_get
from halfdoor.canon.decision import ControlPermit
from halfdoor.canon.record import Decided
from halfdoor.cli.ledger import SHORT_ID, age, settings, show, tokens
from halfdoor.cli.options import ConfigOption, JsonOption, console, say_json
from halfdoor.errors import BackendError, LogError
from halfdoor.server.address import Address, address, answers
from halfdoor.server.status import ModelShown
from halfdoor.store.reader import Exchange, LogReader
from halfdoor.store.schema import FILE

TITLES: Final = ("ID", "AGE", "BY", "MODEL", "ZONE", "RULE", "TOKENS", "MS", "RESULT")


def ps(
    count: Annotated[
        int, typer.Option("--number", "-n", min=1, max=10_000, help="How many exchanges to list.")
    ] = 10,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List the newest exchanges and say whether the gateway runs."""
    loaded = settings(config)
    listen = loaded.config.server.listen
    runs = asyncio.run(answers(address(listen)))
    wide = asyncio.run(widened(address(listen))) if runs else ()
    try:
        with LogReader(loaded.state_dir) as reader:
            found = reader.recent(count)
    except LogError:
        # A gateway that has recorded nothing yet is no error here; a log that cannot be read is.
        if (loaded.state_dir / FILE).exists():
            raise
        found = []
    if json:
        exchanges = [_document(x) for x in found]
        told = {"listen": listen, "running": runs, "widened": wide, "exchanges": exchanges}
        say_json(told)
        return
    _show(found, listen, running=runs, wide=wide)


async def widened(where: Address) -> tuple[ModelShown, ...]:
    """The models that the gateway found wider than they are claimed; none if it does not say.

    A gateway that wants a token first does not say it here; its log and `doctor` do.
    """
    url = f"http://{where.asked}/halfdoor/status"
    try:
        status, body = await control_get(url, ControlPermit(authority(url), "status"))
        models = msgspec.json.decode(body, type=_Status).models if status == 200 else ()
    except (BackendError, msgspec.MsgspecError):
        return ()
    return tuple(model for model in models if model.zone != model.claimed)


class _Status(msgspec.Struct, frozen=True):
    models: tuple[ModelShown, ...] = ()


def _show(
    found: Sequence[Exchange], listen: str, *, running: bool, wide: Sequence[ModelShown]
) -> None:
    screen = console()
    if running:
        screen.print(f"the gateway answers on {listen}", highlight=False)
    else:
        screen.print(
            f"no gateway answers on {listen}; `halfdoor serve` starts one", highlight=False
        )
    for model in wide:
        screen.print(
            f"!! {model.name} counts as {model.zone}, not {model.claimed}: `halfdoor doctor`",
            highlight=False,
        )
    if not found:
        screen.print("no exchange has been recorded yet", highlight=False)
        return
    narrow = screen.is_terminal
    show(screen, TITLES, [_row(x, SHORT_ID if narrow else None) for x in found])


def _row(found: Exchange, length: int | None) -> tuple[str, ...]:
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


def _document(found: Exchange) -> dict[str, Any]:
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
