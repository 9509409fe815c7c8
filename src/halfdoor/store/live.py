"""What runs now, in memory that the processes of a house share: a table of calls for each process.

Each process writes its own file and nobody else's; who looks on reads them all. A call costs its
process some stores of integers and one of a short text. What is shown is no evidence: it may be a
moment old, and is gone with its process. The log is where an exchange is recorded.
"""

import asyncio
import contextlib
import os
import secrets
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from halfdoor.canon.decision import Target
from halfdoor.canon.record import Decided
from halfdoor.canon.scene import Depth, Unwell
from halfdoor.errors import LogError
from halfdoor.store.mapped import mapped

FOLDER: Final = "live"
# Calls that one process can show at a time; more are counted, and not shown.
SHOWN: Final = 1024
BEAT_S: Final = 1.0
# A process that has not said for so long that it lives is not believed any more.
ALIVE_MS: Final = 5_000
_SWEPT_MS: Final = 60_000

_HEAD: Final = 16_384
_SLOT: Final = 640
_WORD: Final = 8
_TEXT: Final = 12 * _WORD
_FIELD_CHARS: Final = 64
_FORMAT: Final = 1
# A head has room for this many of some queues; who comes later is told by when it came.
_LINE: Final = 64
# Words of the head, and of a slot.
_VERSION, _BEAT, _NOTED, _BEYOND, _TOP = range(5)
_STATE, _BEGUN, _SINCE, _FIRST, _FRAMES, _BYTES, _INPUT, _IN, _OUT, _LENGTH = range(10)
_NOTE: Final = 5 * _WORD
_FILL: Final = struct.Struct("9q")
_FREE, _WAITING, _ASKED, _STREAMING = range(4)
STATES: Final = ("", "waiting", "asked", "streaming")


class Tripped(Struct, frozen=True):
    """A breaker that is open in a process, see `canon.scene.Unwell`. model: "" for a backend."""

    backend: str
    model: str
    said: str
    for_ms: int


class Lane(Struct, frozen=True):
    """A queue of a process, see `canon.scene.Depth`. line: the first of those that wait."""

    backend: str
    slots: int | None
    running: int
    waiting: int
    line: tuple[str, ...] = ()


class Note(Struct, frozen=True):
    """What a process says of itself once a second. log: see `store.writer.Writer.pace`.

    listens: its address, which `serve` may have been told other than the file says.
    """

    pid: int
    tripped: tuple[Tripped, ...] = ()
    lanes: tuple[Lane, ...] = ()
    log: tuple[int, int] = (0, 0)
    listens: str = ""


class Call(Struct, frozen=True):
    """Which call it is. exchange, tool, project, rule: as the log has them.

    session: the beginning of `session_mac`.
    state: of `STATES`; one that was `asked` has given nothing of an answer yet.
    """

    exchange: str
    tool: str
    project: str
    session: str
    rule: str
    model: str
    backend: str
    zone: str
    state: str


class Seen(Call, frozen=True):
    """One call that runs. Times are Unix milliseconds; first_ms is 0 until its stream begins.

    frames: of its stream, of which most engines make one for each token.
    input_tokens: estimated, 0 where nobody asked. input, output: pico-USD a token, -1 unknown.
    """

    begun_ms: int
    since_ms: int
    first_ms: int
    frames: int
    bytes: int
    input_tokens: int
    input: int
    output: int


*_NAMES, _ = Call.__struct_fields__
_NUMBERS: Final = Seen.__struct_fields__[len(Call.__struct_fields__) :]


class Process(Struct, frozen=True):
    """One process. beyond: calls that run and are not among `calls`."""

    note: Note
    calls: tuple[Seen, ...]
    beyond: int = 0


