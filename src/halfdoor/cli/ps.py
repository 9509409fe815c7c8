"""`halfdoor ps`: whether a gateway runs, what its engines have loaded, the newest exchanges."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
import typer

from halfdoor.canon.record import Decided
from halfdoor.cli.ledger import SHORT_ID, age, settings, show, tokens
from halfdoor.cli.options import ConfigOption, JsonOption, console, counted, say_json
from halfdoor.cli.running import told
from halfdoor.config.model import Config
from halfdoor.errors import LogError
from halfdoor.server.address import address, answers
from halfdoor.server.status import Loaded, ModelShown
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
    """List what runs, what its engines have loaded, and the newest exchanges."""
    loaded = settings(config)
    listen = loaded.config.server.listen
    runs = asyncio.run(answers(address(listen)))
    models = _models(loaded.config) if runs else ()
    wide = tuple(model for model in models if model.zone != model.claimed)
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
        state = {"listen": listen, "running": runs, "widened": wide, "models": models}
        say_json({**state, "exchanges": exchanges})
        return
    _state(models, listen, running=runs)
    _show(found)


class _Status(msgspec.Struct, frozen=True):
    models: tuple[ModelShown, ...] = ()


def _models(config: Config) -> tuple[ModelShown, ...]:
    """The gateway's models; none if it wants a token and none of its tokens is set here."""
    said = told(config, _Status)
    return said.models if said else ()


def _state(models: Sequence[ModelShown], listen: str, *, running: bool) -> None:
    screen = console()
    hint = "" if running else "; `halfdoor serve` starts one"
    answers_ = "the gateway answers" if running else "no gateway answers"
    screen.print(f"{answers_} on {listen}{hint}", highlight=False)
    for model in models:
        if model.zone != model.claimed:
            screen.print(
                f"!! {model.name} counts as {model.zone}, not {model.claimed}: `halfdoor doctor`",
                highlight=False,
            )
    for model in models:
        if model.held is not None:
            screen.print(f"{model.name}: {held(model.held)}", highlight=False)


def held(model: Loaded) -> str:
    """What an engine has in its memory, in a few words, and how old that knowledge is."""
    by = f" ({model.engine}, asked {model.age_s} s ago)"
    if not model.loaded:
        return f"not loaded{by}"
    window = f", {model.context_tokens:,} tokens" if model.context_tokens else ""
    slots = f", {counted(model.slots, 'request')} at once" if model.slots else ""
    gpu = "" if model.gpu is None else f", {model.gpu:.0%} in GPU memory"
    return f"loaded{window}{slots}{gpu}{by}"


def _show(found: Sequence[Exchange]) -> None:
    screen = console()
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
