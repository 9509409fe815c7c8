"""`halfdoor policy try`: what another policy would have held, from the log's labels."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from msgspec import Struct, field
from rich.console import Console

from halfdoor.canon.record import Decided, Outcome
from halfdoor.canon.rules import Rule
from halfdoor.cli.ledger import SHORT_ID, beginning, show
from halfdoor.cli.options import (
    ConfigOption,
    JsonOption,
    ProjectOption,
    console,
    counted,
    project_dir,
    say_json,
)
from halfdoor.cli.policy.past import CHANGES, Judgement, Reviewer, added, pairs
from halfdoor.config.load import Loaded, cards, rules_in_force
from halfdoor.config.load import load as read
from halfdoor.config.rules import in_force
from halfdoor.store.reader import LogReader

LISTED: Final = 1_000


class Held(Struct):
    """What one rule would change. last: the newest exchange's id."""

    rule: str
    label: str
    changes: dict[str, int]
    held: dict[str, int]
    last: str = ""


class Review(Struct):
    """All that is told. exchanges: how many were looked at; listed: changed ones, at most 1,000.

    changes: how many of each kind. sent, held: body bytes by zone. foreign: exchanges of other
    projects, tried without those projects' own rules. untold: rules of which the log tells nothing.
    """

    since: str
    exchanges: int = 0
    changes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHANGES, 0))
    sent: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    rules: list[Held] = field(default_factory=list)
    listed: list[Judgement] = field(default_factory=list)
    foreign: int = 0
    untold: list[str] = field(default_factory=list)


def trial(
    since: Annotated[
        str, typer.Option(help="A date, a time (UTC), or how long ago: `90m`, `24h`, `7d`.")
    ] = "7d",
    config: ConfigOption = None,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Show what the rules of a file would have held of the exchanges that are in the log.

    `--config NEW` is the policy to try. The project's rules count for exchanges of its own tools
    and for those of no known project. Reads the log and changes nothing.
    """
    loaded = read(config, project_dir(project), os.environ)
    review = Review(beginning(since))
    with LogReader(loaded.state_dir) as reader:
        entries = (reader.entry(row) for row in reader.rows(since=review.since))
        fill(review, pairs(entries), loaded)
    if json:
        say_json(review)
    else:
        _show(console(), review)


def fill(
    review: Review, exchanges: Iterator[tuple[Decided, Outcome | None]], loaded: Loaded
) -> None:
    """Judge every exchange; constant memory but for the list of the first changed ones."""
    known = cards(loaded.config)
    all_rules, own_rules = rules_in_force(loaded), in_force(loaded.config.rules, ())
    here = Reviewer(all_rules, known)
    elsewhere = Reviewer(own_rules, known)
    folder = Path(loaded.project).parent.name if loaded.project else ""
    by_rule: dict[tuple[str, str], Held] = {}
    for decided, outcome in exchanges:
        foreign = decided.project not in {"", folder}
        judgement = (elsewhere if foreign else here).judge(decided, outcome)
        review.exchanges += 1
        review.foreign += foreign
        review.changes[judgement.change] += 1
        added(review.sent, judgement.sent)
        added(review.held, judgement.held)
        if judgement.change != "same":
            _note(review, by_rule, judgement)
    review.rules = sorted(by_rule.values(), key=lambda held: -sum(held.changes.values()))
    here.met |= elsewhere.met
    review.untold = [_untold(rule) for rule in here.untold()]


def _note(review: Review, by_rule: dict[tuple[str, str], Held], one: Judgement) -> None:
    key = one.rule, one.label
    held = by_rule.setdefault(key, Held(*key, changes=Counter(), held={}))
    held.changes[one.change] = held.changes.get(one.change, 0) + 1
    held.last = max(held.last, one.id)
    added(held.held, one.held)
    if len(review.listed) < LISTED:
        review.listed.append(one)


def _untold(rule: Rule) -> str:
    return f"`{rule.label}` ({rule.source})"


def _show(screen: Console, review: Review) -> None:
    changes = review.changes
    parts = [f"{changes[change]:,} {_WORDS[change]}" for change in CHANGES if changes[change]]
    total = counted(review.exchanges, "exchange")
    screen.print(f"{total} since {review.since}: {', '.join(parts) or 'nothing to look at'}")
    screen.print(f"sent then  {_bytes(review.sent)}")
    screen.print(f"held now   {_bytes(review.held)}")
    if review.rules:
        short = SHORT_ID if screen.is_terminal else None
        titles = ("RULE", "LABEL", "REFUSED", "NARROWER", "FEWER", "WIDER", "BYTES HELD", "LAST")
        show(screen, titles, [_row(held, short) for held in review.rules])
    for rule in review.untold:
        screen.print(
            f"untold     {rule}: no exchange has this label. Either nothing touched it, or it was "
            "not looked for then; the log holds no text and cannot tell"
        )
    if review.foreign:
        screen.print(
            f"{counted(review.foreign, 'exchange')} of other projects: tried without the rules of "
            "their own files, which the log does not hold"
        )
    screen.print(
        "The log tells labels, not text. What new labels would do to later answers and sessions is "
        "not counted."
    )


_WORDS: Final = {
    "refused": "would be refused",
    "narrower": "would stay nearer",
    "fewer": "would have fewer models",
    "wider": "might go further than then",
    "same": "as then",
}


def _row(held: Held, short: int | None) -> tuple[Any, ...]:
    counts = (f"{held.changes.get(change, 0):,}" for change in CHANGES if change != "same")
    return (held.rule or "-", held.label or "-", *counts, _bytes(held.held), held.last[:short])


def _bytes(totals: dict[str, int]) -> str:
    shown = [
        f"{zone} {totals[zone]:,}" for zone in ("device", "network", "cloud") if zone in totals
    ]
    return ", ".join(shown) or "none"
