"""A request: its envelope (always read) and its conversation (read only to translate)."""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from halfdoor.canon.rules import Rule

# How the places begin of blocks that are turns of the conversation.
TURNS: Final = ("messages[", "input[")


class Block(Struct, frozen=True):
    """A byte span of the body that is inspected, cached and remembered as one unit.

    The blocks of a request cover every byte of its body that can hold text.

    place: structural name, see `labels.Label.place`.
    start, end: byte offsets into `Request.body`.
    member: True when the span is `"key":value` of an object; False when it is one whole value.
    """

    place: str
    start: int
    end: int
    member: bool = False


class Kind(StrEnum):
    """What is asked of a model.

    `count`: how many tokens a request has; answered here unless it may go to its vendor anyway.
    """

    CHAT = "chat"
    COMPLETION = "completion"
    EMBEDDING = "embedding"
    COUNT = "count"


class Request(Struct, frozen=True):
    """What a tool sent, as far as it must be read to decide; the bytes stay as they came.

    dialect: whose shape the body has. endpoint: the canonical path, `/v1/messages`.
    headers: lower-case names, in order, without credentials, cookies and hop-by-hop headers.
    members: byte span (start, end) of each top-level value of the body, by decoded key.
    session: the client's own session id where it sends one, else "".
    hold: its caller asks that a stream reach it complete or not at all.
    packed: the coding in which the body came (`zstd` …), "" for plain; `body` is unpacked.
    of_chat: its dialect asks models that chat for it too; whether one can, its engine says.
    context_tokens: the window that it asks its engine for (Ollama's `num_ctx`), if it does.
    """

    dialect: str
    endpoint: str
    body: bytes
    model: str
    stream: bool
    blocks: tuple[Block, ...]
    members: dict[str, tuple[int, int]]
    headers: tuple[tuple[str, str], ...] = ()
    query: str = ""
    max_tokens: int | None = None
    session: str = ""
    kind: Kind = Kind.CHAT
    packed: str = ""
    hold: bool = False
    of_chat: bool = False
    context_tokens: int | None = None


# What the log calls the token of a tool that `launch` started.
LAUNCHED: Final = "launch"


class Actor(Struct, frozen=True):
    """Who asks. token: the name of the token it showed, "" on an open loopback listener.

    project: its folder's name. rules: what its project adds; they only tighten.
    root: absolute real path of the project's root, "" when it is not known.
    via: the mark in the address that it was connected to, "" without one.
    person, team: whose the token is, as the configuration says.
    """

    token: str = ""
    tool: str = ""
    project: str = ""
    rules: tuple[Rule, ...] = ()
    root: str = ""
    via: str = ""
    person: str = ""
    team: str = ""


# --- The conversation: one neutral model that every dialect parses into and renders from. ---


class Role(StrEnum):
    """Who speaks. Tool results stand in user messages, as in Anthropic Messages."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Text(Struct, frozen=True, tag="text"):
    """Plain text."""

    text: str


class Image(Struct, frozen=True, tag="image"):
    """An image: base64 `data` with its `media_type`, or a `url`; one of the two is empty."""

    media_type: str = ""
    data: str = ""
    url: str = ""


class Thinking(Struct, frozen=True, tag="thinking"):
    """A model's reasoning. It returns only to the vendor that made it.

    signature: the vendor's seal, "" if it gives none. redacted: the vendor's opaque ciphertext
    (Anthropic `redacted_thinking.data`); text is empty then.
    """

    text: str
    signature: str = ""
    redacted: str = ""


class ToolCall(Struct, frozen=True, tag="tool_call"):
    """A call as the model wrote it. arguments: JSON text, "{}" when empty."""

    id: str
    name: str
    arguments: str


class Opaque(Struct, frozen=True, tag="opaque"):
    """A part that only its own dialect understands (a document, a server tool's result).

    kind: its wire `type`. raw: its JSON bytes as they came.
    """

    kind: str
    raw: bytes


class ToolResult(Struct, frozen=True, tag="tool_result"):
    """What a tool answered to the call `call_id`."""

    call_id: str
    parts: tuple[Text | Image | Opaque, ...]
    is_error: bool = False


Part = Text | Image | Thinking | ToolCall | ToolResult | Opaque


class Message(Struct, frozen=True):
    """One turn; system messages may stand anywhere."""

    role: Role
    parts: tuple[Part, ...]


class Tool(Struct, frozen=True):
    """A function the model may call. schema: JSON Schema as JSON bytes, b"" when absent."""

    name: str
    description: str = ""
    schema: bytes = b""
    strict: bool | None = None


class ServerTool(Struct, frozen=True):
    """A tool that the vendor runs itself (web search …): never sent to another vendor.

    kind: its wire `type`. raw: its JSON bytes. name: what a choice says, "" where it has none.
    """

    kind: str
    raw: bytes
    name: str = ""


class ChoiceMode(StrEnum):
    """How free the model is in calling tools."""

    AUTO = "auto"
    REQUIRED = "required"
    NONE = "none"
    NAMED = "named"


class ToolChoice(Struct, frozen=True):
    """name is set for NAMED only; parallel None means: as the vendor defaults."""

    mode: ChoiceMode
    name: str = ""


class Options(Struct, frozen=True):
    """Sampling and shape of the answer; None everywhere means: not stated.

    stop: stop sequences. response_schema: JSON Schema bytes for a structured answer;
    response_name: the name Chat gives that schema. response_strict: it is kept to the letter, for
    which a vendor may demand a subset of JSON Schema. effort: `minimal`, `low`, `medium`, `high` …
    thinking_tokens: budget; 0 means thinking is switched off, None means not stated.
    completion_limit: where a dialect has two names for the limit, its younger one is meant.
    """

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    parallel_tool_calls: bool | None = None
    response_schema: bytes = b""
    response_name: str = ""
    response_strict: bool = False
    effort: str = ""
    thinking_tokens: int | None = None
    completion_limit: bool = False
    seed: int | None = None


class Conversation(Struct, frozen=True):
    """All that one dialect says and another can hear."""

    messages: tuple[Message, ...]
    tools: tuple[Tool | ServerTool, ...] = ()
    tool_choice: ToolChoice | None = None
    options: Options = Options()
    stream: bool = False


# --- What is asked beside conversations. ---


class Fill(Struct, frozen=True):
    """Text to be gone on with: what stands before the gap, and what stands behind it.

    suffix: "" where nothing does. context: (name, text) of other files that the model may see.
    lost: what was said that no other dialect can hear; names of `dialects/base.py:UNHEARD`.
    """

    prefix: str
    suffix: str = ""
    context: tuple[tuple[str, str], ...] = ()
    options: Options = Options()
    stream: bool = False
    lost: tuple[str, ...] = ()


class Embed(Struct, frozen=True):
    """Texts to be measured, each as one list of numbers. dimensions: how many, None for all."""

    texts: tuple[str, ...]
    dimensions: int | None = None


Asked = Conversation | Fill | Embed
