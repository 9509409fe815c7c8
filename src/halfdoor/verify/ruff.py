"""Asking ruff, which reads Python and runs none of it; and reading what it says."""

from collections.abc import Generator, Iterable, Mapping
from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.canon.checks import Change, Finding, Ran, RanStatus, Result, Run, Subject
from halfdoor.verify.base import Steps, judged, nothing, skipped, unrun
from halfdoor.verify.encoding import as_utf8
from halfdoor.verify.fresh import counted, fresh, listed
from halfdoor.verify.languages import is_python
from halfdoor.verify.ruff_settings import READS, config_above, excluding, surroundings

# The newest Python that ruff knows.
NEWEST: Final = "py315"
_INVALID: Final = "invalid-syntax"
# What ruff finds fault with whatever it was told to find, in every file that it looks at.
_PROBES: Final = {"check": b"(", "format": b"x  = 1\n"}
# Where ruff has no fix of its own to tell of.
_HINTS: Final = {
    "E902": "save it as UTF-8",
    "F811": "take one of them out, or give it another name",
    "F821": "define it, import it, or correct the name",
    "F822": "define it, or take it out of `__all__`",
}

Asked = Generator[Run, Ran, tuple[Finding, ...] | Result]


class _Place(Struct):
    row: int
    column: int


class _Fix(Struct):
    message: str | None = None


class _Said(Struct):
    filename: str
    message: str
    code: str | None = None
    location: _Place | None = None
    fix: _Fix | None = None


_SAID: Final = msgspec.json.Decoder(list[_Said])


class RuffCheck:
    """Findings of ruff that a change brought.

    options: its command and that one's options, the rules among them. config: the path of settings
    in the repository that hold for every file. own: the project's own hold, for each file the
    nearest above it, and this text of a `ruff.toml` where there is none. Of settings that say what
    to exclude, what they exclude is left out and told. With neither, the options alone hold.
    """

    def __init__(
        self, name: str, options: tuple[str, ...], config: str = "", own: bytes | None = None
    ) -> None:
        self.name = name
        self.reads: tuple[str, ...] = () if own is None and not config else (*READS, config)
        self._options = options
        self._config = config
        self._own = own

    def judge(self, subject: Subject) -> Steps:
        """See `Check.judge`; a second run, over the files as they were, only after a finding."""
        changes = [each for each in subject.changes if is_python(each.path)]
        after = {each.path: each.after for each in changes if each.after}
        if not after:
            return nothing(self.name, "no Python changed")
        out = yield from self._excluded(subject, after)
        if isinstance(out, Result):
            return out
        after = {path: data for path, data in after.items() if path not in out}
        if not after:
            return nothing(self.name, f"no Python file to look at{_left(out)}")
        found = yield from self._asked(subject, after)
        if isinstance(found, tuple) and found:
            # All of them, for code moves from file to file.
            before = {each.path: each.before for each in changes}
            had: tuple[Finding, ...] | Result = ()
            if any(before.values()):
                had = yield from self._asked(subject, before)
            found = had if isinstance(had, Result) else self._new(changes, had, found)
        if isinstance(found, Result):
            return found
        return judged(self.name, found, counted(len(after), "Python file") + _left(out))

    def _new(
        self, changes: list[Change], had: tuple[Finding, ...], found: tuple[Finding, ...]
    ) -> tuple[Finding, ...]:
        """Those of `found` that the change brought."""
        return tuple(fresh(changes, had, found))

    def _asked(self, subject: Subject, files: Mapping[str, bytes | None]) -> Asked:
        texts = {path: data for path, data in files.items() if data is not None}
        ran = yield self._run(subject, texts)
        if trouble := unrun(self.name, ran, "ruff"):
            return trouble
        found = findings(self.name, ran, texts)
        return skipped(self.name, _why(ran)) if found is None else found

    def _excluded(
        self, subject: Subject, files: Mapping[str, bytes]
    ) -> Generator[Run, Ran, frozenset[str] | Result]:
        """Those of `files` that ruff would pass over; asked only where settings exclude any."""
        if not self._excludes(subject):
            return frozenset()
        probe = _PROBES[self._options[0]]
        ran = yield self._run(subject, dict.fromkeys(files, probe))
        if trouble := unrun(self.name, ran, "ruff"):
            return trouble
        seen = unreadable(ran, files)
        return skipped(self.name, _why(ran)) if seen is None else frozenset(files) - seen

    def _excludes(self, subject: Subject) -> bool:
        if self._own is None and not self._config:
            return False
        return excluding(subject, self._config)

    def _run(self, subject: Subject, files: Mapping[str, bytes]) -> Run:
        options = (*self._options, "--output-format", "json")
        if self._own is None and not self._config:
            return ruff(options, files)
        settings = ("--config", self._config) if self._config else ()
        if self._excludes(subject):
            settings = (*settings, "--force-exclude")
        around = surroundings(subject, files)
        if self._own is not None and not any(config_above(subject, "")):
            # INVARIANT: ruff finds settings here, and so looks for none above this folder.
            around["ruff.toml"] = self._own
        return ruff(options, files, settings, around)


