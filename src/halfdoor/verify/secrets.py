"""Keys and passwords in what was written, and text of files that must not leave the device.

The same engine and the same forms as at the boundary; the text is never repeated.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from halfdoor.canon.checks import Change, Finding, Result, Subject
from halfdoor.reading.engine import Engine, Hit
from halfdoor.verify.base import nothing
from halfdoor.verify.fresh import per_file

NAME: Final = "secrets"
RESTRICTED: Final = "restricted"

_BINARY_LOOKED_AT: Final = 8192
_HINT: Final = "take it out, read it from the environment, and make a new one: this one is known"

# (label, line from 1) of restricted text in a text.
Known = Callable[[str], Iterable[tuple[str, int]]]


class Secrets:
    """engine: made when something is to be scanned, for its table takes a while to compile.

    known: finds restricted text, None where nothing is indexed.
    """

    name = NAME
    reads: tuple[str, ...] = ()

    def __init__(self, engine: Callable[[], Engine], known: Known | None = None) -> None:
        self._make = engine
        self._engine: Engine | None = None
        self._known = known

    def judge(self, subject: Subject) -> Result:
        """Every changed file that is text."""
        texts = [each for each in subject.changes if each.after and not _binary(each)]
        if not texts:
            return nothing(NAME, "no text changed")
        return per_file(NAME, texts, self._found)

    def _found(self, path: str, text: str) -> Iterator[Finding]:
        if not text:
            return
        self._engine = self._engine or self._make()
        for hit in _surest(self._engine.scan(text)):
            line = text.count("\n", 0, hit.start) + 1
            column = hit.start - text.rfind("\n", 0, hit.start)
            said = f"this has the form of a secret: {hit.format_id}"
            yield Finding(NAME, path, line, column, hit.format_id, said, _HINT, "CWE-798")
        for label, line in self._known(text) if self._known else ():
            said = f"this is text that is kept on the device: {label}"
            yield Finding(NAME, path, line, 1, RESTRICTED, said, "take it out, or lift its rule")


def _surest(hits: Iterable[Hit]) -> Iterable[Hit]:
    """One a place: of several forms that fit, the surest."""
    best: dict[int, Hit] = {}
    for hit in hits:
        if hit.start not in best or hit.confidence > best[hit.start].confidence:
            best[hit.start] = hit
    return best.values()


def _binary(change: Change) -> bool:
    return b"\0" in (change.after or b"")[:_BINARY_LOOKED_AT]
