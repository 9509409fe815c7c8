"""From what was asked for to what the ladder says: subject, settings, checks, climb."""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from fnmatch import translate
from pathlib import Path
from posixpath import basename
from re import compile as pattern
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from halfdoor.backends.guard import go_offline, start_permit
from halfdoor.canon.checks import Change, Edit, Result, Status, Subject
from halfdoor.cli.gate.edited import Stands, edited
from halfdoor.cli.gate.ladder import Engines, ladder
from halfdoor.cli.gate.limits import Limited
from halfdoor.cli.gate.trees import Laid, Trees
from halfdoor.config.gate import project_gate
from halfdoor.config.load import PROJECT_FILE, state_dir, user_settings
from halfdoor.config.model import Config
from halfdoor.config.offline import flag, flagged
from halfdoor.config.tables.gate import Gate
from halfdoor.errors import SetupError
from halfdoor.flow.ladder import Climb, climb, verdict
from halfdoor.flow.ports import Runner
from halfdoor.reading.globs import matcher
from halfdoor.store.git import Changed, Git
from halfdoor.verify.base import skipped
from halfdoor.verify.fresh import counted
from halfdoor.verify.gone import gone, words
from halfdoor.verify.lacking import sources
from halfdoor.verify.languages import is_python
from halfdoor.verify.node.files import judges
from halfdoor.verify.veil import Veil

# Does a check ask to read a file of this path, or of this name?
Wants = Callable[[str], object]

_READ: Final = "read"
_MOST_READ: Final = 2000


class Asked(Struct, frozen=True):
    """What the command line said."""

    staged: bool = False
    diff: str = ""
    stdin: bool = False
    index: bool = False
    unsafe: bool = False
    config: Path | None = None


class Told(Struct, frozen=True):
    """What the gate says. veil: gives the lines that may be shown. notes: for a person."""

    verdict: Status
    results: tuple[Result, ...]
    subject: Subject
    veil: Veil
    notes: tuple[str, ...] = ()
    ms: int = 0


def judge(asked: Asked) -> Told:
    """Read what changed, climb, and weigh. Raises SetupError: git, settings, no such revision."""
    begun = time.perf_counter_ns()
    git = Git(Path.cwd(), start_permit)
    scope = _scope(git, asked)
    changed = scope.changed
    text = git.texts(changed.settings, [PROJECT_FILE]).get(PROJECT_FILE)
    user = user_settings(asked.config, os.environ)
    state = state_dir(user, os.environ)
    settings = project_gate(text, user.gate)
    engine = Engines()
    checks, unasked = ladder(settings, state, engine)
    with tempfile.TemporaryDirectory(prefix="halfdoor-gate-") as folder:
        trees = Trees(git, Path(folder), scope.before, scope.after)
        subject = _subject(git, scope, trees, [glob for each in checks for glob in each.reads])
        results = _performed(climb(map(Limited, checks), subject), _runner(asked, trees))
    if asked.index:
        results = _indexed(results, user, state)
    results = (*_unread(changed), *(_left_alone(each, settings) for each in results), *unasked)
    veil = Veil(engine, subject.changes)
    ms = (time.perf_counter_ns() - begun) // 1_000_000
    said = verdict(results, settings.optional)
    return Told(said, veil.over(results), subject, veil, tuple(_notes(changed, text)), ms)


class _Scope(Struct, frozen=True):
    """What is judged, and where all of it lies before and after.

    under: changes of the working tree that an edit builds on; no doing of the edit's.
    """

    changed: Changed
    before: Laid
    after: Laid | None
    edits: tuple[Edit, ...] = ()
    stands: Stands = {}
    under: tuple[Change, ...] = ()


def _scope(git: Git, asked: Asked) -> _Scope:
    if asked.stdin:
        return _patched(git, sys.stdin.buffer.read().decode("utf-8", "surrogateescape"))
    if asked.diff:
        changed = git.between(*_range(asked.diff))
    else:
        changed = git.staged() if asked.staged else git.working()
    after = Laid(changed.after) if changed.after else None
    return _Scope(changed, Laid(changed.base), after)


