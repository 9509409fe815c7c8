"""Embeddings as Ollama has them: `/api/embed`, and the older `/api/embeddings` for one text."""

from collections.abc import Iterable
from functools import partial
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from halfdoor.canon.decision import Target
from halfdoor.canon.events import Event
from halfdoor.canon.request import Embed
from halfdoor.dialects import vectors
from halfdoor.dialects.base import Written
from halfdoor.dialects.decoding import UNREADABLE, decoded, encode, wrong
from halfdoor.dialects.ollama.stream import StreamParser
from halfdoor.dialects.ollama.wire import trouble
from halfdoor.dialects.rendering import Fields, stated
from halfdoor.errors import BackendError

EMBED: Final = "/api/embed"
# The older form: `prompt` in, one `embedding` out.
EMBEDDINGS: Final = "/api/embeddings"


class Body(Struct):
    """A request's body, of either form."""

    input: str | list[str] | None = None
    prompt: str | None = None
    dimensions: int | None = None


class Answer(Struct):
    """A whole answer, of either form."""

    model: str | None = None
    embeddings: list[Raw] | None = None
    embedding: Raw = Raw()
    prompt_eval_count: int | None = None
    error: Any = None


_bodies: Final = msgspec.json.Decoder(Body)
_answers: Final = msgspec.json.Decoder(Answer)


def read_embed(body: bytes, endpoint: str) -> Embed:
    """The texts. Raises ClientError where the shape is wrong."""
    read = decoded(_bodies, body, "")
    if endpoint == EMBEDDINGS:
        return Embed((read.prompt or "",))
    if read.input is None:
        raise wrong("must be a string or an array", "input")
    texts = (read.input,) if isinstance(read.input, str) else tuple(read.input)
    return Embed(texts, read.dimensions)


def write_embed(embed: Embed, target: Target) -> Written:
    """`truncate` is false: a text that is too long is refused, never measured in part."""
    body: Fields = {
        "model": target.model_id,
        "input": list(embed.texts),
        "truncate": False,
        "dimensions": embed.dimensions,
        "options": {"num_ctx": target.context_tokens} if target.context_tokens else None,
    }
    read = partial(read_vectors, wanted=len(embed.texts))
    return Written(EMBED, encode(stated(body)), (), StreamParser, read)


def read_vectors(body: bytes, *, wanted: int | None = None) -> list[Event]:
    """A whole answer. wanted: how many texts there were. Raises BackendError(kind="protocol")."""
    try:
        found = _answers.decode(body)
    except UNREADABLE:
        raise BackendError("the backend's answer holds no embeddings", kind="protocol") from None
    if found.error is not None:
        raise BackendError(trouble(body)[1] or "it reported an error", kind="protocol")
    told = found.embeddings
    if told is None:
        told = [found.embedding] if bytes(found.embedding) else []
    many = len(told) or 1 if wanted is None else wanted
    return vectors.events(found.model, told, found.prompt_eval_count, many)


def write_vectors(events: Iterable[Event], endpoint: str) -> bytes:
    """An answer in the form of its endpoint; durations are 0, because there is no clock here."""
    told = vectors.measured(events)
    numbers = [Raw(one) for one in told.numbers]
    if endpoint == EMBEDDINGS:
        return encode({"embedding": numbers[0]})
    counts = {"total_duration": 0, "load_duration": 0, "prompt_eval_count": told.tokens}
    return encode({"model": told.model, "embeddings": numbers, **counts})
