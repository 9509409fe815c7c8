"""Tool names that every model takes: a fixed name for each name, so that prompts stay the same."""

import hashlib
import re
from typing import Final

_UNFIT: Final = re.compile(r"[^A-Za-z0-9_-]")
# OpenAI's limit; Anthropic's is 128, and engines copy the first.
LONGEST: Final = 64
_TAIL: Final = 8


def fit(name: str) -> str:
    """The name itself where every vendor takes it, else one with a mark of what it was."""
    plain = _UNFIT.sub("_", name)
    return plain if plain == name and len(name) <= LONGEST else marked(plain, name)


def marked(plain: str, whole: str) -> str:
    """A name with a mark of what it was, so that two that look alike stay two."""
    mark = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:_TAIL]
    return f"{plain[: LONGEST - _TAIL - 1]}_{mark}"
