"""What vendors say when an account has nothing left to pay with, each under a status of its own.

It is no fault of the request, whatever the status says: another vendor may answer it. Sources:
errors of Anthropic (400), OpenAI and Moonshot (429), xAI (403 and 429), DeepSeek and OpenRouter
(402), as they are reported.
"""

import re
from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.dialects.decoding import UNREADABLE

_PAYMENT_REQUIRED: Final = 402
_STATUSES: Final = frozenset({400, 403, 429})
_LIMIT_BYTES: Final = 16 * 1024
_WORDS: Final = frozenset(
    {
        "billing_error",
        "billing_hard_limit_reached",
        "billing_not_active",
        "exceeded_current_quota_error",
        "insufficient_quota",
    }
)
# INVARIANT: not OpenAI's "exceeded your current quota": others say that of a minute's limit, too.
_SAID: Final = re.compile(
    r"credit balance is too low"
    r"|reached your specified (?:workspace )?API usage limits"
    r"|used all available credits"
    r"|insufficient (?:account )?(?:balance|credits)",
    re.IGNORECASE,
)


class _Told(Struct):
    message: str | None = None
    type: str | None = None
    code: str | int | None = None


class _Body(Struct):
    error: _Told | str | None = None


_body: Final = msgspec.json.Decoder(_Body)


def unpaid(status: int, body: bytes) -> bool:
    """Does an error say that the account has used up its money, or a limit that it set itself?"""
    if status == _PAYMENT_REQUIRED:
        return True
    if status not in _STATUSES or len(body) > _LIMIT_BYTES:
        return False
    try:
        told = _body.decode(body).error
    except UNREADABLE:
        return False
    if told is None or isinstance(told, str):
        return bool(told and _SAID.search(told))
    return not _WORDS.isdisjoint({told.type, told.code}) or bool(_SAID.search(told.message or ""))
