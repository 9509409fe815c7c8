"""Requests of the other endpoints, each with text wherever it can stand; a place is a string of one."""

import base64
import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.helpers.asks import IDS
from tests.helpers.pictures import PNG_DATA

# Strings that say what something is; another word there is another request.
FIXED: Final = frozenset({"type", "role", "model", "syntax", "encoding_format", "effort"})
# Names that two places must share, or that a vendor keeps to its own letters.
NAMED: Final = frozenset({
    "call_id", "encrypted_content", "id", "keep_alive", "name", "tool_call_id", "tool_name", "tool_use_id",
})  # fmt: skip
# What the hunt's vendor takes for its own seal.
SEAL: Final = "of the vendor's own"

Path = tuple[str | int, ...]

SCHEMA: Final = {
    "type": "object",
    "properties": {"path": {"type": "string", "description": "Where it is."}},
    "additionalProperties": False,
    "required": ["path"],
}
ANSWER: Final = {
    "type": "object",
    "properties": {"kind": {"type": "string", "enum": ["none", "some"]}},
    "required": ["kind"],
    "additionalProperties": False,
}
PATCH: Final = "*** Begin Patch\n*** Add File: notes.md\n+The tide table.\n*** End Patch"


def _text(text: str) -> dict[str, Any]:
    return {"type": "input_text", "text": text}


def _function(name: str) -> dict[str, Any]:
    return {"type": "function", "name": name, "description": f"The {name}.", "parameters": SCHEMA}


RESPONSES: Final[dict[str, Any]] = {
    "store": False,
    "instructions": "You code in a terminal.",
    "input": [
        {"type": "message", "role": "developer", "content": [_text("Be brief.")]},
        {"role": "user", "content": [_text("Look around.")]},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "I look first."}],
            "encrypted_content": SEAL,
        },
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "I look."}],
        },
        {
            "type": "function_call",
            "call_id": "call_1",
            "name": "look",
            "arguments": '{"path": "README.md"}',
        },
        {"type": "function_call_output", "call_id": "call_1", "output": "# The harbour"},
        {
            "type": "function_call",
            "call_id": "call_2",
            "name": "look",
            "arguments": '{"path": "b.md"}',
        },
        {"type": "function_call_output", "call_id": "call_2", "output": [_text("# The tide")]},
        {"type": "custom_tool_call", "call_id": "call_3", "name": "apply_patch", "input": PATCH},
        {"type": "custom_tool_call_output", "call_id": "call_3", "output": "Done."},
        {
            "type": "additional_tools",
            "tools": [{"type": "namespace", "name": "repo", "tools": [_function("find")]}],
        },
        {"role": "user", "content": "Go on."},
    ],
    "tools": [
        _function("look"),
        {
            "type": "custom",
            "name": "apply_patch",
            "description": "Patches files.",
            "format": {"type": "grammar", "syntax": "lark", "definition": "start: LINE"},
        },
    ],
    "text": {"format": {"type": "json_schema", "name": "answer", "schema": ANSWER}},
    "metadata": {"ticket": "T-1"},
    "client_metadata": {"turn": "one"},
    "prompt_cache_key": "harbour",
    "user": "someone",
}
OLLAMA: Final[dict[str, Any]] = {
    "messages": [
        {"role": "system", "content": "You code in a terminal."},
        {"role": "user", "content": "What is in it?", "images": [PNG_DATA]},
        {
            "role": "assistant",
            "content": "I look.",
            "thinking": "First the file.",
            "tool_calls": [
                {
                    "id": "call_1",
                    "function": {"name": "look", "arguments": {"path": "a.md", "deep": [["x"]]}},
                }
            ],
        },
        {
            "role": "tool",
            "tool_name": "look",
            "tool_call_id": "call_1",
            "content": "# The harbour",
        },
        {"role": "user", "content": "Go on."},
    ],
    "tools": [
        {
            "type": "function",
            "function": {"name": "look", "description": "It looks.", "parameters": SCHEMA},
        }
    ],
    "format": ANSWER,
    "options": {"stop": ["END"], "num_predict": 512},
    "keep_alive": "5m",
}
GENERATE: Final[dict[str, Any]] = {
    "system": "You code.",
    "prompt": "Write a tide table.",
    "options": {"stop": ["END"]},
}
INSERT: Final[dict[str, Any]] = {
    "prompt": "def tide(day):\n",
    "suffix": "\n    return height\n",
    "template": "{{ .Prompt }}<fill>{{ .Suffix }}",
    "options": {"stop": ["END"]},
}
COMPLETION: Final[dict[str, Any]] = {
    "prompt": "def tide(day):\n",
    "suffix": "\n    return height\n",
    "max_tokens": 32,
    "stop": ["END"],
    "user": "someone",
}
BETWEEN: Final[dict[str, Any]] = {
    "prompt": "def tide(day):\n",
    "suffix": "\n    return height\n",
    "stop": ["END"],
    "input_extra": [{"filename": "harbour.py", "text": "def fog(day):\n    return 3\n"}],
}
GAP: Final[dict[str, Any]] = {
    "system": "You code.",
    "prompt": "def tide(day):\n",
    "suffix": "\n    return height\n",
    "options": {"stop": ["END"]},
    "keep_alive": "5m",
}
EMBED: Final[dict[str, Any]] = {"input": ["The tide table.", "The fog signal."]}
EMBED_ONE: Final[dict[str, Any]] = {"prompt": "The tide table.", "keep_alive": "5m"}
PROMPTS: Final[dict[str, Any]] = {"prompt": ["def tide(day):\n", "def fog(day):\n"]}
EMBEDDINGS: Final[dict[str, Any]] = {
    "input": ["The tide table.", "The fog signal."],
    "encoding_format": "base64",
    "user": "someone",
}
MESSAGES: Final[dict[str, Any]] = {
    "system": [{"type": "text", "text": "You code."}],
    "messages": [
        {"role": "user", "content": "Look around."},
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"path": "a.md"}}
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "# The harbour"}
            ],
        },
    ],
    "tools": [{"name": "look", "description": "It looks.", "input_schema": SCHEMA}],
}


