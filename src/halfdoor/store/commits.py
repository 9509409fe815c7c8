"""What `git log` says of commits: who, when, trailers, and the files that each one changed."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from halfdoor.canon.checks import Change, Commit

# A merge tells of the files in which it differs from every parent.
LOG: Final = (
    "log", "-z", "--reverse", "--cc", "--raw", "--no-abbrev", "--no-renames", "--no-ext-diff",
    "--format=%x1e%H%x1f%ae%x1f%ct%x1f%(trailers:only,unfold,separator=%x1d)%x1f",
)  # fmt: skip
_FILES: Final = frozenset({"100644", "100755"})


class Step(Struct, frozen=True):
    """A file as a commit left it. olds: ids of the blobs that its parents had; new: its own."""

    path: str
    olds: tuple[str, ...]
    new: str


class Logged(Struct, frozen=True):
    """A commit, and its steps: plain files that it wrote."""

    commit: Commit
    steps: tuple[Step, ...]


def logged(said: str) -> Iterator[Logged]:
    """What `git` with `LOG` said, in order."""
    for each in said.split("\x1e")[1:]:
        commit, author, moment, trailers, raw = each.split("\x1f", 4)
        pairs = (line.partition(": ") for line in trailers.split("\x1d") if ": " in line)
        named = tuple((name.strip(), value.strip()) for name, _, value in pairs)
        changed = tuple(_changed(raw))
        paths = tuple(path for path, _ in changed)
        made = Commit(commit, author, named, paths, _utc(moment))
        yield Logged(made, tuple(step for _, step in changed if step))


def brought(made: Iterable[Logged], ends: frozenset[str]) -> dict[str, Step]:
    """The first step to each blob that was not there before, by its id, but for those of `ends`."""
    known = set(ends)
    steps = {}
    for step in (step for each in made for step in each.steps):
        if step.new not in known:
            steps[step.new] = step
        known.update((step.new, *step.olds))
    return steps


def passed(step: Step, held: Mapping[str, bytes | None]) -> Change:
    """The step as a change, of which a merge's before is all that its parents had."""
    olds = [held.get(each) or b"" for each in step.olds]
    return Change(step.path, b"\n".join(olds) if olds else None, held[step.new] or b"")


def _changed(raw: str) -> Iterator[tuple[str, Step | None]]:
    """Each path, and how its file was left; None for what is no file, or is no longer there."""
    words = iter(raw.split("\0"))
    for word in words:
        head = word.lstrip("\n")
        if not head:
            continue
        path = next(words)
        parents = head.count(":")
        said = head.lstrip(":").split(" ")
        ids = said[parents + 1 : 2 * parents + 2]
        olds = tuple(old for old in ids[:-1] if old.strip("0"))
        yield path, Step(path, olds, ids[-1]) if said[parents] in _FILES else None


def _utc(epoch: str) -> str:
    moment = datetime.fromtimestamp(int(epoch), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
