"""Examples in docstrings, and those that a prompt gave, say what the code does.

Each changed module is imported in the sandbox and its `>>>` examples are run, by the standard
library's doctest. Those that were wrong before the change are not told.
"""

from collections.abc import Generator, Iterable
from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.canon.checks import Change, Finding, Limits, Ran, Result, Run, Subject
from halfdoor.verify.base import Steps, judged, nothing, skipped, unrun
from halfdoor.verify.extra import told
from halfdoor.verify.fresh import counted, fresh, text
from halfdoor.verify.watching import EXAMPLES, FOLDER

NAME: Final = "examples"
WRONG: Final = "wrong-example"
_DRIVER: Final = f"{FOLDER}/halfdoor_examples.py"
_LIMITS: Final = Limits(cpu_s=120)


class _Report(Struct):
    wrong: list[tuple[str, int, str, str, str, str]]
    tried: int
    unread: list[tuple[str, str]]


_REPORT: Final = msgspec.json.Decoder(_Report)
Told = Generator[Run, Ran, _Report | Result]


class Examples:
    """Examples of docstrings, where asked; those of a prompt, where one file changed.

    prompt: what was asked for when code was asked for.
    """

    name = NAME
    reads: tuple[str, ...] = ()

    def __init__(self, *, asked: bool, prompt: str = "") -> None:
        self._asked = asked
        self._prompt = prompt if ">>>" in prompt else ""

    def judge(self, subject: Subject) -> Result | Steps:
        """See `Check.judge`."""
        if not (self._asked or self._prompt):
            return nothing(NAME, "`ask` in [gate] does not name `examples`")
        python = [each for each in subject.changes if each.path.endswith(".py") and each.after]
        with_own = [each for each in python if ">>>" in text(each.after)]
        prompt = self._prompt if len(python) == 1 else ""
        changes = python if prompt else with_own
        if not changes:
            return nothing(NAME, "no example in what changed")
        if not subject.tree:
            return skipped(NAME, "there is no tree to import the changed modules from")
        return self._judge(subject, changes, prompt)

    def _judge(self, subject: Subject, changes: list[Change], prompt: str) -> Steps:
        after = yield from _run(subject, subject.tree, [each.path for each in changes], prompt)
        if isinstance(after, Result):
            return after
        found = tuple(_findings(after))
        if after.unread:
            path, why = after.unread[0]
            if not found:
                return skipped(NAME, f"{path} cannot be imported here: {why}")
        if found and subject.base:
            paths = [each.was or each.path for each in changes if each.before is not None]
            had: _Report | Result = _Report([], 0, [])
            if paths:
                had = yield from _run(subject, subject.base, paths, "")
            if isinstance(had, Result):
                return had
            found = tuple(fresh(changes, _findings(had), found))
        return judged(NAME, found, counted(after.tried, "example"))


def _run(subject: Subject, tree: str, paths: list[str], prompt: str) -> Told:
    asked = [(path, _module(path), prompt) for path in paths]
    ran = yield Run(
        (subject.python or "python3", "-B", _DRIVER),
        "the examples of a change",
        files={_DRIVER: EXAMPLES.encode()},
        tree=tree,
        at=subject.root or subject.tree,
        stdin=msgspec.json.encode(asked),
        timeout_s=60.0,
        limits=_LIMITS,
    )
    if trouble := unrun(NAME, ran, "the project's interpreter"):
        return trouble
    try:
        # What a module prints when it is imported comes before.
        return _REPORT.decode(ran.stdout[ran.stdout.rfind(b'{"wrong": ') :])
    except msgspec.DecodeError:
        return told(NAME, ran, "the project's interpreter")


def _module(path: str) -> str:
    """The dotted name under which a file is imported from the root or from `src`."""
    return path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _findings(report: _Report) -> Iterable[Finding]:
    for path, line, _, source, wanted, got in report.wrong:
        said = f"`{_short(source)}` should give `{_short(wanted)}` and gives `{_short(got)}`"
        yield Finding(NAME, path, line, 1, WRONG, said, "mend the code, or the example")


def _short(said: str) -> str:
    line = " ".join(said.split())
    return line if len(line) <= 80 else f"{line[:77]}..."
