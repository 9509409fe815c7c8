"""How the gate speaks: lines for people, JSON, SARIF, and annotations that GitHub reads."""

import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from halfdoor import __version__
from halfdoor.canon.checks import Finding, Status
from halfdoor.cli.gate.judging import Told
from halfdoor.errors import SetupError
from halfdoor.verify.base import skipped
from halfdoor.verify.fresh import counted
from halfdoor.verify.sarif import sarif as sarif_document

_MOST_CHARS: Final = 400

# Reasons that a person may want to do something about.
_ASKS: Final = re.compile(
    r"hint:|not judged|^off in|^a person must|; without \d|left out by|cannot read"
)


def tell(told: Told, *, json: bool, sarif: Path | None, github: bool) -> None:
    """Say it in every way that was asked for; to people when in none on standard output."""
    said = sarif is not None and str(sarif) == "-"
    if sarif is not None:
        _write(
            sarif,
            msgspec.json.encode(_sayable(sarif_document(told.results, __version__, told.notes))),
        )
    if json:
        _write(
            Path("-"), msgspec.json.format(msgspec.json.encode(_sayable(document(told))), indent=2)
        )
    if github:
        _write(Path("-"), "\n".join(annotations(told)).encode("utf-8", "replace"))
    if not (said or json or github):
        _write(Path("-"), "\n".join(lines(told)).encode("utf-8", "replace"))


def unbegun(error: SetupError, sarif: Path | None) -> None:
    """Say in SARIF, where it was asked for, that nothing was judged; where it can be said."""
    if sarif is not None:
        result = skipped("gate", str(error))
        with suppress(SetupError):  # the one that is raised says more
            _write(sarif, msgspec.json.encode(_sayable(sarif_document([result], __version__))))


def document(told: Told) -> dict[str, object]:
    """The JSON document. A stable contract: names are added and never change their meaning."""
    return {
        "version": 1,
        "verdict": told.verdict.value,
        "ms": told.ms,
        "files": [each.path for each in told.subject.changes],
        "results": [msgspec.to_builtins(each) for each in told.results],
        "notes": list(told.notes),
    }


def lines(told: Told) -> Iterator[str]:
    """For people: each finding with its line and what would mend it, then each check's result."""
    for each in _ordered(told):
        yield f"{_place(each)}: {_plain(each.message)} [{each.check} {each.code}]"
        # INVARIANT: a key is not repeated on a screen or in a build's log.
        if shown := told.veil.line(each.path, each.line):
            yield f"    {each.line:>4} | {_plain(shown.rstrip())}"
        if each.hint:
            yield f"    fix: {_plain(each.hint)}"
    yield from _statuses(told)
    for note in told.notes:
        yield f"note: {_plain(note)}"
    yield _verdict(told)
    if told.verdict is Status.SKIPPED:
        yield "what was skipped was not judged: mend it, or name it in `optional` of [gate]"


def _statuses(told: Told) -> Iterator[str]:
    """A line for each check that judged or should have; one for all that did not need to."""
    made = [each for each in told.results if each.status is not Status.NOT_APPLICABLE]
    width = max((len(each.check) for each in made), default=0)
    for result in made:
        yield f"{result.check:<{width}}  {result.status.value:<7}  {_plain(result.saw)}".rstrip()
    left = [each for each in told.results if each.status is Status.NOT_APPLICABLE]
    if not (left and (made or told.subject.changes)):
        return
    asking = [each for each in left if _ASKS.search(each.saw)]
    quiet = [each.check for each in left if each not in asking]
    yield from (f"not applicable: {each.check} ({_plain(each.saw)})" for each in asking)
    if quiet:
        yield f"nothing to judge: {', '.join(quiet)} (`--json` says why)"


def annotations(told: Told) -> Iterator[str]:
    """Workflow commands (docs.github.com, workflow-commands-for-github-actions, 2026-11)."""
    for each in _ordered(told):
        place = f"file={_property(each.path)}," if each.path else ""
        place += f"line={each.line}," if each.line else ""
        title = _property(f"{each.check} {each.code}")
        hint = f"\nfix: {each.hint}" if each.hint else ""
        yield f"::error {place}title={title}::{_data(each.message + hint)}"
    for result in told.results:
        if result.status is Status.SKIPPED:
            yield f"::warning title={_property(result.check)} skipped::{_data(result.saw)}"
    for note in told.notes:
        yield f"::notice title=halfdoor gate::{_data(note)}"
    yield _verdict(told)


def _verdict(told: Told) -> str:
    """The last line."""
    found = sum(len(each.findings) for each in told.results)
    open_ = [each.check for each in told.results if each.status is Status.SKIPPED]
    said = {
        Status.FAILED: f"failed: {counted(found, 'finding')}",
        Status.SKIPPED: f"could not judge: {', '.join(open_)}",
    }.get(told.verdict, "passed")
    if not told.subject.changes and not told.subject.edits:
        return f"{said}: no file changed ({told.ms} ms)"
    return f"{said} in {counted(len(told.subject.changes), 'changed file')} ({told.ms} ms)"


def _ordered(told: Told) -> list[Finding]:
    found = [finding for result in told.results for finding in result.findings]
    return sorted(found, key=lambda each: (each.path, each.line, each.column, each.check))


def _place(finding: Finding) -> str:
    place = _plain(finding.path) or "(the change)"
    place += f":{finding.line}" if finding.line else ""
    return place + (f":{finding.column}" if finding.line and finding.column else "")


def _plain(said: str) -> str:
    """Without what would steer a terminal: paths, code and messages are others' text."""
    plain = "".join(c if c.isprintable() or c == "\t" else "?" for c in said[:_MOST_CHARS])
    return f"{plain} ..." if len(said) > _MOST_CHARS else plain


def _sayable(value: object) -> object:
    """The same, with `?` in names of files that are no UTF-8."""
    match msgspec.to_builtins(value):
        case str(text):
            return text.encode("utf-8", "replace").decode()
        case [*items]:
            return [_sayable(each) for each in items]
        case dict(members):
            return {name: _sayable(each) for name, each in members.items()}
        case other:
            return other


def _property(said: str) -> str:
    return _data(said).replace(":", "%3A").replace(",", "%2C")


def _data(said: str) -> str:
    return said.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _write(path: Path, data: bytes) -> None:
    if str(path) == "-":
        # What a terminal cannot show is shown as `?`, and stops nobody.
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(f"{data.decode()}\n".encode(encoding, "replace").decode(encoding))
        return
    try:
        path.write_bytes(data + b"\n")
    except OSError as error:
        why = f"cannot be written: {error.strerror}"
        raise SetupError(
            why, where=str(path), hint="give a file in a folder that is there"
        ) from None
