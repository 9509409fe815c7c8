"""`halfdoor why`: what was found in a request, who might see it, and who did."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from halfdoor.canon.commands import FaultKind
from halfdoor.canon.record import (
    Attempt,
    Chosen,
    Decided,
    LabelCount,
    Leaving,
    Left,
    Outcome,
    Planned,
    TooLong,
)
from halfdoor.cli.ledger import moment
from halfdoor.cli.options import ConfigOption, JsonOption, console, say_json, settings
from halfdoor.cli.stated import sets, systems
from halfdoor.config.load import Loaded
from halfdoor.decide.budgets import BUDGET
from halfdoor.decide.money import apart, shown
from halfdoor.decide.plans import PLAN
from halfdoor.decide.staying import (
    BACK,
    BUSY,
    LEFT_OUT,
    NOTHING_LOST,
    PAYS,
    STAYS,
    UNPRICED,
    UNWELL,
)
from halfdoor.errors import HalfdoorError
from halfdoor.flow.counting import TRUNCATED
from halfdoor.store.keys import LogKeys
from halfdoor.store.reader import Exchange, LogReader

REFUSALS: Final = {
    "rule": "every model that could answer was forbidden by a rule",
    "explicit": "the model was asked for by its own name, and a rule forbids it",
    "budget": "a hard budget could not pay for any model that was permitted",
    "plan": "a flat plan had no room left, and nobody else was permitted",
    "no-target": "no configured model could answer it",
    "given-up": "its models failed it a moment ago, and its tool asked again",
    "too-long": "it is longer than the window of every permitted model",
}


class Proof(msgspec.Struct, frozen=True):
    """state: `proven`, `pending` (no signed head covers it yet) or `broken`; size: of that head."""

    state: str
    size: int
    message: str


def why(
    exchange: Annotated[
        str, typer.Argument(metavar="ID", help="An exchange's id, its beginning, or `last`.")
    ],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Explain what was decided about an exchange, and prove that its record stands."""
    if not exchange.strip():
        raise typer.BadParameter("is empty; give an id, its beginning, or `last`")
    loaded = settings(config)
    state_dir = loaded.state_dir
    with LogReader(state_dir) as reader:
        found = reader.exchange(reader.find(exchange))
        proof = _proof(reader, found.position, state_dir)
    if json:
        say_json(_document(found, proof))
    else:
        _show(console(), found, proof, _systems(loaded))
    if proof.state == "broken":
        raise typer.Exit(1)


def _systems(loaded: Loaded) -> Mapping[str, str]:
    """None without the key: then their hashes are shown."""
    try:
        return systems(loaded.config.routes, LogKeys.load(loaded.state_dir).mac)
    except HalfdoorError:
        return {}


def _proof(reader: LogReader, position: int, state_dir: Path) -> Proof:
    """An explanation that cannot be proven is still shown, with the reason."""
    try:
        found = reader.inclusion(position, LogKeys.load(state_dir).verifier)
    except HalfdoorError as error:
        return Proof("broken", 0, str(error))
    if found is None:
        return Proof("pending", 0, "no signed checkpoint covers it yet; one does within a second")
    if found.proven:
        return Proof("proven", found.size, f"proven by the checkpoint of {found.size:,} entries")
    return Proof("broken", found.size, "NOT what was recorded; hint: run `halfdoor log verify`")


def _document(found: Exchange, proof: Proof) -> dict[str, Any]:
    return {
        "id": found.decided.id,
        "decided": msgspec.to_builtins(found.decided),
        "outcome": msgspec.to_builtins(found.outcome),
        "log": {"position": found.position, "proof": proof.state, "checkpoint_size": proof.size},
    }


def _show(screen: Console, found: Exchange, proof: Proof, known: Mapping[str, str]) -> None:
    """known: see `sets`."""
    decided = found.decided
    when = moment(decided.time)
    screen.print(
        Text.assemble((decided.id, "bold"), f"  {when:%Y-%m-%d %H:%M:%S} UTC"), soft_wrap=True
    )
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for title, text in _lines(found, known):
        table.add_row(title, Text(text))
    style = "red" if proof.state == "broken" else ""
    table.add_row("log", Text(f"entry {found.position:,}: {proof.message}", style=style))
    if screen.is_terminal:
        screen.print(table)
        return
    with screen.capture() as drawn:
        screen.print(table)
    for line in drawn.get().splitlines():  # a table fills its lines with spaces
        screen.out(line.rstrip(), highlight=False)


