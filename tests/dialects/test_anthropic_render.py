"""Conversations written as requests of Anthropic Messages."""

import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from halfdoor.canon.events import UNSIGNED
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
from halfdoor.dialects.anthropic_messages import AnthropicMessages
from halfdoor.dialects.anthropic_messages.render import DEFAULT_MAX_TOKENS, DEGRADED
from tests.helpers.conversations import anthropic_conversations, conversations
from tests.helpers.vendor_messages import MessagesVendor

DIALECT = AnthropicMessages()


def parse(body):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return DIALECT.conversation(DIALECT.read("/v1/messages", (), "", data))


def rendered(*messages, **fields):
    body, degraded = DIALECT.render(Conversation(messages, **fields), "claude-test-1")
    assert set(degraded) <= DEGRADED
    return json.loads(body), degraded


def user(*parts):
    return Message(Role.USER, parts or (Text("hi"),))


def assistant(*parts):
    return Message(Role.ASSISTANT, parts)


def system(*texts):
    return Message(Role.SYSTEM, tuple(map(Text, texts)))


def call(call_id="c1", arguments="{}"):
    return ToolCall(call_id, "Read", arguments)


def result(call_id="c1", *parts):
    return ToolResult(call_id, parts or (Text("ok"),))


@st.composite
def disordered(draw):
    """Turns as a careless tool sends them: every part a message of its own, a turn's in any order."""
    said = draw(conversations())
    messages: list[Message] = []
    for message in said.messages:
        pieces = [Message(message.role, (part,)) for part in message.parts]
        mixed = message.role is Role.USER
        messages += draw(st.permutations(pieces)) if mixed else pieces
    return Conversation(tuple(messages), said.tools, said.tool_choice, said.options, said.stream)


@settings(max_examples=150, deadline=None)
@given(st.one_of(conversations(), anthropic_conversations()))
def test_what_is_rendered_is_read_back(conversation):
    body, degraded = DIALECT.render(conversation, "m")

    assert degraded == ()
    assert parse(body) == conversation


@settings(max_examples=150, deadline=None)
@given(disordered())
def test_the_vendor_takes_what_careless_tools_said(conversation):
    assume(conversation.messages[-1].role is not Role.ASSISTANT)

    body, degraded = DIALECT.render(conversation, "m")

    heard = MessagesVendor({}, open_fields=False).hear(
        json.loads(body), dict(DIALECT.outbound_headers(None))
    )
    assert degraded == ()
    said = [part for message in conversation.messages for part in message.parts]
    assert len(heard.calls) == sum(isinstance(part, ToolCall) for part in said)
    assert len(heard.images) == sum(isinstance(part, Image) for part in said)


def test_a_plain_question_is_rendered_in_the_short_form():
    body, degraded = rendered(system("brief"), user(), options=Options(max_tokens=5), stream=True)

    assert degraded == ()
    assert body == {
        "model": "claude-test-1",
        "max_tokens": 5,
        "system": "brief",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
    }


def test_an_answers_limit_is_always_stated():
    assert rendered(user())[0]["max_tokens"] == DEFAULT_MAX_TOKENS


def test_leading_system_messages_lead_and_later_ones_keep_their_place():
    body, _ = rendered(system("a"), system("b"), user(), system("c"), assistant(Text("d")))

    assert [block["text"] for block in body["system"]] == ["a", "b"]
    assert [message["role"] for message in body["messages"]] == ["user", "system", "assistant"]


def test_results_stand_first_in_the_turn_right_after_their_calls():
    body, _ = rendered(
        user(),
        assistant(call("a"), call("b")),
        system("note"),
        user(Text("and"), result("b")),
        user(result("a"), Text("more")),
    )

    roles = [message["role"] for message in body["messages"]]
    assert roles == ["user", "assistant", "user", "system", "user"]
    assert [block["tool_use_id"] for block in body["messages"][2]["content"]] == ["b", "a"]
    assert [block["text"] for block in body["messages"][4]["content"]] == ["and", "more"]


def test_neighbours_of_one_role_become_one_turn():
    body, _ = rendered(user(Text("a")), user(Text("b")), assistant(Text("c")), assistant(Text("d")))

    assert [len(message["content"]) for message in body["messages"]] == [2, 2]


def test_blank_text_is_left_out():
    body, _ = rendered(system(""), user(Text(""), Text("a"), Text(" \n")), assistant(Text("")))

    assert "system" not in body
    assert body["messages"] == [{"role": "user", "content": "a"}]


def test_ids_that_the_vendor_refuses_are_renamed_alike_in_call_and_result():
    turn = (user(), assistant(call("a|b:c" * 20)), user(result("a|b:c" * 20)))

    body, _ = rendered(*turn)

    used = body["messages"][1]["content"][0]["id"]
    assert used == body["messages"][2]["content"][0]["tool_use_id"]
    assert used.replace("_", "").isalnum()
    assert len(used) <= 64


