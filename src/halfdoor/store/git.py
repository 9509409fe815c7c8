"""What changed in a checkout, asked of git itself: working tree, index, or between two revisions.

What holds no text to judge is told: links, submodules, repositories inside this one, and files that
are too large.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from posixpath import dirname, isabs, join, normpath
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from halfdoor.canon.checks import MIB, Change, Commit
from halfdoor.errors import SetupError
from halfdoor.store.commits import LOG, brought, logged, passed
from halfdoor.store.plumbing import Leave, Plumbing

FILE_LIMIT_BYTES: Final = 16 * MIB
PASSED_LIMIT_BYTES: Final = 128 * MIB
_BEGINNING_BYTES: Final = 8192
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_PRINTABLE: Final = bytes(range(0x20, 0x7F)) + b"\t\n\r"
_DISK: Final = ""
_LINK, _MODULE = "120000", "160000"
# A submodule is told of by its commit, whatever `.gitmodules` says; no git runs inside it.
_DIFF: Final = (
    "diff", "--raw", "-z", "-M", "--no-abbrev", "--no-ext-diff", "--no-textconv",
    "--ignore-submodules=dirty",
)  # fmt: skip


class Changed(Struct, frozen=True):
    """What is judged.

    paths: of all files after the change. base: the revision it is compared with. settings: the
    revision whose settings hold. unread: files that should have been read and were not, with why.
    aside: sentences about what is no text of this repository, and so was not looked at.
    after: the revision that holds the change, as `Git.lay` takes it; "" when the working tree does.
    """

    changes: tuple[Change, ...]
    paths: tuple[str, ...]
    base: str
    settings: str
    commits: tuple[Commit, ...] = ()
    unread: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()
    after: str = ""


class _Raw(Struct, frozen=True):
    """One line of `git diff --raw`.

    old, new: blob ids, or as `_blob` says; _DISK for what is read from the working tree.
    link: of a link that is new, the blob that says where it leads, or _DISK; None of all else.
    """

    path: str
    was: str
    old: str
    new: str
    link: str | None = None


class Git:
    """A checkout. Raises SetupError where there is none, or git fails."""

    def __init__(self, folder: Path, leave: Leave) -> None:
        found = Plumbing(folder, leave).said("rev-parse", "--show-toplevel")
        # The top of the working tree: below it, git tells of what is below alone.
        self.root = Path(os.fsdecode(found.rstrip(b"\n")))
        self._git = Plumbing(self.root, leave)
        self.unread: list[str] = []
        self.aside: list[str] = []

    def working(self) -> Changed:
        """The working tree, untracked files too, beside HEAD."""
        base = self._head()
        listed = self._git.words(
            "ls-files", "-z", "-v", "--cached", "--others", "--exclude-standard"
        )
        raws = [*self._raw(base), *self._untracked(listed)]
        known = {raw.path for raw in raws}
        unwatched = dict.fromkeys(each for each in _unwatched(listed) if each not in known)
        raws += [_Raw(path, "", f"{base}:{path}", _DISK) for path in unwatched if self._plain(path)]
        changes = tuple(
            each for each in self._read(raws) if each.path not in unwatched or not _same(each)
        )
        gone = {raw.path for raw in raws if raw.new == "-"}
        paths = tuple(each[2:] for each in listed if each[2:] not in gone and each[-1] != "/")
        return self._changed(changes, paths, base, base)

    def staged(self) -> Changed:
        """The index beside HEAD: what the next commit would be."""
        base = self._head()
        paths = tuple(self._git.words("ls-files", "-z", "--cached"))
        changes = self._read(list(self._raw("--cached", base)))
        return self._changed(changes, paths, base, base, after=":")

    def between(self, base: str, head: str) -> Changed:
        """What `head` has that `base` has not: beside the last commit that both have."""
        start, end = self._commit(base), self._commit(head)
        fork = self._fork(start, end)
        paths = tuple(self.names(end))
        raws = list(self._raw(fork, end))
        changes = self._read(raws)
        ends = frozenset(each for raw in raws for each in (raw.old, raw.new))
        commits = tuple(self._commits(fork, end, ends))
        return self._changed(changes, paths, fork, start, commits, end)

    def _changed(
        self,
        changes: tuple[Change, ...],
        paths: tuple[str, ...],
        base: str,
        settings: str,
        commits: tuple[Commit, ...] = (),
        after: str = "",
    ) -> Changed:
        unread, aside = tuple(self.unread), tuple(self.aside)
        return Changed(changes, paths, base, settings, commits, unread, aside, after)

    def names(self, revision: str) -> list[str]:
        """Paths of all files of a revision."""
        return self._git.words("ls-tree", "-r", "-z", "--name-only", "--full-tree", revision)

    def texts(self, revision: str, paths: Iterable[str]) -> dict[str, bytes]:
        """What some files hold at a revision; those that it has not are left out."""
        held = self._git.blobs(f"{revision}:{path}" for path in paths)
        cut = len(revision) + 1
        return {name[cut:]: data for name, data in held.items() if data is not None}

    def mentions(self, revision: str, words: Iterable[str], *globs: str) -> list[str]:
        """The paths, at a revision, of files that hold any of these as a whole word."""
        asked = ("grep", "-l", "-z", "-F", "-w", "--no-recurse-submodules", "-f", "-", revision)
        said = self._git.said(*asked, "--", *globs, stdin="\n".join(words).encode(), none=1)
        found = said.decode("utf-8", "surrogateescape").split("\0")
        return [each.removeprefix(f"{revision}:") for each in found if each]

    def lay(self, revision: str, folder: Path) -> None:
        """Write a revision's files below an empty folder; `:` is the index."""
        index = {}
        if revision != ":":
            index = {"GIT_INDEX_FILE": str(folder.with_suffix(".index"))}
            self._git.said("read-tree", revision, more=index)
        self._git.said("checkout-index", "--all", f"--prefix={folder}/", more=index)

    def _head(self) -> str:
        """The commit that is checked out; an empty tree before the first one."""
        found = self._git.said("rev-parse", "--verify", "--quiet", "HEAD^{commit}", may_fail=True)
        # Its name depends on how this repository hashes; the tree need not be there.
        return (found or self._git.said("hash-object", "-t", "tree", "--stdin")).decode().strip()

    def _commit(self, name: str) -> str:
        if name.startswith("-"):
            raise SetupError(f"`{name}` is no revision", hint="write `--diff BASE..HEAD`")
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        found = self._git.said(*asked, may_fail=True).decode().strip()
        if not found:
            hint = "fetch it first; CI checks out one commit unless told `fetch-depth: 0`"
            raise SetupError(f"git knows no revision `{name}`", hint=hint)
        return found

    def _fork(self, start: str, end: str) -> str:
        """The last commit that both have; `start` where there is none at all."""
        found = self._git.said("merge-base", start, end, may_fail=True).decode().strip()
        if not found and self._git.said("rev-parse", "--is-shallow-repository").strip() == b"true":
            # What `start` alone has would be told as what `end` took away.
            hint = "fetch it whole: `git fetch --unshallow`; in CI, `fetch-depth: 0`"
            raise SetupError("no commit of this shallow clone is in both revisions", hint=hint)
        return found or start

    def _raw(self, *revisions: str) -> Iterator[_Raw]:
        words = iter(self._git.words(*_DIFF, *revisions, "--"))
        for head in words:
            old_mode, new_mode, old, new, kind = head.lstrip(":").split(" ")
            path = next(words)
            was, path = (path, next(words)) if kind[0] in "RC" else ("", path)
            if kind[0] == "U":
                self.unread.append(f"{path} (not merged)")
                continue
            on_disk = not new.strip("0") and new_mode != "000000"
            if new_mode == _MODULE:
                said = "a submodule: what its commit holds is for its own repository to judge"
                self.aside.append(f"{path} was not looked at: {said}")
            yield _Raw(
                path,
                was if kind[0] == "R" else "",
                _blob(old, old_mode),
                _DISK if on_disk and new_mode not in {_LINK, _MODULE} else _blob(new, new_mode),
                None if new_mode != _LINK else _DISK if on_disk else new,
            )

    def _untracked(self, listed: list[str]) -> Iterator[_Raw]:
        for path in (each[2:] for each in listed if each.startswith("? ")):
            if path.endswith("/"):
                self.aside.append(f"{path} was not looked at: a repository of its own")
            else:
                yield _Raw(path, "", "-", _DISK)

    def _plain(self, path: str) -> bool:
        """Does a regular file lie there? What a sparse checkout leaves out does not."""
        try:
            return stat.S_ISREG((self.root / path).lstat().st_mode)
        except OSError:
            return False

    def _read(self, raws: list[_Raw]) -> tuple[Change, ...]:
        olds = {raw.old: "" for raw in raws}
        wanted = {
            **olds,
            **{raw.new: raw.path for raw in raws},
            **{raw.link or "": "" for raw in raws},
        }
        held = self._held({name: path for name, path in wanted.items() if len(name) > 1})
        for raw in raws:
            self.unread.extend(self._led_out(raw, held))
            if raw.new == _DISK:
                held[f"disk:{raw.path}"] = self.disk(raw.path)
        return tuple(
            Change(
                raw.path,
                _side(held, raw.old),
                _side(held, raw.new if raw.new != _DISK else f"disk:{raw.path}"),
                raw.was,
            )
            for raw in sorted(raws, key=lambda raw: raw.path)
        )

    def disk(self, path: str) -> bytes | None:
        """A file of the working tree, None where there is none.

        b"" for a link, a pipe and a file that is too large, which is told.
        """
        file = self.root / path
        try:
            mode = file.lstat()
            if not stat.S_ISREG(mode.st_mode):
                return b""
            if mode.st_size > FILE_LIMIT_BYTES:
                with file.open("rb") as opened:
                    self._too_large(path, opened.read(_BEGINNING_BYTES))
                return b""
            return file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self.unread.append(f"{path} ({error.strerror})")
            return b""

    def _commits(self, base: str, head: str, ends: frozenset[str]) -> Iterator[Commit]:
        """The commits of a range, each with what it wrote and neither end holds.

        ends: ids of the blobs that the two ends hold in files that differ.
        """
        made = tuple(logged(self._git.text(*LOG, f"{base}..{head}", "--")))
        steps = brought(made, ends)
        if sum(self._git.sizes(steps).values()) > PASSED_LIMIT_BYTES:
            self.unread.append(f"what {len(made)} commits wrote and took back (above 128 MiB)")
            steps = {}
        olds = {old: "" for step in steps.values() for old in step.olds}
        held = self._held({**olds, **{step.new: step.path for step in steps.values()}})
        for each in made:
            own = [steps.pop(step.new) for step in each.steps if step.new in steps]
            yield replace(each.commit, passed=tuple(passed(step, held) for step in own))

    def _led_out(self, raw: _Raw, held: dict[str, bytes | None]) -> Iterator[str]:
        """A sentence about a link that leads to what no check looks at."""
        if raw.link is not None and raw.link != _DISK:
            target = os.fsdecode(held[raw.link] or b"")
        elif _DISK in {raw.link, raw.new}:
            try:
                target = str((self.root / raw.path).readlink())
            except OSError:  # it is none
                return
        else:
            return
        if _outside(raw.path, target):
            yield f"{raw.path} (a link out of the repository, to {target})"

    def _held(self, names: dict[str, str]) -> dict[str, bytes | None]:
        """What blobs hold. names: with what to call each one that is too large, "" for nothing.

        b"" for those above the limit; None for those that are not there.
        """
        sizes = self._git.sizes(names)
        read = [name for name in names if sizes.get(name, 0) <= FILE_LIMIT_BYTES]
        held = {**dict.fromkeys(read), **self._git.blobs(read)}
        for name, path in names.items():
            if name not in held:
                held[name] = b""
                if path:
                    self._too_large(path, self._git.beginning(name, _BEGINNING_BYTES))
        return held

    def _too_large(self, path: str, beginning: bytes) -> None:
        """What no check could have read is told; text, which one could have, was not judged."""
        if _is_binary(beginning):
            self.aside.append(f"{path} was not looked at: no text, and above 16 MiB")
        else:
            self.unread.append(f"{path} (above 16 MiB)")


