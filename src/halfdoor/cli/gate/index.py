"""Asking the package indexes that a person allowed about names that nothing here knows.

One HEAD a name, remembered for a day. Only the name goes out; the verdict stays what it was.
"""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from halfdoor.canon.checks import Finding, Result
from halfdoor.canon.decision import ControlPermit
from halfdoor.errors import BackendError
from halfdoor.verify.declared import normal
from halfdoor.verify.distributions import DISTRIBUTIONS
from halfdoor.verify.imports import NAME, NO_PACKAGE
from halfdoor.verify.node.files import is_script

PURPOSE: Final = "package index"
_FILE: Final = "index-names.json"
_NPM_FILE: Final = "npm-names.json"
_KEPT_S: Final = 86_400
_MOST: Final = 50
_NAMED: Final = re.compile(r"^`([^`]+)`")
_SAID: Final = {200: "exists in the index, undeclared", 404: "does not exist in the index"}

# The status that the index gives for a path below it; 0 when it gave none.
Head = Callable[[str], int]


def told(results: Iterable[Result], pypi: str, npm: str, kept: Path) -> tuple[Result, ...]:
    """The results, with what the indexes say added to imports that are nowhere.

    pypi, npm: their addresses; "" for one that is not to be asked. kept: the state directory,
    where answers are remembered.
    """
    indexes = _Indexes(
        _Names(head(pypi), kept / _FILE) if pypi else None,
        _Names(head(npm), kept / _NPM_FILE) if npm else None,
    )
    done = tuple(_told(each, indexes) if each.check == NAME else each for each in results)
    for each in filter(None, indexes):
        each.keep()
    return done


def head(index: str) -> Head:
    """Asks an index over the one way out."""
    from halfdoor.backends.control import authority, control_head  # noqa: PLC0415  when asked for

    base = index.rstrip("/")
    permit = ControlPermit(authority(base), PURPOSE)

    def ask(path: str) -> int:
        try:
            return asyncio.run(control_head(f"{base}/{path}", permit, 5.0))
        except (BackendError, PermissionError):
            return 0

    return ask


class _Names:
    """What the index said of names, today."""

    def __init__(self, head: Head, file: Path) -> None:
        self._head = head
        self._file = file
        self._asked = 0
        self._known: dict[str, tuple[int, float]] = {}
        with contextlib.suppress(OSError, msgspec.DecodeError):
            self._known = msgspec.json.decode(file.read_bytes(), type=dict[str, tuple[int, float]])

    def status(self, name: str) -> int:
        status, at = self._known.get(name, (0, 0.0))
        if status in _SAID and 0 <= time.time() - at < _KEPT_S:
            return status
        self._asked += 1
        if self._asked > _MOST:
            return 0
        status = self._head(name)
        self._known[name] = (status, time.time())
        return status

    def keep(self) -> None:
        """Remember; a folder that cannot be written to forgets."""
        answers = {name: said for name, said in self._known.items() if said[0] in _SAID}
        if self._asked:
            with contextlib.suppress(OSError):
                self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._file.write_bytes(msgspec.json.encode(answers))


class _Indexes(NamedTuple):
    """None for one that is not to be asked."""

    python: _Names | None
    script: _Names | None


def _told(result: Result, indexes: _Indexes) -> Result:
    findings = tuple(
        replace(each, message=f"{each.message}; {_said(each, indexes)}")
        if each.code == NO_PACKAGE
        else each
        for each in result.findings
    )
    return replace(result, findings=findings)


def _said(finding: Finding, indexes: _Indexes) -> str:
    """What the index of its language says of the name that a finding is about."""
    found = _NAMED.match(finding.message)
    name = found[1] if found else ""
    if is_script(finding.path):
        wanted, names = [quote(name, safe="@")], indexes.script
    else:
        wanted = [f"{normal(each)}/" for each in DISTRIBUTIONS.get(name, (name,))]
        names = indexes.python
    if names is None or not name:
        return "no index of its language is configured"
    statuses = [names.status(each) for each in wanted]
    best = 200 if 200 in statuses else 404 if set(statuses) == {404} else 0
    return _SAID.get(best, "whether the index has it is unknown")