def test_ids_used_again_are_renamed_and_a_longer_turn_keeps_its_prefix():
    turn = (user(), assistant(call("0")), user(result("0")))

    short, long = rendered(*turn)[0], rendered(*turn, assistant(call("0")), user(result("0")))[0]

    assert long["messages"][:3] == short["messages"]
    assert short["messages"][1]["content"][0]["id"] == "0"
    again = long["messages"][3]["content"][0]["id"]
    assert again == long["messages"][4]["content"][0]["tool_use_id"] != "0"


def test_a_conversation_that_the_vendor_would_not_open_gets_an_opening():
    for messages in ([assistant(Text("welcome"))], [system("only")], []):
        body, degraded = rendered(*messages)

        assert degraded == ("opening-turn",)
        assert body["messages"][0] == {"role": "user", "content": "(start)"}


def test_thinking_without_a_vendors_seal_stays_here():
    body, degraded = rendered(user(), assistant(Thinking("a"), Thinking("b", UNSIGNED), Text("c")))

    assert degraded == ("thinking",)
    assert body["messages"][1] == {"role": "assistant", "content": "c"}


def test_what_only_another_vendor_understands_is_reported():
    body, degraded = rendered(
        user(Text("a"), Opaque("input_audio", b"{}"), Image()),
        tools=(ServerTool("web_search", b"{}"),),
        tool_choice=ToolChoice(ChoiceMode.AUTO),
    )

    assert degraded == ("image", "opaque-part", "server-tool")
    assert body["messages"] == [{"role": "user", "content": "a"}]
    assert "tools" not in body
    assert "tool_choice" not in body


def test_a_system_message_holds_nothing_but_text():
    body, degraded = rendered(
        Message(Role.SYSTEM, (Image(url="u"), Text("a"))), user(), Message(Role.SYSTEM, (call(),))
    )

    assert degraded == ("opaque-part",)
    assert (body["system"], len(body["messages"])) == ("a", 1)


@pytest.mark.parametrize("arguments", ['{"a":', "[1]", '"text"', "\ufffd"])
def test_broken_arguments_reach_the_model_as_its_own_words(arguments):
    body, degraded = rendered(user(), assistant(call(arguments=arguments)))

    assert degraded == ("tool-arguments",)
    assert body["messages"][1]["content"][0]["input"] == {"malformed_arguments": arguments}


def test_no_arguments_are_an_empty_object():
    assert (
        rendered(user(), assistant(call(arguments="")))[0]["messages"][1]["content"][0]["input"]
        == {}
    )


@pytest.mark.parametrize("schema", [b"", b"{}", b'{"properties":{}}', b'{"type":"null"}'])
def test_every_schema_describes_an_object(schema):
    body, _ = rendered(user(), tools=(Tool("Read", schema=schema),))

    assert body["tools"][0]["input_schema"]["type"] == "object"


def test_one_call_at_a_time_is_asked_for_in_the_tool_choice():
    body, _ = rendered(user(), tools=(Tool("a"),), options=Options(parallel_tool_calls=False))

    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}


def test_a_choice_of_a_tool_that_is_not_there_is_dropped():
    body, degraded = rendered(
        user(), tools=(Tool("a"),), tool_choice=ToolChoice(ChoiceMode.NAMED, "b")
    )

    assert ("tool_choice" in body, degraded) == (False, ("tool-choice",))


@pytest.mark.parametrize(
    ("options", "fields", "degraded"),
    [
        (Options(temperature=1.7), {"temperature": 1.0}, ("temperature",)),
        (Options(effort="minimal"), {"output_config": {"effort": "low"}}, ()),
        (Options(effort="heroic"), {}, ("effort",)),
        (Options(stop=("\n", "x")), {"stop_sequences": ["x"]}, ("stop-sequence",)),
        (Options(max_tokens=900, thinking_tokens=500), {"max_tokens": 900}, ("thinking",)),
        (
            Options(thinking_tokens=500),
            {"thinking": {"type": "enabled", "budget_tokens": 1024}},
            (),
        ),
        (
            Options(max_tokens=2000, thinking_tokens=9000, temperature=0.5),
            {"max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 1999}},
            ("temperature",),
        ),
    ],
)
def test_options_are_fitted_to_what_the_vendor_takes(options, fields, degraded):
    body, lost = rendered(user(), options=options)

    plain = {"model": "claude-test-1", "max_tokens": DEFAULT_MAX_TOKENS}
    assert body == plain | {"messages": [{"role": "user", "content": "hi"}]} | fields
    assert lost == degraded


def test_thinking_gives_way_to_a_forced_tool():
    body, degraded = rendered(
        user(),
        tools=(Tool("a"),),
        tool_choice=ToolChoice(ChoiceMode.REQUIRED),
        options=Options(thinking_tokens=2000),
    )

    assert ("thinking" in body, degraded) == (False, ("thinking",))
