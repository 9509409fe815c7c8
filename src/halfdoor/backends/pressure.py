"""What an engine's own pages say of how busy it is: bytes in, numbers out, nothing asked.

| engine    | page       | with the engine                     | waiting inside of it            |
|-----------|------------|-------------------------------------|---------------------------------|
| vLLM      | `/metrics` | `vllm:num_requests_running`         | `vllm:num_requests_waiting`     |
| llama.cpp | `/metrics` | `llamacpp:requests_processing`      | `llamacpp:requests_deferred`    |
| llama.cpp | `/slots`   | slots with `is_processing`          | (not said)                      |

Source: each engine's own documentation, November 2026. llama.cpp has the first page with
`--metrics` only. Ollama, LM Studio and llama-swap have none. What is strange (no number, a
fraction, more than a million, a page too long) is no answer at all.
"""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec
from msgspec import Struct

# vLLM's page has some hundred KB with all of its histograms.
MOST_BYTES: Final = 1024 * 1024
# A series for each engine of a data-parallel server, and a slot for each request.
MOST_SERIES: Final = 256
MOST_SLOTS: Final = 4096
_MOST: Final = 1_000_000
_LONGEST_NUMBER: Final = 32
_OF_NUMBERS: Final = b"0123456789.eE+"
_VALUE_AND_TIME: Final = 2
_OK: Final = 200


class Load(Struct, frozen=True):
    """others: requests that an engine has from others. behind: requests that wait inside of it."""

    others: int
    behind: int


class Pressed(Struct, frozen=True):
    """What an engine says: requests that it answers, and that wait inside of it, whose-ever."""

    running: int
    waiting: int

    def beside(self, own: int) -> Load:
        """With `own` of them from here."""
        return Load(max(0, self.running + self.waiting - own), self.waiting)


class Page(Struct, frozen=True):
    """One way to ask. path: below the engine's root. read: None for what is not understood."""

    path: str
    read: Callable[[bytes], Pressed | None]


class _Slot(Struct):
    is_processing: bool | None = None
    state: int | None = None  # of older servers: 0 is idle


def _series(page: bytes, name: bytes) -> int | None:
    """The sum over a metric's series, in Prometheus's text; None where there is none to believe."""
    found = [_number(line) for line in _lines(page, name)]
    numbers = [each for each in found if each is not None]
    if not numbers or len(numbers) < len(found) or len(found) > MOST_SERIES:
        return None
    return sum(numbers)


def _lines(page: bytes, name: bytes) -> Iterator[bytes]:
    """What follows the name, on every line that begins with it."""
    at = page.find(name)
    count = 0
    while at >= 0 and count <= MOST_SERIES:
        end = page.find(b"\n", at)
        end = len(page) if end < 0 else end
        rest = page[at + len(name) : end]
        if (at == 0 or page[at - 1 : at] == b"\n") and rest[:1] in {b"{", b" ", b"\t"}:
            yield rest
            count += 1
        at = page.find(name, end)


def _number(rest: bytes) -> int | None:
    """The value behind a series' labels; a label may hold anything in its quotes."""
    words = rest[rest.rfind(b"}") + 1 :].split()
    if not words or len(words) > _VALUE_AND_TIME or len(words[0]) > _LONGEST_NUMBER:
        return None
    try:
        value = -1.0 if words[0].translate(None, _OF_NUMBERS) else float(words[0])
    except ValueError:
        return None
    return int(value) if 0 <= value <= _MOST and value.is_integer() else None


def _metrics(running: bytes, waiting: bytes) -> Callable[[bytes], Pressed | None]:
    def read_(page: bytes) -> Pressed | None:
        runs, waits = _series(page, running), _series(page, waiting)
        return None if runs is None or waits is None else Pressed(runs, waits)

    return read_


def _slots(page: bytes) -> Pressed | None:
    slots = msgspec.json.decode(page, type=list[_Slot])
    busy = [each.is_processing if each.state is None else each.state != 0 for each in slots]
    if not 0 < len(busy) <= MOST_SLOTS or None in busy:
        return None
    return Pressed(sum(map(bool, busy)), 0)


# By the engine's kind, see `engines.Page`; the first that can be read holds.
PAGES: Final[dict[str, tuple[Page, ...]]] = {
    "vllm": (
        Page("/metrics", _metrics(b"vllm:num_requests_running", b"vllm:num_requests_waiting")),
    ),
    "llamacpp": (
        Page("/metrics", _metrics(b"llamacpp:requests_processing", b"llamacpp:requests_deferred")),
        Page("/slots", _slots),
    ),
}


def read(page: Page, status: int, body: bytes) -> Pressed | None:
    """What a page says; None for one that is not there or cannot be believed."""
    if status != _OK or len(body) > MOST_BYTES:
        return None
    try:
        return page.read(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
