"""Entries as an exchange makes them, and strategies for any."""

from typing import Any

from hypothesis import strategies as st

from halfdoor.canon.money import Usage
from halfdoor.canon.record import Attempt, Decided, Entry, LabelCount, Left, Noted, Outcome, Planned

TIME = "2026-11-21T09:30:00.000Z"


def exchange_id(number: int) -> str:
    """Ids that sort as they are made."""
    return f"hd_{number:026d}"


def decided(number: int = 0, **changes: Any) -> Decided:
    """A request with a key in it, kept on the device."""
    facts: dict[str, Any] = {
        "id": exchange_id(number),
        "time": TIME,
        "dialect": "anthropic_messages",
        "endpoint": "/v1/messages",
        "asked": "claude-sonnet",
        "stream": True,
        "body_bytes": 12_345,
        "body_mac": "a1" * 32,
        "labels": (LabelCount("secret", "aws-access-key-id", "secrets", 1, ("messages[3]",)),),
        "ceiling": "device",
        "rule": "no-keys",
        "plan": (Planned("qwen-coder", "ollama", "device"),),
        "excluded": (Left("sonnet", "cloud", "no-keys", "secret"),),
        "policy": "b2" * 32,
        "detectors": "c3" * 32,
        "edits": ("model",),
    }
    return Decided(**(facts | changes))


def outcome(number: int = 0, **changes: Any) -> Outcome:
    """The device's model answered."""
    facts: dict[str, Any] = {
        "id": exchange_id(number),
        "time": "2026-11-21T09:30:01.400Z",
        "result": "answered",
        "model": "qwen-coder",
        "zone": "device",
        "attempts": (
            Attempt(
                "qwen-coder", "ollama", "device", "answered", 200, 12_300, 900, 1400, ("model",)
            ),
        ),
        "usage": Usage(3000, 120, 1000),
        "stop": "end",
        "status": 200,
        "first_byte_ms": 310,
        "ms": 1400,
    }
    return Outcome(**(facts | changes))


def noted(number: int = 0) -> Noted:
    """The gateway started."""
    return Noted(exchange_id(number), TIME, "started", {"version": "0.1.0", "rules": "3"})


def entries_of(exchanges: int) -> list[Entry]:
    """Decision and outcome of each exchange, in order."""
    return [make(number) for number in range(exchanges) for make in (decided, outcome)]


names = st.text(max_size=20)
counts = st.integers(0, 2**53 - 1)
label_counts = st.builds(LabelCount, names, names, names, counts, st.tuples(names))
plans = st.lists(st.builds(Planned, names, names, st.sampled_from(["device", "cloud"])), max_size=3)
usages = st.none() | st.builds(Usage, counts, counts, counts, counts, counts)
attempts = st.lists(
    st.builds(Attempt, names, names, names, names, counts, counts, counts, counts), max_size=2
)
decisions = st.builds(
    decided,
    counts,
    asked=names,
    stream=st.booleans(),
    body_bytes=counts,
    labels=st.lists(label_counts, max_size=3).map(tuple),
    plan=plans.map(tuple),
    rule=names,
    tool=names,
)
outcomes = st.builds(
    outcome, counts, usage=usages, attempts=attempts.map(tuple), ms=st.integers(-1, 10**9)
)
notes = st.builds(Noted, names, names, names, st.dictionaries(names, names, max_size=4))
entries = decisions | outcomes | notes
