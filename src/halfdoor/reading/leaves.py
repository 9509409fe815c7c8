r"""What a block says: its strings, its keys, and the text that an encoding hides in them.

Lone surrogates (`\ud800` escapes) stay in the strings; whoever needs bytes encodes with
`surrogatepass`, which never fails and so cannot be used to switch a scan off.
"""

import contextlib
import json
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, NoReturn

from halfdoor.errors import ClientError
from halfdoor.reading import hidden

# How many encodings deep a text is read: JSON inside base64 inside JSON.
DEPTH: Final = 2
# Between texts that are read together: no pattern of ours crosses it.
SEAM: Final = "\n\0\n"

# What JSON can begin with, an object, an array or a string of them.
_OPENERS: Final = frozenset('{["\t\n\r ')
# A value whose key says that it may be a secret is also read together with its key.
_TELLING: Final = ("pass", "pwd", "secret", "token", "key", "auth", "cred", "private", "dsn", "sas")
_PAIRED_CHARS: Final = 4096


class Walk(NamedTuple):
    """All that one JSON value holds.

    objects: outer before inner, in order. keys: of all of them, as often as they stand.
    strings: every other string.
    """

    objects: list[dict[str, object]]
    keys: list[str]
    strings: list[str]

    @property
    def leaves(self) -> list[str]:
        """Every string and every key.

        A value whose key is telling (`"password": "x"`, `{"name": "TOKEN", "value": "x"}`) comes
        once more as `password = "x"`, so that what is known by its name is found in objects as in
        text.
        """
        return [*self.keys, *self.strings, *_named(self)]


def read(raw: bytes) -> Walk:
    """One JSON value, strictly: UTF-8, no key twice in any object, finite numbers.

    Raises ClientError: `duplicate_key` or `invalid_json`.
    """
    return walk(_decoded(raw))


def walk(value: object) -> Walk:
    """Everything in a decoded value, at any depth."""
    objects: list[dict[str, object]] = []
    keys: list[str] = []
    strings: list[str] = []
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            strings.append(item)
        elif isinstance(item, dict):
            objects.append(item)
            keys += item
            waiting += reversed(item.values())
        elif isinstance(item, list):
            waiting += reversed(item)
    return Walk(objects, keys, strings)


def _decoded(raw: bytes) -> object:
    try:
        return _strict.decode(raw.decode())
    except UnicodeDecodeError:
        raise _invalid("it is not UTF-8") from None
    except RecursionError:
        raise _invalid("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        # The parser's words name a place and a kind, never content.
        raise _invalid(f"{error.msg} at character {error.pos} of a block") from None
    except ValueError:
        raise _invalid("a number has too many digits") from None


def expand(text: str) -> Iterator[str]:
    """The texts hidden in one text, and those hidden in these, to DEPTH. Not the text itself."""
    yield from expand_all((text,))


def expand_all(texts: Iterable[str], depth: int = DEPTH) -> Iterator[str]:
    """The texts hidden in any of these.

    Bounded by construction: no decoding makes text longer, and each depth decodes a text once.
    """
    texts = tuple(texts)
    joined = SEAM.join(texts)
    found = [text for outer in texts if outer[:1] in _OPENERS for text in _nested(outer)]
    if joined.count("\0") >= len(texts) or hidden.may_be_dressed(joined):
        found += [text for outer in texts if (text := hidden.bared(outer))]
    found += hidden.runs(joined)
    yield from found
    if found and depth > 1:
        yield from expand_all(found, depth - 1)


def _nested(text: str) -> list[str]:
    """The leaves of a text that is itself JSON, such as a call's arguments."""
    head = text[:64].lstrip()
    if head[:1] in {"{", "["} or head[:2] == '"{':
        with contextlib.suppress(ValueError, RecursionError):
            return walk(_lenient.decode(text)).leaves
    return []


def _every_pair(pairs: list[tuple[str, object]]) -> object:
    """An object, or its pairs one by one where a key stands twice: none may hide another."""
    item = dict(pairs)
    return item if len(item) == len(pairs) else [{key: value} for key, value in pairs]


def _named(found: Walk) -> Iterator[str]:
    """Values with their names, where a name is telling."""
    # Most blocks have no such key: one look at all of them together says so.
    if "value" not in found.keys and not _tells("\0".join(found.keys)):
        return
    for item in found.objects:
        for key, value in item.items():
            if isinstance(value, str) and 6 <= len(value) <= _PAIRED_CHARS:
                name = item.get("name", item.get("key")) if key == "value" else key
                if isinstance(name, str) and _tells(name):
                    yield f'{name} = "{value}"'


def _tells(name: str) -> bool:
    lower = name.lower()
    return any(word in lower for word in _TELLING)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    item = dict(pairs)
    if len(item) != len(pairs):
        raise ClientError(
            "an object in the body holds the same key twice",
            code="duplicate_key",
            hint="send each key once: two readers could take different values",
        )
    return item


def _constant(name: str) -> NoReturn:
    raise _invalid(f"{name} is not JSON")


def _invalid(why: str) -> ClientError:
    return ClientError(
        f"the body is not valid JSON: {why}",
        code="invalid_json",
        hint="send one UTF-8 JSON object",
    )


# Made once: a decoder costs more to make than a short block to decode.
_strict: Final = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
_lenient: Final = json.JSONDecoder(object_pairs_hook=_every_pair)
