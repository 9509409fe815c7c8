"""Edits as tool calls: `{"name": …, "arguments": {…}}`, as coding tools define them.

What an argument means is told by its name, in any spelling: tools come and go, their words stay.
"""

from typing import Final

from halfdoor.canon.checks import Change
from halfdoor.verify.edits import apply_patch, search_replace, unified
from halfdoor.verify.edits.trying import (
    Ground,
    Place,
    Tried,
    Trouble,
    as_the_file_ends,
    joined,
    lines_of,
    split,
)
from halfdoor.verify.edits.wires import Arguments, arguments

_PATH: Final = ("filepath", "path", "targetfile", "absolutepath", "filename", "file")
_OLD: Final = ("oldstring", "oldstr", "oldtext", "search", "find")
_NEW: Final = ("newstring", "newstr", "newtext", "replace", "replacement")
_WHOLE: Final = ("content", "contents", "filetext", "text")
_PATCH: Final = ("patchtext", "patch", "diff", "input")
_INSERTED: Final = ("inserttext", *_NEW)
_ALL: Final = ("replaceall",)


class TwofoldError(ValueError):
    """Two arguments of one meaning say two things; whoever performs the call may take either."""


def tried(text: str, ground: Ground) -> Tried:
    """The changes of one call or several, or why there are none."""
    for call in arguments(text):
        if isinstance(call, Trouble):
            yield call
            continue
        try:
            yield from _tried(call, ground)
        except TwofoldError as error:
            yield Trouble("", 1, f"the call says two things: {error}", "say one")
        except UnicodeEncodeError:
            yield Trouble("", 1, "the call has half a character, which no file can hold")


def _tried(call: Arguments, ground: Ground) -> Tried:
    path, kind, whole = _text(call, _PATH), _kind(call), _text(call, _WHOLE)
    if kind == "patch":
        yield from _patched(_text(call, _PATCH) or "", ground, path or "")
        return
    if path is None:
        yield Trouble("", 1, "the call names no file", "name one of the repository")
        return
    place = ground.at(path, 1)
    if isinstance(place, Trouble):
        yield place
    elif kind == "create":
        yield Change(place.path, place.data, (whole or "").encode("utf-8", "surrogateescape"))
    elif kind == "insert":
        yield _inserted(place, _line(call) or 0, _text(call, _INSERTED) or "")
    else:
        yield _replaced(place.path, _pairs(call), place.data)


def _kind(call: Arguments) -> str:
    """How the file changes; the names are those of the editor tools' `command`, without `_`."""
    told = {
        "patch": _text(call, _PATCH),
        "create": _text(call, _WHOLE),
        "insert": None if _line(call) is None else _text(call, _INSERTED),
        "strreplace": _replacing(call),
    }
    given = [kind for kind, value in told.items() if value is not None]
    # Models fill in arguments that their command does not have, with nothing.
    filled = [kind for kind in given if told[kind]]
    if len(given) > 1 and filled != [_word(_text(call, ("command",)) or "")]:
        raise TwofoldError("how the file changes")
    return (filled or given or [""])[0]


def _replacing(call: Arguments) -> list[Arguments] | str | None:
    """Anything but "" and [] when the call replaces something, None when it says nothing of it."""
    pairs, old = _pairs(call), _text(call, _OLD)
    if pairs and pairs[0] is not call:
        return pairs
    if not pairs or (old is None and _line(call) is not None):
        return None
    return (old or "") + (_text(call, _NEW) or "")


def _line(call: Arguments) -> int | None:
    found = next((value for key, value in call.items() if _word(key) == "insertline"), None)
    return found if type(found) is int else None


def _inserted(place: Place, at: int, text: str) -> Change | Trouble:
    """Whole lines, behind the line `at`; 0 is the beginning."""
    if place.data is None:
        return Trouble(place.path, 1, f"`{place.path}` does not exist")
    lines = lines_of(place.data)
    if not 0 <= at <= len(lines):
        return Trouble(place.path, 1, f"`{place.path}` has no line {at}")
    new = as_the_file_ends(_ended(split(text)), lines)
    return Change(place.path, place.data, joined([*_ended(lines[:at]), *new, *lines[at:]]))


def _ended(lines: list[str]) -> list[str]:
    return [line if line.endswith("\n") else line + "\n" for line in lines]


def _patched(patch: str, ground: Ground, path: str) -> Tried:
    if apply_patch.BEGINS.search(patch):
        return apply_patch.tried(patch, ground)
    if search_replace.BEGINS.search(patch):
        return search_replace.tried(patch, ground, path)
    return unified.tried(patch, ground)


def _replaced(path: str, pairs: list[Arguments], before: bytes | None) -> Change | Trouble:
    if not pairs:
        return Trouble(path, 1, "the call says neither what to replace nor what to write")
    now = None if before is None else before.decode("utf-8", "surrogateescape")
    for pair in pairs:
        old, new = _text(pair, _OLD) or "", _text(pair, _NEW)
        if new is None:
            return Trouble(path, 1, "the call says not what to put in its place")
        if not old:
            if now:
                hint = "say which text is replaced"
                said = f"nothing is looked for, and `{path}` is not empty"
                return Trouble(path, 1, said, hint)
            now = new
            continue
        count = now.count(old) if now is not None else 0
        if now is None or not count:
            said = f"what is looked for is not in `{path}`" if now is not None else ""
            return Trouble(path, 1, said or f"`{path}` does not exist")
        if count > 1 and not _all(pair):
            said = f"what is looked for is {count} times in `{path}`"
            return Trouble(path, 1, said, "take in more of the lines around it")
        now = now.replace(old, new)
    return Change(path, before, (now or "").encode("utf-8", "surrogateescape"))


def _pairs(call: Arguments) -> list[Arguments]:
    """What is replaced by what. Raises TwofoldError."""
    edits = next((value for key, value in call.items() if _word(key) == "edits"), None)
    new, path = _text(call, _NEW), _text(call, _PATH)
    if not isinstance(edits, list):
        return [] if new is None else [call]
    for edit in edits:
        if new or not isinstance(edit, dict) or _text(edit, _PATH) not in {None, path}:
            raise TwofoldError("which text is replaced")
    return edits


def _text(call: Arguments, names: tuple[str, ...]) -> str | None:
    """What the arguments of one meaning say. Raises TwofoldError."""
    told = {
        key: value for key, value in call.items() if isinstance(value, str) and _word(key) in names
    }
    if len(set(told.values())) > 1:
        raise TwofoldError(", ".join(f"`{key}`" for key in told))
    return next(iter(told.values()), None)


def _all(pair: Arguments) -> bool:
    return any(_word(key) in _ALL and value is True for key, value in pair.items())


def _word(key: str) -> str:
    return key.replace("_", "").replace("-", "").lower()
