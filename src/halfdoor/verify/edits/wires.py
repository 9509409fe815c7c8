"""Where the arguments of tool calls are: one call, a list, a message, as vendors' wires have them.

INVARIANT: a call that two readers could read in two ways has no arguments. Whatever performs the
call may take the one that was not judged.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from halfdoor.verify.edits.trying import Trouble

Arguments = dict[str, Any]

_HELD: Final = ("arguments", "input", "parameters")
_CALL: Final = frozenset({*_HELD, "function"})
# Parts of a message that call nothing.
_TALK: Final = frozenset({"text", "thinking", "redacted_thinking", "reasoning"})


def arguments(text: str) -> Iterator[Arguments | Trouble]:
    """The arguments of each call, in order, or why there are none."""
    try:
        calls = list(_calls(_parsed(text)))
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        said = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        yield Trouble("", line, f"the call is no JSON: {said}", "write the call again")
        return
    if not calls:
        yield Trouble("", 1, "there is no call", "give one, or a list")
    for call in calls:
        found = _arguments(call)
        hint = "give them once, as an object"
        yield found if found is not None else Trouble("", 1, "the call has no arguments", hint)


def _calls(said: object) -> Iterator[object]:
    """`[call, …]`, `{"tool_calls": [call, …]}`, `{"content": [part, …]}`, or one call."""
    calls = said if isinstance(said, list) else [said]
    if isinstance(said, dict):
        lists = [said[key] for key in ("content", "tool_calls") if isinstance(said.get(key), list)]
        if lists:  # and then it is a message, and no call itself
            calls = [each for parts in lists for each in parts]
            calls += [None] if not _CALL.isdisjoint(said) else []
    for each in calls:
        if not (isinstance(each, dict) and each.get("type") in _TALK):
            yield each


def _arguments(call: object) -> Arguments | None:
    """Arguments that are JSON in a text are read, too; a free text is a patch."""
    if not isinstance(call, dict):
        return None
    inner = call.get("function")
    levels = (call, inner) if isinstance(inner, dict) else (call,)
    held = [(key, level[key]) for level in levels for key in _HELD if key in level]
    if not held and len(levels) == 1:
        return call
    if len(held) != 1:
        return None
    ((key, found),) = held
    if isinstance(found, str):
        try:
            found = _parsed(found)
        except (ValueError, RecursionError):
            return {"patch": found} if key == "input" else None
    return found if isinstance(found, dict) else None


def _parsed(text: str) -> object:
    """Raises ValueError, RecursionError."""
    return json.loads(text, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> Arguments:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name stands in it twice")
    return made
