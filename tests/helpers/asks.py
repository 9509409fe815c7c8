"""An agent's request on its way, and the places in it where a key can stand; both dialects."""

import base64
import itertools
import json
import urllib.parse
from collections.abc import Callable
from typing import Any

from tests.helpers.sources import chat_body, messages_body, sources

DIALECTS = {"openai_chat": "/v1/chat/completions", "anthropic_messages": "/v1/messages"}
# A character that nobody writes.
ESCAPED = "\ue0e5"


IDS = itertools.count()


class Ask:
    """One request on its way: its body, extra headers and query. tools: how many it offers."""

    def __init__(
        self,
        dialect: str,
        asked: str,
        *,
        stream: bool = False,
        file_bytes: int = 3000,
        tools: int | None = None,
    ) -> None:
        make = chat_body if dialect == "openai_chat" else messages_body
        self.dialect = dialect
        self.body: dict[str, Any] = make(asked, sources(file_bytes)) | {"stream": stream}
        self.body["tools"] = self.body["tools"][:tools]
        self.headers = {"authorization": "Bearer sk-unused", "content-type": "application/json"}
        self.query = ""
        self.begin()

    def begin(self) -> None:
        """A session of its own, as the ids of real calls would tell: these are made up."""
        told = dict.fromkeys(("x-session-id", "x-claude-code-session-id"), f"s{next(IDS)}")
        self.headers = self.headers | told

    def target(self, root: str) -> str:
        return f"{root}{DIALECTS[self.dialect]}{self.query}"

    def content(self) -> dict[str, Any]:
        headers = {"anthropic-version": "2023-06-01"} | self.headers
        return {"content": written(self), "headers": headers}

    @property
    def chat(self) -> bool:
        return self.dialect == "openai_chat"

    @property
    def tool(self) -> dict[str, Any]:
        first: dict[str, Any] = self.body["tools"][0]
        return first["function"] if self.chat else first

    @property
    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = self.tool["parameters" if self.chat else "input_schema"]
        return schema


def in_a_tool_result(ask: Ask, key: str) -> None:
    last = ask.body["messages"][-1]
    if ask.chat:
        last["content"] += f"\naccess = {key}\n"
    else:
        last["content"][0]["content"][0]["text"] += f"\naccess = {key}\n"


def in_a_system_block(ask: Ask, key: str) -> None:
    if ask.chat:
        ask.body["messages"][0]["content"] += f"\nUse {key} to sign in."
    else:
        ask.body["system"][1]["text"] += f"\nUse {key} to sign in."


def in_a_tools_description(ask: Ask, key: str) -> None:
    ask.tool["description"] += f" Sign in with {key} first."


def in_a_schemas_property_name(ask: Ask, key: str) -> None:
    ask.schema["properties"] = {**ask.schema["properties"], key: {"type": "string"}}


def in_a_schemas_enum(ask: Ask, key: str) -> None:
    ask.schema["properties"] = {**ask.schema["properties"], "account": {"enum": ["none", key]}}


def in_metadata(ask: Ask, key: str) -> None:
    ask.body["metadata"] = {"user_id": f"someone {key}"}


def in_an_unknown_field(ask: Ask, key: str) -> None:
    ask.body["x_trace"] = key


def in_an_unknown_nested_field(ask: Ask, key: str) -> None:
    ask.body["messages"][1]["x_deep"] = [{"er": [1, {"still": key}]}]


def in_an_object_key(ask: Ask, key: str) -> None:
    ask.body["x_counts"] = {key: 3}


def in_a_header(ask: Ask, key: str) -> None:
    ask.headers["x-note"] = f"from {key}"
    ask.headers["anthropic-note"] = f"from {key}"


def in_the_query(ask: Ask, key: str) -> None:
    ask.query = "?beta=true&note=" + urllib.parse.quote(key, safe="")


def in_a_tool_calls_arguments(ask: Ask, key: str) -> None:
    if ask.chat:
        call = ask.body["messages"][2]["tool_calls"][0]["function"]
        call["arguments"] = json.dumps({"file_path": "/a", "env": f'KEY="{key}"'})
    else:
        ask.body["messages"][1]["content"][1]["input"] = {"file_path": "/a", "env": [f'"{key}"']}


def in_base64(ask: Ask, key: str) -> None:
    hidden = base64.b64encode(f"access = {key}\n".encode()).decode()
    in_a_tool_result(ask, hidden)


def in_escapes(ask: Ask, key: str) -> None:
    """The body is written with every letter of the key escaped, see `written`."""
    in_a_tool_result(ask, ESCAPED + key + ESCAPED)


PLACES: dict[str, Callable[[Ask, str], None]] = {
    plant.__name__: plant
    for plant in (
        in_a_tool_result,
        in_a_system_block,
        in_a_tools_description,
        in_a_schemas_property_name,
        in_a_schemas_enum,
        in_metadata,
        in_an_unknown_field,
        in_an_unknown_nested_field,
        in_an_object_key,
        in_a_header,
        in_the_query,
        in_a_tool_calls_arguments,
        in_base64,
        in_escapes,
    )
}


def written(ask: Ask) -> bytes:
    """JSON; what stands between two `ESCAPED` is written as \\u escapes."""
    plain, *rest = json.dumps(ask.body).split(json.dumps(ESCAPED)[1:-1])
    for i, piece in enumerate(rest):
        plain += "".join(f"\\u{ord(c):04x}" for c in piece) if i % 2 == 0 else piece
    return plain.encode()
