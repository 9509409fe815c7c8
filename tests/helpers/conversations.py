"""Conversations in normal form: what a dialect may render and must read back as it was.

Normal form: roles alternate but for system messages; a lone leading system message; every call is
answered, in order, at the head of the next user message; no blank text; ids that all vendors take.
"""

import base64
import json

from hypothesis import strategies as st

from halfdoor.canon.request import (
    ChoiceMode,
    Conversation,
    Image,
    Message,
    Opaque,
    Options,
    Part,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)

texts = st.builds(
    Text,
    st.text(min_size=1, max_size=30).filter(lambda text: bool(text.strip())),
)
names = st.from_regex(r"[A-Za-z0-9_-]{1,16}", fullmatch=True)
base64s = st.binary(min_size=1, max_size=12).map(lambda data: base64.b64encode(data).decode())
images = st.one_of(
    st.builds(Image, media_type=st.sampled_from(["image/png", "image/jpeg"]), data=base64s),
    st.builds(Image, url=names.map("https://example.test/{}.png".format)),
)
leaves = st.one_of(st.booleans(), st.integers(-(2**40), 2**40), st.text(max_size=8))
objects = st.dictionaries(st.text(max_size=8), leaves, max_size=3)
compact_objects = objects.map(lambda value: json.dumps(value, separators=(",", ":")))
schemas = st.dictionaries(names, st.just({"type": "string"}), max_size=2).map(
    lambda properties: json.dumps({"type": "object", "properties": properties}).encode()
)
tools = st.builds(
    Tool,
    name=names,
    description=st.text(max_size=20),
    schema=schemas,
    strict=st.sampled_from([None, True, False]),
)
thinkings = st.one_of(
    st.builds(Thinking, st.text(max_size=20), signature=base64s),
    st.builds(Thinking, st.just(""), redacted=base64s),
)
documents = names.map(
    lambda title: Opaque("document", json.dumps({"type": "document", "title": title}).encode())
)


@st.composite
def conversations(draw, *, rich=False):
    """What OpenAI Chat and Anthropic Messages can both say.

    Set on purpose: max_tokens (Messages must have it). Left out on purpose, because one of the two
    lacks it: images, errors, several texts and none in tool results, top_k, thinking, response
    schemas, server tools, calls before text. rich: with what Messages says beyond Chat.
    """
    given = tuple(draw(st.lists(tools, max_size=3, unique_by=lambda tool: tool.name)))
    choice = draw(_choices(given)) if given else None
    messages = tuple(draw(_messages(rich=rich)))
    # A loop that did not begin in thought goes on without: that is a loss, and told.
    loop = any(isinstance(part, ToolResult) for message in messages for part in message.parts)
    return Conversation(
        messages=messages,
        tools=given,
        tool_choice=choice,
        options=draw(_options(choice, rich=rich and not loop)),
        stream=draw(st.booleans()),
    )


def anthropic_conversations():
    """All that Anthropic Messages can say."""
    return conversations(rich=True)


def _choices(given):
    modes = st.sampled_from([ChoiceMode.AUTO, ChoiceMode.REQUIRED, ChoiceMode.NONE])
    named = st.sampled_from([ToolChoice(ChoiceMode.NAMED, tool.name) for tool in given])
    return st.one_of(st.none(), st.builds(ToolChoice, modes), named)


@st.composite
def _options(draw, choice, *, rich):
    parallel = choice is not None and choice.mode is not ChoiceMode.NONE
    forced = choice is not None and choice.mode in {ChoiceMode.REQUIRED, ChoiceMode.NAMED}
    budgets = [None, 0] if forced else [None, 0, 1024, 4000]
    budget = draw(st.sampled_from(budgets)) if rich else None
    warm = st.one_of(st.none(), st.floats(0, 1))
    return Options(
        max_tokens=draw(st.integers(4001, 64000) if budget else st.integers(1, 64000)),
        temperature=None if budget else draw(warm),
        top_p=draw(warm),
        top_k=draw(st.one_of(st.none(), st.integers(1, 500))) if rich else None,
        stop=tuple(text.text for text in draw(st.lists(texts, max_size=4))),
        parallel_tool_calls=draw(st.sampled_from([None, True, False])) if parallel else None,
        response_schema=draw(st.one_of(st.just(b""), schemas)) if rich else b"",
        effort=draw(st.sampled_from(["", "low", "medium", "high"])),
        thinking_tokens=budget,
    )


@st.composite
def _messages(draw, *, rich):
    messages = []
    if draw(st.booleans()):
        messages.append(Message(Role.SYSTEM, (draw(texts),)))
    waiting: list[ToolCall] = []
    for turn in range(draw(st.integers(1, 4))):
        messages.append(draw(_user_turn(waiting, rich=rich)))
        if draw(st.booleans()):
            messages.append(Message(Role.SYSTEM, (draw(texts),)))
        spoken, waiting = draw(_assistant_turn(turn, rich=rich))
        messages.append(Message(Role.ASSISTANT, spoken))
    return messages[:-1] if draw(st.booleans()) else messages


@st.composite
def _user_turn(draw, waiting, *, rich):
    results = tuple(ToolResult(call.id, *draw(_results(rich=rich))) for call in waiting)
    kinds = (texts, images, documents) if rich else (texts, images)
    said = draw(st.lists(st.one_of(*kinds), min_size=0 if results else 1, max_size=3))
    return Message(Role.USER, (*results, *said))


def _results(*, rich):
    """(parts, is_error) of a tool result."""
    if not rich:
        return st.tuples(st.tuples(texts), st.just(value=False))
    parts = st.lists(st.one_of(texts, images, documents), max_size=3).map(tuple)
    return st.tuples(parts, st.booleans())


@st.composite
def _assistant_turn(draw, turn, *, rich):
    """(parts, calls)."""
    thought: list[Part] = draw(st.lists(thinkings, max_size=2)) if rich else []
    text: list[Part] = draw(st.lists(texts, max_size=1))
    many = st.integers(0 if thought or text else 1, 3)
    calls = [draw(_calls(f"call_{turn}_{n}")) for n in range(draw(many))]
    spoken = [*text, *calls]
    return (*thought, *(draw(st.permutations(spoken)) if rich else spoken)), calls


def _calls(call_id):
    return st.builds(ToolCall, st.just(call_id), names, compact_objects)
