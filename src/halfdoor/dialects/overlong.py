"""What servers say when a prompt does not fit into a model's window, each in words of its own.

Clients act on their own vendor's words only: on those they compact the conversation, on any others
they end the turn. `Dialect.overflow` says them; here they are known. Sources: llama.cpp's
`exceed_context_size_error`, measured; errors of OpenAI, Anthropic, vLLM, SGLang, LM Studio, Ollama
and llama-cpp-python, as they are reported.
"""

import re
from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.dialects.decoding import UNREADABLE
from halfdoor.dialects.openai_errors import OVERFLOW_CODE

_STATUSES: Final = frozenset({400, 413, 422})
_LIMIT_BYTES: Final = 16 * 1024
_LLAMA_TYPE: Final = "exceed_context_size_error"
_ANTHROPIC: Final = re.compile(r"prompt is too long: (?P<tokens>\d+) tokens > (?P<window>\d+)")
_SAID: Final = (
    _ANTHROPIC,
    re.compile(
        r"maximum (?:context|model) length (?:is|of) (?P<window>\d+)(?: tokens)?\D+(?P<tokens>\d+)"
    ),
    re.compile(
        r"requested tokens \((?P<tokens>\d+)\) exceed context window of (?P<window>\d+)",
        re.IGNORECASE,
    ),
    re.compile(r"input \((?P<tokens>\d+) tokens\) is longer than .*?\((?P<window>\d+) tokens"),
    re.compile(r"context length of only (?P<window>\d+)"),
    re.compile(
        r"(?:exceeds?|exceeded|longer than|greater than) (?:the )?(?:\w+ )*"
        r"context (?:size|length|window)",
        re.IGNORECASE,
    ),
)


class Overlong(Struct, frozen=True):
    """tokens of the prompt, window of the model; 0 where not said. message, code: its own."""

    tokens: int
    window: int
    message: str
    code: str


class _Told(Struct):
    message: str | None = None
    type: str | None = None
    code: str | int | None = None
    n_prompt_tokens: int = 0
    n_ctx: int = 0


class _Body(Struct):
    error: _Told | str | None = None
    type: str | None = None


_body: Final = msgspec.json.Decoder(_Body)


def overlong(status: int, body: bytes) -> Overlong | None:
    """What an error body says of a prompt that is too long; None when it says something else."""
    if status not in _STATUSES or len(body) > _LIMIT_BYTES:
        return None
    try:
        told = _body.decode(body).error
    except UNREADABLE:
        return None
    if isinstance(told, str):
        told = _Told(message=told)
    return _read(told) if told is not None else None


def worded(body: bytes, found: Overlong, dialect: str) -> bool:
    """Does this body say so in the words of the dialect's own vendor already?"""
    if dialect == "anthropic_messages":
        read = _body.decode(body)
        return read.type == "error" and bool(_ANTHROPIC.search(found.message))
    return dialect == "ollama" or found.code == OVERFLOW_CODE


def _read(told: _Told) -> Overlong | None:
    message, code = told.message or "", str(told.code or "")
    if told.type == _LLAMA_TYPE:
        return Overlong(told.n_prompt_tokens, told.n_ctx, message, code)
    for pattern in _SAID:
        if found := pattern.search(message):
            counts = found.groupdict()
            tokens, window = int(counts.get("tokens") or 0), int(counts.get("window") or 0)
            return Overlong(tokens, window, message, code)
    return Overlong(0, 0, message, code) if code == OVERFLOW_CODE else None
