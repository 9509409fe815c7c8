"""The matrix as a page of the documentation."""

from collections.abc import Iterator, Mapping
from typing import Final

from tests.conformance import small
from tests.conformance.matrix import FEATURES, FORMS_OF_ANSWER, Key
from tests.helpers.sdk import STREAMED, WHOLE
from tests.helpers.tongues import SDKS

_TITLES: Final = {
    "openai_chat": "OpenAI Chat",
    "anthropic_messages": "Anthropic Messages",
    "openai_responses": "OpenAI Responses",
    "ollama": "Ollama",
    "infill": '`fim = "infill"`',
    "mistral": '`fim = "mistral"`',
}
_HEAD: Final = """\
# Conformance

Written by `make conformance`, which asks with each vendor's official SDK (`openai` 3.52.0, `anthropic` 2.11.0,
`ollama` 0.6.3) through a real halfdoor to a fake of each vendor's server that refuses what the vendor refuses.
A test fails when this page is not what it finds.

- **tools**: a call, its result on the next turn, and an answer to it. **parallel**: two at once, kept apart.
- **images**: in a user's turn, with all their bytes. **thinking**: told apart from text, and sent back with the
  next turn. **JSON schema**: the answer's schema reaches the vendor.
- **error**: the vendor's status and words reach the SDK in its own class. **cut**: a broken answer is never
  taken for a whole one. **cancel**: a caller that leaves stops its model within a second.

`yes`: nothing is lost. `degraded`: it works, and `x-halfdoor-degraded` names what was left out
([names](headers-and-statuses.md#what-a-translation-can-lose)). `refused`: a 400 in the caller's own shape, and
nobody was asked. Where streamed and whole answers differ, both are given.
"""


def page(found: Mapping[Key, str], beside: Mapping[small.Key, str]) -> str:
    """All of it, Markdown. beside: what `small.measure` found."""
    return "\n".join([_HEAD, *_lines(found), *_small_lines(beside)]).rstrip() + "\n"


def _small_lines(beside: Mapping[small.Key, str]) -> Iterator[str]:
    yield "## The endpoints beside the conversation\n"
    yield "`counted here`: an estimate is made and nobody is asked, see [headers](headers-and-statuses.md).\n"
    yield "Completions are asked streamed and whole, embeddings as numbers and in base64. `fim`: a backend that"
    yield "fills in the middle in [a way of its own](../how-to/complete-code.md).\n"
    yield "| asked | " + " | ".join(_TITLES[far] for far in small.FARS) + " |"
    yield "|---" * (len(small.FARS) + 1) + "|"
    for endpoint in small.ENDPOINTS:
        cells = [beside.get((endpoint, far), "") for far in small.FARS]
        yield f"| {endpoint} | " + " | ".join(cells) + " |"


def _lines(found: Mapping[Key, str]) -> Iterator[str]:
    for near in SDKS:
        yield f"## A tool that speaks {_TITLES[near]}\n"
        yield "| backend | " + " | ".join(FEATURES) + " |"
        yield "|---" * (len(FEATURES) + 1) + "|"
        for far in SDKS:
            cells = [_cell(found, near, far, feature) for feature in FEATURES]
            yield f"| {_TITLES[far]} | " + " | ".join(cells) + " |"
        yield ""


def _cell(found: Mapping[Key, str], near: str, far: str, feature: str) -> str:
    streamed, whole = (found[near, far, feature, how] for how in FORMS_OF_ANSWER)
    if streamed == whole:
        return streamed
    return f"{STREAMED}: {streamed}; {WHOLE}: {whole}"
