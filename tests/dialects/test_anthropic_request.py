"""Requests of Anthropic Messages, read into a conversation."""

import json
from pathlib import Path

import pytest

from halfdoor.canon.events import UNSIGNED
from halfdoor.canon.request import (
    ChoiceMode,
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
from halfdoor.dialects.anthropic_messages import AnthropicMessages
from halfdoor.errors import ClientError

GOLDEN = Path(__file__).parent.parent / "golden" / "anthropic_messages"
DIALECT = AnthropicMessages()


def parse(body):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return DIALECT.conversation(DIALECT.read("/v1/messages", (), "", data))


def heard(**fields):
    return parse({"model": "m", "messages": [], **fields})


def system(*texts):
    return Message(Role.SYSTEM, tuple(map(Text, texts)))


def test_a_coding_tools_turn_is_read_whole():
    said = parse((GOLDEN / "coding_turn" / "request.json").read_bytes())

    assert [message.role.value for message in said.messages] == [
        "system",
        "user",
        "system",
        "assistant",
        "user",
    ]
    assert said.messages[0] == system("You work in a terminal.", "Keep answers short.")
    assert said.messages[2] == system("Agents: none. Skills: none.")
    assert said.messages[3].parts == (
        Thinking("Look first.", signature="c2lnLTE="),
        Thinking("", redacted="Y2lwaGVy"),
        Text("I will look."),
        ToolCall("toolu_01", "Read", '{"file_path": "main.py"}'),
        ToolCall("toolu_02", "Bash", "{}"),
    )
    assert said.messages[4].parts[:3] == (
        ToolResult("toolu_01", (Text("1\tpritn()"), Image("image/png", "aGVsbG8="))),
        ToolResult("toolu_02", (Text("no such file"),), is_error=True),
        Image(url="https://example.test/a.png"),
    )
    assert said.stream


def test_parts_that_only_the_vendor_understands_are_opaque():
    said = parse((GOLDEN / "coding_turn" / "request.json").read_bytes())

    file, document, text = said.messages[4].parts[3:]

    assert isinstance(file, Opaque)
    assert isinstance(document, Opaque)
    assert (file.kind, document.kind, text) == ("image", "document", Text("go on"))
    assert json.loads(file.raw)["source"] == {"type": "file", "file_id": "file_1"}


def test_tools_are_functions_or_the_vendors_own():
    said = parse((GOLDEN / "coding_turn" / "request.json").read_bytes())

    read, bash, search = said.tools

    assert isinstance(read, Tool)
    assert (read.name, read.description, read.strict) == ("Read", "Reads a file.", None)
    assert "$schema" in json.loads(read.schema)
    assert bash == Tool("Bash", schema=b'{"type": "object"}', strict=True)
    assert isinstance(search, ServerTool)
    assert search.kind == "web_search_20250305"


def test_the_billing_line_and_the_device_id_never_enter_a_conversation():
    said = repr(parse((GOLDEN / "coding_turn" / "request.json").read_bytes()))

    assert "billing" not in said
    assert "device_id" not in said


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({"output_config": {"effort": "high"}}, Options(effort="high")),
        ({"output_config": {"effort": None, "format": None}}, Options()),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": {}}}},
            Options(response_schema=b"{}"),
        ),
        ({"thinking": {"type": "adaptive"}}, Options()),
        ({"thinking": {"type": "disabled"}}, Options(thinking_tokens=0)),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, Options(thinking_tokens=2048)),
        ({"stop_sequences": ["a", "b"]}, Options(stop=("a", "b"))),
        (
            {"temperature": 0, "top_p": 0.5, "top_k": 3},
            Options(temperature=0.0, top_p=0.5, top_k=3),
        ),
        ({"max_tokens": 9}, Options(max_tokens=9)),
    ],
)
def test_options_are_read(fields, options):
    assert heard(**fields).options == options


@pytest.mark.parametrize(
    ("choice", "mode"),
    [
        ({"type": "auto"}, ToolChoice(ChoiceMode.AUTO)),
        ({"type": "any"}, ToolChoice(ChoiceMode.REQUIRED)),
        ({"type": "none"}, ToolChoice(ChoiceMode.NONE)),
        ({"type": "tool", "name": "Read"}, ToolChoice(ChoiceMode.NAMED, "Read")),
    ],
)
def test_tool_choices_are_read(choice, mode):
    alone = heard(tool_choice=choice | {"disable_parallel_tool_use": True})

    assert heard(tool_choice=choice).tool_choice == alone.tool_choice == mode
    assert heard(tool_choice=choice).options.parallel_tool_calls is None
    assert alone.options.parallel_tool_calls is False


def test_our_own_seal_on_thinking_is_no_signature():
    block = {"type": "thinking", "thinking": "t", "signature": UNSIGNED}

    said = heard(messages=[{"role": "assistant", "content": [block]}])

    assert said.messages[0].parts == (Thinking("t"),)


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{}]}]}, "messages[0].content[0]"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": 7}]}]},
            "messages[0].content[0].text",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {
                                "type": "tool_result",
                                "tool_use_id": "a",
                                "content": [{"type": "tool_use", "id": "b", "name": "c"}],
                            }
                        ],
                    }
                ]
            },
            "messages[0].content[0].content",
        ),
        ({"tools": [{"description": "nameless"}]}, "tools[0]"),
        ({"tools": [{"type": 7}]}, "tools[0].type"),
        ({"tool_choice": {"type": "some"}}, "tool_choice.type"),
        ({"temperature": "warm"}, "temperature"),
        ({"system": {"text": "x"}}, "system"),
    ],
)
def test_a_wrong_shape_is_refused_at_its_place(fields, where):
    with pytest.raises(ClientError) as refused:
        heard(**fields)

    assert refused.value.where == where
