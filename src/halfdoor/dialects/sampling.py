"""What models refuse that choose their sampling themselves, as vendors' reasoning models do."""

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from halfdoor.canon.decision import Edit
from halfdoor.canon.request import Options, Request
from halfdoor.reading.spans import members
from halfdoor.reading.splice import without

# Measured of nobody: the vendors' notes on their reasoning models.
_REFUSED: Final = frozenset({
    "frequency_penalty", "logit_bias", "logprobs", "presence_penalty", "stop", "temperature",
    "top_k", "top_logprobs", "top_p",
})  # fmt: skip
_OLDER, _YOUNGER = "max_tokens", "max_completion_tokens"


def unsampled(options: Options) -> Options:
    """Options without what is refused, and the limit under its younger name where there are two."""
    bare = replace(options, temperature=None, top_p=None, top_k=None, stop=())
    return replace(bare, completion_limit=True)


def unsampling(request: Request) -> Iterator[Edit]:
    """The same as splices of a body that goes on in its own dialect.

    `sampling`: what is refused is taken out. `max-tokens`: Chat's limit gets its younger name.
    """
    names = request.members
    older = request.dialect == "openai_chat" and _OLDER in names and _YOUNGER not in names
    if not older and names.keys().isdisjoint(_REFUSED):
        return
    found = members(request.body)
    gone = [member.key in _REFUSED for member in found]
    for start, end in without([(member.key_start, member.end) for member in found], gone):
        yield Edit("sampling", start, end, b"")
    for member in found:
        if older and member.key == _OLDER:
            yield Edit("max-tokens", member.key_start, member.start, f'"{_YOUNGER}":'.encode())
