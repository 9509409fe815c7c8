"""The texts of a block that labels follow: what a file or tool said, not what stands beside it."""

import re
from collections.abc import Callable, Iterable
from typing import Final

from halfdoor.reading import leaves

# Labels that a text has from where it comes from; others are found in the text itself, wherever.
FOLLOWED: Final = ("path:", "repo:")
# A tool's own words to its model, the same in every session; they stand inside what it read.
_REMINDER: Final = re.compile(r"<system-reminder>.*?</system-reminder>", re.DOTALL)
_RESULT_IDS: Final = frozenset({"tool_use_id", "tool_call_id"})


def answer(texts: Iterable[str]) -> list[str]:
    """An answer's parts and what is hidden in them: a call's arguments hold texts."""
    parts = tuple(texts)
    return [*parts, *leaves.expand_all(parts)]


def block(raw: bytes, *, member: bool, names: Callable[[str], bool]) -> list[str]:
    """The followed texts of one labelled block.

    Of results, all they hold; else those texts that name a labelled file themselves; else all.
    names: does this text, alone, name one? Raises ClientError as `leaves.read` does.
    """
    found = leaves.read(b"{" + raw + b"}" if member else raw)
    results = [item for item in found.objects if _is_result(item)]
    if results:
        said = (text for item in results for text in leaves.walk(item).leaves)
        return answer(_REMINDER.sub(" ", text) for text in said)
    texts = answer(found.leaves)
    return [text for text in texts if names(text)] or texts


def _is_result(item: dict[str, object]) -> bool:
    kind = item.get("type")
    said = isinstance(kind, str) and kind.endswith(("_result", "_output"))
    return said or item.get("role") == "tool" or not _RESULT_IDS.isdisjoint(item)
