"""A tool that is no dependency of halfdoor: what it means when it is not there, and asking it."""

from collections.abc import Callable, Generator, Iterable, Mapping

from halfdoor.canon.checks import Change, Finding, Ran, Result, Run, Subject
from halfdoor.verify.base import judged, nothing, skipped, unrun
from halfdoor.verify.fresh import counted, fresh

Files = Mapping[str, bytes]
Found = tuple[Finding, ...]
Asked = Generator[Run, Ran, Found | Result]


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
    what that is.
    """

    def __init__(
        self,
        name: str,
        wants: Callable[[str], bool],
        run: Callable[[Files, bytes], Run],
        read: Callable[[Ran], Found | None],
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
        found = yield from self._over(after, rules)
        if found and not isinstance(found, Result):
            had = yield from self._over(((each.path, each.before) for each in changes), rules)
            found = had if isinstance(had, Result) else tuple(fresh(changes, had, found))
        if isinstance(found, Result):
            return found
        return judged(self.name, found, counted(sum(bool(data) for _, data in after), "file"))

    def _over(self, texts: Iterable[tuple[str, bytes | None]], rules: bytes) -> Asked:
        files = {path: data for path, data in texts if data}
        if not files:
            return ()
        ran = yield self._run(files, rules)
        if trouble := without(self.name, ran, self.name, asked=self._asked):
            return trouble
        found = self._read(ran)
        return told(self.name, ran, self.name) if found is None else found
