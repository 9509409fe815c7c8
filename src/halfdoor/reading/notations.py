"""How models write tool calls when nobody reads them: each notation's beginning and its reader.

Sources: the chat templates that the models are published with.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final


class NoCallError(ValueError):
    """It is not what it began like; it stays text."""


class Reader:
    """Walks through a text; each step raises NoCallError where something else stands."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self.at = at

    def sees(self, mark: str) -> bool:
        """Behind white space; then it is passed."""
        at = self._behind_space()
        if not self._text.startswith(mark, at):
            return False
        self.at = at + len(mark)
        return True

    def needs(self, mark: str) -> None:
        """Pass it."""
        if not self.sees(mark):
            raise NoCallError

    def word(self, pattern: re.Pattern[str]) -> str:
        """Its first group."""
        match = pattern.match(self._text, self._behind_space())
        if match is None:
            raise NoCallError
        self.at = match.end()
        return match[1]

    def value(self) -> Any:
        """One JSON value; models write line feeds into strings."""
        try:
            value, self.at = _JSON.raw_decode(self._text, self._behind_space())
        except (ValueError, RecursionError):
            raise NoCallError from None
        return value

    def until(self, mark: str) -> str:
        """What stands before the mark; both are passed."""
        end = self._text.find(mark, self.at)
        if end < 0:
            raise NoCallError
        told, self.at = self._text[self.at : end], end + len(mark)
        return told

    @property
    def over(self) -> bool:
        """Is nothing left but white space?"""
        return self._behind_space() == len(self._text)

    def _behind_space(self) -> int:
        at = self.at
        while at < len(self._text) and self._text[at].isspace():
            at += 1
        return at


_JSON: Final = json.JSONDecoder(strict=False)
_NAME: Final = re.compile(r"(?:functions\.)?([\w.-]{1,128}?)(?::\d+)?(?=[\s<>\[{]|$)")
Named = tuple[str, Any]


def _object(value: Any) -> Named:
    """`{"name": …, "arguments": …}`, or the same inside `function`; older models say parameters."""
    if isinstance(value, dict) and isinstance(value.get("function"), dict):
        value = value["function"]
    if not isinstance(value, dict) or not {*value} <= _MEMBERS:
        raise NoCallError
    given = [value[key] for key in ("arguments", "parameters") if key in value]
    name = value.get("name", value.get("function"))
    if not isinstance(name, str) or len(given) != 1:
        raise NoCallError
    return name, given[0]


_MEMBERS: Final = frozenset({"name", "function", "arguments", "parameters", "id", "type"})


def _objects(value: Any) -> list[Named]:
    return [_object(each) for each in value] if isinstance(value, list) else [_object(value)]


def _tagged(read: Reader) -> list[Named]:
    """Hermes, Qwen, Granite: JSON between tags; Qwen Coder and GLM: tags between tags."""
    read.needs("<tool_call>")
    if read.sees("<function="):
        found = [_function(read)]
    elif (value := maybe(read)) is not None:
        found = _objects(value)
    else:
        found = [_keyed(read)]
    if not read.sees("</tool_call>") and not read.over:  # its end is often a token that is not told
        raise NoCallError
    return found


def maybe(read: Reader) -> Any:
    """A JSON value, or None where none stands."""
    try:
        return read.value()
    except NoCallError:
        return None


def _keyed(read: Reader) -> Named:
    """GLM: a name, then keys and values by turns."""
    name, given = read.word(_NAME), {}
    while read.sees("<arg_key>"):
        key = read.until("</arg_key>").strip()
        read.needs("<arg_value>")
        given[key] = Letters(read.until("</arg_value>"))
    return name, given


def _functions(read: Reader) -> list[Named]:
    read.needs("<function=")
    return [_function(read)]


def _function(read: Reader) -> Named:
    """Llama: JSON inside; Qwen Coder: a tag for each parameter."""
    name, given = read.until(">").strip().strip('"'), {}
    if (value := maybe(read)) is not None:
        read.needs("</function>")
        return name, value
    while read.sees("<parameter="):
        key = read.until(">").strip().strip('"')
        told = read.until("</parameter>")
        given[key] = Letters(told.removeprefix("\n").removesuffix("\n"))
    read.needs("</function>")
    return name, given


class Letters(str):
    """An argument as letters: what it is, its schema says."""

    __slots__ = ()


