"""Completions, with or without a gap in the middle: requests, in both roles.

Besides the vendor's own `/completions` two others ask for the same: Mistral's `/fim/completions`,
which answers as Chat does, and llama.cpp's `/infill` (see `infill`).
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from halfdoor.canon.cards import Fim
from halfdoor.canon.decision import Target
from halfdoor.canon.request import Fill, Options
from halfdoor.dialects.base import Written
from halfdoor.dialects.decoding import decoded, encode
from halfdoor.dialects.openai_chat import infill
from halfdoor.dialects.openai_chat.answer import read_answer
from halfdoor.dialects.openai_chat.stream import StreamParser
from halfdoor.dialects.rendering import Fields, stated
from halfdoor.errors import ClientError


class Extra(Struct):
    """One element of llama.cpp's `input_extra`: another file that the model may see."""

    filename: str = ""
    text: str = ""


class Body(Struct):
    """A request's body."""

    prompt: str | list[Any]
    suffix: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: str | list[str] | None = None
    stream: bool | None = None
    n: int | None = None
    best_of: int | None = None
    echo: bool | None = None
    logprobs: Any = None
    seed: Any = None
    presence_penalty: Any = None
    frequency_penalty: Any = None
    logit_bias: Any = None
    input_extra: list[Extra] | None = None


_bodies: Final = msgspec.json.Decoder(Body)
_SAMPLING: Final = ("seed", "presence_penalty", "frequency_penalty", "logit_bias")


def read_fill(body: bytes) -> Fill:
    """All of a request that another backend can hear. Raises ClientError for what none can."""
    read = decoded(_bodies, body, "")
    stop = [read.stop] if isinstance(read.stop, str) else read.stop or []
    return Fill(
        prefix=_one(read),
        suffix=read.suffix or "",
        context=tuple((extra.filename, extra.text) for extra in read.input_extra or ()),
        options=Options(
            max_tokens=read.max_tokens,
            temperature=read.temperature,
            top_p=read.top_p,
            top_k=read.top_k,
            stop=tuple(one for one in stop if one),
        ),
        stream=bool(read.stream),
        lost=tuple(_lost(read)),
    )


def write_fill(fill: Fill, target: Target) -> Written:
    """In the way that the target's backend is asked."""
    if target.fim is Fim.INFILL and (fill.suffix or fill.context):
        return infill.write_fill(fill, target)
    mistral = target.fim is Fim.MISTRAL
    options = fill.options
    body: Fields = {
        "model": target.model_id,
        "prompt": fill.prefix,
        "suffix": fill.suffix or None,
        "max_tokens": options.max_tokens,
        "temperature": options.temperature,
        "top_p": options.top_p,
        "stop": list(options.stop) or None,
        "stream": fill.stream or None,
        "stream_options": {"include_usage": True} if fill.stream and not mistral else None,
    }
    lost = {"extra-context": bool(fill.context), "top-k": options.top_k is not None}
    unsaid = (*fill.lost, *(name for name, said in lost.items() if said))
    path = "/fim/completions" if mistral else "/completions"
    return Written(path, encode(stated(body)), unsaid, StreamParser, read_answer)


def _one(read: Body) -> str:
    """The prompt, if it is one text and one answer is wanted."""
    prompt = read.prompt
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    asked = {
        "prompt": not isinstance(prompt, str),
        "n": (read.n or 1) > 1,
        "best_of": (read.best_of or 1) > 1,
        "echo": bool(read.echo),
    }
    for field in (name for name, is_asked in asked.items() if is_asked):
        raise ClientError(
            "only one answer to one text can be translated to this model's protocol",
            code="unsupported_value",
            where=field,
            hint="send one string as `prompt`, without `n`, `best_of` and `echo`",
        )
    assert isinstance(prompt, str)
    return prompt


def _lost(read: Body) -> Iterator[str]:
    if read.logprobs:
        yield "logprobs"
    if any(getattr(read, name) is not None for name in _SAMPLING):
        yield "sampling"