def _unwatched(listed: list[str]) -> Iterator[str]:
    """Files that git was told not to look at: `--assume-unchanged`, `--skip-worktree`."""
    return (each[2:] for each in listed if each[0].islower() or each[0] == "S")


def _same(change: Change) -> bool:
    """Does a file hold what it held, whatever ends its lines?"""
    before, after = (
        side and side.replace(b"\r\n", b"\n") for side in (change.before, change.after)
    )
    return before == after


def _outside(path: str, target: str) -> bool:
    """Does a link at this path lead to what Git does not keep with this repository?"""
    if isabs(target):
        return True
    first = normpath(join(dirname(path), target)).split("/")[0].lower()
    return first in {"..", ".git"}


def _is_binary(beginning: bytes) -> bool:
    unprintable = len(beginning.translate(None, _PRINTABLE))
    plain = b"\0" not in beginning or beginning.startswith(_UTF_16)
    return not plain and unprintable * 3 > len(beginning)


def _blob(name: str, mode: str) -> str:
    """A blob's id; "-" for none, "=" for a link or a submodule, which hold no text to judge."""
    if mode == "000000":
        return "-"
    return "=" if mode in {_LINK, _MODULE} else name


def _side(held: dict[str, bytes | None], name: str) -> bytes | None:
    return None if name == "-" else b"" if name == "=" else held[name]
