"""What models refuse that choose their sampling themselves, as vendors' reasoning models do."""

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from halfdoor.canon.decision import Edit
from halfdoor.canon.request import Kind, Options, Request
from halfdoor.dialects.withholding import key_start

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


def refused(request: Request) -> dict[str, str]:
    """The same as members to cut from a body that goes on in its own dialect."""
    return dict.fromkeys(_REFUSED & request.members.keys(), "sampling")


def younger(request: Request) -> Iterator[Edit]:
    """`max-tokens`: Chat's limit gets its younger name; a completion's has none."""
    names = request.members
    if (request.dialect, request.kind) != ("openai_chat", Kind.CHAT):
        return
    if _OLDER in names and _YOUNGER not in names:
        value = names[_OLDER][0]
        start = key_start(request.body, value)
        yield Edit("max-tokens", start, value, f'"{_YOUNGER}":'.encode())
