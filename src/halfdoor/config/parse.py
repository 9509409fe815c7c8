"""TOML text → tables of `config/model.py`; every error says its line, what it is, what would do."""

import re
import tomllib
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from halfdoor.config.places import Keys, line_of, places
from halfdoor.config.shape import Field, field_at, fields, table_at
from halfdoor.config.suggest import meant
from halfdoor.errors import SetupError

T = TypeVar("T", bound=Struct)

TOML_PLACE: Final = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")
SCHEMA_PLACE: Final = re.compile(r" - at `\$(.*)`$")
STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
QUOTED: Final = re.compile(r"[`'](.*)[`']")
WRONG_TYPE: Final = re.compile(r"Expected `([^`]+)`, got `([^`]+)`")
WORD: Final = re.compile(r"[A-Za-z_-]{1,24}")
LATER: Final = frozenset({"review", "redact", "openai_completions", "embeddings"})
TOML_HINTS: Final = {
    "Invalid value": "texts need quotes",
    "Expected newline or end of document": "texts need quotes, and each key its own line",
    "Expected ']'": "a table is written `[server]`, one of several `[[backends]]`",
    "Expected '=' after a key": "write `key = value`; texts need quotes",
    "Illegal character '\\n'": "close the quotes on the same line",
    "Unterminated string": "close its quotes",
    "Unclosed array": "close it with `]`",
    "Invalid statement": "write `key = value` or a table, `[server]`",
    "Cannot overwrite a value": "a key stands twice in one table",
    "Cannot declare": "this table stands twice; one of several is written `[[backends]]`",
    "Unescaped '\\'": "use single quotes, or write the backslash twice",
}
TYPES: Final = {"str": "text", "int": "a whole number", "float": "a number", "array": "a list"}
TYPES_ALSO: Final = {"object": "a table", "bool": "true or false"}

WRITTEN: Final = {
    "text": "write it in quotes",
    "a list": 'write it in brackets, as ["first", "second"]',
}
NUMBERS: Final = {"a whole number": "300", "a number": "0.5"}
# What made it another type than a number, or another number.
WITHOUT: Final = {"text": " without quotes,", "a number": " without a decimal point,"}


class Source:
    """A file's text and its name, as errors show it: `config.toml:14`."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    @cached_property
    def _lines(self) -> dict[Keys, int]:
        return places(self.text)

    def place(self, *keys: str | int) -> str:
        """Where these keys stand, `file:line`."""
        return f"{self.name}:{line_of(self._lines, keys)}"

    def error(self, keys: Keys, message: str, hint: str) -> SetupError:
        """An error about these keys."""
        return SetupError(message, hint=hint, where=self.place(*keys))


def tables(source: Source, kind: type[T], *, references: bool = False) -> T:
    """Read a whole file. Raises SetupError. references: `${` is text like any other."""
    raw = _toml(source)
    if not references:
        _no_references(source, raw)
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise _worded(source, kind, raw, str(error)) from None


def _toml(source: Source) -> dict[str, Any]:
    try:
        return tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        found = TOML_PLACE.search(str(error))
        line = int(found[1]) if found and found[1] else source.text.count("\n") + 1
        message = TOML_PLACE.sub("", str(error))
        hint = next((h for start, h in TOML_HINTS.items() if message.startswith(start)), "")
        raise SetupError(f"not TOML: {message}", hint=hint, where=f"{source.name}:{line}") from None
    except RecursionError:
        raise SetupError("not TOML: nested too deeply", where=source.name) from None


def _no_references(source: Source, raw: dict[str, Any]) -> None:
    """INVARIANT: `${…}` is read in a user's `key` and nowhere else."""
    for keys, text in _texts((), raw):
        if "${" in text and not (keys[:1] == ("backends",) and keys[2:] == ("key",)):
            raise source.error(
                keys,
                f"`{_key(keys)}` cannot take `${{…}}`",
                "only `key` of a `[[backends]]` in the user's own file is read from the "
                "environment",
            )


