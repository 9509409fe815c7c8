"""Each notation as its models write it, and texts that only speak of calls."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfdoor.reading.leaked import Offered, leaked, suspect

READ = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "lines": {"type": "integer"}},
    "required": ["path"],
}
OFFERED: Offered = {"Read": READ, "get_weather": {}, "repo.find": {"type": "object"}}
ONE = [("Read", {"path": "a.py", "lines": 3})]
JSON = '{"name": "Read", "arguments": {"path": "a.py", "lines": 3}}'
ARGS = '{"path": "a.py", "lines": 3}'
# DeepSeek's own letters.
B, S = "\uff5c", "\u2581"


def deep(word):
    return f"<{B}tool{S}{word.replace(' ', S)}{B}>"


LEAKS = {
    "hermes": f"<tool_call>\n{JSON}\n</tool_call>",
    "hermes, its end a token": f"<tool_call>\n{JSON}\n",
    "granite": f"<tool_call>[{JSON}]",
    "parameters": '<tool_call>{"name": "Read", "parameters": ' + ARGS + "}</tool_call>",
    "arguments as text": json.dumps({"name": "Read", "arguments": ARGS}).join(["<tool_call>", "</tool_call>"]),
    "qwen coder": "<tool_call>\n<function=Read>\n<parameter=path>\na.py\n</parameter>\n"
    "<parameter=lines>\n3\n</parameter>\n</function>\n</tool_call>",
    "qwen coder, no frame": "<function=Read>\n<parameter=path>a.py</parameter>\n"
    "<parameter=lines>3</parameter>\n</function>",
    "llama": f"<function=Read>{ARGS}</function>",
    "glm": "<tool_call>Read\n<arg_key>path</arg_key>\n<arg_value>a.py</arg_value>\n"
    "<arg_key>lines</arg_key>\n<arg_value>3</arg_value>\n</tool_call>",
    "mistral": f"[TOOL_CALLS][{JSON}]",
    "mistral since 11": f"[TOOL_CALLS]Read[ARGS]{ARGS}",
    "mistral with an id": f"[TOOL_CALLS]Read[CALL_ID]abc123DEF[ARGS]{ARGS}",
    "deepseek 3": deep("calls begin") + deep("call begin") + "function" + deep("sep")
    + f"Read\n```json\n{ARGS}\n```" + deep("call end") + deep("calls end"),
    "deepseek 3.1": deep("calls begin") + deep("call begin") + "Read" + deep("sep") + ARGS
    + deep("call end") + deep("calls end"),
    "gpt-oss": f"<|channel|>commentary to=functions.Read <|constrain|>json<|message|>{ARGS}<|call|>",
    "gpt-oss, in the role": "<|start|>assistant to=functions.Read<|channel|>commentary json"
    f"<|message|>{ARGS}",
    "kimi": "<|tool_calls_section_begin|><|tool_call_begin|>functions.Read:0"
    f"<|tool_call_argument_begin|>{ARGS}<|tool_call_end|><|tool_calls_section_end|>",
    "llama 3": f'<|python_tag|>{{"name": "Read", "parameters": {ARGS}}}',
    "phi": f"<|tool_call|>[{JSON}]<|/tool_call|>",
    "json in a fence": f"```json\n{JSON}\n```",
    "json in a fence of its own": f"```tool_call\n{JSON}\n```\n",
    "bare json": JSON,
    "bare list": f"[{JSON}]",
    "as the API has it": '{"type": "function", "function": ' + JSON + "}",
}  # fmt: skip
TALK = {
    "prose about it": "Models write `<tool_call>{...}</tool_call>` around their calls.",
    "an example in a fence": f"Like this:\n```\n<tool_call>\n{JSON}\n</tool_call>\n```",
    "a fence that stays open": f"Like this:\n```\n<tool_call>\n{JSON}\n</tool_call>",
    "more text behind it": f"<tool_call>\n{JSON}\n</tool_call>\nThat would read the file.",
    "within a line": f"It wrote <tool_call>{JSON}</tool_call>",
    "text between two": f"<tool_call>{JSON}</tool_call> and <tool_call>{JSON}</tool_call>",
    "no such tool": JSON.replace("Read", "Write").join(["<tool_call>", "</tool_call>"]),
    "one of two unknown": f"<tool_call>{JSON}</tool_call><tool_call>{JSON.replace('Read', 'X')}</tool_call>",
    "arguments are no object": '<tool_call>{"name": "Read", "arguments": [1]}</tool_call>',
    "half a call": '<tool_call>{"name": "Read", "arguments": {"path": "a',
    "more members": '{"name": "Read", "arguments": {"path": "a"}, "version": "1.0"}',
    "no arguments": '{"name": "Read"}',
    "what is required is missing": '{"name": "Read", "arguments": {"lines": 3}}',
    "an argument nobody knows": '{"name": "Read", "arguments": {"path": "a", "mode": "x"}}',
    "json after prose": f"The request is\n{JSON}",
    "fenced json after prose": f"The request is\n```json\n{JSON}\n```",
    "an object of a file": '{"name": "my-package", "version": "1.0.0"}',
    "half a character": '<tool_call>{"name": "Read", "arguments": {"path": "\\ud800"}}</tool_call>',
    "a number that is none": '<tool_call>{"name": "Read", "arguments": {"lines": NaN}}</tool_call>',
    "endless": "<tool_call>" + "[" * 100_000,
    "nothing": "",
}  # fmt: skip


def told(found):
    return [(call.name, json.loads(call.arguments)) for call in found.calls]


@pytest.mark.parametrize("notation", LEAKS)
def test_a_call_left_in_the_text_is_found(notation):
    found = leaked(LEAKS[notation], OFFERED)
    assert found is not None
    assert (told(found), found.at) == (ONE, 0)


@pytest.mark.parametrize("notation", LEAKS)
def test_prose_before_it_stays_prose_unless_it_is_plain_json(notation):
    prose = "I read the file first. ✓\n\n"
    found = leaked(prose + LEAKS[notation], OFFERED)
    if "json" in notation or notation in {"bare list", "as the API has it"}:
        assert found is None
    else:
        assert found is not None
        assert (told(found), found.at) == (ONE, len(prose))


@pytest.mark.parametrize("kind", TALK)
def test_a_text_that_speaks_of_calls_stays_text(kind):
    assert leaked(TALK[kind], OFFERED) is None


@pytest.mark.parametrize("notation", LEAKS)
def test_without_its_tool_nothing_is_found(notation):
    assert leaked(LEAKS[notation], {"get_weather": {}}) is None


def test_several_calls_are_found_in_order():
    two = LEAKS["hermes"] + "\n" + LEAKS["qwen coder"] + "\n"
    assert told(leaked(two, OFFERED)) == ONE * 2
    both = f"[{JSON}, {{}}]".replace("{}", '{"name": "get_weather", "arguments": {}}')
    assert told(leaked(f"[TOOL_CALLS]{both}", OFFERED)) == [*ONE, ("get_weather", {})]
    assert told(leaked(f"{JSON}; {JSON}", OFFERED)) == ONE * 2


def test_letters_between_tags_are_what_the_schema_says():
    text = "<function=Read>\n<parameter=path>\n3\n</parameter>\n<parameter=lines>\n3\n</parameter></function>"
    assert told(leaked(text, OFFERED)) == [("Read", {"path": "3", "lines": 3})]
    more = "<function=Read>\n<parameter=path>\n  a\n\nb\n</parameter>\n</function>"
    assert told(leaked(more, OFFERED)) == [("Read", {"path": "  a\n\nb"})]


def test_line_feeds_that_a_model_wrote_into_a_string_are_read():
    text = '<tool_call>{"name": "Read", "arguments": {"path": "a\nb"}}</tool_call>'
    assert told(leaked(text, OFFERED)) == [("Read", {"path": "a\nb"})]


@pytest.mark.parametrize("notation", LEAKS)
def test_a_beginning_is_suspected_from_its_first_letter_on(notation):
    text = LEAKS[notation]
    for size in range(1, len(text)):
        at, begun = suspect(text[:size], first=True, fenced=False)
        assert at == 0
        assert begun or size < 60


@given(st.text(alphabet="<>[]{}`|/= \nabctol_\"':", max_size=60))
def test_no_text_is_an_accident(text):
    leaked(text, OFFERED)
    at, _ = suspect(text, first=False, fenced=False)
    assert 0 <= at <= len(text)


@pytest.mark.parametrize(
    "text",
    ["plain prose", "a < b", "x = [1]\n", "<tool>", "see <tool_call>", "```json\n{", "[TOOLS]"],
)
def test_prose_is_not_held_back(text):
    assert suspect(text, first=False, fenced=False) == (len(text), False)