def _mistral(read: Reader) -> list[Named]:
    """A list; since version 11 a name, a mark and an object."""
    read.needs("[TOOL_CALLS]")
    if (value := maybe(read)) is not None:
        return _objects(value)
    name = read.word(_NAME)
    if read.sees("[CALL_ID]"):
        read.word(_NAME)
    read.sees("[ARGS]")
    return [(name, read.value())]


# DeepSeek's tokens are written with a wide bar and a low block.
_BEGIN, _END, _ONE, _ONE_END, _SEP = (
    f"<\uff5ctool\u2581{told}\uff5c>"
    for told in ("calls\u2581begin", "calls\u2581end", "call\u2581begin", "call\u2581end", "sep")
)


def _deepseek(read: Reader) -> list[Named]:
    """V3 says `function`, a name and a fenced object; V3.1 a name and an object."""
    read.needs(_BEGIN)
    found = []
    while read.sees(_ONE):
        read.sees(f"function{_SEP}")
        name = read.word(_NAME)
        read.sees(_SEP)
        fenced = read.sees("```json")
        found.append((name, read.value()))
        if fenced:
            read.needs("```")
        read.needs(_ONE_END)
    read.needs(_END)
    return found


def _harmony(read: Reader) -> list[Named]:
    """gpt-oss: the tool is named where the message says whom it is for."""
    read.sees("<|start|>assistant")
    name = read.word(_HARMONY)
    found = [(name, read.value())]
    if not read.sees("<|call|>") and not read.over:
        raise NoCallError
    return found


_HARMONY: Final = re.compile(
    r"(?=[^{]*?to=functions\.([\w.-]{1,128}))(?: *to=functions\.[\w.-]+)? *<\|channel\|>[^{<]*"
    r"(?:<\|constrain\|>[^{<]*)?<\|message\|>"
)


def _kimi(read: Reader) -> list[Named]:
    read.needs("<|tool_calls_section_begin|>")
    found = []
    while read.sees("<|tool_call_begin|>"):
        name = read.word(_NAME)
        read.needs("<|tool_call_argument_begin|>")
        found.append((name, read.value()))
        read.needs("<|tool_call_end|>")
    read.needs("<|tool_calls_section_end|>")
    return found


def _marked(mark: str, end: str = "") -> Callable[[Reader], list[Named]]:
    """A mark, and JSON behind it."""

    def read_it(read: Reader) -> list[Named]:
        read.needs(mark)
        found = _objects(read.value())
        if end:
            read.sees(end)
        return found

    return read_it


def _plain(read: Reader) -> list[Named]:
    """JSON and nothing else, in a fence or bare; Llama puts semicolons between calls."""
    fenced = read.sees("```")
    if fenced:
        read.word(_FENCE)
    found = _objects(read.value())
    while read.sees(";"):
        found += _objects(read.value())
    if fenced:
        read.needs("```")
    return found


_FENCE: Final = re.compile(r"((?:json|tool_call|tool_code)?)(?=\s)")


@dataclass(frozen=True, slots=True)
class Notation:
    """One way to write calls.

    begins: what a leak of it begins with. special: tokens that nobody writes by hand, so that they
    count wherever they stand; others only at the beginning of a line.
    read: the calls at a reader's place; raises NoCallError.
    """

    name: str
    begins: tuple[str, ...]
    read: Callable[[Reader], list[Named]]
    special: bool = True


NOTATIONS: Final = (
    Notation("tool-call-tag", ("<tool_call>",), _tagged, special=False),
    Notation("function-tag", ("<function=",), _functions, special=False),
    Notation("mistral", ("[TOOL_CALLS]",), _mistral),
    Notation("deepseek", (_BEGIN,), _deepseek),
    Notation(
        "harmony",
        ("<|channel|>commentary to=functions.", "<|start|>assistant to=functions.",
         "<|start|>assistant<|channel|>commentary to=functions."),
        _harmony,
    ),
    Notation("kimi", ("<|tool_calls_section_begin|>",), _kimi),
    Notation("python-tag", ("<|python_tag|>",), _marked("<|python_tag|>")),
    Notation("tool-call-token", ("<|tool_call|>",), _marked("<|tool_call|>", "<|/tool_call|>")),
)  # fmt: skip
PLAIN: Final = Notation("json", (), _plain)
