"""Embeddings as OpenAI has them, in both roles."""

from collections.abc import Iterable
from functools import partial
from typing import Any, Final, Literal

import msgspec
from msgspec import Raw, Struct

from halfdoor.canon.decision import Target
from halfdoor.canon.events import Event
from halfdoor.canon.request import Embed, Request
from halfdoor.dialects import vectors
from halfdoor.dialects.base import Parser, Written
from halfdoor.dialects.decoding import UNREADABLE, decoded, encode, present
from halfdoor.dialects.envelope import value
from halfdoor.dialects.openai_chat.stream import StreamParser
from halfdoor.dialects.openai_chat.wire import Counts
from halfdoor.dialects.openai_errors import failure
from halfdoor.dialects.rendering import Fields, stated
from halfdoor.errors import BackendError, ClientError


class Body(Struct):
    """A request's body."""

    input: str | list[Any]
    dimensions: int | None = None
    encoding_format: Literal["float", "base64"] | None = None


class Measured(Struct):
    """One element of `data`. embedding: an array of numbers, or base64."""

    embedding: Raw
    index: int = 0


class Answer(Struct):
    """A whole answer; embeddings never stream."""

    data: list[Measured] | None = None
    model: str | None = None
    usage: Counts | None = None
    error: Raw = Raw()


_bodies: Final = msgspec.json.Decoder(Body)
_answers: Final = msgspec.json.Decoder(Answer)
_forms: Final[msgspec.json.Decoder[str | None]] = msgspec.json.Decoder(str | None)


def read_embed(body: bytes) -> Embed:
    """The texts. Raises ClientError where they are token ids, which mean one model only."""
    read = decoded(_bodies, body, "")
    texts = [read.input] if isinstance(read.input, str) else read.input
    if not all(isinstance(text, str) for text in texts):
        raise ClientError(
            "token ids cannot be translated to this model's protocol",
            code="unsupported_value",
            where="input",
            hint="send the texts themselves",
        )
    return Embed(tuple(texts), read.dimensions)


def write_embed(embed: Embed, target: Target) -> Written:
    """Numbers are asked for as numbers: no engine lacks that form."""
    body: Fields = {
        "model": target.model_id,
        "input": list(embed.texts),
        "encoding_format": "float",
        "dimensions": embed.dimensions,
    }
    read = partial(read_vectors, wanted=len(embed.texts))
    parser: type[Parser] = StreamParser  # never asked for
    return Written("/embeddings", encode(stated(body)), (), parser, read)


def read_vectors(body: bytes, *, wanted: int) -> list[Event]:
    """A whole answer. Raises BackendError(kind="protocol")."""
    try:
        found = _answers.decode(body)
    except UNREADABLE:
        raise BackendError("the backend's answer holds no embeddings", kind="protocol") from None
    if present(found.error):
        raise BackendError(failure(body).message, kind="protocol")
    data = sorted(found.data or (), key=lambda one: one.index)
    counted = found.usage.prompt_tokens if found.usage else None
    return vectors.events(found.model, [one.embedding for one in data], counted, wanted)


def write_vectors(events: Iterable[Event], request: Request) -> bytes:
    """A `list` of embeddings, as numbers or in base64, as its request wanted them."""
    form = value(_forms, request.body, request.members, "encoding_format", None)
    told = vectors.measured(events)
    data = [
        {
            "object": "embedding",
            "index": at,
            "embedding": vectors.packed(numbers) if form == "base64" else Raw(numbers),
        }
        for at, numbers in enumerate(told.numbers)
    ]
    counts = {"prompt_tokens": told.tokens, "total_tokens": told.tokens}
    return encode({"object": "list", "data": data, "model": told.model, "usage": counts})
