"""Calls left in a text, made calls again in the events of an answer, however it comes in pieces."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfdoor.canon.events import (
    Close,
    Delta,
    Failed,
    Open,
    PartKind,
    Signed,
    Start,
    Stop,
    StopReason,
    Used,
)
from halfdoor.canon.money import Usage
from halfdoor.canon.request import ChoiceMode, Conversation, ServerTool, Tool, ToolChoice
from halfdoor.flow.pipe import translated
from halfdoor.flow.repair import HELD_LIMIT, Repair, offered
from tests.helpers.house import DIALECTS, request

TOOLS = {"Read": {"type": "object", "properties": {"path": {}}, "required": ["path"]}}
LEAK = '<tool_call>\n{"name": "Read", "arguments": {"path": "ü.py"}}\n</tool_call>'
END, USED = Stop(StopReason.END), Used(Usage(9, 5))


def answer(*texts, stop=END):
    """A text in these pieces."""
    said = [Delta(0, text) for text in texts]
    return [Start("chatcmpl-1", "m"), Open(0, PartKind.TEXT), *said, Close(0), USED, stop]


def heard(events, *, tools=TOOLS, chunks=None):
    """Parts (kind, name, text), the stop, and the notations; the grammar of events is looked at."""
    repair = Repair(tools)
    told = []
    for chunk in [events] if chunks is None else chunks:
        told += repair.take(chunk)
    told += repair.end()
    return parts(told), [e for e in told if isinstance(e, Stop | Failed)], repair.repaired


def parts(events):
    found: list[tuple[Any, ...]] = []
    now: list[Any] | None = None
    for event in events:
        match event:
            case Open():
                assert now is None
                assert event.index == len(found)
                now = [event.kind, event.name, ""]
            case Delta():
                assert now is not None
                assert event.index == len(found)
                now[2] += event.text
            case Close():
                assert now is not None
                found.append(tuple(now))
                now = None
            case Used():
                assert now is None
            case _:
                pass
    return found + ([tuple(now)] if now else [])


CALL = (PartKind.TOOL_CALL, "Read", '{"path":"ü.py"}')


def test_an_answer_that_is_a_leak_becomes_a_call():
    assert heard(answer(LEAK)) == ([CALL], [Stop(StopReason.TOOL_CALLS)], ("tool-call-tag",))


def test_prose_before_it_stays():
    found, stops, _ = heard(answer("I look.", "\n\n" + LEAK))
    assert found == [(PartKind.TEXT, "", "I look.\n\n"), CALL]
    assert stops == [Stop(StopReason.TOOL_CALLS)]


@given(cuts=st.sets(st.integers(1, len(LEAK) + 17)), groups=st.integers(1, 4))
def test_any_pieces_tell_the_same(cuts, groups):
    text = f"I look. ✓ a < b\n\n{LEAK}\n"
    places = [0, *sorted(cuts), len(text)]
    events = answer(*(text[a:b] for a, b in pairwise(places)))
    chunks = [events[at : at + groups] for at in range(0, len(events), groups)]
    found, stops, _ = heard(events, chunks=chunks)
    assert found == [(PartKind.TEXT, "", "I look. ✓ a < b\n\n"), CALL]
    assert stops == [Stop(StopReason.TOOL_CALLS)]


@given(text=st.text(alphabet='<>tool_call{}`"=/:[] \nx', max_size=80), size=st.integers(1, 9))
def test_text_that_is_no_leak_comes_through_to_the_letter(text, size):
    events = answer(*(text[at : at + size] for at in range(0, len(text), size)))
    found, stops, repaired = heard(events, chunks=[[event] for event in events])
    assert "".join(part[2] for part in found) == text
    assert (stops, repaired) == ([END], ())


def test_prose_is_told_at_once():
    repair = Repair(TOOLS)
    repair.take(answer()[:2])
    assert repair.take([Delta(0, "The parser keeps")]) == [
        Open(0, PartKind.TEXT),
        Delta(0, "The parser keeps"),
    ]
    assert repair.take([Delta(0, " `a < b` in <tool")]) == [Delta(0, " `a < b` in <tool")]
    assert repair.take([Delta(0, "\n<tool")]) == [Delta(0, "\n")]
    assert repair.take([Delta(0, "box>")]) == [Delta(0, "<toolbox>")]


@pytest.mark.parametrize(
    "events",
    [
        answer(f"```\n{LEAK}\n```"),
        answer(f"{LEAK}\nThat is how."),
        answer(LEAK.replace("Read", "Write")),
        answer(LEAK, stop=Stop(StopReason.LENGTH)),
        answer(LEAK, stop=Stop(StopReason.REFUSAL)),
        answer('{"name": "web", "arguments": {}}'),
        answer(""),
        answer(" \n"),
    ],
)
def test_what_only_looks_like_a_leak_is_told_in_the_end(events):
    text = "".join(event.text for event in events if isinstance(event, Delta))
    found, stops, repaired = heard(events)
    assert found == [(PartKind.TEXT, "", text)]
    assert (stops, repaired) == ([events[-1]], ())


def test_an_answer_with_a_real_call_is_left_alone():
    real = [Open(1, PartKind.TOOL_CALL, "c1", "Read"), Delta(1, "{}"), Close(1)]
    start, opened, said, closed, used, _ = answer(LEAK)
    stop = Stop(StopReason.TOOL_CALLS)
    events = [start, opened, said, closed, *real, used, stop]
    found, stops, repaired = heard(events)
    assert found == [(PartKind.TEXT, "", LEAK), (PartKind.TOOL_CALL, "Read", "{}")]
    assert (stops, repaired) == ([stop], ())


def test_thinking_before_it_keeps_its_place_and_its_seal():
    thought = [Open(0, PartKind.THINKING), Delta(0, LEAK), Signed(0, "seal"), Close(0)]
    start, *rest = answer(LEAK)
    shifted = [Open(1, PartKind.TEXT), Delta(1, LEAK), Close(1), *rest[3:]]
    found, _, repaired = heard([start, *thought, *shifted])
    assert found == [(PartKind.THINKING, "", LEAK), CALL]
    assert repaired == ("tool-call-tag",)


def test_a_stream_that_breaks_tells_what_was_held():
    events = [*answer(LEAK)[:3], Failed("cut")]
    found, stops, repaired = heard(events)
    assert found == [(PartKind.TEXT, "", LEAK)]
    assert (stops, repaired) == ([Failed("cut")], ())


def test_an_answer_without_a_stop_tells_what_was_held():
    assert heard(answer(LEAK)[:4])[0] == [(PartKind.TEXT, "", LEAK)]


def test_nothing_is_held_without_end():
    repair = Repair(TOOLS)
    repair.take(answer()[:2])
    piece = "<tool_call>" + "x" * 5000
    told = [event for _ in range(HELD_LIMIT // 2500) for event in repair.take([Delta(0, piece)])]
    held = sum(len(e.text) for e in told if isinstance(e, Delta))
    assert held > HELD_LIMIT


def test_ids_are_the_answers_own_and_do_not_repeat():
    def ids(name, *texts):
        told = Repair(TOOLS).take([Start(name, "m"), *answer(*texts)[1:]])
        return [e.call_id for e in told if isinstance(e, Open) and e.call_id]

    two = ids("a", LEAK, LEAK)
    assert len({*two, *ids("b", LEAK)}) == 3
    assert ids("a", LEAK, LEAK) == two


def test_only_what_was_offered_and_allowed_can_be_called():
    schema = json.dumps({"type": "object"}).encode()
    tools = (Tool("Read", schema=schema), ServerTool("web_search", b"{}"), Tool("odd", schema=b"["))
    assert offered(Conversation((), tools)) == {"Read": {"type": "object"}, "odd": {}}
    forbidden = Conversation((), tools, ToolChoice(ChoiceMode.NONE))
    assert offered(forbidden) == {}


@pytest.mark.parametrize("stream", [True, False])
def test_labels_follow_a_repaired_call_as_they_follow_text(stream):
    """Its id and its arguments are learnt, so that both are known when they come back."""
    near, far = DIALECTS["anthropic_messages"], DIALECTS["openai_chat"]
    asked = request(stream=stream)
    pipe = translated(asked, near, far, (), texts=True, repair=Repair(TOOLS))
    if stream:
        emitter = far.emitter(request(dialect="openai_chat", stream=True))
        pipe.feed(emitter.emit(answer("I look.\n", LEAK)))
    else:
        pipe.feed(far.answer(answer("I look.\n", LEAK)))
    said = pipe.end()
    learnt = pipe.learnt()
    assert learnt.texts == ("I look.\n", '{"path":"ü.py"}')
    assert len(learnt.calls) == 1
    assert stream or learnt.calls[0].encode() in said
    assert learnt.repaired == ("tool-call-tag",)
