"""What a fake model is told to do with a request: the parts of its answer, and how it goes wrong."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Say:
    """Prose, streamed in small pieces."""

    text: str


@dataclass(frozen=True, slots=True)
class Think:
    """Reasoning: signed on Messages, ciphertext on Responses, `reasoning_content` on Chat."""

    text: str


@dataclass(frozen=True, slots=True)
class Use:
    """A tool call. Adjacent ones are parallel; Chat interleaves the fragments of their arguments."""

    name: str
    arguments: dict[str, Any]
    id: str


@dataclass(frozen=True, slots=True)
class Report:
    """Says, as JSON, what was heard (see `Heard.report`), so that a test learns what arrived."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """An HTTP error in the vendor's shape."""

    status: int
    message: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """The vendor's error event after some wire events, then a clean end."""

    message: str
    after: int = 4


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection closes without an end: inside an event (or a whole body), or between two."""

    after: int = 4
    inside: bool = True


@dataclass(frozen=True, slots=True)
class Garble:
    """A wire event whose JSON is broken, then a clean end."""

    after: int = 4


@dataclass(frozen=True, slots=True)
class Stall:
    """Silence before the status line."""

    s: float


@dataclass(frozen=True, slots=True)
class Slow:
    """A pause before each wire event."""

    s: float


@dataclass(frozen=True, slots=True)
class Linger:
    """Everything is said, but the stream's end comes later: some engines tidy up first."""

    s: float


@dataclass(frozen=True, slots=True)
class Hang:
    """Silence after some wire events, until the caller leaves."""

    after: int = 4


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is reset: before the status line, or in the middle of an answer."""

    begun: bool = False


@dataclass(frozen=True, slots=True)
class Jumbled:
    """The wire events in the wrong order, the last first."""


@dataclass(frozen=True, slots=True)
class Raw:
    """These bytes in place of any HTTP answer; again and again until the caller leaves, or once."""

    data: bytes
    endless: bool = False


Part = Say | Think | Use | Report
Trouble = Refuse | ErrorEvent | Cut | Garble | Stall | Slow | Linger | Hang | Reset | Jumbled | Raw


@dataclass(frozen=True, slots=True)
class Counts:
    """Tokens the fake claims. prompt: all of the prompt; cached, written: shares of it."""

    prompt: int = 1300
    cached: int = 1000
    written: int = 0
    answer: int = 34


@dataclass(frozen=True, slots=True)
class Scene:
    """One answer. cut_short: it stops because of `max_tokens`. headers: more than a vendor's usual."""

    parts: tuple[Part, ...] = (Say("Hello from the fake."),)
    trouble: Trouble | None = None
    counts: Counts = Counts()
    cut_short: bool = False
    headers: tuple[tuple[str, str], ...] = ()


# For longer than a test lasts.
BUSY = Scene(trouble=Refuse(429, "slow down", (("retry-after", "60"),)))


def digest(text: str) -> str:
    """A short print of a text, for `Report`."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(slots=True)
class Heard:
    """A request as the fake read it, apart from any dialect.

    images: (media type, byte count). results: tool results' text by call id.
    """

    system: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    images: list[tuple[str, int]] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)
    calls: dict[str, Any] = field(default_factory=dict)
    thinking: list[str] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    max_tokens: int | None = None

    def report(self) -> str:
        """Images as they are, texts as digests: small even for a large request."""
        return json.dumps(
            {
                "system": digest("\n".join(self.system)),
                "said": digest("\n".join(self.said)),
                "images": self.images,
                "results": {call: digest(text) for call, text in self.results.items()},
                "calls": self.calls,
                "thinking": self.thinking,
                "tools": self.tools,
                "max_tokens": self.max_tokens,
            }
        )


class ComplaintError(Exception):
    """A request that the real vendor would refuse."""

    def __init__(self, message: str, *, status: int = 400, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code


def pieces(text: str, size: int = 12) -> list[str]:
    """Text cut as a model streams it."""
    return [text[i : i + size] for i in range(0, len(text), size)]


def demand(ok: object, message: str) -> None:
    """Refuse the request, in the vendor's words, unless `ok`."""
    if not ok:
        raise ComplaintError(message)
