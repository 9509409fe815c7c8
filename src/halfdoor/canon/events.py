"""An answer, streamed or whole, as one neutral sequence of events.

Grammar: Start (Open Delta* Signed? Close)* (Usage | Stop)* with Failed possible anywhere, last;
of an embedding: Start Vector* Used? Stop.
Parts do not overlap in canonical order: a parser of a dialect that interleaves parts (Chat's
parallel tool calls) opens each part once and may interleave their deltas by index.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from halfdoor.canon.money import Usage

# The seal our emitters put on thinking that no vendor sealed. Nobody's, so it is never sent on.
UNSIGNED: Final = "halfdoor-unsigned"
# Codes of a Failed that no backend said: its stream ended early, or cannot be read.
UNSAID: Final = frozenset({"cut", "protocol"})


class PartKind(StrEnum):
    """What a part of an answer is."""

    TEXT = "text"
    THINKING = "thinking"
    REDACTED_THINKING = "redacted_thinking"
    TOOL_CALL = "tool_call"


class StopReason(StrEnum):
    """Why the model stopped."""

    END = "end"
    LENGTH = "length"
    STOP_SEQUENCE = "stop_sequence"
    TOOL_CALLS = "tool_calls"
    REFUSAL = "refusal"
    PAUSE = "pause"
    CONTEXT = "context"


class Start(Struct, frozen=True, tag="start"):
    """The answer begins. id and model: as the backend named them."""

    id: str
    model: str


class Open(Struct, frozen=True, tag="open"):
    """Part `index` begins (0, 1, 2 … in order of opening).

    call_id, name: of a tool call. text: ciphertext of redacted thinking, else "".
    """

    index: int
    kind: PartKind
    call_id: str = ""
    name: str = ""
    text: str = ""


class Delta(Struct, frozen=True, tag="delta"):
    """More text of part `index`: prose, thinking, or a fragment of a call's JSON arguments."""

    index: int
    text: str


class Signed(Struct, frozen=True, tag="signed"):
    """The vendor's seal on thinking part `index`."""

    index: int
    signature: str


class Close(Struct, frozen=True, tag="close"):
    """Part `index` is complete."""

    index: int


class Vector(Struct, frozen=True, tag="vector"):
    """What the text `index` was measured as. numbers: a JSON array, as it came."""

    index: int
    numbers: bytes


class Used(Struct, frozen=True, tag="used"):
    """Token counts so far; a later one replaces an earlier one."""

    usage: Usage


class Stop(Struct, frozen=True, tag="stop"):
    """The model stopped. sequence: the stop sequence it met, if any."""

    reason: StopReason
    sequence: str = ""


class Failed(Struct, frozen=True, tag="failed"):
    """The answer broke off. code: the backend's error type, or ours (`cut`, `timeout` …).

    status: the HTTP status that belongs to the code.
    """

    message: str
    code: str = "cut"
    status: int = 502


Event = Start | Open | Delta | Signed | Close | Vector | Used | Stop | Failed