def _texts(keys: Keys, value: object) -> Iterator[tuple[Keys, str]]:
    if isinstance(value, str):
        yield keys, value
    elif isinstance(value, dict):
        for key, below in value.items():
            yield from _texts((*keys, key), below)
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _texts((*keys, index), below)


def _worded(source: Source, kind: type[Struct], raw: Any, problem: str) -> SetupError:
    """The schema's complaint, for the person who wrote the file."""
    place = SCHEMA_PLACE.search(problem)
    keys: Keys = tuple(
        int(index) if index else name for name, index in STEP.findall(place[1] if place else "")
    )
    if problem.startswith("Object contains unknown field"):
        return _unknown(source, kind, keys, _quoted(problem, place))
    if problem.startswith("Object missing required field"):
        return _missing(source, kind, keys, _quoted(problem, place))
    field = field_at(kind, keys)
    assert field is not None
    return _wrong(source, field, keys, raw, SCHEMA_PLACE.sub("", problem))


def _quoted(problem: str, place: re.Match[str] | None) -> str:
    found = QUOTED.search(problem[: place.start()] if place else problem)
    return found[1] if found else ""


def _unknown(source: Source, kind: type[Struct], keys: Keys, name: str) -> SetupError:
    table = table_at(kind, keys)
    known = fields(table) if table else {}
    where = f" in {_header(keys)}" if keys else ""
    return source.error((*keys, name), f"unknown key `{name}`{where}", meant(name, known))


def _missing(source: Source, kind: type[Struct], keys: Keys, name: str) -> SetupError:
    field = field_at(kind, (*keys, name))
    assert field is not None
    words = f" ({meant('', field.words)})" if field.words else ""
    return source.error(
        keys, f"{_header(keys)} lacks `{name}`", f"`{name}`: {field.description}{words}"
    )


def _wrong(source: Source, field: Field, keys: Keys, raw: Any, problem: str) -> SetupError:
    """A value of the wrong type, outside a closed set, out of range or wrongly written."""
    key = _key(keys)
    if field.name == "key":  # INVARIANT: what stands there may be a key, so it is never repeated
        hint = 'put it into the environment and write `key = "${ITS_NAME}"`'
        return source.error(keys, "a key must not stand in this file", hint)
    if field.array and field.table and not isinstance(_value(raw, keys), list):
        return source.error(keys, f"`[{key}]` is a list of tables", f"write `[[{key}]]`")
    if mistyped := WRONG_TYPE.match(problem):
        wanted, got = (_said(word) for word in mistyped.groups())
        hint = _how(wanted, got, field.description)
        return source.error(keys, f"`{key}` must be {wanted}, but is {got}", hint)
    if field.words:
        found = str(_value(raw, keys))
        shown = f"`{key}` is `{found}`" if WORD.fullmatch(found) else f"`{key}` is no known word"
        shown += ", which nothing does yet" if found in LATER else ""
        return source.error(keys, shown, meant(found, (word for word in field.words if word)))
    limit = problem.rpartition("`")[2].strip()
    if limit.startswith((">", "<")):
        return source.error(keys, f"`{key}` must be {limit}", field.description)
    return source.error(keys, f"`{key}` is not written as it must be", field.description)


def _how(wanted: str, got: str, description: str) -> str:
    """How that type is written, and what it means: a number without its unit helps nobody."""
    how = WRITTEN.get(wanted, "")
    if example := NUMBERS.get(wanted):
        how = f"write it{WITHOUT.get(got, '')} as {example}"
    return f"{how}: {description}" if how else description


def _said(type_: str) -> str:
    name = type_.removesuffix(" | null")
    return TYPES.get(name) or TYPES_ALSO.get(name) or f"a {name}"


def _value(raw: Any, keys: Keys) -> Any:
    for key in keys:
        raw = raw[key]
    return raw


def _key(keys: Keys) -> str:
    return next((key for key in reversed(keys) if isinstance(key, str)), "")


def _header(keys: Keys) -> str:
    names = ".".join(key for key in keys if isinstance(key, str))
    return f"`[[{names}]]`" if isinstance(keys[-1], int) else f"`[{names}]`"