class Live:
    """This process's own table; implements `flow.sights.Sights`. now_ms: Unix time.

    Raises LogError when it cannot be made.
    """

    def __init__(self, directory: Path, now_ms: Callable[[], int]) -> None:
        self.now_ms = now_ms
        self._listens = ""
        folder = directory / FOLDER
        self._path = folder / f"{os.getpid()}-{secrets.token_hex(4)}.bin"
        with contextlib.suppress(OSError):  # what is amiss is told by who maps the file
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sweep(folder, now_ms())
        try:
            self._map = mapped(self._path, _HEAD + SHOWN * _SLOT, "what runs cannot be shown")
        except LogError:
            self.close()
            raise
        self.words = memoryview(self._map).cast("q")
        self.free = list(range(SHOWN - 1, -1, -1))
        self.words[_VERSION] = _FORMAT
        self.beat(Note(os.getpid()))

    def called(self, decided: Decided, target: Target) -> "_Slot":
        """See `flow.sights.Sights.called`."""
        if not self.free:
            self.words[_BEYOND] += 1
            return _Beyond(self, -1)
        number = self.free.pop()
        start = _HEAD + number * _SLOT
        if number >= self.words[_TOP]:
            self.words[_TOP] = number + 1
        price, now = target.price, self.now_ms()
        text = _text(decided, target)
        begin = start + _TEXT
        self._map[begin : begin + len(text)] = text
        tokens, rates = decided.expected_tokens, (_rate(price.input), _rate(price.output))
        _FILL.pack_into(self._map, start + _WORD, now, now, 0, 0, 0, tokens, *rates, len(text))
        # INVARIANT: last, so that who reads a slot that is taken reads a whole one.
        self.words[start // _WORD] = _WAITING
        return _Slot(self, number)

    def beat(self, note: Note) -> None:
        """Say that this process lives, where, and what it says of itself."""
        data = msgspec.json.encode(replace(note, listens=self._listens))
        if len(data) > _HEAD - _NOTE:
            data = msgspec.json.encode(Note(note.pid, listens=self._listens))
        self.words[_NOTED] = 0
        self._map[_NOTE : _NOTE + len(data)] = data
        self.words[_NOTED] = len(data)
        self.words[_BEAT] = self.now_ms()

    def opened(self, listens: str) -> None:
        """Say where this process answers, now and with every beat."""
        self._listens = listens
        self.beat(Note(os.getpid()))

    async def keep(self, note: Callable[[], Note]) -> None:
        """Beat once a second, until it is cancelled."""
        while True:
            self.beat(note())
            await asyncio.sleep(BEAT_S)

    def close(self) -> None:
        """Nobody sees this process any more. What still runs in it may go on writing."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


class _Slot:
    """One call's place in the table."""

    __slots__ = ("_at", "_live", "_number")

    def __init__(self, live: Live, number: int) -> None:
        self._live = live
        self._number = number
        self._at = (_HEAD + number * _SLOT) // _WORD

    def asked(self) -> None:
        """See `flow.sights.Sight.asked`."""
        self._became(_ASKED)

    def passed(self, chunk: bytes) -> None:
        """See `flow.sights.Sight.passed`."""
        words, at = self._live.words, self._at
        if not words[at + _FIRST]:
            words[at + _FIRST] = self._live.now_ms()
            words[at + _STATE] = _STREAMING
        words[at + _FRAMES] += chunk.count(b"\n\n") or 1
        words[at + _BYTES] += len(chunk)

    def over(self) -> None:
        """See `flow.sights.Sight.over`."""
        self._live.words[self._at] = _FREE
        self._live.free.append(self._number)

    def _became(self, state: int) -> None:
        self._live.words[self._at + _SINCE] = self._live.now_ms()
        self._live.words[self._at + _STATE] = state


class _Beyond(_Slot):
    """A call that found the table full."""

    __slots__ = ()

    def asked(self) -> None:
        """It has no place to say so."""

    def passed(self, chunk: bytes) -> None:
        """The same."""

    def over(self) -> None:
        """See `flow.sights.Sight.over`."""
        self._live.words[_BEYOND] -= 1


def note(
    unwell: Mapping[tuple[str, str], Unwell],
    queues: Mapping[str, tuple[Depth, Iterable[str]]],
    log: tuple[int, int] = (0, 0),
) -> Note:
    """What this process says of itself. queues: each with the exchanges that wait, in order."""
    tripped = [Tripped(*place, how.said, how.for_ms) for place, how in unwell.items()]
    lanes = [
        Lane(name, depth.slots, depth.running, depth.waiting, tuple(islice(line, _LINE)))
        for name, (depth, line) in queues.items()
    ]
    return Note(os.getpid(), tuple(tripped), tuple(lanes), log)


def look(directory: Path, now_ms: int) -> tuple[Process, ...]:
    """What every living process of the house shows, by process id. Never raises."""
    found = (_read(path, now_ms) for path in _files(directory / FOLDER))
    return tuple(sorted((p for p in found if p is not None), key=lambda each: each.note.pid))


def listening(crew: Sequence[Process], configured: str) -> str:
    """Where the house answers: as configured, unless all that live say another address."""
    told = [process.note.listens for process in crew if process.note.listens]
    return configured if configured in told or not told else told[0]


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob("*.bin"))
    except OSError:
        return []


def _read(path: Path, now_ms: int) -> Process | None:
    try:
        data = path.read_bytes()
        words = memoryview(data).cast("q")
        if words[_VERSION] != _FORMAT or now_ms - words[_BEAT] > ALIVE_MS:
            return None
        said = msgspec.json.decode(data[_NOTE : _NOTE + words[_NOTED]], type=Note)
        starts = range(_HEAD, _HEAD + words[_TOP] * _SLOT, _SLOT)
        calls = tuple(_seen(data, words, at) for at in starts if words[at // _WORD] != _FREE)
        return Process(said, calls, words[_BEYOND])
    except (OSError, IndexError, TypeError, ValueError, msgspec.MsgspecError):
        return None  # half written, another version's, or gone in this moment


def _seen(data: bytes, words: "memoryview[int]", start: int) -> Seen:
    at = start // _WORD
    begin = start + _TEXT
    text = data[begin : begin + words[at + _LENGTH]].decode("utf-8", "ignore").split("\0")
    names = dict(zip(_NAMES, [*text, *[""] * len(_NAMES)], strict=False))
    numbers = dict(zip(_NUMBERS, words[at + _BEGUN : at + _LENGTH].tolist(), strict=True))
    return msgspec.convert({**names, **numbers, "state": STATES[words[at]]}, Seen)


def _text(decided: Decided, target: Target) -> bytes:
    zone = target.zone.name.lower()
    who = (decided.id, decided.tool, decided.project, decided.session_mac[:8], decided.rule)
    fields = (*who, target.name, target.backend, zone)
    text = "\0".join(field[:_FIELD_CHARS] for field in fields)
    return text.encode("utf-8", "replace")[: _SLOT - _TEXT]


def _rate(rate: int | None) -> int:
    return -1 if rate is None else rate


def _sweep(folder: Path, now_ms: int) -> None:
    """Files of processes that were killed."""
    for path in folder.glob("*.bin"):
        with contextlib.suppress(OSError):
            # A file that another process is just making has no beat yet, but a young date.
            young = now_ms - path.stat().st_mtime * 1000 < _SWEPT_MS
            if not young and _read(path, now_ms - _SWEPT_MS + ALIVE_MS) is None:
                path.unlink()
