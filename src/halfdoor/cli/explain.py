"""`halfdoor explain`: what would be decided about a request body, without any call."""

import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from halfdoor.canon.record import Decided, LabelCount
from halfdoor.canon.request import Actor
from halfdoor.canon.scene import Scene
from halfdoor.cli import REFUSED
from halfdoor.cli.options import (
    ConfigOption,
    JsonOption,
    ProjectOption,
    console,
    load,
    project_dir,
    root_of,
    say_json,
)
from halfdoor.cli.spent import spending
from halfdoor.cli.stated import sets, systems
from halfdoor.cli.why import REFUSALS, chosen, left_out, numbers, titled, too_long
from halfdoor.config.load import Loaded
from halfdoor.detect.survey import Found
from halfdoor.errors import ClientError, SetupError
from halfdoor.flow.preparing import prepare
from halfdoor.flow.weighing import Weighed, weigh
from halfdoor.flow.writing import decided
from halfdoor.wiring import files, house

# What would happen may differ by it.
_NOT_SEEN: Final = (
    "who asks and its session; what only a gateway that runs knows: failures, queues, loaded models"
)


def explain(
    file: Annotated[str, typer.Argument(help="A request body (JSON); `-` reads standard input.")],
    dialect: Annotated[
        str, typer.Option(help="As in the configuration; guessed from the body when left out.")
    ] = "",
    config: ConfigOption = None,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Show what would be decided about a request body: labels, rule, plan. Calls nobody.

    Budgets and plans stand as the log says. Who asks, sessions and a running gateway are not seen.
    Exit 0: some model may see it. Exit 3: a rule refuses it.
    """
    loaded = load(config, project)
    place = house(loaded)
    if dialect and dialect not in place.dialects:
        raise SetupError(
            f"there is no dialect `{dialect}`", hint="one of: " + ", ".join(sorted(place.dialects))
        )
    body = _read(file)
    near = place.dialects[dialect or guess(body)]
    try:
        request = near.read(near.endpoints[0], (), "", body)
        found = place.surveyor.survey(request)
        actor = Actor(root=str(root_of(project_dir(project))))
        weighed = weigh(request, actor, found, _scene(loaded, actor, found), place)
    except ClientError as error:
        name = "(standard input)" if file == "-" else file
        where = f"{name}: {error.where}" if error.where else name
        raise SetupError(error.message, hint=error.hint, where=where) from None
    edits = prepare(weighed, weighed.targets[0], place).edits if weighed.targets else ()
    entry = decided(weighed, place, edits)
    shown = _told(weighed, entry)
    if json:
        say_json(shown)
    else:
        _show(shown, entry, systems(loaded.config.routes, place.mac), guessed=not dialect)
    if not weighed.targets:
        raise typer.Exit(REFUSED)


def _scene(loaded: Loaded, actor: Actor, found: Found) -> Scene:
    """Nothing is remembered here; files and money are looked up as the gateway does."""
    placed = files(loaded).find(actor.root, found.paths)
    now_ms = time.time_ns() // 1_000_000
    return Scene(
        id="",
        now_ms=now_ms,
        spending=spending(loaded, now_ms),
        real=placed.real,
        repositories=placed.repositories,
        traced=placed.whole,
    )


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        hint = "give a request body as a tool sends it, or `-` for standard input"
        said = f"cannot be read: {error.strerror}"
        raise SetupError(said, hint=hint, where=file) from None


def guess(body: bytes) -> str:
    """A likely dialect: Messages must state `max_tokens`, and hold `system` beside the messages."""
    if b'"input":' in body and b'"messages"' not in body:
        return "openai_responses"
    messages = b'"max_tokens"' in body and (b'"system":' in body or b'"tool_use"' in body)
    schema = b'"input_schema"' in body
    return "anthropic_messages" if messages or schema else "openai_chat"


def _told(weighed: Weighed, entry: Decided) -> dict[str, Any]:
    verdict = weighed.verdict
    return {
        "asked": weighed.request.model,
        "dialect": weighed.request.dialect,
        "labels": [
            {"label": c.label, "kind": c.detail, "count": c.count, "places": list(c.places)}
            for c in entry.labels
        ],
        "ceiling": verdict.ceiling.name.lower(),
        "rule": verdict.rule,
        "choice": msgspec.to_builtins(entry.choice),
        "plan": [{"model": t.name, "zone": t.zone.name.lower()} for t in weighed.targets],
        "excluded": msgspec.to_builtins(entry.excluded),
        "too_long": msgspec.to_builtins(entry.unfit),
        "budget": weighed.budget,
        "edits": list(entry.edits),
        "refusal": verdict.refusal,
        "hint": verdict.hint,
    }


def _show(
    shown: dict[str, Any], entry: Decided, known: Mapping[str, str], *, guessed: bool
) -> None:
    """The words and the columns of `why`, for what has not happened."""
    out = console()
    note = "; a guess, `--dialect` settles it" if guessed else ""
    out.print(f"{'asked':<10} {shown['asked']} ({shown['dialect']}{note})")
    for title, text in _lines(shown, entry, known):
        out.print(f"{title:<10} {text}")


def _lines(
    shown: dict[str, Any], entry: Decided, known: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    yield from titled("found", [_label(each) for each in entry.labels] or ["nothing"])
    rule = f"{entry.rule}:" if entry.rule else "none matched;"
    yield "rule", f"{rule} no wider than {entry.ceiling}"
    if entry.choice is not None:
        yield from titled("chosen", [chosen(entry.choice), *numbers(entry.choice)])
        yield from titled("set", sets(entry.choice, known))
    yield from titled("permitted", [f"{p.model} ({p.zone})" for p in entry.plan] or ["nobody"])
    yield from titled("excluded", map(left_out, entry.excluded))
    yield from titled("too long", map(too_long, entry.unfit))
    refused = shown["refusal"] or REFUSALS.get(entry.refusal, "")
    more = {"budget": shown["budget"], "edits": ", ".join(entry.edits)}
    more |= {"refused": refused, "hint": shown["hint"], "not seen": _NOT_SEEN}
    yield from ((title, text) for title, text in more.items() if text)


def _label(label: LabelCount) -> str:
    kind = f" ({label.detail})" if label.detail else ""
    return f"{label.label}{kind}, {label.count} in {', '.join(label.places)}"
