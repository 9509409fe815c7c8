"""How long a check may take in our own process: whoever writes a file must not hold the gate.

Tools have limits of their own (`canon/checks.py:Run`).
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from halfdoor.canon.checks import Result, Subject
from halfdoor.verify.base import Check, Steps, skipped

# Of the processor's time, in seconds: honest code needs far less, on a slow machine, too.
_AT_LEAST_S: Final = 20.0
_BYTES_A_SECOND: Final = 100_000
_AGAIN_S: Final = 1.0


class Overrun(BaseException):
    """The time is over. No Exception, for what a check suppresses must not suppress this."""


class Limited:
    """A check that is skipped when it takes too long. at_least_s: what it has for any change."""

    def __init__(self, check: Check, at_least_s: float = _AT_LEAST_S) -> None:
        self.name = check.name
        self.reads = check.reads
        self._check = check
        self._at_least_s = at_least_s

    def judge(self, subject: Subject) -> Steps:
        """See `Check.judge`. Waiting for a `Run` costs it nothing."""
        size = sum(len(each.before or b"") + len(each.after or b"") for each in subject.changes)
        limit_s = self._at_least_s + size / _BYTES_A_SECOND
        try:
            with _within(limit_s):
                judging = self._check.judge(subject)
                if isinstance(judging, Result):
                    return judging
                run = next(judging)
            while True:
                ran = yield run
                with _within(limit_s):
                    run = judging.send(ran)
        except StopIteration as over:
            result: Result = over.value
            return result
        except Overrun:
            return skipped(
                self.name, f"it took longer than {limit_s:.0f} s, which no honest file does"
            )


@contextmanager
def _within(limit_s: float) -> Iterator[None]:
    """Raises Overrun inside once so much of the processor's time is used up.

    Loops of Python and of `re` are ended so; a parser written in C comes to its own end first.
    """
    armed = True

    def over(*_: object) -> None:
        if armed:
            raise Overrun

    before = signal.signal(signal.SIGPROF, over)
    signal.setitimer(signal.ITIMER_PROF, limit_s, _AGAIN_S)
    try:
        yield
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
