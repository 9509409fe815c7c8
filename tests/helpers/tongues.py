"""The same question in the words of each dialect's official SDK."""

from typing import Any, Final

from tests.helpers.pictures import PNG_DATA, PNG_URL
from tests.helpers.sdk import Told, chat, messages, ollama, responses

SCHEMA: Final = {"type": "object", "properties": {"file_path": {"type": "string"}}}
ANSWER: Final = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}},
    "required": ["ok"],
    "additionalProperties": False,
}
_FUNCTION: Final = {
    "type": "function",
    "function": {"name": "Read", "description": "Reads.", "parameters": SCHEMA},
}
_NAMED: Final = {"type": "json_schema", "name": "answer", "schema": ANSWER}

# dialect -> (SDK, its call, the field of the conversation).
SDKS: Final[dict[str, tuple[str, Any, str]]] = {
    "openai_chat": ("openai", chat, "messages"),
    "anthropic_messages": ("anthropic", messages, "messages"),
    "openai_responses": ("openai", responses, "input"),
    "ollama": ("ollama", ollama, "messages"),
}
TOOLS: Final[dict[str, dict[str, Any]]] = {
    "openai_chat": _FUNCTION,
    "anthropic_messages": {"name": "Read", "description": "Reads.", "input_schema": SCHEMA},
    "openai_responses": {"type": "function", "name": "Read", "parameters": SCHEMA, "strict": False},
    "ollama": _FUNCTION,
}
_IMAGES: Final[dict[str, Any]] = {
    "openai_chat": {"type": "image_url", "image_url": {"url": PNG_URL}},
    "anthropic_messages": {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": PNG_DATA},
    },
    "openai_responses": {"type": "input_image", "image_url": PNG_URL},
}
FORMS: Final[dict[str, dict[str, Any]]] = {
    "openai_chat": {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": ANSWER},
        }
    },
    "anthropic_messages": {"output_config": {"format": {"type": "json_schema", "schema": ANSWER}}},
    "openai_responses": {"text": {"format": _NAMED}},
    "ollama": {"format": ANSWER},
}


def picture(near: str) -> list[dict[str, Any]]:
    """A turn that shows a picture."""
    if near == "ollama":
        return [{"role": "user", "content": "what is this?", "images": [PNG_DATA]}]
    text = {"type": "input_text" if near == "openai_responses" else "text", "text": "what is this?"}
    return [{"role": "user", "content": [text, _IMAGES[near]]}]


def again(near: str, told: Told) -> list[Any]:
    """The model's turn, as a tool sends it back."""
    return list(told.turn["items"]) if near == "openai_responses" else [told.turn]


def results(near: str, told: Told) -> list[dict[str, Any]]:
    """What the tools answered: `of ID` to each call, or `of NUMBER` where calls have no ids."""
    given = {call.id or str(n): f"of {call.id or n}" for n, call in enumerate(told.calls)}
    match near:
        case "openai_chat":
            return [
                {"role": "tool", "tool_call_id": id_, "content": text}
                for id_, text in given.items()
            ]
        case "anthropic_messages":
            blocks = [
                {"type": "tool_result", "tool_use_id": id_, "content": text}
                for id_, text in given.items()
            ]
            return [{"role": "user", "content": blocks}]
        case "openai_responses":
            return [
                {"type": "function_call_output", "call_id": id_, "output": text}
                for id_, text in given.items()
            ]
        case _:
            return [
                {"role": "tool", "tool_name": call.name, "content": text}
                for call, text in zip(told.calls, given.values(), strict=True)
            ]


def asked_schema(body: dict[str, Any]) -> dict[str, Any]:
    """The answer's schema as a vendor was asked for it; each has it somewhere else."""
    form: Any = (
        body.get("format")
        or body.get("response_format", {}).get("json_schema")
        or body.get("text", {}).get("format")
        or body.get("output_config", {}).get("format")
        or {}
    )
    schema: dict[str, Any] = form.get("schema", form)
    return {key: schema.get(key) for key in ANSWER}
