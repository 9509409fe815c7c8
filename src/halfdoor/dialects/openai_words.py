"""What Chat and Responses say alike in requests and counts: roles, modes, images, details."""

import re
from typing import Final

from msgspec import Struct

from halfdoor.canon.money import Usage
from halfdoor.canon.request import ChoiceMode, Image, Role
from halfdoor.dialects.decoding import tokens, wrong

ROLES: Final = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
}
# The API demands a name for a schema and nothing reads it; this one stands for "no name given".
UNNAMED_SCHEMA: Final = "answer"

_MODES: Final = {
    "auto": ChoiceMode.AUTO,
    "required": ChoiceMode.REQUIRED,
    "none": ChoiceMode.NONE,
}
_DATA_URL: Final = re.compile(r"data:([^,]+);base64,", re.IGNORECASE)


class InputDetails(Struct):
    """`prompt_tokens_details` or `input_tokens_details`."""

    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class OutputDetails(Struct):
    """`completion_tokens_details` or `output_tokens_details`."""

    reasoning_tokens: int | None = None


def usage(
    asked: int | None,
    said: int | None,
    of_asked: InputDetails | None,
    of_said: OutputDetails | None,
) -> Usage:
    """Token counts; cached tokens are inside those asked, as in canon."""
    of_asked, of_said = of_asked or InputDetails(), of_said or OutputDetails()
    return Usage(
        input_tokens=tokens(asked),
        output_tokens=tokens(said),
        cached_tokens=tokens(of_asked.cached_tokens),
        cache_write_tokens=tokens(of_asked.cache_write_tokens),
        reasoning_tokens=tokens(of_said.reasoning_tokens),
    )


def details_of(used: Usage) -> tuple[dict[str, int], dict[str, int]]:
    """The details of what was asked and of what was said, in the vendor's shape."""
    asked = {"cached_tokens": used.cached_tokens, "cache_write_tokens": used.cache_write_tokens}
    return asked, {"reasoning_tokens": used.reasoning_tokens}


def mode(name: str) -> ChoiceMode:
    """How free the model is in calling tools. Raises ClientError for a word nobody knows."""
    if name not in _MODES:
        raise wrong("the mode is not known", "tool_choice", 'use "auto", "required" or "none"')
    return _MODES[name]


def image(url: str) -> Image:
    """An image's address, or the bytes that stand in it."""
    inline = _DATA_URL.match(url)
    return Image(url=url) if inline is None else Image(inline[1], url[inline.end() :])


def address(shown: Image) -> str:
    """Where an image is, with its bytes in it if they are here."""
    return f"data:{shown.media_type};base64,{shown.data}" if shown.data else shown.url
