"""Where text can stand in a request: each place in both dialects unless one has none of it."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.helpers import asks
from tests.helpers.asks import Ask

BOTH: Final = frozenset(asks.DIALECTS)
CHAT: Final = frozenset({"openai_chat"})
MESSAGES: Final = frozenset({"anthropic_messages"})

Plant = Callable[[Ask, str], None]


@dataclass(frozen=True, slots=True)
class Place:
    """dialects: that have it. flat: takes one line of plain characters. depth: encodings around it.

    twin: harmless text there reaches the cloud. dropped: what stands there goes no further, or not
    as it came, so the rest of a request whose text is not recognised may leave without it.
    """

    name: str
    plant: Plant
    dialects: frozenset[str] = BOTH
    flat: bool = False
    depth: int = 0
    twin: bool = True
    dropped: bool = False


def _parts(ask: Ask, *parts: dict[str, Any]) -> None:
    """A user's message of parts, as the newest."""
    ask.body["messages"].append({"role": "user", "content": list(parts)})


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def result_of(ask: Ask, name: str, arguments: dict[str, Any], text: str, **more: Any) -> None:
    """A call and its result, as the newest turns. more: members of the result."""
    number = len(ask.body["messages"])
    if ask.chat:
        call = {"name": name, "arguments": json.dumps(arguments)}
        called = {"id": f"call_x{number}", "type": "function", "function": call}
        ask.body["messages"] += [
            {"role": "assistant", "content": None, "tool_calls": [called]},
            {"role": "tool", "tool_call_id": f"call_x{number}", "content": text},
        ]
        return
    use = {"type": "tool_use", "id": f"toolu_x{number}", "name": name, "input": arguments}
    result = {"type": "tool_result", "tool_use_id": f"toolu_x{number}", "content": text, **more}
    ask.body["messages"] += [
        {"role": "assistant", "content": [use]},
        {"role": "user", "content": [result]},
    ]


def users_text(ask: Ask, text: str) -> None:
    ask.body["messages"][0]["content"] += f"\nIt says {text}, I think."


def users_parts(ask: Ask, text: str) -> None:
    _parts(ask, _text("Look at this."), _text(f"It says {text}, I think."))


def system_string(ask: Ask, text: str) -> None:
    ask.body["system"] = f"You help.\n{text}\nBe brief."


def late_system_message(ask: Ask, text: str) -> None:
    ask.body["messages"].append({"role": "system", "content": f"Remember: {text}"})


def developer_message(ask: Ask, text: str) -> None:
    ask.body["messages"].insert(0, {"role": "developer", "content": f"Remember: {text}"})


def what_the_model_said(ask: Ask, text: str) -> None:
    said = f"I found this: {text}"
    ask.body["messages"] += [
        {"role": "assistant", "content": said},
        {"role": "user", "content": "Go on."},
    ]


def thinking(ask: Ask, text: str) -> None:
    if ask.chat:
        turn: dict[str, Any] = {
            "role": "assistant",
            "content": "Yes.",
            "reasoning_content": f"So {text} is it.",
        }
    else:
        thought = {"type": "thinking", "thinking": f"So {text} is it.", "signature": "c2VhbA=="}
        turn = {"role": "assistant", "content": [thought, _text("Yes.")]}
    ask.body["messages"] += [turn, {"role": "user", "content": "Go on."}]


def cat_of_a_file(ask: Ask, text: str) -> None:
    result_of(ask, "Bash", {"command": "cat deploy/settings.env"}, f"region=eu\n{text}\n")


def grep(ask: Ask, text: str) -> None:
    result_of(ask, "Grep", {"pattern": "access"}, f"deploy/settings.env:12:access = {text}\n")


def mcp_result(ask: Ask, text: str) -> None:
    rows = json.dumps([{"id": 1, "note": "x"}]) if ask.chat else "1 row"
    result_of(ask, "mcp__db__query", {"sql": "select * from t"}, f"{rows}\n{text}")


def failed_result(ask: Ask, text: str) -> None:
    result_of(ask, "Bash", {"command": "deploy"}, f"fatal: {text}", is_error=True)


def result_of_parts(ask: Ask, text: str) -> None:
    result_of(ask, "Bash", {"command": "env"}, "")
    ask.body["messages"][-1]["content"][0]["content"] = [_text("a=1"), _text(text)]


def search_result(ask: Ask, text: str) -> None:
    found = {"type": "search_result", "source": "wiki", "title": "t", "content": [_text(text)]}
    _parts(ask, found)


def schema_default(ask: Ask, text: str) -> None:
    _property(ask, {"type": "string", "default": text})


def schema_description(ask: Ask, text: str) -> None:
    _property(ask, {"type": "string", "description": f"such as {text}"})


def schema_pattern(ask: Ask, text: str) -> None:
    _property(ask, {"type": "string", "pattern": f"^({text})$"})


def _property(ask: Ask, schema: dict[str, Any]) -> None:
    ask.schema["properties"] = {**ask.schema["properties"], "account": schema}


def tools_name(ask: Ask, text: str) -> None:
    ask.tool["name"] = f"get:{text}"


def chosen_tools_name(ask: Ask, text: str) -> None:
    named = {"type": "function", "function": {"name": text}}
    ask.body["tool_choice"] = named if ask.chat else {"type": "tool", "name": text}


def stop_sequence(ask: Ask, text: str) -> None:
    ask.body["stop" if ask.chat else "stop_sequences"] = ["END", text]


