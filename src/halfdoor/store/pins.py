"""Who answered each session last, and what models' tokens weigh: shared by all processes.

No content: keyed prints, names from the configuration, counts.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from struct import Struct, error
from typing import Final

import msgspec

from halfdoor.canon.scene import Pin
from halfdoor.flow.pins import Pins
from halfdoor.store.slots import KEY_BYTES, Slots

FILE: Final = "pins.map"
RATIOS: Final = "ratios.map"
# Slots: 4 MiB of sessions, 128 KiB of models.
KEPT: Final = 16_384
_MODELS: Final = 512

_value: Final = msgspec.msgpack.Decoder(Pin | int)
_encode: Final = msgspec.msgpack.Encoder().encode
_ratio: Final = Struct("<d")


class SharedPins:
    """Implements `flow.ports.Pinned` over `directory`/pins.map. Raises LogError.

    A pin whose names are too long for a slot is known to this process only: its slot has when it
    was held, so that nobody finds the one before it, and this process none that is older.
    """

    def __init__(self, directory: Path) -> None:
        self._slots = Slots(directory / FILE, KEPT)
        self._own = Pins()

    def find(self, marks: tuple[bytes, ...]) -> Pin | None:
        """See `flow.ports.Pinned.find`."""
        for mark in marks:
            if (found := self._found(mark)) is not None:
                return found
        return None

    def hold(self, marks: tuple[bytes, ...], pin: Pin) -> None:
        """See `flow.ports.Pinned.hold`."""
        if marks and not self._slots.hold(marks[0], _encode(pin), pin.at_ms):
            self._slots.hold(marks[0], _encode(pin.at_ms), pin.at_ms)
            self._own.hold(marks, pin)

    def close(self) -> None:
        """Nothing is found or held from here on."""
        self._slots.close()

    def _found(self, mark: bytes) -> Pin | None:
        data = self._slots.find(mark)
        try:
            value = _value.decode(data) if data else None
        except msgspec.MsgspecError:
            return None  # of another version
        if not isinstance(value, int):
            return value
        own = self._own.find((mark,))
        return own if own is not None and own.at_ms == value else None


class SharedRatios:
    """Implements `reading.tokens.Kept` over `directory`/ratios.map. Raises LogError."""

    def __init__(self, directory: Path, now_ms: Callable[[], int]) -> None:
        self._slots = Slots(directory / RATIOS, _MODELS)
        self._now_ms = now_ms

    def find(self, model: str) -> float | None:
        """What any process learnt of a model."""
        value = self._slots.find(_key(model))
        try:
            return None if value is None else float(_ratio.unpack(value)[0])
        except error:
            return None

    def hold(self, model: str, ratio: float) -> None:
        """Let the others, and a later start, know."""
        self._slots.hold(_key(model), _ratio.pack(ratio), self._now_ms())

    def close(self) -> None:
        """Nothing is found or held from here on."""
        self._slots.close()


def _key(model: str) -> bytes:
    return sha256(model.encode("utf-8", "surrogatepass")).digest()[:KEY_BYTES]
