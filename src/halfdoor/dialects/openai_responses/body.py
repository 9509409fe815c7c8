"""Responses request bodies on the wire: what is read of them in order to translate.

Unknown fields are ignored, null is absent; a wrong type is the caller's error and says where.
"""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct


class Piece(Struct):
    """A part of a message's content or of a call's output."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None


class ToolEntry(Struct):
    """One element of `tools`; a namespace holds more of them."""

    type: str = "function"
    name: str | None = None
    description: str | None = None
    parameters: Raw = Raw()
    strict: bool | None = None
    format: Raw = Raw()
    tools: "list[ToolEntry] | None" = None
    mode: str = "auto"


class InputItem(Struct):
    """One element of `input`; a message may leave its type out."""

    type: str | None = None
    role: str | None = None
    content: str | list[Raw] | None = None
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    namespace: str | None = None
    arguments: str | dict[str, Any] | None = None
    input: str | None = None
    output: str | list[Raw] | dict[str, Any] | None = None
    action: Any = None
    summary: list[Piece] | None = None
    encrypted_content: str | None = None
    tools: list[Raw] | None = None


class Reasoning(Struct):
    """`reasoning`."""

    effort: str | None = None


class Format(Struct):
    """`text.format`."""

    type: str = "text"
    name: str = ""
    schema: Raw = Raw()
    strict: bool | None = None


class TextOptions(Struct):
    """`text`."""

    format: Format | None = None


class Body(Struct):
    """A request's body, less what no other dialect can hear."""

    input: str | list[Raw]
    instructions: str | None = None
    tools: list[Raw] | None = None
    tool_choice: str | ToolEntry | None = None
    parallel_tool_calls: bool | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    reasoning: Reasoning | None = None
    text: TextOptions | None = None
    stream: bool | None = None
    previous_response_id: str | None = None
    conversation: Any = None
    prompt: Any = None
    background: bool | None = None


bodies: Final = msgspec.json.Decoder(Body)
items: Final = msgspec.json.Decoder(InputItem)
pieces: Final = msgspec.json.Decoder(Piece)
tools: Final = msgspec.json.Decoder(ToolEntry)
