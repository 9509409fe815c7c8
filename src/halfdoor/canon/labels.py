"""Where a backend is, and what was found in a request."""

from enum import IntEnum
from typing import Final

from msgspec import Struct

# How the label begins of text that comes from labelled text.
DERIVED: Final = "derived:"


class Zone(IntEnum):
    """Where a backend really is; ordered, so that `max` of two zones is the wider one."""

    DEVICE = 0
    NETWORK = 1
    CLOUD = 2


class Label(Struct, frozen=True):
    """A fact found about one part of a request.

    name: what rules speak of: `secret`, `path:payments/**`, `not-scanned`, `scan-failed`,
        `derived:<name>`. Never content.
    place: the block it was found in, structural only: `messages[3]`, `system[0]`, `tools`,
        `headers`. Never a key or a value that the caller chose.
    detector: the detector's name.
    detail: which kind, from the detector's own closed table: `aws-access-key-id`. Never content.
    confidence: 0..1, the share of such findings that are right.
    """

    name: str
    place: str
    detector: str
    detail: str = ""
    confidence: float = 1.0
