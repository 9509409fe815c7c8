"""Asking git, with settings of our own, so that it runs nothing of a repository's.

No hooks, no file system monitor, no external diffs, no network, no locks. It reads; the checkout is
never written to.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from halfdoor.errors import SetupError

# Called with the purpose; processes may start inside its `with` alone.
Leave = Callable[[str], AbstractContextManager[None]]

_PATIENCE_S: Final = 60.0
_WHY: Final = "git reads what changed"
_SETTINGS: Final = (
    ("core.fsmonitor", "false"),
    ("core.hooksPath", os.devnull),
    ("core.quotePath", "false"),
    ("diff.external", ""),
    ("log.showSignature", "false"),
    ("protocol.allow", "never"),
)
_ENVIRONMENT: Final = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "LC_ALL": "C",
}


class Plumbing:
    """git in a folder. Raises SetupError where it is missing, fails, or takes too long."""

    def __init__(self, folder: Path, leave: Leave) -> None:
        program = shutil.which("git")
        if program is None:
            raise SetupError("git is not on the PATH", hint="install it: the gate asks it")
        self.folder = folder
        self._leave = leave
        settings = [word for key, value in _SETTINGS for word in ("-c", f"{key}={value}")]
        self._program = [program, *settings]

    def sizes(self, names: Iterable[str]) -> dict[str, int]:
        """In bytes, of those objects that are there."""
        asked = _askable(names)
        if not asked:
            return {}
        said = self.said("cat-file", "--batch-check=%(objectsize)", stdin=_lines(asked))
        sized = zip(asked, said.split(b"\n"), strict=False)
        return {name: int(size) for name, size in sized if size.isdigit()}

    def beginning(self, name: str, size: int) -> bytes:
        """The first bytes of a blob, without reading it whole."""
        with (
            self._leave(_WHY),
            subprocess.Popen(  # noqa: S603  as in `said`
                [*self._program, "cat-file", "blob", name],
                cwd=self.folder,
                env=os.environ | _ENVIRONMENT,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            ) as running,
        ):
            begun = running.stdout.read(size) if running.stdout else b""
            running.kill()
        return begun

    def blobs(self, names: Iterable[str]) -> dict[str, bytes | None]:
        """What these objects hold, None for those that are not there; one process for all.

        Names with a line break, of which git would read two, are left out.
        """
        names = _askable(names)
        if not names:
            return {}
        said = self.said("cat-file", "--batch", stdin=_lines(names))
        at = 0
        held: dict[str, bytes | None] = {}
        for name in names:
            end = said.index(b"\n", at)
            kind, size = (*said[at:end].rsplit(b" ", 2), b"")[1:3]
            at = end + 1
            if not size.isdigit():
                held[name] = None
                continue
            data = said[at : at + int(size)]
            at += int(size) + 1
            held[name] = data if kind == b"blob" else None
        return held

    def words(self, *arguments: str) -> list[str]:
        """What git writes, split at NUL bytes."""
        return [word for word in self.text(*arguments).split("\0") if word]

    def text(self, *arguments: str) -> str:
        """What git writes; bytes that are no UTF-8 are kept as surrogates."""
        return self.said(*arguments).decode("utf-8", "surrogateescape")

    def said(
        self,
        *arguments: str,
        stdin: bytes = b"",
        may_fail: bool = False,
        more: dict[str, str] | None = None,
        none: int = 0,
    ) -> bytes:
        """What git writes. Raises SetupError with what it said when it fails.

        none: the exit status by which it says that there is nothing to tell.
        """
        with self._leave(_WHY):
            try:
                ran = subprocess.run(  # noqa: S603  git, with words of our own
                    [*self._program, *arguments],
                    cwd=self.folder,
                    env=os.environ | _ENVIRONMENT | (more or {}),
                    input=stdin,
                    capture_output=True,
                    timeout=_PATIENCE_S,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise SetupError(f"git {arguments[0]} took longer than a minute") from None
        if ran.returncode not in {0, none} and not may_fail:
            said = ran.stderr.decode("utf-8", "replace").strip().splitlines()
            why = said[0].removeprefix("fatal: ") if said else f"exit status {ran.returncode}"
            raise SetupError(f"git {arguments[0]} failed: {why}", hint=_hint(why))
        return ran.stdout if not ran.returncode else b""


def _askable(names: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if "\n" not in name]


def _lines(names: list[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape")


def _hint(why: str) -> str:
    if "not a git repository" in why or "must be run in a work tree" in why:
        return "run the gate in a checkout"
    if "dubious ownership" in why:
        return "`git config --global --add safe.directory DIR`, if it is yours"
    return ""
