"""Whether what has a secret's form can be a live one. Each judge gives a confidence, 0 for no.

INVARIANT: a judge looks only at the key and what stands right beside it, so text added elsewhere
never takes a finding away.
"""

import base64
import binascii
import json
import math
import zlib
from collections import Counter
from collections.abc import Callable
from typing import Final

from msgspec import Struct

_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FILLER: Final = frozenset(b"xX*._-0#")
_PEM_BODY_BYTES: Final = 1024
_PEM_LEAST: Final = 40

# What documentation and templates write where a secret would stand.
_STAND_INS: Final = (
    b"changeme", b"change-me", b"change_me", b"placeholder", b"redacted", b"your-", b"your_",
    b"yourpass", b"yoursecret", b"yourtoken", b"insert-", b"insert_", b"replace", b"example",
    b"dummy", b"xxxx", b"****", b"....", b"todo", b"undefined",
)  # fmt: skip
# Inside a vendor's form only what no vendor would generate counts.
_TEMPLATE: Final = (b"your-", b"your_", b"-here", b"_here", b"xxxxxx", b"placeholder", b"changeme")
# Words that make no secret alone: `my-secret-1` is a name, `my-secret-4471-blue` may be one.
_WORDS: Final = (
    b"password", b"passwd", b"secret", b"token", b"sample", b"test", b"fake", b"access", b"api",
    b"key", b"user", b"admin", b"foobar", b"foo", b"bar", b"my",
)  # fmt: skip
_LEAST_LETTERS: Final = 6
_PLAIN_PASSWORDS: Final = frozenset(
    (b"password", b"passwd", b"passw0rd", b"pass", b"pwd", b"pw", b"user", b"username", b"secret",
     b"foo", b"bar", b"baz", b"foobar", b"test", b"none", b"null", b"true", b"false", b"string",
     b"token", b"key", b"admin", b"root", b"guest", b"port", b"hidden", b"removed")
)  # fmt: skip
_EXPRESSION: Final = (b"${", b"$(", b"{", b"(", b"[", b"<", b"%s", b"%d", b"`", b"->")


class Place(Struct, frozen=True):
    """A located key: data[start:end] in its text."""

    data: bytes
    start: int
    end: int

    @property
    def key(self) -> bytes:
        """The key itself. Never leaves this module."""
        return self.data[self.start : self.end]


Judge = Callable[[Place, float], float]


def entropy(key: bytes) -> float:
    """Shannon entropy, bits a character."""
    size = len(key)
    return -sum(n / size * math.log2(n / size) for n in Counter(key).values())


def filler_at(key: bytes) -> int:
    """Where a run of one filler character at the key's end, or a template's word, begins.

    The key's length when there is none. A greedy form takes what is written right behind a key
    (`-here`, a rule of dashes), so the rest is filler and the key before it may be live.
    """
    tail = key[-10:]
    if len(set(tail)) == 1 and tail[0] in _FILLER:
        return len(key.rstrip(tail[:1]))
    lower = key.lower()
    return min((at for word in _TEMPLATE if (at := lower.find(word)) >= 0), default=len(key))


def github(place: Place, confidence: float) -> float:
    """The last six characters are a CRC-32 of the rest in base 62; a miss lowers, never drops."""
    body, check = place.key[:-6], place.key[-6:]
    _, _, random = body.partition(b"_")
    value = zlib.crc32(random)
    digits = ""
    for _ in range(6):
        value, digit = divmod(value, 62)
        digits = _BASE62[digit] + digits
    return 1.0 if digits.encode() == check else confidence


def jwt(place: Place, confidence: float) -> float:
    """The first part must be a JOSE header: a JSON object with `alg`."""
    head = place.key.split(b".", 1)[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + b"=" * (-len(head) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return 0.0
    return confidence if isinstance(header, dict) and "alg" in header else 0.0


def pem(place: Place, confidence: float) -> float:
    """A header alone is code or prose about keys; a key has base64 behind it."""
    body = place.data[place.end : place.end + _PEM_BODY_BYTES].partition(b"-----END")[0]
    letters = sum(len(run) for run in body.replace(b"\\n", b" ").split() if _is_base64(run))
    return confidence if letters >= _PEM_LEAST else 0.0


def _is_base64(run: bytes) -> bool:
    run = run.strip(b"\"',+\\>#*|").replace(b"\\r", b"")
    return len(run) >= 16 and run.replace(b"+", b"").replace(b"/", b"").rstrip(b"=").isalnum()


def basic(place: Place, confidence: float) -> float:
    """HTTP Basic: base64 of `user:password`."""
    try:
        pair = base64.b64decode(place.key + b"=" * (-len(place.key) % 4))
    except binascii.Error:
        return 0.0
    user, colon, password = pair.partition(b":")
    return confidence if colon and not _stands_in(password) and password != user else 0.0


def password(place: Place, confidence: float) -> float:
    """A URL's password: anything but a stand-in, an expression, or the user's own name."""
    key = place.key
    before = place.data[max(0, place.start - 65) : place.start - 1]
    user = before.rpartition(b"//")[2]
    return 0.0 if key == user or _stands_in(key) else confidence


def chosen(place: Place, confidence: float) -> float:
    """A quoted value called a password: letters and digits, and no stand-in."""
    key = place.key
    mixed = any(97 <= c | 32 <= 122 for c in key) and any(48 <= c <= 57 for c in key)
    refused = not mixed or _stands_in(key) or _few_letters(key) or b"://" in key
    return 0.0 if refused else confidence


def assigned(place: Place, confidence: float) -> float:
    """A quoted value given to a telling name: as `chosen`, and not what code calls things."""
    return 0.0 if _is_name(place.key) else chosen(place, confidence)


def bare(place: Place, confidence: float) -> float:
    """The same without quotes, where code stands more often than a secret does."""
    return 0.0 if _has_long_word(place.key) else assigned(place, confidence)


def _has_long_word(key: bytes) -> bool:
    """True when six letters of one case follow each other: names do that, drawn letters hardly."""
    run = 0
    last = -1
    for c in key:
        case = 1 if 97 <= c <= 122 else 2 if 65 <= c <= 90 else 0
        run = run + 1 if case and case == last else 1
        last = case
        if run >= 6 and case:
            return True
    return False


def _is_name(key: bytes) -> bool:
    """True for what code calls things: `sha256_key`, `self.token2`, `RFC-2617`, `/etc/x1`."""
    if key[:1] in {b"/", b".", b"~", b"@", b"-"}:
        return True
    words = key.replace(b".", b"_").replace(b"-", b"_").replace(b"/", b"_").split(b"_")
    return all(len(word) < 12 and _is_word(word) for word in words)


def _is_word(word: bytes) -> bool:
    """Letters, then digits: a name. Letters among digits: not."""
    return not word or word.rstrip(b"0123456789").isalpha() or word.isdigit()


def _stands_in(key: bytes) -> bool:
    lower = key.lower()
    return (
        lower in _PLAIN_PASSWORDS
        or len(set(lower)) <= 2
        or key.startswith((b"$", b"%"))
        or any(mark in key for mark in _EXPRESSION)
        or any(word in lower for word in _STAND_INS)
    )


def _few_letters(key: bytes) -> bool:
    rest = key.lower()
    for word in _WORDS:
        rest = rest.replace(word, b"")
    return sum(c > 127 or chr(c).isalnum() for c in rest) < _LEAST_LETTERS


JUDGES: Final[dict[str, Judge]] = {
    "assigned": assigned,
    "bare": bare,
    "basic": basic,
    "chosen": chosen,
    "github": github,
    "jwt": jwt,
    "password": password,
    "pem": pem,
}