def ruff(
    options: tuple[str, ...],
    files: Mapping[str, bytes],
    settings: tuple[str, ...] = ("--isolated",),
    around: Mapping[str, bytes] | None = None,
) -> Run:
    """One run over `files`. options: ruff's command first. around: what must lie beside them.

    Nothing is cached. settings: options that say which are read; none unless told.
    """
    argv = ("ruff", options[0], *settings, "--no-cache", *options[1:], "--", *files)
    lying = {**(around or {}), **{path: as_utf8(data) for path, data in files.items()}}
    return Run(argv, "ruff over changed files", lying, own=True, timeout_s=20.0)


def findings(name: str, ran: Ran, files: Iterable[str]) -> tuple[Finding, ...] | None:
    """What `ruff check` found, by the paths of `files`; None when it did not do its work.

    What it cannot read as Python is left out: `syntax` tells that.
    """
    said = _said(ran)
    if said is None:
        return None
    known = sorted(files, key=len, reverse=True)
    return tuple(_finding(name, each, known) for each in said if each.code not in {None, _INVALID})


def unreadable(ran: Ran, files: Iterable[str]) -> frozenset[str] | None:
    """Those of `files` that ruff cannot read as Python; None when it did not do its work."""
    said = _said(ran)
    if said is None:
        return None
    known = sorted(files, key=len, reverse=True)
    return frozenset(_known(each, known) for each in said)


def invalid(ran: Ran, files: Iterable[str]) -> frozenset[str] | None:
    """Those of `files` in which ruff obeyed no rule, for they do not parse; None as above."""
    said = _said(ran)
    if said is None:
        return None
    known = sorted(files, key=len, reverse=True)
    return frozenset(_known(each, known) for each in said if each.code in {None, _INVALID})


def _left(paths: frozenset[str]) -> str:
    """Words for what settings of ruff leave out, "" for nothing."""
    said = f"; {len(paths)} left out by `exclude` of ruff's settings: {listed(paths)}"
    return said if paths else ""


def _said(ran: Ran) -> list[_Said] | None:
    if ran.status is not RanStatus.EXITED or ran.code not in {0, 1} or ran.cut:
        return None
    try:
        return _SAID.decode(ran.stdout)
    except msgspec.DecodeError:
        return None


def _why(ran: Ran) -> str:
    said = ran.stderr.decode("utf-8", "replace").strip().splitlines()
    return f"ruff ended with {ran.code}: {' '.join(said)[:200] or 'it said nothing'}"


def _finding(name: str, said: _Said, known: list[str]) -> Finding:
    place = said.location or _Place(0, 0)
    hint = (said.fix.message if said.fix else None) or _HINTS.get(said.code or "", "")
    path = _known(said, known)
    return Finding(name, path, place.row, place.column, said.code or "", said.message, hint)


def _known(said: _Said, known: list[str]) -> str:
    """The path as we gave it; ruff tells where it lay."""
    return next((e for e in known if said.filename.endswith(f"/{_shown(e)}")), said.filename)


def _shown(path: str) -> str:
    """A path that is no UTF-8 as ruff says it."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
