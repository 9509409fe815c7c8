"""`halfdoor explain`: what would be decided about a request body, without any call."""

import sys
import time
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

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
from halfdoor.cli.why import chosen
from halfdoor.config.load import Loaded
from halfdoor.detect.survey import Found
from halfdoor.errors import ClientError, SetupError
from halfdoor.flow.choosing import told
from halfdoor.flow.preparing import prepare
from halfdoor.flow.weighing import Weighed, weigh
from halfdoor.flow.writing import counted
from halfdoor.wiring import files, house


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
    shown = _told(weighed, edits)
    if json:
        say_json(shown)
    else:
        _show(
            shown,
            chosen(told(weighed.choice, weighed.targets, weighed.stayed)),
            guessed=not dialect,
        )
    if not weighed.targets:
        raise typer.Exit(REFUSED)


def _scene(loaded: Loaded, actor: Actor, found: Found) -> Scene:
    """Nothing is remembered here; where files lead is looked up as the gateway does."""
    placed = files(loaded).find(actor.root, found.paths)
    return Scene(
        id="",
        now_ms=time.time_ns() // 1_000_000,
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


def _told(weighed: Weighed, edits: tuple[str, ...]) -> dict[str, Any]:
    verdict = weighed.verdict
    return {
        "asked": weighed.request.model,
        "dialect": weighed.request.dialect,
        "labels": [
            {"label": c.label, "kind": c.detail, "count": c.count, "places": list(c.places)}
            for c in counted(weighed.labels)
        ],
        "ceiling": verdict.ceiling.name.lower(),
        "rule": verdict.rule,
        "choice": msgspec.to_builtins(told(weighed.choice, weighed.targets, weighed.stayed)),
        "plan": [{"model": t.name, "zone": t.zone.name.lower()} for t in weighed.targets],
        "excluded": [
            {
                "model": e.target,
                "zone": e.zone.name.lower(),
                "rule": e.rule,
                "label": e.label,
                "unmet": list(e.unmet),
            }
            for e in verdict.excluded
        ],
        "edits": list(edits),
        "refusal": verdict.refusal,
        "hint": verdict.hint,
    }


def _show(shown: dict[str, Any], by: str, *, guessed: bool) -> None:
    """The words and the columns of `why`, for what has not happened."""
    out = console()

    def say(title: str, text: str) -> None:
        out.print(f"{title:<10} {text}")

    note = "; a guess, `--dialect` settles it" if guessed else ""
    say("asked", f"{shown['asked']} ({shown['dialect']}{note})")
    for title, label in _titled("found", shown["labels"]):
        kind = f" ({label['kind']})" if label["kind"] else ""
        say(title, f"{label['label']}{kind}, {label['count']} in {', '.join(label['places'])}")
    if not shown["labels"]:
        say("found", "nothing")
    rule = f"{shown['rule']}:" if shown["rule"] else "none matched;"
    say("rule", f"{rule} no wider than {shown['ceiling']}")
    say("chosen", by)
    for title, target in _titled("permitted", shown["plan"]):
        say(title, f"{target['model']} ({target['zone']})")
    if not shown["plan"]:
        say("permitted", "nobody")
    for title, left in _titled("excluded", shown["excluded"]):
        unmet = f", not on its terms: {', '.join(left['unmet'])}" if left["unmet"] else ""
        held = f"rule {left['rule']}, label {left['label']}{unmet}"
        say(title, f"{left['model']} ({left['zone']}): {held}")
    if shown["edits"]:
        say("edits", ", ".join(shown["edits"]))
    if shown["refusal"]:
        say("refused", shown["refusal"])
        say("hint", shown["hint"])


def _titled(title: str, rows: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The title stands before the first only."""
    return zip(chain([title], repeat("")), rows, strict=False)
