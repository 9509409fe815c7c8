"""Keys and passwords in what was written, and text of files that must not leave the device.

The same engine and the same forms as at the boundary; the text is never repeated.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from halfdoor.canon.checks import Change, Finding, Result, Subject
from halfdoor.reading.engine import Engine
from halfdoor.verify.base import judged, nothing
from halfdoor.verify.fresh import added, counted, fresh, lines_of, text
from halfdoor.verify.spots import spots

NAME: Final = "secrets"
RESTRICTED: Final = "restricted"

_AROUND: Final = 5
_HINT: Final = "take it out, read it from the environment, and make a new one: this one is known"

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
        if not texts:
            return nothing(NAME, "nothing was written")
        self._size = sum(len(each.after or b"") for each in texts)
        found = [finding for each in texts for finding in self._found(each.path, *_near(each))]
        if found:
            had = [finding for each in subject.changes for finding in self._past(each)]
            found = list(fresh(subject.changes, had, found))
        return judged(NAME, tuple(found), counted(len(texts), "file"))

    def _past(self, change: Change) -> Iterator[Finding]:
        lines = [f"{line}\n" for line in lines_of(text(change.before))]
        return self._found(change.path, lines, range(1, len(lines) + 1))

    def _found(self, path: str, lines: list[str], numbers: Sequence[int]) -> Iterator[Finding]:
        """Findings in these lines. numbers: theirs, in the file."""
        said = "".join(lines)
        if not said:
            return
        if self._engine is None:
            self._engine = self._make(self._size)
            self._known = self._find() if self._find else None
        for spot in spots(self._engine, said):
            told = f"this has the form of a secret: {spot.form}"
            line = numbers[spot.line]
            yield Finding(NAME, path, line, spot.column, spot.form, told, _HINT, "CWE-798")
        for label in self._known(path, said.replace("\0", "")) if self._known else ():
            told = f"this is text that is kept on the device: {label}"
            hint = "take it out, or lift its rule"
            yield Finding(NAME, path, numbers[0], 1, RESTRICTED, told, hint)


def _near(change: Change) -> tuple[list[str], list[int]]:
    """The lines that are new and some around each, with their numbers: a key may span several."""
    lines = [f"{line}\n" for line in lines_of(text(change.after))]
    if change.before is None:
        return lines, list(range(1, len(lines) + 1))
    near = {n for at in added(change) for n in range(at - _AROUND, at + _AROUND + 1)}
    numbers = sorted(n for n in near if 0 < n <= len(lines))
    return [lines[n - 1] for n in numbers], numbers
