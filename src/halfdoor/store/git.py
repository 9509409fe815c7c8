"""What changed in a checkout, asked of git itself: working tree, index, or between two revisions.

git runs with settings of our own: no hooks, no file system monitor, no external diffs, no network,
and no locks. It reads; the checkout is never written to.
"""

import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from msgspec import Struct

from halfdoor.canon.checks import MIB, Change, Commit
from halfdoor.errors import SetupError

# Called with the purpose; processes may start inside its `with` alone.
Leave = Callable[[str], AbstractContextManager[None]]

FILE_LIMIT_BYTES: Final = 16 * MIB
_PATIENCE_S: Final = 60.0
_EMPTY_TREE: Final = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_DISK: Final = ""
_LINK, _MODULE = "120000", "160000"
_SETTINGS: Final = (
    ("core.fsmonitor", "false"),
    ("core.hooksPath", os.devnull),
    ("core.quotePath", "false"),
    ("diff.external", ""),
    ("protocol.allow", "never"),
)
_ENVIRONMENT: Final = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "LC_ALL": "C",
}
_DIFF: Final = ("diff", "--raw", "-z", "-M", "--no-abbrev", "--no-ext-diff", "--no-textconv")
_LOG: Final = "%x1e%H%x1f%ae%x1f%ct%x1f%(trailers:only,unfold,separator=%x1d)%x1f"


class Changed(Struct, frozen=True):
    """What is judged.

    paths: of all files after the change. base: the revision it is compared with. settings: the
    revision whose settings hold. unread: files that were not read, with why. after: the revision
    that holds the change, as `Git.lay` takes it; "" when the working tree does.
    """

    changes: tuple[Change, ...]
    paths: tuple[str, ...]
    base: str
    settings: str
    commits: tuple[Commit, ...] = ()
    unread: tuple[str, ...] = ()
    after: str = ""


class _Raw(Struct, frozen=True):
    """One line of `git diff --raw`.

    old, new: blob ids, or as `_blob` says; _DISK for what is read from the working tree.
    """

    path: str
    was: str
    old: str
    new: str


