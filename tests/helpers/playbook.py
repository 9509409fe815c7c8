"""A test of the line as a script: `<<` what it must ask for next, `>>` what the world replies."""

from collections.abc import Callable, Generator
from dataclasses import dataclass

from halfdoor.canon.commands import (
    Answered,
    Append,
    Begin,
    Call,
    Command,
    Fault,
    Faulted,
    FaultKind,
    Hold,
    HungUp,
    Learnt,
    Remember,
    Reply,
    Reserve,
    Settle,
    Unrecorded,
)
from halfdoor.canon.decision import Permit
from halfdoor.canon.labels import Zone
from halfdoor.canon.record import Decided, Outcome
from halfdoor.canon.scene import Scene

SCENE = Scene(id="hd_00000000000000000000000001", now_ms=1_700_000_000_000)
PERMIT = Permit(SCENE.id, (("any", Zone.CLOUD),), 0, b"seal")


@dataclass
class Expected:
    """One command the line must ask for: its words, and what must be true of it."""

    words: str
    holds: Callable[[Command], bool]


class playbook:  # noqa: N801  reads as a verb in a test
    """Drives one line step by step; `.reply` is what it returned, `.asked` all it asked for.

    A Remember that the script does not speak of is noted and passed over.
    """

    def __init__(self, line: Generator[Command, object, Reply | None]) -> None:
        self._line = line
        self._next: object = None
        self.asked: list[Command] = []
        self.reply: Reply | None = None
        self.over = False

    def __lshift__(self, expected: Expected) -> "playbook":
        command = self._ask(expected.words)
        while isinstance(command, Remember) and not expected.holds(command):
            command = self._ask(expected.words)
        assert expected.holds(command), (
            f"expected {expected.words}, but the line asked for {command}"
        )
        return self

    def _ask(self, words: str) -> Command:
        assert not self.over, f"the line is over, but {words} was expected"
        try:
            command = self._line.send(self._next)
        except StopIteration as stop:
            raise AssertionError(f"the line ended with {stop.value}, not with {words}") from None
        self.asked.append(command)
        self._next = None
        return command

    def __rshift__(self, reply: object) -> "playbook":
        self._next = reply
        return self

    def ends(self) -> Reply | None:
        """The line asks for nothing more; returns its reply for the client."""
        try:
            command = self._line.send(self._next)
        except StopIteration as stop:
            self.over, self.reply = True, stop.value
            return self.reply
        raise AssertionError(f"the line should be over, but asked for {command}")


def begin() -> Expected:
    return Expected("Begin", lambda c: isinstance(c, Begin))


def decided(**fields: object) -> Expected:
    return Expected(f"Append(Decided {fields})", lambda c: _entry(c, Decided, fields))


def outcome(**fields: object) -> Expected:
    return Expected(f"Append(Outcome {fields})", lambda c: _entry(c, Outcome, fields))


def call(target: str) -> Expected:
    return Expected(f"Call({target})", lambda c: isinstance(c, Call) and c.target.name == target)


def reserve(purse: str) -> Expected:
    return Expected(
        f"Reserve({purse})",
        lambda c: isinstance(c, Reserve) and [d.purse[0] for d in c.draws] == [purse],
    )


def reserve_of(plan: str, requests: int) -> Expected:
    return Expected(f"Reserve({plan})", lambda c: _uses(c, plan, requests))


def _uses(command: Command, plan: str, requests: int) -> bool:
    use = command.use if isinstance(command, Reserve) else None
    return use is not None and (use.plan, use.requests) == (plan, requests)


def held(script: playbook) -> Hold:
    """What the line asked to be held, held."""
    asked = script.asked[-1]
    assert isinstance(asked, Reserve)
    return Hold(asked.draws, asked.amount, (0,) * len(asked.draws), asked.use)


def settle(cost: int | None) -> Expected:
    return Expected(f"Settle({cost})", lambda c: isinstance(c, Settle) and c.cost == cost)


def remember() -> Expected:
    return Expected("Remember", lambda c: isinstance(c, Remember))


def _entry(command: Command, kind: type, fields: dict[str, object]) -> bool:
    if not isinstance(command, Append) or not isinstance(command.entry, kind):
        return False
    return all(_plain(getattr(command.entry, name)) == value for name, value in fields.items())


def _plain(value: object) -> object:
    """Plans and exclusions are compared by the names of their models."""
    if isinstance(value, tuple) and value and hasattr(value[0], "model"):
        return [item.model for item in value]
    return list(value) if isinstance(value, tuple) else value


def answered(**learnt: object) -> Answered:
    return Answered(200, Learnt(finished=True, **learnt), 100, 200, 5, 9)  # type: ignore[arg-type]


def faulted(
    kind: str, status: int = 0, *, committed: bool = False, body: bytes = b"", sent: int = 100
) -> Faulted:
    fault = Fault(FaultKind(kind), f"scripted {kind}", status, (), body)
    return Faulted(fault, committed, Learnt(), sent, 0, 5 if committed else -1, 9)


def hung_up(*, committed: bool = False) -> HungUp:
    return HungUp(committed, Learnt(), 100, 0, -1, 9)


def unrecorded(reason: str = "the disk is full") -> Unrecorded:
    return Unrecorded(reason)