def _lines(found: Exchange, known: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    decided, outcome = found.decided, found.outcome
    yield "asked", _asked(decided)
    yield from titled("found", [_label(label) for label in decided.labels] or ["nothing"])
    if decided.session:
        lift = f'halfdoor session lift {decided.session} --reason "…"'
        yield "session", f"{decided.session} keeps what it carried before; `{lift}` ends that"
    yield "rule", _rule(decided)
    if decided.choice is not None:
        yield from titled("chosen", [chosen(decided.choice), *numbers(decided.choice)])
        yield from titled("set", sets(decided.choice, known))
    yield from titled("permitted", [_planned(planned) for planned in decided.plan] or ["nobody"])
    yield from titled("unwell", [f"{each}, a moment before; asked last" for each in decided.unwell])
    yield from titled("busy", [f"{each}; asked last" for each in decided.busy])
    yield from titled("excluded", [left_out(each) for each in decided.excluded])
    yield from titled("too long", [too_long(each) for each in decided.unfit])
    if decided.refusal:
        yield "refused", REFUSALS.get(decided.refusal, decided.refusal)
    if outcome is None:
        if not decided.refusal:
            yield "outcome", "none yet; until there is one, it counts as sent to all permitted"
        return
    yield from titled("tried", [_attempt(attempt) for attempt in outcome.attempts])
    yield "outcome", _outcome(outcome)
    yield from titled("notice", [_notice(each, found) for each in outcome.notices])


def titled(title: str, texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Rows of a title and a text. The title stands before the first only."""
    for at, text in enumerate(texts):
        yield title if at == 0 else "", text


def _asked(decided: Decided) -> str:
    who = [f"tool {decided.tool}"] if decided.tool else []
    who += [f"token {decided.token}"] if decided.token else []
    who += [f"project {decided.project}"] if decided.project else []
    by = f" by {', '.join(who)}" if who else ""
    streamed = ", streamed" if decided.stream else ""
    named = " (by its own name)" if decided.explicit else ""
    return (
        f"{decided.asked}{named}{by}; {decided.body_bytes:,} bytes to "
        f"{decided.endpoint} ({decided.dialect}{streamed})"
    )


def chosen(choice: Chosen) -> str:
    """What was read of the request, and what that chose."""
    spoken = f" ({', '.join(choice.languages)})" if choice.languages else ""
    by = f"route {choice.route}" if choice.route else f"no route, strategy {choice.strategy}"
    return f"{by}; task {choice.task}{spoken}, agent {choice.agent}"


def numbers(choice: Chosen) -> Iterator[str]:
    """What of it is in numbers, and what kept a session where it was."""
    if choice.kept:
        yield f"{choice.kept} stays first: it waits for the results of its calls"
    if choice.leaving is not None:
        yield _leaving(choice.leaving)
    if choice.expected:
        costs = _apart(*(each.cost for each in choice.expected))
        told = (f"{e.model} {cost}" for e, cost in zip(choice.expected, costs, strict=True))
        yield f"about {choice.tokens:,} tokens, expected to cost: {', '.join(told)}"


_LEAVING: Final = {
    STAYS: "stays: leaving would not pay",
    PAYS: "is left for {other}: that pays",
    NOTHING_LOST: "is left for {other}: its cache is worth nothing",
    BACK: "is left for {other}, which it was a visit from",
    UNPRICED: "is left for {other}: what that costs is unknown",
    UNWELL: "is left for {other}: it has just failed",
    BUSY: "is left for {other}: too many wait for it",
    LEFT_OUT: "is left for {other}: it is not in the plan",
}


def _leaving(leaving: Leaving) -> str:
    said = _LEAVING.get(leaving.why, leaving.why).format(other=leaving.other)
    text = f"{leaving.model}, which answered last, {said}; about {leaving.tokens:,} tokens"
    if leaving.why in {UNWELL, BUSY, LEFT_OUT}:
        return text
    worth, stay, go = _apart(leaving.worth, leaving.stay, leaving.go)
    return (
        f"{text} in its cache are worth {worth}; the turn costs {stay} there and {go} at "
        f"{leaving.other}"
    )


def _apart(*costs: int | None) -> list[str]:
    """What decided between them can be seen: none of them is rounded to another."""
    known = iter(apart(*(cost for cost in costs if cost is not None)))
    return ["unknown" if cost is None else next(known) for cost in costs]


def _money(cost: int | None) -> str:
    return "unknown" if cost is None else shown(cost)


def _label(label: LabelCount) -> str:
    kind = f" ({label.detail})" if label.detail else ""
    more = "" if label.count <= len(label.places) else " …"
    places = ", ".join(label.places)
    return f"{label.label}{kind}, {label.count} in {places}{more}; by {label.detector}"


def _rule(decided: Decided) -> str:
    if not decided.rule:
        return f"none matched; no wider than {decided.ceiling}"
    return f"{decided.rule}: no wider than {decided.ceiling}"


def _planned(planned: Planned) -> str:
    most = "" if planned.most is None else f", at most {shown(planned.most)}"
    plan = f", under plan {planned.plan}" if planned.plan else ""
    return f"{planned.model} ({planned.zone}, backend {planned.backend}{most}{plan})"


def left_out(left: Left) -> str:
    """Who was left out, and why."""
    if left.label == BUDGET:
        why = "no price is known" if left.unmet else "it has not enough left"
        return f"{left.model} ({left.zone}): budget {left.rule}, {why}"
    if left.label == PLAN:
        return f"{left.model} ({left.zone}): plan {left.rule}, it has no room left"
    label = f", label {left.label}" if left.label else ""
    unmet = f", not on its terms: {', '.join(left.unmet)}" if left.unmet else ""
    return f"{left.model} ({left.zone}): rule {left.rule}{label}{unmet}"


def _notice(notice: str, found: Exchange) -> str:
    usage = found.outcome.usage if found.outcome else None
    if notice != TRUNCATED or usage is None:
        return notice
    return (
        f"the engine counted {usage.input_tokens:,} of about {found.decided.expected_tokens:,} "
        "tokens: it cut off or left out a part of the prompt; `halfdoor ps` shows its window"
    )


def too_long(each: TooLong) -> str:
    """Whose window is too small."""
    return (
        f"{each.model} ({each.zone}): about {each.tokens:,} tokens, "
        f"and its window has {each.window:,}"
    )


def _attempt(attempt: Attempt) -> str:
    result = f"{attempt.result} {attempt.status}" if attempt.status else attempt.result
    if attempt.result == FaultKind.STATUS:
        result = f"answered with an error, {attempt.status},"
    if attempt.result == FaultKind.QUOTA:
        result = f"said that its account has nothing left, {attempt.status},"
    edits = f"; edits: {', '.join(attempt.edits)}" if attempt.edits else ""
    return (
        f"{attempt.model} ({attempt.zone}): {result} in {attempt.ms:,} ms{_waited(attempt)}; "
        f"sent {attempt.sent_bytes:,} bytes, received {attempt.received_bytes:,}{edits}"
    )


def _waited(attempt: Attempt) -> str:
    if not attempt.waited_ms and not attempt.swap:
        return ""
    swap = ", also for the model that was loaded to finish" if attempt.swap else ""
    return f", {attempt.waited_ms:,} of them in its queue{swap}"


def _outcome(outcome: Outcome) -> str:
    answered = outcome.result == "answered"
    who = f"{outcome.model} ({outcome.zone})" if outcome.model else ""
    by = "" if not who else f" by {who}" if answered else f" at {who}, the last one tried,"
    first = f", first byte after {outcome.first_byte_ms:,} ms" if outcome.first_byte_ms >= 0 else ""
    stop = f"; stopped: {outcome.stop}" if outcome.stop else ""
    return (
        f"{outcome.result}{by} in {outcome.ms:,} ms{first}{_usage(outcome)}{_cost(outcome)}{stop}"
    )


def _usage(outcome: Outcome) -> str:
    usage = outcome.usage
    if usage is None:
        return ""
    cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
    return f"; {usage.input_tokens:,} tokens in{cached}, {usage.output_tokens:,} out"


def _cost(outcome: Outcome) -> str:
    if not outcome.attempts:
        return ""
    last = outcome.attempts[-1]
    worth = f" (worth {_money(last.worth)})" if last.plan else ""
    plan = f", paid by plan {last.plan}{worth}" if last.plan else ""
    return f"; cost unknown{plan}" if outcome.cost is None else f"; {shown(outcome.cost)}{plan}"
