"""Chat Completions request bodies on the wire: what is read of them in order to translate.

Unknown fields are ignored, null is absent; a wrong type is the caller's error and says where.
"""

from typing import Any

from msgspec import Raw, Struct


class ImageUrl(Struct):
    """Where an image is: an address or a `data:` URL."""

    url: str


class Piece(Struct):
    """A part of a message's content."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: ImageUrl | None = None


class FunctionEntry(Struct):
    """A tool's definition, or a call to it."""

    name: str
    arguments: str | dict[str, Any] | None = None
    description: str | None = None
    parameters: Raw = Raw()
    strict: bool | None = None


class Custom(Struct):
    """A call to a custom tool: free text instead of arguments."""

    name: str
    input: str = ""


class CallEntry(Struct):
    """One element of `tool_calls`."""

    id: str | None = None
    function: FunctionEntry | None = None
    custom: Custom | None = None


class Turn(Struct):
    """One element of `messages`. Thinking has two names; neither is the vendor's."""

    role: str
    content: str | list[Raw] | None = None
    refusal: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    tool_calls: list[CallEntry] | None = None
    tool_call_id: str | None = None
    function_call: Any = None


class ToolEntry(Struct):
    """One element of `tools`, or of the tools that a choice allows."""

    type: str = "function"
    function: FunctionEntry | None = None


class Named(Struct):
    """The function that must be called."""

    name: str


class Allowed(Struct):
    """The tools that a choice leaves."""

    mode: str = "auto"
    tools: list[ToolEntry] = []


class ChoiceEntry(Struct):
    """A `tool_choice` that is more than a word."""

    type: str
    function: Named | None = None
    allowed_tools: Allowed | None = None


class Schema(Struct):
    """`json_schema`."""

    name: str = ""
    schema: Raw = Raw()
    strict: bool | None = None


class Format(Struct):
    """`response_format`."""

    type: str
    json_schema: Schema | None = None


class Body(Struct):
    """A request's body, less what no other dialect can hear."""

    messages: list[Turn]
    tools: list[Raw] | None = None
    tool_choice: str | ChoiceEntry | None = None
    parallel_tool_calls: bool | None = None
    response_format: Format | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: str | list[str] | None = None
    reasoning_effort: str | None = None
    stream: bool | None = None
    n: int | None = None
    web_search_options: Raw = Raw()
    functions: Any = None
    function_call: Any = None