def _range(said: str) -> tuple[str, str]:
    """Both ends of `BASE..HEAD`; three dots mean the same, and no HEAD what is checked out."""
    base, dots, head = said.partition("..")
    if not base or not dots:
        hint = "write `--diff BASE..HEAD`, as `--diff origin/main..HEAD`"
        raise SetupError(f"`{said}` is no range of revisions", hint=hint)
    return base, head.lstrip(".") or "HEAD"


def _patched(git: Git, text: str) -> _Scope:
    """The change that an edit makes to the working tree, as far as it applies."""
    edit, changes, stands = edited(git.root, text)
    now = git.working()
    gone = {each.was or each.path for each in changes if each.after is None or each.was}
    made = [each.path for each in changes if each.after is not None]
    paths = tuple(dict.fromkeys([path for path in now.paths if path not in gone] + made))
    under = now.changes
    before, after = Laid(now.base, under), Laid(now.base, (*under, *changes))
    # What else lies in the working tree is not the edit's.
    scope = replace(now, changes=changes, paths=paths, unread=(), aside=())
    return _Scope(scope, before, after, (edit,), stands, under)


def _subject(git: Git, scope: _Scope, trees: Trees, globs: list[str]) -> Subject:
    changed = scope.changed
    importers, unasked = _importers(git, scope)
    wants = pattern("|".join(translate(glob) for glob in dict.fromkeys(globs)) or "(?!)").match
    before = _before(git, changed, wants, sources(changed.changes, changed.paths))
    return Subject(
        changes=changed.changes,
        paths=changed.paths,
        files=_files(scope, before),
        settings=_settings(git, changed, before, wants),
        tree=str(trees.after),
        base=str(trees.before),
        python=_python(git.root),
        edits=scope.edits,
        stands=scope.stands,
        commits=changed.commits,
        root=str(git.root),
        revision="" if scope.under else changed.base,
        installed=tuple(_installed(git.root, changed)),
        importers=importers,
        unasked=unasked,
    )


def _importers(git: Git, scope: _Scope) -> tuple[dict[str, bytes], str]:
    """Python files that may import what is gone, or why they were not read."""
    asked = words(gone(scope.changed.changes))
    if not asked:
        return {}, ""
    others = {each.path: each.after for each in scope.under if each.after and is_python(each.path)}
    touched = {path for each in scope.changed.changes for path in (each.path, each.was)}
    found = git.mentions(scope.changed.base, sorted(asked), "*.py", "*.pyi")
    there = set(scope.changed.paths) - touched
    wanted = [path for path in found if path in there and path not in others]
    if len(wanted) > _MOST_READ:
        return {}, f"{len(wanted)} files may import what was taken away: too many to look at"
    kept = {path: data for path, data in others.items() if path in there}
    return git.texts(scope.changed.base, wanted) | kept, ""


def _before(git: Git, changed: Changed, wants: Wants, more: set[str]) -> dict[str, bytes]:
    """Files that checks asked to read, and some more, as they were before the change."""
    paths = (*changed.paths, *(each.was or each.path for each in changed.changes))
    return git.texts(changed.base, _wanted(paths, wants, more))


def _settings(
    git: Git, changed: Changed, before: dict[str, bytes], wants: Wants
) -> dict[str, bytes]:
    """The same as the revision has them whose `[gate]` holds: what one names, the other has."""
    if changed.settings == changed.base:
        return before
    return git.texts(changed.settings, _wanted(git.names(changed.settings), wants))


def _wanted(paths: Iterable[str], wants: Wants, more: Collection[str] = frozenset()) -> list[str]:
    found = [
        path
        for path in dict.fromkeys(paths)
        if path in more or wants(basename(path)) or wants(path)
    ]
    return sorted(found, key=lambda path: path.count("/"))[:_MOST_READ]


