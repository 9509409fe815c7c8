"""A tool that is no dependency of halfdoor: what it means when it is not there, and asking it."""

from collections.abc import Callable, Generator, Iterable, Mapping
from typing import NamedTuple

from halfdoor.canon.checks import Change, Finding, Ran, Result, Run, Subject
from halfdoor.verify.base import judged, nothing, skipped, unrun
from halfdoor.verify.fresh import counted, fresh, listed

Files = Mapping[str, bytes]
Found = tuple[Finding, ...]


class Said(NamedTuple):
    """A report of a whole run. unread: files that the tool does not know how to read."""

    findings: Found
    unread: tuple[str, ...] = ()


Asked = Generator[Run, Ran, Said | Result]


def without(check: str, ran: Ran, tool: str, *, asked: bool) -> Result | None:
    """None when the tool came to its own end.

    One that is not installed was not planned, unless somebody asked for this check: then it could
    not be made. Whatever else stopped it means that nothing was judged.
    """
    if ran.absent and not asked:
        return nothing(check, f"{tool} is not installed, and `ask` in [gate] does not name it")
    return unrun(check, ran, tool)


def told(check: str, ran: Ran, tool: str) -> Result:
    """`skipped`: the tool ended by itself, but what it said is no report of its work."""
    said = ran.stderr.decode("utf-8", "replace").strip().splitlines()
    return skipped(check, f"{tool} ended with {ran.code}: {' '.join(said)[-200:] or 'no report'}")


class FileTool:
    """A check by a tool that reads single files: those that changed.

    wants: does it judge files of this path? run: over files, by a team's rules. read: what it said,
    None when that is no report of a whole run. asked: must it judge? rules: the path of the team's
    rules in the repository, as the base revision has them; "" for none. alone: has it rules without
    these? What it finds in the files as they were is not the change's doing, and a second run tells
    what that is. Files that it cannot read are told and not counted; who asked for it gets a skip.
    """

    def __init__(
        self,
        name: str,
        wants: Callable[[str], bool],
        run: Callable[[Files, bytes], Run],
        read: Callable[[Ran], Said | None],
        *,
        asked: bool,
        rules: str = "",
        alone: bool = True,
    ) -> None:
        self.name = name
        self.reads: tuple[str, ...] = (rules,) if rules else ()
        self._rules = rules
        self._alone = alone
        self._wants = wants
        self._run = run
        self._read = read
        self._asked = asked

    def judge(self, subject: Subject) -> Result | Generator[Run, Ran, Result]:
        """See `Check.judge`."""
        if not (self._rules or self._alone):
            return nothing(self.name, "[gate] names no rules for it")
        changes = [each for each in subject.changes if self._wants(each.path)]
        after = [(each.path, each.after) for each in changes]
        if not any(data for _, data in after):
            return nothing(self.name, "no file of its kind changed")
        if self._rules and self._rules not in subject.settings:
            said = f"`{self._rules}`, which [gate] names, is not in the base revision"
            return skipped(self.name, said)
        return self._judge(changes, after, subject.settings.get(self._rules, b""))

    def _judge(
        self, changes: list[Change], after: list[tuple[str, bytes | None]], rules: bytes
    ) -> Generator[Run, Ran, Result]:
        said = yield from self._over(after, rules)
        if isinstance(said, Result):
            return said
        found = said.findings
        if found:
            had = yield from self._over(((each.path, each.before) for each in changes), rules)
            if isinstance(had, Result):
                return had
            found = tuple(fresh(changes, had.findings, found))
        return self._judged(found, sum(bool(data) for _, data in after), said.unread)

    def _judged(self, found: Found, count: int, unread: tuple[str, ...]) -> Result:
        seen = counted(count - len(unread), "file")
        if not unread:
            return judged(self.name, found, seen)
        why = f"{self.name} cannot read {listed(unread)}"
        if self._asked and not found:
            return skipped(self.name, why)
        if not found and len(unread) == count:
            return nothing(self.name, why)
        return judged(self.name, found, f"{seen}; {why}")

    def _over(self, texts: Iterable[tuple[str, bytes | None]], rules: bytes) -> Asked:
        files = {path: data for path, data in texts if data}
        if not files:
            return Said(())
        ran = yield self._run(files, rules)
        if trouble := without(self.name, ran, self.name, asked=self._asked):
            return trouble
        said = self._read(ran)
        return told(self.name, ran, self.name) if said is None else said