class Git:
    """A checkout. Raises SetupError where there is none, or git fails."""

    def __init__(self, folder: Path, leave: Leave) -> None:
        program = shutil.which("git")
        if program is None:
            raise SetupError("git is not on the PATH", hint="install it: the gate asks it")
        self._program = program
        self._leave = leave
        self.unread: list[str] = []
        self.root = folder
        # The top of the working tree: below it, git tells of what is below alone.
        self.root = Path(os.fsdecode(self._said("rev-parse", "--show-toplevel").rstrip(b"\n")))

    def working(self) -> Changed:
        """The working tree, untracked files too, beside HEAD."""
        base = self._head()
        listed = self._words("ls-files", "-z", "-t", "--cached", "--others", "--exclude-standard")
        there = [each[2:] for each in listed]
        raws = [*self._raw(base), *(_Raw(each[2:], "", "-", _DISK) for each in _untracked(listed))]
        gone = {raw.path for raw in raws if raw.new == "-"}
        paths = tuple(path for path in there if path not in gone)
        return Changed(self._read(raws), paths, base, base, (), tuple(self.unread))

    def staged(self) -> Changed:
        """The index beside HEAD: what the next commit would be."""
        base = self._head()
        paths = tuple(self._words("ls-files", "-z", "--cached"))
        changes = self._read(list(self._raw("--cached", base)))
        return Changed(changes, paths, base, base, (), tuple(self.unread), ":")

    def between(self, base: str, head: str) -> Changed:
        """What `head` has that `base` has not: beside the last commit that both have."""
        start, end = self._commit(base), self._commit(head)
        fork = self._fork(start, end)
        paths = tuple(self._words("ls-tree", "-r", "-z", "--name-only", "--full-tree", end))
        changes = self._read(list(self._raw(fork, end)))
        commits = tuple(self._commits(fork, end))
        return Changed(changes, paths, fork, start, commits, tuple(self.unread), end)

    def texts(self, revision: str, paths: Iterable[str]) -> dict[str, bytes]:
        """What some files hold at a revision; those that it has not are left out."""
        wanted = list(dict.fromkeys(paths))
        held = self._blobs(f"{revision}:{path}" for path in wanted)
        return {path: data for path, data in zip(wanted, held, strict=True) if data is not None}

    def lay(self, revision: str, folder: Path) -> None:
        """Write a revision's files below an empty folder; `:` is the index."""
        index = {}
        if revision != ":":
            index = {"GIT_INDEX_FILE": str(folder.with_suffix(".index"))}
            self._said("read-tree", revision, more=index)
        self._said("checkout-index", "--all", f"--prefix={folder}/", more=index)

    def _head(self) -> str:
        """The commit that is checked out; an empty tree before the first one."""
        found = self._said("rev-parse", "--verify", "--quiet", "HEAD^{commit}", may_fail=True)
        return found.decode().strip() or _EMPTY_TREE

    def _commit(self, name: str) -> str:
        if name.startswith("-"):
            raise SetupError(f"`{name}` is no revision", hint="write `--diff BASE..HEAD`")
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        found = self._said(*asked, may_fail=True).decode().strip()
        if not found:
            hint = "fetch it first; CI checks out one commit unless told `fetch-depth: 0`"
            raise SetupError(f"git knows no revision `{name}`", hint=hint)
        return found

    def _fork(self, start: str, end: str) -> str:
        """The last commit that both have; `start` where there is none at all."""
        found = self._said("merge-base", start, end, may_fail=True).decode().strip()
        if not found and self._said("rev-parse", "--is-shallow-repository").strip() == b"true":
            # What `start` alone has would be told as what `end` took away.
            hint = "fetch it whole: `git fetch --unshallow`; in CI, `fetch-depth: 0`"
            raise SetupError("no commit of this shallow clone is in both revisions", hint=hint)
        return found or start

    def _raw(self, *revisions: str) -> Iterator[_Raw]:
        words = iter(self._words(*_DIFF, *revisions, "--"))
        for head in words:
            old_mode, new_mode, old, new, kind = head.lstrip(":").split(" ")
            path = next(words)
            was, path = (path, next(words)) if kind[0] in "RC" else ("", path)
            if kind[0] == "U":
                self.unread.append(f"{path} (not merged)")
                continue
            on_disk = not new.strip("0") and new_mode != "000000"
            yield _Raw(
                path,
                was if kind[0] == "R" else "",
                _blob(old, old_mode),
                _DISK if on_disk and new_mode not in {_LINK, _MODULE} else _blob(new, new_mode),
            )

    def _read(self, raws: list[_Raw]) -> tuple[Change, ...]:
        ids = [each for raw in raws for each in (raw.old, raw.new) if len(each) > 1]
        held = dict(zip(ids, self._blobs(ids), strict=True))
        for raw in raws:
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

        b"" for a link, a pipe and a file that is too large, which is noted in `unread`.
        """
        file = self.root / path
        try:
            mode = file.lstat()
            if not stat.S_ISREG(mode.st_mode):
                return b""
            if mode.st_size > FILE_LIMIT_BYTES:
                self.unread.append(f"{path} (above 16 MiB)")
                return b""
            return file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self.unread.append(f"{path} ({error.strerror})")
            return b""

    def _commits(self, base: str, head: str) -> Iterator[Commit]:
        asked = (
            "log",
            "-z",
            "--reverse",
            "--cc",
            "--name-only",
            "--no-renames",
            f"--format={_LOG}",
        )
        for each in self._text(*asked, f"{base}..{head}", "--").split("\x1e")[1:]:
            commit, author, moment, trailers, paths = each.split("\x1f", 4)
            pairs = (line.partition(": ") for line in trailers.split("\x1d") if ": " in line)
            named = tuple((name.strip(), value.strip()) for name, _, value in pairs)
            files = tuple(path.lstrip("\n") for path in paths.split("\0") if path.strip("\n"))
            yield Commit(commit, author, named, files, _utc(moment))

    def _blobs(self, names: Iterable[str]) -> list[bytes | None]:
        """What these objects hold, None for those that are not there; one process for all."""
        names = list(names)
        if not names:
            return []
        asked = "".join(f"{name}\n" for name in names if "\n" not in name)
        said = self._said("cat-file", "--batch", stdin=asked.encode("utf-8", "surrogateescape"))
        at = 0
        held: list[bytes | None] = []
        for name in names:
            if "\n" in name:  # git would read two names
                self.unread.append(f"{name} (a line break in its name)")
                held.append(b"")
                continue
            end = said.index(b"\n", at)
            kind, size = (*said[at:end].rsplit(b" ", 2), b"")[1:3]
            at = end + 1
            if not size.isdigit():
                held.append(None)
                continue
            data = said[at : at + int(size)]
            at += int(size) + 1
            held.append(data if kind == b"blob" else None)
        return held

    def _words(self, *arguments: str) -> list[str]:
        return [word for word in self._text(*arguments).split("\0") if word]

    def _text(self, *arguments: str) -> str:
        return self._said(*arguments).decode("utf-8", "surrogateescape")

    def _said(
        self,
        *arguments: str,
        stdin: bytes = b"",
        may_fail: bool = False,
        more: dict[str, str] | None = None,
    ) -> bytes:
        """What git writes. Raises SetupError with what it said when it fails."""
        settings = [word for key, value in _SETTINGS for word in ("-c", f"{key}={value}")]
        with self._leave("git reads what changed"):
            try:
                ran = subprocess.run(  # noqa: S603  git, with words of our own
                    [self._program, *settings, *arguments],
                    cwd=self.root,
                    env=os.environ | _ENVIRONMENT | (more or {}),
                    input=stdin,
                    capture_output=True,
                    timeout=_PATIENCE_S,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise SetupError(f"git {arguments[0]} took longer than a minute") from None
        if ran.returncode and not may_fail:
            said = ran.stderr.decode("utf-8", "replace").strip().splitlines()
            why = said[0].removeprefix("fatal: ") if said else f"exit status {ran.returncode}"
            raise SetupError(f"git {arguments[0]} failed: {why}", hint=_hint(why))
        return ran.stdout if not ran.returncode else b""


def _utc(epoch: str) -> str:
    moment = datetime.fromtimestamp(int(epoch), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _hint(why: str) -> str:
    if "not a git repository" in why or "must be run in a work tree" in why:
        return "run the gate in a checkout"
    if "dubious ownership" in why:
        return "`git config --global --add safe.directory DIR`, if it is yours"
    return ""


def _untracked(listed: list[str]) -> Iterator[str]:
    return (each for each in listed if each.startswith("? "))


def _blob(name: str, mode: str) -> str:
    """A blob's id; "-" for none, "=" for a link or a submodule, which hold no text to judge."""
    if mode == "000000":
        return "-"
    return "=" if mode in {_LINK, _MODULE} else name


def _side(held: dict[str, bytes | None], name: str) -> bytes | None:
    return None if name == "-" else b"" if name == "=" else held[name]
