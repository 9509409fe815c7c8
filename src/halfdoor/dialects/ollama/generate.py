"""`/api/generate` where it goes on with a text or fills a gap in it, in both roles.

Without a suffix, `raw` keeps the engine from putting the text into its template for chats.
"""

from typing import Final

from msgspec.structs import replace

from halfdoor.canon.decision import Target
from halfdoor.canon.request import Fill
from halfdoor.dialects.base import Written
from halfdoor.dialects.decoding import decoded, encode, present
from halfdoor.dialects.envelope import Spans, begins
from halfdoor.dialects.ollama.answer import read_answer
from halfdoor.dialects.ollama.reading import options, refuse_own
from halfdoor.dialects.ollama.rendering import engine_options
from halfdoor.dialects.ollama.stream import StreamParser
from halfdoor.dialects.ollama.wire import bodies
from halfdoor.dialects.rendering import Fields, stated

GENERATE: Final = "/api/generate"
# What only an engine of this protocol understands.
_OWN: Final = ("template", "context", "images")


def fills(body: bytes, spans: Spans) -> bool:
    """Is a text to be gone on with, and no question to be answered?"""
    if begins(body, spans, "raw", b"t"):
        return True
    return begins(body, spans, "suffix", b'"') and not body.startswith(b'""', spans["suffix"][0])


def read_fill(body: bytes) -> Fill:
    """All of a request that another dialect can hear. Raises ClientError for what none can."""
    read = decoded(bodies, body, "")
    refuse_own(read, _OWN)
    lost = {
        "instruction": bool(read.system),
        "response-format": present(read.format) and bytes(read.format) != b'""',
        "sampling": read.options is not None and read.options.seed is not None,
    }
    return Fill(
        prefix=read.prompt or "",
        suffix="" if read.raw else read.suffix or "",
        options=replace(options(read), response_schema=b"", effort="", thinking_tokens=None),
        stream=read.stream is not False,
        lost=tuple(name for name, said in lost.items() if said),
    )


def write_fill(fill: Fill, target: Target) -> Written:
    """A body for this target."""
    body: Fields = {
        "model": target.model_id,
        "prompt": fill.prefix,
        "suffix": fill.suffix or None,
        "raw": None if fill.suffix else True,
        "stream": fill.stream,
        "truncate": False,
        "options": engine_options(fill.options, target.context_tokens) or None,
    }
    unsaid = (*fill.lost, *(("extra-context",) if fill.context else ()))
    return Written(GENERATE, encode(stated(body)), unsaid, StreamParser, read_answer)
