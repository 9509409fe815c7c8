"""Chat requests ⇄ conversations."""

import json
from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.canon.request import (
    ChoiceMode,
    Conversation,
    Image,
    Message,
    Opaque,
    Options,
    Role,
    ServerTool,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from halfdoor.dialects.openai_chat import OpenAIChat
from halfdoor.dialects.openai_chat.rendering import DEGRADED
from halfdoor.errors import ClientError
from tests.helpers.conversations import anthropic_conversations, conversations

CHAT = OpenAIChat()
PNG = "iVBORw0KGgo="


def said(*messages: Any, **fields: Any) -> Conversation:
    raw = json.dumps({"model": "m", "messages": list(messages), **fields}).encode()
    return CHAT.conversation(CHAT.read("/v1/chat/completions", (), "", raw))


def messages(*sent: Any) -> tuple[Message, ...]:
    return said(*sent).messages


def rendered(*turns: Message, **fields: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    body, lost = CHAT.render(Conversation(turns, **fields), "m")
    assert set(lost) <= DEGRADED
    return json.loads(body), lost


def call(name: str = "ls", arguments: Any = "{}", call_id: str = "c1") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def user(*parts: Any) -> Message:
    return Message(Role.USER, parts)


def result(call_id: str, content: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def tool(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **more}}


# --- reading ---


def test_system_and_developer_messages_stay_where_they_stand():
    got = messages(
        {"role": "system", "content": "a"},
        {"role": "user", "content": "b"},
        {"role": "developer", "content": [{"type": "text", "text": "c"}]},
    )
    assert [message.role for message in got] == [Role.SYSTEM, Role.USER, Role.SYSTEM]
    assert got[2].parts == (Text("c"),)


def test_tool_messages_in_a_row_become_one_user_message_with_what_follows():
    got = messages(
        {"role": "assistant", "tool_calls": [call(call_id="a"), call(call_id="b")]},
        result("a", "1"),
        result("b", [{"type": "text", "text": "2"}]),
        {"role": "user", "content": "go on"},
    )
    assert got[1:] == (
        user(ToolResult("a", (Text("1"),)), ToolResult("b", (Text("2"),)), Text("go on")),
    )


def test_results_before_another_role_are_a_message_of_their_own():
    got = messages(result("a", ""), {"role": "system", "content": "s"}, result("b", "2"))
    assert got[0] == user(ToolResult("a", ()))
    assert got[2] == user(ToolResult("b", (Text("2"),)))


def test_an_assistant_turn_is_thinking_then_text_then_calls():
    turn = {"role": "assistant", "content": "t", "reasoning_content": "r", "tool_calls": [call()]}
    assert messages(turn)[0].parts == (Thinking("r"), Text("t"), ToolCall("c1", "ls", "{}"))


def test_thinking_under_its_other_name_and_refusals_are_heard():
    got = messages({"role": "assistant", "reasoning": "r", "content": None, "refusal": "no"})
    assert got[0].parts == (Thinking("r"), Text("no"))


def test_arguments_of_a_call_are_json_text():
    calls = [call(arguments=""), call(arguments={"a": 1}), call(arguments="{broken")]
    got = messages({"role": "assistant", "tool_calls": calls})[0].parts
    assert [part.arguments for part in got if isinstance(part, ToolCall)] == [
        "{}", '{"a":1}', "{broken",
    ]  # fmt: skip


def test_a_call_to_a_custom_tool_keeps_its_input_and_its_result():
    custom = {"id": "c1", "type": "custom", "custom": {"name": "patch", "input": 'say "x"'}}
    got = messages({"role": "assistant", "tool_calls": [custom]}, result("c1", "ok"))
    assert got[0].parts == (ToolCall("c1", "patch", '{"input":"say \\"x\\""}'),)


def test_images_are_inline_or_by_address_and_unknown_parts_stay_as_bytes():
    file = {"type": "file", "file": {"file_id": "f"}}
    content = [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
        {"type": "text", "text": ""},
        file,
    ]
    assert messages({"role": "user", "content": content})[0].parts == (
        Image(media_type="image/png", data=PNG),
        Image(url="https://x/y.png"),
        Opaque("file", json.dumps(file).encode()),
    )


def test_tools_keep_their_schema_byte_for_byte():
    spec = {"type": "object", "properties": {"p": {"const": 1.50}}}
    got = said(tools=[tool("ls", description="d", parameters=spec, strict=True), tool("x")])
    assert got.tools == (Tool("ls", "d", json.dumps(spec).encode(), strict=True), Tool("x"))


def test_tools_that_only_the_vendor_runs_are_told_apart():
    custom = {"type": "custom", "custom": {"name": "patch"}}
    got = said(tools=[custom], web_search_options={})
    assert [one.kind for one in got.tools if isinstance(one, ServerTool)] == [
        "custom", "web_search_options",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("auto", ToolChoice(ChoiceMode.AUTO)),
        ("none", ToolChoice(ChoiceMode.NONE)),
        ("required", ToolChoice(ChoiceMode.REQUIRED)),
        (tool("ls"), ToolChoice(ChoiceMode.NAMED, "ls")),
        (None, None),
    ],
)
def test_tool_choices(sent, expected):
    assert said(tool_choice=sent, tools=[tool("ls")]).tool_choice == expected


def test_allowed_tools_leave_only_those_tools():
    allowed = {"mode": "required", "tools": [tool("b")]}
    choice = {"type": "allowed_tools", "allowed_tools": allowed}
    got = said(tools=[tool("a"), tool("b")], tool_choice=choice)
    assert got.tools == (Tool("b"),)
    assert got.tool_choice == ToolChoice(ChoiceMode.REQUIRED)


def test_options_are_read():
    schema = {"name": "n", "schema": {"type": "object"}, "strict": True}
    got = said(
        max_tokens=1,
        max_completion_tokens=2,
        temperature=0,
        top_p=0.5,
        stop="END",
        parallel_tool_calls=False,
        reasoning_effort="high",
        response_format={"type": "json_schema", "json_schema": schema},
        stream=True,
    )
    assert got.stream
    assert got.options == Options(
        max_tokens=2,
        temperature=0.0,
        top_p=0.5,
        stop=("END",),
        parallel_tool_calls=False,
        effort="high",
        response_schema=b'{"type": "object"}',
        response_name="n",
        response_strict=True,
    )


def test_any_json_object_is_a_schema_and_comes_back_as_it_was():
    got = said(response_format={"type": "json_object"}, stop=["a", "", "b"])
    assert got.options == Options(stop=("a", "b"), response_schema=b'{"type":"object"}')
    assert rendered(options=got.options)[0]["response_format"] == {"type": "json_object"}


def test_plain_text_unknown_fields_and_identities_are_left_out():
    odd = said(response_format={"type": "text"}, user="u", metadata={"d": 1}, zzz=[1])
    assert odd == said()


@pytest.mark.parametrize(
    ("fields", "where", "code"),
    [
        ({"functions": []}, "functions", "unsupported_field"),
        ({"function_call": "auto"}, "function_call", "unsupported_field"),
        ({"messages": [{"role": "function", "name": "f"}]}, "messages[0]", "unsupported_field"),
        ({"n": 2}, "n", "unsupported_value"),
        ({"messages": [{"role": "bot"}]}, "messages[0].role", "invalid_shape"),
        ({"messages": ["hi"]}, "messages[0]", "invalid_shape"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content", "invalid_shape"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": 7}]}]},
            "messages[0].content[0].text",
            "invalid_shape",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content[0]",
            "invalid_shape",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"id": "x"}]}]},
            "messages[0].tool_calls[0]",
            "invalid_shape",
        ),
        ({"tools": [{"type": "function"}]}, "tools[0]", "invalid_shape"),
        ({"tools": [7]}, "tools[0]", "invalid_shape"),
        ({"tool_choice": "maybe"}, "tool_choice", "invalid_shape"),
        ({"tool_choice": {"type": "custom"}}, "tool_choice", "invalid_shape"),
        ({"temperature": "hot"}, "temperature", "invalid_shape"),
    ],
)
def test_what_cannot_be_translated_says_where_it_stands(fields, where, code):
    raw = json.dumps({"model": "m", "messages": [], **fields}).encode()
    request = CHAT.read("/v1/chat/completions", (), "", raw)
    with pytest.raises(ClientError) as caught:
        CHAT.conversation(request)
    assert (caught.value.where, caught.value.code) == (where, code)


