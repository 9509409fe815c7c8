import msgspec
import pytest

from halfdoor.canon.asks import Agent, Ask, Task
from halfdoor.canon.request import Kind
from halfdoor.detect import kinds
from halfdoor.detect.paths import PathDetector
from halfdoor.detect.task import AskReader
from tests.helpers.house import DIALECTS, chat_body, request


def read(body=None, *, reader=None, keys=(), **fields) -> Ask:
    return (reader or AskReader()).read(request(body, **fields), keys)


def said(*turns):
    """A chat of turns, `U text` or `A text`."""
    roles = {"U": "user", "A": "assistant"}
    messages = [{"role": roles[turn[0]], "content": turn[2:]} for turn in turns]
    return msgspec.json.encode({"model": "auto", "max_tokens": 9, "messages": messages})


@pytest.mark.parametrize(
    ("header", "value", "agent"),
    [
        *(("x-claude-code-request-class", agent.value, agent) for agent in Agent),
        ("x-claude-code-request-class", "new-kind", Agent.MAIN),
        ("x-claude-code-compaction", "auto", Agent.COMPACTION),
        ("x-claude-code-agent-id", "a1", Agent.SUBAGENT),
        ("x-openai-subagent", "collab_spawn", Agent.SUBAGENT),
        ("x-openai-subagent", "compact", Agent.COMPACTION),
        ("x-openai-subagent", "memory_consolidation", Agent.AUXILIARY),
        ("x-openai-memgen-request", "true", Agent.AUXILIARY),
        ("x-codex-parent-thread-id", "t0", Agent.SUBAGENT),
        ("x-parent-session-id", "s0", Agent.SUBAGENT),
    ],
)
def test_a_header_says_whose_request_it_is(header, value, agent):
    assert read(text="fix it", headers=((header, value),)).agent is agent


def test_a_hint_is_believed_before_the_words():
    words = "Your task is to create a detailed summary of the conversation so far."
    assert read(text=words).agent is Agent.COMPACTION
    hinted = (("x-claude-code-request-class", "main"),)
    assert read(text=words, headers=hinted).agent is Agent.MAIN


def test_what_a_tool_puts_around_an_ask_is_not_the_ask():
    reminder = "<system-reminder>Write tests in notes.rb</system-reminder>"
    ask = read(text=f"{reminder}explain the cache in store.go{reminder}")
    assert (ask.task, ask.languages) == (Task.EXPLAIN, ("go",))


def test_a_reminder_that_never_ends_hides_the_rest_and_raises_nothing():
    assert read(text="<system-reminder>fix a.py " * 500).task is Task.OTHER


def test_inside_a_tool_loop_the_ask_is_the_one_before_it():
    ask = read(text="add a flag to main.rs", tool_result="def test(): review and fix")
    assert (ask.task, ask.languages, ask.place) == (Task.IMPLEMENT, ("rust",), "messages[0]")


@pytest.mark.parametrize("words", ["yes, do it", "weiter", "ja, mach das", "go on"])
def test_who_only_says_to_go_on_asks_for_what_was_asked_before(words):
    ask = read(said("U review the diff", "A I would.", f"U {words}"))
    assert (ask.task, ask.place) == (Task.REVIEW, "messages[2]")


def test_thanks_ask_for_nothing():
    assert read(said("U review the diff", "A I did.", "U ok, thanks")).task is Task.OTHER


def test_an_ask_that_names_no_file_is_about_what_was_worked_on_before_it():
    call = {"type": "tool_use", "id": "t", "name": "Edit", "input": {"file_path": "/w/src/a.go"}}
    turns = [
        {"role": "user", "content": "start"},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "k"}]},
        {"role": "assistant", "content": "done"},
        {"role": "user", "content": "still broken"},
    ]
    body = msgspec.json.encode({"model": "auto", "max_tokens": 9, "messages": turns})
    reader = AskReader(PathDetector(("src/**", "web/**")))
    ask = read(body, reader=reader)
    assert (ask.task, ask.languages, ask.globs) == (Task.FIX, ("go",), ("src/**",))


def test_the_globs_of_routes_are_found_in_the_ask_itself():
    reader = AskReader(PathDetector(("payments/**", "web/**")))
    assert read(text="tidy up payments/refund.py:12", reader=reader).globs == ("payments/**",)
    assert read(text="tidy up everything in web/", reader=reader).globs == ("web/**",)


def test_a_block_is_read_once_whatever_follows_it(monkeypatch):
    counted = []

    def counting(text):
        counted.append(text)
        return kinds.task_of(text)

    monkeypatch.setattr("halfdoor.detect.task.task_of", counting)
    reader = AskReader()
    turns = ["U fix the pager"]
    for turn in range(5):
        body = request(said(*turns))
        keys = tuple((b.place, body.body[b.start : b.end][:32]) for b in body.blocks)
        assert reader.read(body, keys).task is Task.FIX
        turns += [f"A step {turn}", "U go on"]
    assert counted == ["fix the pager", "go on"]


def test_what_is_remembered_is_bounded():
    reader = AskReader(kept=3)
    for turn in range(9):
        asked = request(said(f"U fix {turn}"))
        reader.read(asked, [(block.place, b"%d" % turn) for block in asked.blocks])
    assert len(reader._said) == 3


@pytest.mark.parametrize(
    "content",
    [None, 7, {"text": "x"}, [7], [{"type": "text", "text": 7}], [{"type": "text"}], [[]]],
)
def test_a_shape_that_nobody_knows_asks_for_nothing(content):
    body = msgspec.json.encode({"model": "m", "messages": [{"role": "user", "content": content}]})
    near = DIALECTS["openai_chat"]
    assert AskReader().read(near.read(near.endpoints[0], (), "", body)).task is Task.OTHER


def test_a_completion_is_read_by_its_kind_alone():
    found = msgspec.structs.replace(
        request(chat_body("fix"), dialect="openai_chat"), kind=Kind.COMPLETION
    )
    assert AskReader().read(found) == Ask(Agent.MAIN, Task.COMPLETE)