def _files(scope: _Scope, before: dict[str, bytes]) -> dict[str, bytes]:
    """What was there before, with what an edit builds on."""
    files, changed = dict(before), scope.changed
    for each in scope.under:
        files.pop(each.was or each.path, None)
        if each.after is not None and each.path in changed.paths:
            files[each.path] = each.after
    if scope.edits:
        files |= {each.was or each.path: each.before for each in changed.changes if each.before}
    return files


def _python(root: Path) -> str:
    """The project's own interpreter, where virtual environments usually are."""
    for folder in (".venv", "venv", "env"):
        program = root / folder / "bin" / "python"
        if program.exists():
            return str(program)
    return ""


def _installed(root: Path, changed: Changed) -> Iterator[str]:
    """Packages of npm that lie beside a `package.json`; looked for where one may be asked about."""
    if not any(judges(each) for each in changed.changes):
        return
    folders = {path.removesuffix("package.json") for path in changed.paths
               if basename(path) == "package.json"}  # fmt: skip
    for folder in folders:
        held = root / folder / "node_modules"
        for place in (*held.glob("[!.@]*"), *held.glob("@*/*")):
            yield place.relative_to(held).as_posix()


def _runner(asked: Asked, trees: Trees) -> Runner:
    """The sandbox; trees are laid out when it needs them, and what may be is remembered."""
    from halfdoor.runner.remembered import Remembering  # noqa: PLC0415  only when something runs
    from halfdoor.runner.sandbox import Sandbox  # noqa: PLC0415  the same

    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    sandbox = Sandbox(start_permit, unsafe=asked.unsafe, prepare=trees.fill)
    return Remembering(sandbox, cache / "halfdoor/gate")


def _performed(line: Climb, runner: Runner) -> tuple[Result, ...]:
    """Drive the climb: each run in the sandbox, or beside it when it is halfdoor's own."""
    try:
        run = next(line)
        while True:
            run = line.send(runner.run(run))
    except StopIteration as over:
        results: tuple[Result, ...] = over.value
        return results


def _indexed(results: tuple[Result, ...], user: Config, state: Path) -> tuple[Result, ...]:
    """With the word of the package indexes, which only a person's own file may name."""
    from halfdoor.cli.gate import index  # noqa: PLC0415  when asked for

    pypi, npm = user.gate.index, user.gate.npm_index
    if not (pypi or npm):
        hint = "write `index` or `npm_index` in `[gate]` of your own file, not of a project's"
        raise SetupError("no package index is configured", hint=hint)
    if user.offline or flagged(str(flag(state))):
        go_offline()
    return index.told(results, pypi, npm, state)


def _unread(changed: Changed) -> Iterator[Result]:
    if changed.unread:
        said = ", ".join(changed.unread)
        yield skipped(_READ, f"{counted(len(changed.unread), 'file')} not read: {said}")


def _left_alone(result: Result, settings: Gate) -> Result:
    """Without the findings that `[[gate.paths]]` says do not count."""
    globs = [each.match for each in settings.paths if result.check in each.off]
    matches = matcher(globs)
    kept = tuple(each for each in result.findings if not each.path or not matches(each.path))
    if len(kept) == len(result.findings):
        return result
    saw = f"{result.saw}; {len(result.findings) - len(kept)} left alone by [[gate.paths]]"
    return replace(result, status=Status.FAILED if kept else Status.PASSED, findings=kept, saw=saw)


def _notes(changed: Changed, text: bytes | None) -> Iterator[str]:
    own = next((each for each in changed.changes if each.path == PROJECT_FILE), None)
    if own and own.after != text:
        yield f"{PROJECT_FILE} is judged by its base revision; what it says now holds once merged"
    yield from changed.aside
    for each in changed.changes:
        if each.after and each.path.lower().endswith(".ipynb"):
            yield f"{each.path}: of a notebook only its JSON, and keys in it, were looked at"
