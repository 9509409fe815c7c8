"""What is checked, what a check found, and what it asks to be run.

A check is a pure object (`verify/base.py`): it looks at a `Subject`, may ask for `Run`s, and gives
one `Result`. `flow/ladder.py` climbs; whoever has a runner performs the `Run`s.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

MIB: Final = 1024 * 1024


class Status(StrEnum):
    """How a check ended.

    SKIPPED: there was something to judge and it was not judged (tool missing, timed out, crashed);
    it never counts as passed. NOT_APPLICABLE: there was nothing to judge; it changes nothing.
    """

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_APPLICABLE = "not applicable"


class Change(Struct, frozen=True):
    """One file that changed.

    path: as it is now, relative to the repository's root, with `/`. was: its path before, "" when
        that is the same.
    before, after: all it holds; None where it does not exist. A link or a submodule holds b"".
    """

    path: str
    before: bytes | None
    after: bytes | None
    was: str = ""


class Edit(Struct, frozen=True):
    """An edit as a model wrote it, to be tried against files.

    form: `search-replace`, `unified-diff`, `apply-patch` or `tool-call`. text: all of it.
    roots: absolute folders by which its writer may know the repository; its paths are relative to
        the repository, or absolute within one of these.
    """

    form: str
    text: str
    roots: tuple[str, ...] = ()


class Barred(Struct, frozen=True):
    """No edit may touch a path. why: said after its name: `lies below a link`."""

    why: str


# What is at a path: what a file holds, None for nothing.
Stood = bytes | Barred | None


class Commit(Struct, frozen=True):
    """One commit of what is judged.

    author: an address. trailers: (name, value), in order. time: when it was committed, RFC 3339,
        UTC; "" when that is not known. passed: files as it left them, where neither end of what is
        judged holds them so: a later commit took that back, and the history keeps it.
    """

    id: str
    author: str
    trailers: tuple[tuple[str, str], ...] = ()
    paths: tuple[str, ...] = ()
    time: str = ""
    passed: tuple[Change, ...] = ()


class Subject(Struct, frozen=True):
    """What a ladder judges: a change, and as much of its repository as checks asked to see.

    paths: every file of the repository as it is after the change; of generated and ignored folders
        nothing. files: what further files held before, where a check's `reads` asked for them.
    settings: what the same files hold in the revision whose `[gate]` holds. What tells a check what
        to find is read from here alone, so that no change is judged by what it says of itself.
    tree, base: absolute folders in which the repository lies after and before the change; "" where
        there is none, and then nothing that needs it can be judged.
    python: the project's own interpreter, absolute; "" when it has none.
    edits: as a model wrote them, when that is what is judged.
    stands: what is at each path that the edits name, None for nothing; a path that is missing here
        was not looked at.
    commits: the commits that made the change, oldest first; () before it is committed.
    root: where the repository really lies on this machine, which editable installs lead to; "" when
        it is `tree`.
    revision: the id of the commit that `base` holds; "" when it is none.
    importers: what Python files hold that the change left alone and that speak of what it took
        away: all of these files, or none, and `unasked` says why.
    installed: names of npm's packages that lie in the project's `node_modules` on this machine.
    """

    changes: tuple[Change, ...]
    paths: tuple[str, ...] = ()
    files: dict[str, bytes] = {}
    settings: dict[str, bytes] = {}
    tree: str = ""
    base: str = ""
    python: str = ""
    edits: tuple[Edit, ...] = ()
    stands: dict[str, Stood] = {}
    commits: tuple[Commit, ...] = ()
    root: str = ""
    revision: str = ""
    installed: tuple[str, ...] = ()
    importers: dict[str, bytes] = {}
    unasked: str = ""


class Finding(Struct, frozen=True):
    """One thing that is wrong, and what would mend it.

    check: the check's name. path: as in `Change`, "" for the change as a whole.
    line, column: from 1, in characters; 0 where there is none.
    code: stable, from the check's own table or its tool's (`F821`, `S602`, `no-such-package`).
    message: what was found, without the secret it may be about. hint: what to do, an imperative.
    cwe: `CWE-78`, "" when none is meant.
    """

    check: str
    path: str
    line: int
    column: int
    code: str
    message: str
    hint: str = ""
    cwe: str = ""


class Result(Struct, frozen=True):
    """What one check says. saw: what it looked at, or why it could not; one line for a person.

    INVARIANT: findings and FAILED go together (`verify/base.py:judged`).
    """

    check: str
    status: Status
    findings: tuple[Finding, ...] = ()
    saw: str = ""


class Limits(Struct, frozen=True):
    """What a run may use; beyond them it is killed, and what it said is cut.

    output_bytes: of standard output and standard error each. file_bytes: of any one file written.
    disk_bytes: of all it writes to its private folders together.
    """

    cpu_s: int = 60
    memory_bytes: int = 2048 * MIB
    processes: int = 64
    output_bytes: int = 4 * MIB
    file_bytes: int = 64 * MIB
    disk_bytes: int = 512 * MIB


class Run(Struct, frozen=True):
    """Asks for one process, without a network, in a private folder that is gone afterwards.

    argv: the program first. A bare name is a program that was installed beside halfdoor and, unless
        `own`, one of the system; a path is absolute.
    own: halfdoor's own analyser over `files` alone: runs no code of the project, so it needs no
        sandbox. Everything else does.
    files: what lies in the working folder, by relative path. tree: an absolute folder that is
        copied or mounted there first, so that what is written to it is written to the private one;
        "" for none. INVARIANT: the original is never written to.
    without: paths that are taken out of that copy.
    at: the absolute path under which the working folder is seen inside, "" for `tree` itself:
        where an editable install of the project leads. Only rungs with mounts can do it.
    environment: in place of the caller's, beside what a process cannot live without.
    visible: absolute folders and files that must be readable (an interpreter and its libraries).
    wanted: paths of the working folder that are read when it ends (`Ran.written`).
    purpose: what is started and why, for the guard and the log.
    remember: a name for all that this run's result depends on, beside what halfdoor is itself; who
        asks again under it may be given the same. "" for none.
    """

    argv: tuple[str, ...]
    purpose: str
    files: dict[str, bytes] = {}
    tree: str = ""
    without: tuple[str, ...] = ()
    at: str = ""
    stdin: bytes = b""
    timeout_s: float = 30.0
    limits: Limits = Limits()
    own: bool = False
    environment: dict[str, str] = {}
    visible: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()
    remember: str = ""


class RanStatus(StrEnum):
    """How a run ended. REFUSED: it never began: no such program, no sandbox, no leave."""

    EXITED = "exited"
    TIMED_OUT = "timed out"
    KILLED = "killed"
    REFUSED = "refused"


class Ran(Struct, frozen=True):
    """What became of a `Run`.

    code: the exit status, -1 unless EXITED. cut: output was longer than its limit.
    why: for everything but EXITED, in words for a person, with what would help.
    written: what the files of `Run.wanted` held, by path; those that were not there are left out.
    rung: the sandbox it ran in (`runner/order.py`), "" for an own analyser.
    absent: it was REFUSED because there is no such program.
    """

    status: RanStatus
    code: int = -1
    stdout: bytes = b""
    stderr: bytes = b""
    cut: bool = False
    why: str = ""
    ms: int = 0
    written: dict[str, bytes] = {}
    rung: str = ""
    absent: bool = False