def test_errors_never_repeat_content():
    with pytest.raises(ClientError) as caught:
        said({"role": "AKIAIOSFODNN7EXAMPLE"})
    assert "AKIA" not in str(caught.value)


@pytest.mark.parametrize("text", [b'"\xff"', b'"\\ud800"'])
def test_text_that_is_no_unicode_is_the_callers_error(text):
    raw = b'{"model":"m","messages":[{"role":"user","content":' + text + b"}]}"
    with pytest.raises(ClientError) as caught:
        CHAT.conversation(CHAT.read("/v1/chat/completions", (), "", raw))
    assert caught.value.code == "invalid_json"


# --- rendering ---


def test_results_come_first_and_their_images_move_behind_them():
    turn = user(
        Text("look"), ToolResult("a", (Text("1"), Image(url="u"), Text("2"))), ToolResult("b", ())
    )
    body, lost = rendered(turn)
    assert body["messages"] == [
        result("a", "1\n2"),
        result("b", ""),
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "u"}},
                {"type": "text", "text": "look"},
            ],
        },
    ]
    assert lost == ("tool-result-images",)


def test_text_behind_a_call_moves_before_it():
    body, lost = rendered(Message(Role.ASSISTANT, (ToolCall("c1", "ls", "{}"), Text("t"))))
    assert body["messages"] == [{"role": "assistant", "content": "t", "tool_calls": [call()]}]
    assert lost == ("order",)