def call_id(ask: Ask, text: str) -> None:
    if ask.chat:
        ask.body["messages"][2]["tool_calls"][0]["id"] = f"call:{text}"
        ask.body["messages"][3]["tool_call_id"] = f"call:{text}"
    else:
        ask.body["messages"][1]["content"][1]["id"] = f"toolu:{text}"
        ask.body["messages"][2]["content"][0]["tool_use_id"] = f"toolu:{text}"


def called_name(ask: Ask, text: str) -> None:
    result_of(ask, f"get:{text}", {"a": 1}, "done")


def remote_images_address(ask: Ask, text: str) -> None:
    url = f"https://images.example/{text}.png"
    if ask.chat:
        _parts(ask, {"type": "image_url", "image_url": {"url": url}})
    else:
        _parts(ask, {"type": "image", "source": {"type": "url", "url": url}})


def text_document(ask: Ask, text: str) -> None:
    source = {"type": "text", "media_type": "text/plain", "data": f"notes\n{text}\n"}
    _parts(ask, {"type": "document", "source": source, "title": "notes"})


def encoded_text_document(ask: Ask, text: str) -> None:
    data = base64.b64encode(f"notes\n{text}\n".encode()).decode()
    source = {"type": "base64", "media_type": "text/plain", "data": data}
    _parts(ask, {"type": "document", "source": source})


def documents_title(ask: Ask, text: str) -> None:
    source = {"type": "text", "media_type": "text/plain", "data": "notes"}
    _parts(ask, {"type": "document", "source": source, "title": text, "context": "c"})


def answers_schema(ask: Ask, text: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "const": text}}}
    if ask.chat:
        shape = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
        ask.body["response_format"] = shape
    else:
        ask.body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}


def users_name(ask: Ask, text: str) -> None:
    ask.body["user"] = f"someone {text}"


def speakers_name(ask: Ask, text: str) -> None:
    ask.body["messages"][1]["name"] = f"dev_{text}"


def prediction(ask: Ask, text: str) -> None:
    ask.body["prediction"] = {"type": "content", "content": f"x = 1\n{text}\n"}


def servers_tool(ask: Ask, text: str) -> None:
    tool = {"type": "web_search_20250305", "name": "web_search", "allowed_domains": [text]}
    ask.body["tools"].append(tool)


def headers_name(ask: Ask, text: str) -> None:
    ask.headers[f"{'x-stainless' if ask.chat else 'anthropic'}-{text}"] = "1"


def passed_header(ask: Ask, text: str) -> None:
    for name in ("user-agent", "anthropic-beta", "x-claude-code-session-id", "idempotency-key"):
        ask.headers[name] = f"of {text}"


def asked_model(ask: Ask, text: str) -> None:
    ask.body["model"] = f"{ask.body['model']}:{text}"


def deep_call_arguments(ask: Ask, text: str) -> None:
    edits = [{"old": "a", "new": {"lines": ["x", f"y = {text}"]}}]
    result_of(ask, "Edit", {"file_path": "/w/a.py", "edits": edits}, "done")


def _moved(place: str, plant: Plant, **more: Any) -> Place:
    return Place(place.removeprefix("in_").replace("_", " "), plant, **more)


PLACES: Final = (
    *(
        _moved(name, plant, flat=name in {"in_a_header", "in_the_query"},
               depth=int(name == "in_the_query"))
        for name, plant in asks.PLACES.items()
        if name not in {"in_base64", "in_escapes", "in_a_tool_calls_arguments"}
    ),
    Place("call's arguments", asks.in_a_tool_calls_arguments, MESSAGES),
    Place("call's arguments as text", asks.in_a_tool_calls_arguments, CHAT, depth=1),
    Place("call's deep arguments", deep_call_arguments, MESSAGES),
    Place("call's deep arguments as text", deep_call_arguments, CHAT, depth=1),
    Place("user's text", users_text),
    Place("user's parts", users_parts),
    Place("system string", system_string, MESSAGES),
    Place("late system message", late_system_message),
    Place("developer message", developer_message, CHAT),
    Place("what the model said", what_the_model_said),
    Place("thinking", thinking),
    Place("cat of a file", cat_of_a_file),
    Place("grep", grep),
    Place("MCP result", mcp_result),
    Place("failed result", failed_result),
    Place("result of parts", result_of_parts, MESSAGES),
    Place("search result", search_result, MESSAGES),
    Place("schema's default", schema_default),
    Place("schema's description", schema_description),
    Place("schema's pattern", schema_pattern),
    Place("tool's name", tools_name, twin=False),
    Place("called tool's name", called_name, twin=False),
    Place("chosen tool's name", chosen_tools_name, twin=False),
    Place("stop sequence", stop_sequence),
    Place("call's id", call_id, twin=False),
    Place("remote image's address", remote_images_address, flat=True),
    Place("text document", text_document, MESSAGES),
    Place("text document in base64", encoded_text_document, MESSAGES, depth=1),
    Place("document's title", documents_title, MESSAGES),
    Place("answer's schema", answers_schema),
    Place("user's name", users_name),
    Place("speaker's name", speakers_name, CHAT),
    Place("prediction", prediction, CHAT),
    Place("vendor's own tool", servers_tool, MESSAGES),
    Place("header's name", headers_name, flat=True, twin=False, dropped=True),
    Place("header that is passed on", passed_header, flat=True),
    Place("asked model", asked_model, twin=False, dropped=True),
)  # fmt: skip
