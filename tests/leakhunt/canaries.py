"""What is planted: keys in the forms of their vendors, drawn anew for each seed, and marked code.

Nothing here was ever valid, and no literal is a whole key.
"""

import base64
import json
import random
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_A62: Final = string.ascii_letters + string.digits
_U36: Final = string.ascii_uppercase + string.digits
_URL64: Final = _A62 + "-_"
_DASHES: Final = "-" * 5


@dataclass(frozen=True, slots=True)
class Canary:
    """name: its form. text: what is planted. needle: the part of it that must never be seen."""

    name: str
    text: str
    needle: bytes


def keys(chance: random.Random) -> tuple[Canary, ...]:
    """One key of each form."""
    return tuple(_canary(name, make(chance)) for name, make in FORMS.items())


def _canary(name: str, text: str) -> Canary:
    needle = _NEEDLES[name](text) if name in _NEEDLES else text
    return Canary(name, text, needle.encode())


def _drawn(chance: random.Random, letters: str, size: int) -> str:
    return "".join(chance.choices(letters, k=size))


def _form(before: str, letters: str, size: int, after: str = "") -> Callable[[random.Random], str]:
    return lambda chance: before + _drawn(chance, letters, size) + after


def _jwt(chance: random.Random) -> str:
    parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": _drawn(chance, _A62, 9), "iat": 1763683200}]
    told = [base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts]
    return ".".join((*told, _drawn(chance, _URL64, 43)))


def _url(chance: random.Random) -> str:
    return "postgres" + "://billing:" + _password(chance) + "@db.internal:5432/ledger"


def _password(chance: random.Random) -> str:
    # Letters among digits, as a generator draws them; a name would be no password.
    return "".join(_drawn(chance, letters, 4) for letters in (_U36, string.digits, _A62, _U36))


def _pem(chance: random.Random) -> str:
    lines = "\n".join(_drawn(chance, _A62 + "+/", 64) for _ in range(3))
    return f"{_DASHES}BEGIN PRIVATE KEY{_DASHES}\n{lines}\n{_DASHES}END PRIVATE KEY{_DASHES}"


def _assigned(chance: random.Random) -> str:
    return f'db_password = "{_password(chance)}"'


FORMS: Final[dict[str, Callable[[random.Random], str]]] = {
    "aws": _form("AKIA", _U36, 16),
    "anthropic": _form("sk-ant-" + "api03-", _URL64, 93, "AA"),
    "openai": _form("sk-" + "proj-", _A62, 74),
    "github": _form("gh" + "p_", _A62, 36),
    "github-fine": lambda chance: (
        "github_" + "pat_" + _drawn(chance, _A62, 22) + "_" + _drawn(chance, _A62, 59)
    ),
    "gitlab": _form("gl" + "pat-", _A62, 20),
    "slack": lambda chance: (
        "xox" + "b-" + _drawn(chance, string.digits, 12) + "-" + _drawn(chance, _A62, 24)
    ),
    "stripe": _form("sk_" + "live_", _A62, 32),
    "google": _form("AI" + "za", _URL64, 35),
    "jwt": _jwt,
    "url": _url,
    "pem": _pem,
    "assigned": _assigned,
}
# Where the form's frame may be seen and only its heart may not.
_NEEDLES: Final[dict[str, Callable[[str], str]]] = {
    "jwt": lambda text: text.rpartition(".")[2],
    "url": lambda text: text.split(":")[2].partition("@")[0],
    "pem": lambda text: text.split("\n")[2],
    "assigned": lambda text: text.split('"')[1],
}
