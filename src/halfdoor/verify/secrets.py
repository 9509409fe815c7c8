"""Keys and passwords in what was written, and text of files that must not leave the device.

The same engine and the same forms as at the boundary; the text is never repeated.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from halfdoor.canon.checks import Change, Commit, Finding, Result, Subject
from halfdoor.reading.engine import Engine
from halfdoor.verify.base import judged, nothing
from halfdoor.verify.fresh import added, counted, fresh, lines_of, text
from halfdoor.verify.spots import is_binary, runs, spots

NAME: Final = "secrets"
RESTRICTED: Final = "restricted"

_AROUND: Final = 5
_HINT: Final = "take it out, read it from the environment, and make a new one: this one is known"
_HISTORY: Final = "the history keeps it: write these commits anew, and make a new one"

# (path, text) to the labels of restricted text that stands there and does not belong there.
Known = Callable[[str, str], Iterable[str]]


class Secrets:
    """engine: makes one for so many bytes of text, once something is to be scanned.

    known: makes what finds restricted text, and None where nothing is indexed.
    """

    name = NAME
    reads: tuple[str, ...] = ()

    def __init__(
        self, engine: Callable[[int], Engine], known: Callable[[], Known | None] | None = None
    ) -> None:
        self._make = engine
        self._engine: Engine | None = None
        self._size = 0
        self._find = known
        self._known: Known | None = None

    def judge(self, subject: Subject) -> Result:
        """Every changed file, also one that is no text: a key in it is as well known as any."""
        texts = [each for each in subject.changes if each.after]
        passed = [each for commit in subject.commits for each in commit.passed if each.after]
        if not (texts or passed):
            return nothing(NAME, "nothing was written")
        self._size = sum(len(each.after or b"") for each in (*texts, *passed))
        found = [finding for each in texts for finding in self._found(each.path, *_near(each))]
        if found:
            had = [finding for each in subject.changes for finding in self._past(each)]
            found = list(fresh(subject.changes, had, found))
        saw = counted(len(texts), "file")
        saw += f", {counted(len(passed), 'version')} that a later commit changed" if passed else ""
        return judged(NAME, (*found, *self._taken_back(subject)), saw)

    def _taken_back(self, subject: Subject) -> Iterator[Finding]:
        """What commits wrote and neither end holds: the history keeps it."""
        standing: set[str] | None = None
        told = set()
        for commit in subject.commits:
            for change in commit.passed:
                for finding, key in self._keyed(change.path, *_near(change)):
                    standing = self._standing(subject) if standing is None else standing
                    if key not in standing and (change.path, key) not in told:
                        told.add((change.path, key))
                        yield _of_the_past(commit, finding)

    def _standing(self, subject: Subject) -> set[str]:
        """The keys, and the labels of restricted text, in what changed, before and after."""
        sides = [
            (each.path, side) for each in subject.changes for side in (each.before, each.after)
        ]
        return {text for path, side in sides for _, text in self._keyed(path, *_whole(side))}

    def _past(self, change: Change) -> Iterator[Finding]:
        return self._found(change.path, *_whole(change.before))

    def _found(self, path: str, lines: list[str], numbers: Sequence[int]) -> Iterator[Finding]:
        return (finding for finding, _ in self._keyed(path, lines, numbers))

    def _keyed(
        self, path: str, lines: list[str], numbers: Sequence[int]
    ) -> Iterator[tuple[Finding, str]]:
        """Findings in these lines, each with what it is known by: the key itself, or a label.

        numbers: theirs, in the file.
        """
        said = "".join(lines)
        if not said:
            return
        if self._engine is None:
            self._engine = self._make(self._size)
            self._known = self._find() if self._find else None
        for spot in spots(self._engine, said):
            told = f"this has the form of a secret: {spot.form}"
            line = numbers[spot.line]
            found = Finding(NAME, path, line, spot.column, spot.form, told, _HINT, "CWE-798")
            yield found, spot.text
        for label in self._known(path, said.replace("\0", "")) if self._known else ():
            told = f"this is text that is kept on the device: {label}"
            hint = "take it out, or lift its rule"
            yield Finding(NAME, path, numbers[0], 1, RESTRICTED, told, hint), label


def _of_the_past(commit: Commit, finding: Finding) -> Finding:
    said = f"commit {commit.id[:12]} wrote this on line {finding.line}, a later one took it back"
    return replace(finding, line=0, column=0, message=f"{said}; {finding.message}", hint=_HISTORY)


def _near(change: Change) -> tuple[list[str], list[int]]:
    """The lines that are new and some around each, with their numbers: a key may span several."""
    lines, every = _whole(change.after)
    if change.before is None or is_binary(change.after or b""):
        return lines, every
    near = {n for at in added(change) for n in range(at - _AROUND, at + _AROUND + 1)}
    numbers = sorted(n for n in near if 0 < n <= len(lines))
    return [lines[n - 1] for n in numbers], numbers


def _whole(side: bytes | None) -> tuple[list[str], list[int]]:
    """All lines, with their numbers; of what is no text, what may be one."""
    if side and is_binary(side):
        return runs(side)
    lines = [f"{line}\n" for line in lines_of(text(side))]
    return lines, list(range(1, len(lines) + 1))