def test_results_alone_make_no_empty_user_message():
    body, lost = rendered(user(ToolResult("a", (Text("1"),), is_error=True)))
    assert body["messages"] == [result("a", "1")]
    assert lost == ("tool-error",)


def test_what_chat_cannot_say_is_left_out_and_told_once():
    body, lost = rendered(
        Message(Role.SYSTEM, (Text("s"), Image(url="u"))),
        Message(Role.ASSISTANT, (Thinking("r", "sig"), Text("t"), Thinking("", "", "enc"))),
        user(Opaque("file", b"{}"), ToolResult("a", (Opaque("x", b"{}"),))),
        tools=(ServerTool("web_search", b"{}"),),
        options=Options(top_k=1, thinking_tokens=0),
    )
    assert lost == ("image", "thinking", "opaque-part", "server-tool", "top-k", "thinking-budget")
    assert [turn["content"] for turn in body["messages"]] == ["s", "t", ""]
    assert body.keys() == {"model", "messages"}


def test_a_turn_of_calls_alone_has_null_content():
    body, _ = rendered(Message(Role.ASSISTANT, (ToolCall("a", "ls", "{}"),)))
    assert body["messages"] == [
        {"role": "assistant", "content": None, "tool_calls": [call(call_id="a")]}
    ]


def test_an_emptied_turn_of_a_user_keeps_its_place_and_one_of_an_assistant_goes():
    body, _ = rendered(Message(Role.ASSISTANT, (Thinking("r"),)), user(Opaque("file", b"{}")))
    assert body["messages"] == [{"role": "user", "content": ""}]


def test_what_is_said_about_tools_goes_with_the_tools():
    choice = ToolChoice(ChoiceMode.NAMED, "web_search")
    search = ServerTool("web_search", b"{}")
    options = Options(parallel_tool_calls=False)
    body, lost = rendered(tools=(search,), tool_choice=choice, options=options)
    assert body.keys() == {"model", "messages"}
    assert lost == ("server-tool",)
    body, lost = rendered(tools=(search, Tool("ls")), tool_choice=choice, options=options)
    assert body.keys() == {"model", "messages", "tools", "parallel_tool_calls"}
    assert lost == ("server-tool", "tool-choice")


