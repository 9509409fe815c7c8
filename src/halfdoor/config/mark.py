"""The mark in a connected tool's address: `http://127.0.0.1:4114/via/claude-1f2e3d4c`.

`halfdoor connect` plants it, the server takes it out of the path and the log keeps it, so that
`doctor` can say whether a tool's turns really came. It is no secret and lets nobody in.
"""

import re
from typing import Final

PREFIX: Final = "/via/"
MARK: Final = r"[a-z]{1,16}-[0-9a-f]{8}"
# The admin routes keep their own path: a proxy in front may shut them by it.
_MARKED: Final = re.compile(rf"{PREFIX}({MARK})(/(?!halfdoor(?:/|$)).*)?", re.DOTALL)
_PLANTED: Final = re.compile(rf"{PREFIX}({MARK})(?![0-9a-f])")


def marked(root: str, mark: str) -> str:
    """A tool's base URL. root: scheme, host and port."""
    return f"{root}{PREFIX}{mark}"


def unmarked(path: str) -> tuple[str, str]:
    """A request's path without its mark, and the mark; "" where there is none that is whole."""
    found = _MARKED.fullmatch(path)
    return (found[2] or "/", found[1]) if found else (path, "")


def planted(text: str, root: str) -> tuple[str, ...]:
    """The marks that a tool's own file has behind this address."""
    return tuple(m[1] for part in text.split(root)[1:] if (m := _PLANTED.match(part)))