@dataclass(frozen=True, slots=True)
class Shape:
    """One endpoint's request. asked: names whose first target is a cloud, see `ground.tables`.

    streams: it can be asked for in pieces.
    """

    name: str
    path: str
    body: dict[str, Any]
    asked: tuple[str, ...]
    streams: bool = True

    def make(self, asked: str, *, stream: bool) -> dict[str, Any]:
        """A body of its own."""
        form = {"stream": stream} if self.streams else {}
        return {"model": asked, **copy.deepcopy(self.body), **form}


_FILLS: Final = ("fill-in", "fill-infill", "fill-mistral", "fill-ollama")
_MEASURES: Final = ("embedder", "measurer")
_ANY: Final = ("same-responses", "same-ollama", "gpt-5", "claude-opus")
SHAPES: Final = (
    Shape("responses", "/v1/responses", RESPONSES, _ANY),
    Shape("ollama chat", "/api/chat", OLLAMA, _ANY),
    Shape("ollama generate", "/api/generate", GENERATE, ("same-ollama", "gpt-5")),
    Shape("ollama insert", "/api/generate", INSERT, ("same-ollama",)),
    Shape("ollama gap", "/api/generate", GAP, _FILLS),
    Shape("completion", "/v1/completions", COMPLETION, ("fill-in",)),
    Shape("completion between files", "/v1/completions", BETWEEN, _FILLS),
    Shape("completions", "/v1/completions", PROMPTS, ("fill-in",)),
    Shape("embeddings", "/v1/embeddings", EMBEDDINGS, _MEASURES, streams=False),
    Shape("ollama embed", "/api/embed", EMBED, _MEASURES, streams=False),
    Shape("ollama embeddings", "/api/embeddings", EMBED_ONE, _MEASURES, streams=False),
    Shape("count of messages", "/v1/messages/count_tokens", MESSAGES, ("claude-opus",), streams=False),
    Shape(
        "count of a response", "/v1/responses/input_tokens", RESPONSES, ("same-responses",), streams=False
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a shape's body, or one of `EXTRA`. depth: encodings around it.

    twin: harmless text there is another request that the vendor is still asked.
    """

    name: str
    path: Path = ()
    depth: int = 0
    twin: bool = True
    flat: bool = False


EXTRA: Final = (
    Spot("unknown field"),
    Spot("unknown nested field"),
    Spot("object key"),
    Spot("header", flat=True),
    Spot("query", flat=True, depth=1),
)
_PICTURE: Final = "images"


def spots(shape: Shape) -> Iterator[Spot]:
    """Every string in its body that is free, and where any request can hold text."""
    for path in _strings(shape.body, ()):
        name = ".".join(map(str, path))
        key = next(part for part in reversed(path) if isinstance(part, str))
        if key not in FIXED:
            encoded = key in {"arguments", _PICTURE}
            yield Spot(name, path, int(encoded), twin=key not in NAMED)
    yield from EXTRA


def _strings(value: Any, path: Path) -> Iterator[Path]:
    match value:
        case str():
            yield path
        case dict():
            for key, inner in value.items():
                yield from _strings(inner, (*path, key))
        case list():
            for at, inner in enumerate(value):
                yield from _strings(inner, (*path, at))


def plant(body: dict[str, Any], spot: Spot, text: str) -> tuple[dict[str, str], str]:
    """Put the text there; headers of its own, and a query."""
    headers, query = {"x-session-id": f"e{next(IDS)}", "content-type": "application/json"}, ""
    match spot.name:
        case "unknown field":
            body["x_trace"] = text
        case "unknown nested field":
            body["x_deep"] = [{"er": [1, {"still": text}]}]
        case "object key":
            body["x_counts"] = {text: 3}
        case "header":
            headers["x-stainless-note"] = headers["user-agent"] = f"of {text}"
        case "query":
            query = "?note=" + "".join(f"%{byte:02x}" for byte in text.encode())
        case _:
            _replace(body, spot.path, text)
    return headers, query


def _replace(body: Any, path: Path, text: str) -> None:
    *way, last = path
    for step in way:
        body = body[step]
    if last == "arguments":
        body[last] = json.dumps({**json.loads(body[last]), "note": text})
    elif _PICTURE in path:
        body[last] = base64.b64encode(f"notes\n{text}\n".encode()).decode()
    else:
        body[last] = f"{body[last]}\n{text}\n"
