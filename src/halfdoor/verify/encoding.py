"""The encoding that a Python file declares (PEP 263), and what that hides."""

import re
from contextlib import suppress
from typing import Final

_COOKIE: Final = re.compile(r"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
# An encoding that gives other text for this hides code from whoever reads it as it looks.
_PLAIN: Final = b"x = '+AGE-'  # \\u0061 \\x61 ~{ =41 %41"


def undone(text: str) -> str:
    """The encoding that a text declares and that changes even plain letters, "" when none does."""
    name = _declared(text)
    if not name:
        return ""
    with suppress(LookupError, UnicodeError, AttributeError, TypeError):
        return "" if _PLAIN.decode(name) == _PLAIN.decode("ascii") else name
    return name


def as_utf8(data: bytes) -> bytes:
    """The same text in UTF-8; what cannot be read stays as it is."""
    try:
        data.decode()
    except UnicodeDecodeError:
        with suppress(LookupError, UnicodeError):
            name = _declared(data[:1000].decode("ascii", "replace"))
            return data.decode(name).encode() if name else data
    return data


def _declared(text: str) -> str:
    for line in text.split("\n", 2)[:2]:
        if found := _COOKIE.match(line):
            return found[1]
        if line.strip() and not line.lstrip().startswith("#"):
            break
    return ""
