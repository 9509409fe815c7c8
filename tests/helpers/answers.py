"""Answers as events, in normal form: what an emitter may write and a parser must read back."""

from hypothesis import strategies as st

from halfdoor.canon.events import (
    Close,
    Delta,
    Event,
    Open,
    PartKind,
    Signed,
    Start,
    Stop,
    StopReason,
    Used,
)
from halfdoor.canon.money import Usage

words = st.text(min_size=1, max_size=12)
ids = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)


@st.composite
def usages(draw):
    """Cached, written and reasoning tokens lie inside the totals."""
    fresh, cached, written, plain, reasoning = (draw(st.integers(0, 9999)) for _ in range(5))
    return Usage(fresh + cached + written, plain + reasoning, cached, written, reasoning)


@st.composite
def _parts(draw, index):
    kind = draw(st.sampled_from(PartKind))
    if kind is PartKind.REDACTED_THINKING:
        return [Open(index, kind, text=draw(words)), Close(index)]
    if kind is PartKind.TOOL_CALL:
        fragments = draw(st.sampled_from([["{}"], ['{"a"', ": 1}"], ['{"b":"', "ü", '"}']]))
        opened = Open(index, kind, call_id=draw(ids), name=draw(ids))
    else:
        fragments, opened = draw(st.lists(words, min_size=1, max_size=3)), Open(index, kind)
    sealed = kind is PartKind.THINKING and draw(st.booleans())
    signed = [Signed(index, draw(ids))] if sealed else []
    return [opened, *(Delta(index, text) for text in fragments), *signed, Close(index)]


@st.composite
def answers(draw):
    """Start, counts, up to four parts one after the other, the final counts, stop."""
    final = draw(usages())
    parts: list[Event] = []
    for index in range(draw(st.integers(0, 4))):
        parts += draw(_parts(index))
    reason = draw(st.sampled_from(StopReason))
    sequence = draw(words) if reason is StopReason.STOP_SEQUENCE else ""
    start = Start(draw(ids), draw(ids))
    return [start, Used(final), *parts, Used(final), Stop(reason, sequence)]
