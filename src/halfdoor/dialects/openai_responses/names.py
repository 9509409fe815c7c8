"""Tools of a Responses request under names that every model takes, and the way back.

Namespaces nest and custom tools take free text; other dialects know flat functions with JSON
arguments. A request always gives the same names, so that prompts stay the same from turn to turn.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.dialects.openai_responses.body import ToolEntry
from halfdoor.reading.naming import fit, marked

# The one argument of a custom tool, as a function.
FREE_TEXT: Final = (
    b'{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}'
)


class Origin(Struct, frozen=True):
    """What a flat name stands for. custom: its input is free text."""

    name: str
    namespace: str = ""
    custom: bool = False


class Names:
    """The flat names of one request's tools."""

    def __init__(self, tools: Iterable[ToolEntry]) -> None:
        self._origins: dict[str, Origin] = {}
        self._flat: dict[tuple[str, str], str] = {}
        for entry in tools:
            self._add(entry, "")

    def flat(self, name: str, namespace: str = "") -> str:
        """The name that a model is told; one that was never declared is made fit alone."""
        return self._flat.get((namespace, name)) or fit(_joined(namespace, name))

    def origin(self, flat: str) -> Origin:
        """What the tool calls it."""
        return self._origins.get(flat) or Origin(flat)

    def _add(self, entry: ToolEntry, namespace: str) -> None:
        if entry.type == "namespace":
            for inner in entry.tools or ():
                self._add(inner, entry.name or "")
        elif entry.type in {"function", "custom"} and entry.name:
            flat = self._free(fit(_joined(namespace, entry.name)), namespace, entry.name)
            self._flat[namespace, entry.name] = flat
            self._origins[flat] = Origin(entry.name, namespace, entry.type == "custom")

    def _free(self, flat: str, namespace: str, name: str) -> str:
        taken = self._origins.get(flat)
        if taken is None or (taken.namespace, taken.name) == (namespace, name):
            return flat
        return marked(flat, f"{namespace}\0{name}")


def _joined(namespace: str, name: str) -> str:
    if not namespace:
        return name
    return namespace + name if namespace.endswith("__") else f"{namespace}__{name}"


def free_text(arguments: str) -> str:
    """A custom tool's input, from the JSON arguments that a model wrote; as is if they are none."""
    try:
        return msgspec.json.decode(arguments, type=_FreeText).input
    except msgspec.DecodeError:
        return arguments


class _FreeText(Struct):
    input: str
