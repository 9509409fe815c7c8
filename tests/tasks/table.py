"""What is read from the labelled requests: counted, and as a page of the documentation."""

import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from halfdoor.canon.asks import Ask, Task
from halfdoor.detect.task import AskReader
from tests.tasks.shapes import Sent

HERE: Final = Path(__file__).parent
PAGE: Final = HERE.parents[1] / "docs/reference/task-types.md"
SETS: Final = ("open", "held_out")

_HEAD: Final = """\
# Task types

*Written by `make tasks` from `tests/tasks/`; a test fails when this page is not what is read.*

Of every request halfdoor reads whose it is (the agent class) and what it asks for (the task), for
[routes](../how-to/choose-who-answers.md) to choose by. It informs the choice among models that the rules permit,
and nothing else. Hints in headers come first, then the last thing that a person asked, without the reminders, the
environment and the files that tools put around it; an ask that only says to go on is the one before. The words are
weighed by a table (`src/halfdoor/detect/kinds.py`), in English and German; nothing is trained.

- **Agent classes**: `main`, `subagent`, `workflow`, `compaction`, `auxiliary` (titles, commit messages, classifiers).
- **Languages**: by file names, fences and names in the ask; where it has none, by the files that were worked on just
  before. Markup and data (Markdown, JSON, YAML) are none.

## How often that is right

The requests are labelled and written by halfdoor's authors, in ten clients' shapes. Those held out were written before
the table and not used to mend it. Both come from the same hands as the table does, so expect worse of your own
requests: this page says what the table can do, not how often you will agree with it.

| | requests | task | agent class | languages |
|---|---|---|---|---|
"""


@cache
def labelled(name: str) -> tuple[Sent, ...]:
    """One of the two sets."""
    lines = (HERE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(Sent(**json.loads(line)) for line in lines)


@cache
def read(name: str) -> tuple[tuple[Sent, Ask], ...]:
    """Each request with what is read of it."""
    return tuple((sent, AskReader().read(sent.request())) for sent in labelled(name))


def right(name: str) -> tuple[int, int, int]:
    """How many tasks, agent classes and lists of languages are read as they are labelled."""
    found = read(name)
    return (
        sum(ask.task == sent.task for sent, ask in found),
        sum(ask.agent == sent.agent for sent, ask in found),
        sum(list(ask.languages) == sent.languages for sent, ask in found),
    )


def page() -> str:
    """All of it, Markdown."""
    rows = [f"| {_said(name)} | {len(labelled(name))} | {_shares(name)} |" for name in SETS]
    matrices = [line for name in SETS for line in _matrix(name)]
    return _HEAD + "\n".join([*rows, "", *matrices]).rstrip() + "\n"


def _said(name: str) -> str:
    return name.replace("_", " ")


def _shares(name: str) -> str:
    size = len(labelled(name))
    return " | ".join(f"{count} ({count / size:.0%})" for count in right(name))


def _matrix(name: str) -> Iterator[str]:
    """Rows: the label; columns: what was read."""
    counts = Counter((sent.task, ask.task.value) for sent, ask in read(name))
    yield f"## Confusion, {_said(name)}\n"
    yield "A row is what a request is, a column what was read.\n"
    yield "| | " + " | ".join(task.value for task in Task) + " |"
    yield "|---" * (len(Task) + 1) + "|"
    for label in Task:
        cells = [str(counts[label.value, task.value] or "") for task in Task]
        yield f"| **{label.value}** | " + " | ".join(cells) + " |"
    yield ""
