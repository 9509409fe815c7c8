"""RFC 8785 canonical JSON for the values that entries hold: one value, one sequence of bytes."""

from typing import Final

from halfdoor.errors import LogError

# Beyond this, JSON numbers are no longer exact everywhere (RFC 8785 appendix B, IEEE 754 doubles).
LARGEST_EXACT: Final = 2**53 - 1


_SHORT: Final = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
_ESCAPES: Final = {code: f"\\u{code:04x}" for code in range(0x20)} | _SHORT


def canonical(value: object) -> bytes:
    """Encode strings, exact integers, booleans, None, lists, tuples and dicts keyed by strings.

    Raises LogError for anything else. Floats are refused: entries hold none, and their shortest
    form is the one part of RFC 8785 that JSON libraries get wrong.
    """
    try:
        return _text(value).encode("utf-8")
    except UnicodeEncodeError:
        raise LogError("an entry holds text that is not valid Unicode") from None


def _text(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _quoted(value)
        case int() if abs(value) <= LARGEST_EXACT:
            return str(value)
        case list() | tuple():
            return "[" + ",".join(_text(item) for item in value) + "]"
        case dict():
            return _object(value)
    raise LogError(f"an entry cannot hold {_named(value)}")


def _object(members: dict[object, object]) -> str:
    keys = [key for key in members if isinstance(key, str)]
    if len(keys) != len(members):
        raise LogError("an entry cannot hold an object whose keys are not strings")
    # RFC 8785 section 3.2.3: keys are compared as arrays of UTF-16 code units.
    keys.sort(key=lambda key: key.encode("utf-16-be", "surrogatepass"))
    return "{" + ",".join(f"{_quoted(key)}:{_text(members[key])}" for key in keys) + "}"


def _quoted(text: str) -> str:
    return '"' + text.translate(_ESCAPES) + '"'


def _named(value: object) -> str:
    kind = type(value).__name__
    return f"the integer {value}, which is not exact in JSON" if kind == "int" else f"a {kind}"
