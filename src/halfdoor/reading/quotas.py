"""How full a subscription's windows are, as vendors say in the headers of their answers.

`anthropic-ratelimit-unified-5h-utilization` is a fraction, with `…-reset` in Unix seconds (as
anthropics/claude-code#42108 and anomalyco/opencode#49653 report them). Of OpenAI's,
`x-codex-primary-used-percent` is one of a hundred, with `…-window-minutes`, and `…-reset-at` or
`…-reset-after-seconds`. They count what was used elsewhere, too. What is missing or malformed says
nothing.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Final

from halfdoor.canon.commands import Headers
from halfdoor.canon.plans import Told

_UNIFIED: Final = re.compile(r"anthropic-ratelimit-unified-([1-9][0-9]{0,2})([hd])-utilization")
_CODEX: Final = ("x-codex-primary-", "x-codex-secondary-")
_SECONDS: Final = {"h": 3_600, "d": 86_400}
# No subscription has a longer window; what claims to hold for longer is not believed.
_LONGEST_S: Final = 31 * 86_400


def quotas(headers: Headers, now_ms: int) -> tuple[Told, ...]:
    """What these headers say of windows that have not ended yet, without words for their ends."""
    found = {name: value for name, value in headers if name.startswith(_BEGIN)}
    if not found:
        return ()
    told = (*_unified(found), *_codex(found, now_ms))
    until_ms = now_ms + _LONGEST_S * 1000
    return tuple(each for each in told if now_ms < each.until_ms <= until_ms)


_BEGIN: Final = ("anthropic-ratelimit-unified-", "x-codex-")


def _unified(found: Mapping[str, str]) -> Iterator[Told]:
    for name, value in found.items():
        match = _UNIFIED.fullmatch(name)
        if match is None:
            continue
        used = _parts(value, 1_000_000)
        reset = _parts(found.get(name.replace("-utilization", "-reset"), ""), 1_000)
        if used is not None and reset is not None:
            yield Told(int(match[1]) * _SECONDS[match[2]], used, reset)


def _codex(found: Mapping[str, str], now_ms: int) -> Iterator[Told]:
    for begin in _CODEX:
        used = _parts(found.get(f"{begin}used-percent", ""), 10_000)
        window_s = _parts(found.get(f"{begin}window-minutes", ""), 60)
        until_ms = _parts(found.get(f"{begin}reset-at", ""), 1_000)
        if until_ms is None:
            after = _parts(found.get(f"{begin}reset-after-seconds", ""), 1_000)
            until_ms = None if after is None else now_ms + after
        if used is not None and window_s and until_ms is not None and window_s <= _LONGEST_S:
            yield Told(window_s, used, until_ms)


def _parts(value: str, times: int) -> int | None:
    """A number in smaller units, rounded up; None for what is none, or is absurd."""
    try:
        number = Decimal(value) if len(value) <= 20 else Decimal("NaN")
    except InvalidOperation:
        return None
    if not number.is_finite() or number < 0 or number > 10**12:
        return None
    return int((number * times).to_integral_value(ROUND_CEILING))
