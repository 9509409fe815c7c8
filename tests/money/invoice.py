"""A provider that counts prices: what it bills, from what it really wrote on the wire.

Shares no code with halfdoor: its own arithmetic over its own bytes.
"""

import json
from collections.abc import Iterable
from typing import Any

from tests.helpers.fake_model import Seen

# Micro-USD per million tokens.
PRICES = {
    "input": 3_000_000,
    "output": 15_000_000,
    "cached_input": 300_000,
    "cache_write": 3_750_000,
}


def invoice(seen: Iterable[Seen]) -> int:
    """Pico-USD for all requests: input as the stream began, output as it last told."""
    return sum(bill(each) for each in seen)


def bill(seen: Seen) -> int:
    """Pico-USD for one request; an error costs nothing."""
    if seen.status != 200:
        return 0
    told: dict[str, int] = {}
    if seen.sent.startswith(b"{"):  # not a stream
        _hear(json.loads(seen.sent), told)
    for line in seen.sent.split(b"\n"):
        if line.startswith(b"data: ") and line.endswith(b"}"):
            _hear(json.loads(line[6:]), told)
    return (
        told.get("input_tokens", 0) * PRICES["input"]
        + told.get("cache_read_input_tokens", 0) * PRICES["cached_input"]
        + told.get("cache_creation_input_tokens", 0) * PRICES["cache_write"]
        + told.get("output_tokens", 0) * PRICES["output"]
    )


def _hear(event: dict[str, Any], told: dict[str, int]) -> None:
    usage = event.get("message", event).get("usage") or {}
    told.update({name: n for name, n in usage.items() if isinstance(n, int)})
