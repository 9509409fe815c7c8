"""Plays the world to a ladder: a subject from texts, and runs answered by a function."""

from halfdoor.canon.checks import Change, Ran, RanStatus, Status, Subject
from halfdoor.flow.ladder import climb

MISSING = Ran(RanStatus.REFUSED, why="it is not installed")
SLOW = Ran(RanStatus.TIMED_OUT, why="after 30 s")
SHOT = Ran(RanStatus.KILLED, why="by signal 9")
TROUBLE = (MISSING, SLOW, SHOT, Ran(RanStatus.EXITED, 0, b"{", cut=True))


def change(path, after, before=None, was=""):
    """A file that changed, from texts."""
    return Change(path, _bytes(before), _bytes(after), was)


def subject(*changes, **more):
    """The subject of these changes; unless told, their paths are all the repository has, and
    settings are as they were before.
    """
    more.setdefault("settings", more.get("files", {}))
    more.setdefault("paths", tuple(each.path for each in changes if each.after is not None))
    return Subject(changes, **more)


def judge(check, asked, run=None):
    """The check's result; `run` answers what it asks to be run, a `Ran` or a function."""
    return climbed([check], asked, run)[0]


def climbed(checks, asked, run=None):
    """All results."""
    line = climb(checks, asked)
    try:
        wanted = next(line)
        while True:
            reply = run(wanted) if callable(run) else run
            assert reply is not None, f"nobody answers {wanted.argv}"
            wanted = line.send(reply)
    except StopIteration as over:
        return over.value


def codes(result):
    """The codes of a failed result; an empty list for every other."""
    assert bool(result.findings) is (result.status is Status.FAILED)
    return [finding.code for finding in result.findings]


def _bytes(text):
    return text.encode() if isinstance(text, str) else text