def test_a_stream_asks_for_counts_and_the_limit_is_max_tokens():
    body, _ = rendered(user(Text("hi")), stream=True, options=Options(max_tokens=3))
    assert body["stream_options"] == {"include_usage": True}
    assert (body["stream"], body["max_tokens"]) == (True, 3)


def test_a_schema_without_a_name_gets_one_and_loses_it_again():
    options = Options(response_schema=b'{"type": "string"}')
    body, _ = rendered(options=options)
    assert body["response_format"]["json_schema"]["name"] == "answer"
    assert said(response_format=body["response_format"]).options == options


# --- the law ---

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
names = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)
text_parts = texts.map(Text)
images = st.builds(
    Image, media_type=st.sampled_from(["image/png", "image/jpeg"]), data=st.just(PNG)
) | st.builds(Image, url=st.just("https://example.org/a.png"))
results = st.builds(ToolResult, names, st.lists(text_parts, max_size=1).map(tuple))
calls = st.builds(ToolCall, names, names, st.sampled_from(["{}", '{"a": [1]}', "{broken"]))
spoken = st.lists(text_parts | images, min_size=1, max_size=3)
systems = st.builds(
    Message, st.just(Role.SYSTEM), st.lists(text_parts, min_size=1, max_size=2).map(tuple)
)
users = st.builds(lambda first, rest: user(*first, *rest), st.lists(results, max_size=2), spoken)
assistants = st.builds(
    lambda text, found: Message(Role.ASSISTANT, (*text, *found)),
    st.lists(text_parts, min_size=1, max_size=2),
    st.lists(calls, max_size=2),
) | st.builds(lambda found: Message(Role.ASSISTANT, tuple(found)), st.lists(calls, min_size=1))
result_turns = st.lists(results, min_size=1, max_size=2).map(lambda found: user(*found))
# Results alone stand before another role only: before a user message they are part of it.
turns = st.one_of(
    systems.map(lambda one: [one]),
    users.map(lambda one: [one]),
    assistants.map(lambda one: [one]),
    st.tuples(result_turns, systems | assistants).map(list),
)
shapes = st.sampled_from(
    [(b"", ""), (b'{"type":"object"}', ""), (b'{"type":"object"}', "n"), (b'{"a": 1.50}', "")]
)
options = st.builds(
    lambda shape, **more: Options(response_schema=shape[0], response_name=shape[1], **more),
    shapes,
    max_tokens=st.none() | st.integers(1, 64000),
    temperature=st.none() | st.floats(0, 2),
    top_p=st.none() | st.floats(0, 1),
    stop=st.lists(texts, max_size=3).map(tuple),
    effort=st.sampled_from(["", "none", "minimal", "low", "medium", "high", "xhigh", "max"]),
)
said_by_chat = st.builds(
    Conversation,
    messages=st.lists(turns, max_size=5).map(lambda found: tuple(chain.from_iterable(found))),
    options=options,
    stream=st.booleans(),
)


@settings(max_examples=200, deadline=None)
@given(conversations() | said_by_chat)
def test_what_is_rendered_reads_the_same(conversation):
    body, lost = CHAT.render(conversation, "m")
    request = CHAT.read("/v1/chat/completions", (), "", body)
    assert (CHAT.conversation(request), lost) == (conversation, ())
    assert (request.model, request.stream) == ("m", conversation.stream)


@settings(max_examples=150, deadline=None)
@given(anthropic_conversations())
def test_whatever_another_dialect_says_can_be_rendered_and_read(conversation):
    body, lost = CHAT.render(conversation, "m")
    again = CHAT.conversation(CHAT.read("/v1/chat/completions", (), "", body))
    assert set(lost) <= DEGRADED
    assert CHAT.render(again, "m") == (body, ())
