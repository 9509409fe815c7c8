"""What may be repeated of a change: its lines and what tools say of them, and never a key."""

from collections.abc import Callable, Iterable
from typing import Final

from msgspec.structs import replace

from halfdoor.canon.checks import Change, Finding, Result
from halfdoor.reading.engine import Engine
from halfdoor.verify.fresh import lines_of, text
from halfdoor.verify.secrets import RESTRICTED
from halfdoor.verify.spots import Spot, ends, spots

UNSAID: Final = "(not shown: a secret stands in it)"


class Veil:
    """engine: makes one for so many bytes of text, once there is something to look through.

    INVARIANT: what the engine could not look through is not shown.
    """

    def __init__(self, engine: Callable[[int], Engine], changes: Iterable[Change]) -> None:
        self._make = engine
        self._engine: Engine | None = None
        self._changes = {each.path: each for each in changes}
        self._lines: dict[str, dict[int, str]] = {}
        self._ends: set[str] = set()

    def line(self, path: str, number: int) -> str:
        """This line of a file as it is after the change, "" for one that is not to be shown."""
        return self._shown(path).get(number, "")

    def over(self, results: Iterable[Result]) -> tuple[Result, ...]:
        """The results, with `UNSAID` for each text of theirs that repeats a key."""
        results = tuple(results)
        for each in (finding for result in results for finding in result.findings):
            self._shown(each.path)
            if each.code == RESTRICTED:
                self._lines[each.path] = {}
        unsaid = self._unsaid({said for result in results for said in _all(result)} - {""})
        return tuple(_without(each, unsaid) for each in results) if unsaid else results

    def _shown(self, path: str) -> dict[int, str]:
        """The lines that may be shown, by number from 1."""
        if path not in self._lines:
            change = self._changes.get(path)
            said = text(change.after) if change else ""
            lines = dict(enumerate(lines_of(said), 1))
            for spot in self._spots(said):
                self._ends.update(ends(spot))
                for number in range(spot.line, spot.last + 1):
                    lines.pop(number + 1, None)
            self._lines[path] = lines if self._engine or not said else {}
        return self._lines[path]

    def _unsaid(self, said: set[str]) -> frozenset[str]:
        """Those of these texts that are not to be said."""
        whole = "\n".join(sorted(said))
        suspect = self._spots(whole)
        known = {each for each in self._ends if each in whole}
        if self._engine is None:
            return frozenset(said)
        known.update(piece for spot in suspect for piece in (spot.text, *ends(spot)))
        return frozenset(each for each in said if any(piece in each for piece in known))

    def _spots(self, said: str) -> tuple[Spot, ...]:
        """Keys in a text; without an engine none, and `_engine` tells."""
        if not said:
            return ()
        try:
            if self._engine is None:
                self._engine = self._make(len(said))
            return spots(self._engine, said)
        except Exception:  # noqa: BLE001  whatever is wrong with it, it has not looked
            self._engine = None
            return ()


def _all(result: Result) -> Iterable[str]:
    yield result.saw
    for each in result.findings:
        yield from (each.message, each.hint)


def _without(result: Result, unsaid: frozenset[str]) -> Result:
    findings = tuple(_covered(each, unsaid) for each in result.findings)
    saw = UNSAID if result.saw in unsaid else result.saw
    return replace(result, findings=findings, saw=saw)


def _covered(finding: Finding, unsaid: frozenset[str]) -> Finding:
    message = UNSAID if finding.message in unsaid else finding.message
    hint = UNSAID if finding.hint in unsaid else finding.hint
    return replace(finding, message=message, hint=hint)
