"""Edits as tool calls: `{"name": …, "arguments": {…}}`, as coding tools define them.

What an argument means is told by its name, in any spelling: tools come and go, their words stay.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from halfdoor.canon.checks import Change
from halfdoor.verify.edits import apply_patch, search_replace, unified
from halfdoor.verify.edits.trying import Ground, Tried, Trouble

_PATH: Final = ("filepath", "path", "targetfile", "absolutepath", "filename", "file")
_OLD: Final = ("oldstring", "oldstr", "oldtext", "search", "find")
_NEW: Final = ("newstring", "newstr", "newtext", "replace", "replacement")
_WHOLE: Final = ("content", "contents", "filetext", "text")
_PATCH: Final = ("patchtext", "patch", "diff", "input")
_ALL: Final = ("replaceall",)


def tried(text: str, ground: Ground) -> Tried:
    """The change of one call, or why there is none."""
    try:
        call = json.loads(text)
    except json.JSONDecodeError as error:
        said = f"the call is no JSON: {error.msg}"
        yield Trouble("", error.lineno, said, "write the call again")
        return
    arguments = _arguments(call)
    if arguments is None:
        yield Trouble("", 1, "the call has no arguments", "give them as an object")
        return
    yield from _tried(arguments, ground)


def _tried(arguments: dict[str, Any], ground: Ground) -> Tried:
    path, patch = _text(arguments, _PATH), _text(arguments, _PATCH)
    if patch is not None:
        yield from _patched(patch, ground, path or "")
        return
    if path is None:
        yield Trouble("", 1, "the call names no file", "name one of the repository")
        return
    place = ground.at(path, 1)
    if isinstance(place, Trouble):
        yield place
    elif (whole := _text(arguments, _WHOLE)) is not None:
        yield Change(place.path, place.data, whole.encode("utf-8", "surrogateescape"))
    else:
        yield _replaced(place.path, _pairs(arguments), place.data)


def _patched(patch: str, ground: Ground, path: str) -> Tried:
    if "*** Begin Patch" in patch:
        return apply_patch.tried(patch, ground)
    if search_replace.BEGINS.search(patch):
        return search_replace.tried(patch, ground, path)
    return unified.tried(patch, ground)


def _replaced(path: str, pairs: list[dict[str, Any]], before: bytes | None) -> Change | Trouble:
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


def _pairs(arguments: dict[str, Any]) -> list[dict[str, Any]]:
    edits = next((value for key, value in arguments.items() if _word(key) == "edits"), None)
    if isinstance(edits, list):
        return [edit for edit in edits if isinstance(edit, dict)]
    return [arguments] if _text(arguments, _NEW) is not None else []


def _arguments(call: object) -> dict[str, Any] | None:
    """Where the call's own wire has them; arguments that are JSON in a text are read, too."""
    if not isinstance(call, dict):
        return None
    inner = call.get("function")
    held = inner if isinstance(inner, dict) else call
    found = next((held[k] for k in ("arguments", "input", "parameters") if k in held), held)
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except json.JSONDecodeError:
            return None
    return found if isinstance(found, dict) else None


def _text(arguments: dict[str, Any], names: tuple[str, ...]) -> str | None:
    spelt = {_word(key): value for key, value in arguments.items()}
    return next(_texts(spelt, names), None)


def _texts(spelt: dict[str, Any], names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        if isinstance(spelt.get(name), str):
            yield spelt[name]


def _all(pair: dict[str, Any]) -> bool:
    return any(_word(key) in _ALL and value is True for key, value in pair.items())


def _word(key: str) -> str:
    return key.replace("_", "").replace("-", "").lower()
