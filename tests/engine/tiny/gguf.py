"""Writes a GGUF file, version 3, as far as the tiny model needs it; nothing of it is read back."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_VERSION: Final = 3
_ALIGNMENT: Final = 32
_UINT32, _INT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
F32: Final = 0
F16: Final = 1

Value = bool | int | float | str | Sequence[str] | Sequence[int]


@dataclass(frozen=True, slots=True)
class Tensor:
    """shape: as ggml has it, the length of a row first. data: little-endian, row after row."""

    name: str
    shape: tuple[int, ...]
    kind: int
    data: bytes


def written(facts: Mapping[str, Value], tensors: Sequence[Tensor]) -> bytes:
    """The whole file."""
    head = b"GGUF" + struct.pack("<IQQ", _VERSION, len(tensors), len(facts))
    for key, value in facts.items():
        head += _string(key) + _typed(value)
    offset = 0
    for tensor in tensors:
        head += _string(tensor.name) + struct.pack("<I", len(tensor.shape))
        head += struct.pack(f"<{len(tensor.shape)}Q", *tensor.shape)
        head += struct.pack("<IQ", tensor.kind, offset)
        offset += len(_padded(tensor.data))
    return _padded(head) + b"".join(_padded(tensor.data) for tensor in tensors)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % _ALIGNMENT)


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _typed(value: Value) -> bytes:
    match value:
        case bool():
            return struct.pack("<I?", _BOOL, value)
        case int():
            return struct.pack("<II", _UINT32, value)
        case float():
            return struct.pack("<If", _FLOAT32, value)
        case str():
            return struct.pack("<I", _STRING) + _string(value)
        case _:
            return _array(value)


def _array(values: Sequence[str] | Sequence[int]) -> bytes:
    kind = _STRING if isinstance(values[0], str) else _INT32
    told = b"".join(
        _string(value) if isinstance(value, str) else struct.pack("<i", value) for value in values
    )
    return struct.pack("<IIQ", _ARRAY, kind, len(values)) + told
