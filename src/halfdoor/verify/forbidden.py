"""What must not be imported, nor used of what is imported: Python, JavaScript and TypeScript.

Python that this interpreter cannot read may be newer than it: then ruff tells.
"""

import json
import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from halfdoor.canon.checks import Change, Finding, Ran, Result, Run
from halfdoor.verify.base import skipped, unrun
from halfdoor.verify.fresh import fresh, text
from halfdoor.verify.languages import is_python
from halfdoor.verify.named import by_look, named
from halfdoor.verify.node.files import is_script
from halfdoor.verify.ruff import NEWEST, findings, invalid, ruff

CODE: Final = "forbidden-import"
_BANNED: Final = "TID251"
_RULE: Final = re.compile(r"`([^`]+)`")


class Uses(Struct, frozen=True):
    """findings: of what a change brought. unread: paths of what is no Python of any version."""

    findings: tuple[Finding, ...] = ()
    unread: tuple[str, ...] = ()


Asked = Generator[Run, Ran, Uses | Result]


class Forbidden:
    """names: modules, packages of npm, or names in a module of Python (`os.system`)."""

    def __init__(self, check: str, names: Iterable[str]) -> None:
        self._check = check
        self._names = frozenset(names)
        self._steps = 1 + max((len(re.findall(r"[./]", each)) for each in self._names), default=0)

    def brought(self, changes: Iterable[Change]) -> Asked:
        """What a change brought of them, or `skipped` where nothing could tell."""
        changes = [each for each in changes if is_python(each.path) or is_script(each.path)]
        found = yield from self._uses({each.path: each.after for each in changes})
        if isinstance(found, Result) or not found.findings:
            return found
        had = yield from self._uses({each.path: each.before for each in changes})
        if isinstance(had, Result):
            return had
        return Uses(tuple(fresh(changes, had.findings, found.findings)), found.unread)

    def _uses(self, files: Mapping[str, bytes | None]) -> Asked:
        texts = {path: text(data) for path, data in files.items() if data}
        read = {path: self._read(path, said) for path, said in texts.items()}
        newer = {path: texts[path] for path, names in read.items() if names is None}
        found = [
            finding
            for path, names in read.items()
            for finding in self._among(path, by_look(texts[path]) if names is None else names)
        ]
        told = (yield from self._by_ruff(newer)) if newer and self._names else Uses()
        if isinstance(told, Result):
            return told
        return Uses((*found, *told.findings), told.unread)

    def _read(self, path: str, said: str) -> Iterable[tuple[str, int]] | None:
        if is_python(path):
            return named(said)
        from halfdoor.verify.node.specifiers import specifiers  # noqa: PLC0415  not for Python alone

        return [(each.name.removeprefix("node:"), each.line)
                for each in specifiers(said) if not each.declares]  # fmt: skip

    def _by_ruff(self, newer: Mapping[str, str]) -> Asked:
        banned = ", ".join(f'{json.dumps(each)} = {{msg = ""}}' for each in sorted(self._names))
        rules = ("--config", f"lint.flake8-tidy-imports.banned-api = {{{banned}}}")
        options = ("check", "--select", _BANNED, "--ignore-noqa", "--target-version", NEWEST)
        files = {path: said.encode() for path, said in newer.items()}
        ran = yield ruff((*options, *rules, "--output-format", "json"), files)
        if trouble := unrun(self._check, ran, "ruff"):
            return trouble
        found = findings(self._check, ran, files)
        broken = invalid(ran, files)
        if found is None or broken is None:
            return skipped(self._check, f"ruff ended with {ran.code}")
        uses = ((each, _RULE.search(each.message)) for each in found)
        told = tuple(self._finding(e.path, e.line, rule[1]) for e, rule in uses if rule)
        return Uses(told, tuple(sorted(broken)))

    def _among(self, path: str, names: Iterable[tuple[str, int]]) -> Iterator[Finding]:
        step = "/" if is_script(path) else "."
        for name, line in names:
            prefixes = _prefixes(name, step, self._steps)
            if rule := next((each for each in prefixes if each in self._names), None):
                yield self._finding(path, line, rule)
            elif name.endswith(".*"):
                for each in sorted(self._names):
                    if each.startswith(name[:-1]):
                        yield self._finding(path, line, each)

    def _finding(self, path: str, line: int, rule: str) -> Finding:
        said = f"`{rule}` must not be used here"
        return Finding(self._check, path, line, 1, CODE, said, "[gate] forbids it")


def _prefixes(name: str, step: str, most: int) -> Iterator[str]:
    """`a.b.c`, `a.b`, `a`, of no more than so many steps: a name may have thousands."""
    held = step.join(name.split(step, most)[:most])
    while held:
        yield held
        held = held.rpartition(step)[0]
