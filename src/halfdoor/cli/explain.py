"""`halfdoor explain`: what would be decided about a request body, without any call."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from halfdoor.canon.request import Actor
from halfdoor.canon.scene import Scene
from halfdoor.cli.options import ConfigOption, JsonOption, ProjectOption, console, load, say_json
from halfdoor.errors import SetupError
from halfdoor.flow.preparing import prepare
from halfdoor.flow.weighing import Weighed, weigh
from halfdoor.flow.writing import counted
from halfdoor.wiring import house

_REFUSED = 3


def explain(
    file: Annotated[str, typer.Argument(help="A request body (JSON); `-` reads standard input.")],
    dialect: Annotated[
        str, typer.Option(help="openai_chat or anthropic_messages; guessed when left out.")
    ] = "",
    config: ConfigOption = None,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Show what would be decided about a request body: labels, rule, plan. Calls nobody.

    Exit 0: some model may see it. Exit 3: a rule refuses it.
    """
    place = house(load(config, project))
    body = _read(file)
    near = place.dialects.get(dialect or _guess(body))
    if near is None:
        raise SetupError(
            f"there is no dialect `{dialect}`", hint="one of: " + ", ".join(sorted(place.dialects))
        )
    request = near.read(near.endpoints[0], (), "", body)
    found = place.surveyor.survey(request)
    weighed = weigh(request, Actor(), found, Scene(id="", now_ms=0), place)
    edits = prepare(weighed, weighed.targets[0], place).edits if weighed.targets else ()
    told = _told(weighed, edits)
    if json:
        say_json(told)
    else:
        _show(told)
    if not weighed.targets:
        raise typer.Exit(_REFUSED)


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise SetupError(f"cannot read it: {error.strerror}", where=file) from None


def _guess(body: bytes) -> str:
    """Messages bodies must state `max_tokens`, and hold `system` beside the messages."""
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
        "plan": [{"model": t.name, "zone": t.zone.name.lower()} for t in weighed.targets],
        "excluded": [
            {"model": e.target, "zone": e.zone.name.lower(), "rule": e.rule, "label": e.label}
            for e in verdict.excluded
        ],
        "edits": list(edits),
        "refusal": verdict.refusal,
        "hint": verdict.hint,
    }


def _show(told: dict[str, Any]) -> None:
    out = console()
    out.print(f"asked    {told['asked']}  ({told['dialect']})")
    for label in told["labels"]:
        kind = f" ({label['kind']})" if label["kind"] else ""
        places = ", ".join(label["places"])
        out.print(f"found    {label['label']}{kind} x{label['count']} in {places}")
    if not told["labels"]:
        out.print("found    nothing that a rule speaks of")
    rule = f" by rule {told['rule']}" if told["rule"] else ""
    out.print(f"ceiling  {told['ceiling']}{rule}")
    for number, target in enumerate(told["plan"], 1):
        out.print(f"plan {number}   {target['model']} ({target['zone']})")
    for left in told["excluded"]:
        out.print(f"not      {left['model']} ({left['zone']}): rule {left['rule']}")
    if told["edits"]:
        out.print(f"edits    {', '.join(told['edits'])}")
    if told["refusal"]:
        out.print(f"refused  {told['refusal']}")
        out.print(f"hint     {told['hint']}")
