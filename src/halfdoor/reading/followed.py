"""The texts of a block that labels follow: what a file or tool said, not what stands beside it."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from halfdoor.reading import leaves

# Labels that a text has from where it comes from; others are found in the text itself, wherever.
FOLLOWED: Final = ("path:", "repo:")

# A tool's own words to its model, the same in every session; they stand inside what it read.
_REMINDER: Final = "<system-reminder>"
_ITS_END: Final = "</system-reminder>"
# Longer ones are none: whoever writes the tags around a file shall not hide it.
_REMINDER_CHARS: Final = 1500
_RESULT_IDS: Final = frozenset({"tool_use_id", "tool_call_id"})
_ASKING: Final = frozenset({"user", "system", "developer"})
# A path alone names itself, and is not what is to be followed.
_NAMING_CHARS: Final = 64


def answer(texts: Iterable[str]) -> list[str]:
    """An answer's parts and what is hidden in them: a call's arguments hold texts."""
    parts = tuple(texts)
    return [*parts, *leaves.expand_all(parts)]


def block(raw: bytes, *, member: bool, names: Callable[[str], bool]) -> list[str]:
    """The followed texts of one labelled block.

    Of results, all they hold; of what a person or an instruction says, those texts that name a
    labelled file themselves, or all where none does; of a model's turn, all.
    names: does this text, alone, name one? Raises ClientError as `leaves.read` does.
    """
    found = leaves.read(b"{" + raw + b"}" if member else raw)
    results = [item for item in found.objects if _is_result(item)]
    if results:
        said = (text for item in results for text in leaves.walk(item).leaves)
        return answer("".join(_without_reminders(text)) for text in said)
    texts = answer(found.leaves)
    if not member and not _asks(found.objects):
        return texts
    return [text for text in texts if len(text) >= _NAMING_CHARS and names(text)] or texts


def _is_result(item: dict[str, object]) -> bool:
    kind = item.get("type")
    said = isinstance(kind, str) and kind.endswith(("_result", "_output"))
    return said or item.get("role") == "tool" or not _RESULT_IDS.isdisjoint(item)


def _asks(objects: list[dict[str, object]]) -> bool:
    return bool(objects) and ("role" not in objects[0] or objects[0]["role"] in _ASKING)


def _without_reminders(text: str) -> Iterator[str]:
    at = 0
    while (start := text.find(_REMINDER, at)) >= 0:
        end = text.find(_ITS_END, start)
        if end < 0:
            break
        if end - start <= _REMINDER_CHARS:
            yield text[at:start]
            yield " "
        else:
            yield text[at:end]
        at = end + len(_ITS_END)
    yield text[at:]
