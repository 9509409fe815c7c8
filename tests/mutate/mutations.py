"""Ways to break a request, from one bit to a shape that no client would send.

A mutation takes chance and a `Case` and changes it in place. First those of the value (they keep it
JSON), then those of the bytes, then those around the body.
"""

import copy
import gzip
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

Path = tuple[str | int, ...]

DEEP: Final = (30, 200, 3_000, 100_000)
ODD: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, 2**31, -(2**63), 2**64, 10**400, 0.5, 1e308, -0.0,
    "", " ", "\0", "\ud800", "\udfff\ud800", "💥", "a" * 70_000, "null", "[]", "../../etc/passwd",
    "user", "tool", "system", "assistant", "text", "image", "tool_use", "function", "auto",
    [], [[]], [None], [{}], {}, {"": ""}, {"type": None}, {"type": "text"}, {"role": "user"},
    {"type": "text", "text": None}, {"type": "function"}, ["text", 3], {"a": {"b": {"c": [1]}}},
)  # fmt: skip
KEYS: Final = (
    "", "type", "role", "content", "model", "stream", "messages", "tools", "input", "id", "name",
    "x", "__proto__", "\0", "\ud800", "a" * 5_000, "max_tokens", "options", "prompt", "text",
)  # fmt: skip
# What is no JSON, but looks like some of it.
WORDS: Final = (
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"01", b"+1", b".5", b"1.", b"0x10",
    b"1" * 5_000, b"-", b"tru", b"None", b"'a'", b"undefined", b'"\\ud800"', b'"\\u00"', b'"\\x41"',
    b'"\xff\xfe"', b'"\xed\xa0\x80"', b'"\t"', b"/* */1", b"{}{}", b"[1,]", b'{"a":1,}',
)  # fmt: skip

# What a string may hold to step out of the place where another writer puts it.
TEXTS: Final = (
    '{"a":+1}', '{}},"model":"other","x":{"y":1', '{"a":1,"a":2}', '{"a":1e999}', "{", "}", "{}{}",
    '{"a":"\\ud800"}', "[1,", '"', "\\", "null", "data: x\n\n", "\r\n\r\n", "<|im_end|>",
    "data:image/png;base64,", "data:;base64,%%%", "file:///etc/passwd", "\ufeff{}", "\u2028",
)  # fmt: skip


@dataclass
class Case:
    """A request on its way. value: its body while it is one; data: once it is bytes."""

    value: Any
    headers: dict[str, str] = field(default_factory=dict)
    query: str = ""
    data: bytes = b""
    done: list[str] = field(default_factory=list)

    def write(self) -> None:
        """The value as bytes; lone surrogates as escapes."""
        self.data = json.dumps(self.value).encode()


Mutation = Callable[[random.Random, Case], None]


# --- The value. ---


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place in a value, the whole first."""
    yield path
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(each, (*path, key))


def _parent(case: Case, path: Path) -> Any:
    at = case.value
    for step in path[:-1]:
        at = at[step]
    return at


def _anywhere(chance: random.Random, case: Case) -> tuple[Any, Any]:
    """A container and a key in it; (None, None) where nothing is inside."""
    found = [path for path in places(case.value) if path]
    if not found:
        return None, None
    path = chance.choice(found)
    return _parent(case, path), path[-1]


def _odd(chance: random.Random) -> Any:
    """One of its own: a later mutation may reach into it."""
    return copy.deepcopy(chance.choice(ODD))


def other_value(chance: random.Random, case: Case) -> None:
    """Another type, or a value at the edge of its own."""
    parent, key = _anywhere(chance, case)
    if parent is not None:
        parent[key] = _odd(chance)


def wrapped(chance: random.Random, case: Case) -> None:
    """In an array, or in an object, or as JSON text of itself."""
    parent, key = _anywhere(chance, case)
    if parent is not None:
        inner = parent[key]
        parent[key] = chance.choice(([inner], {"value": inner}, json.dumps(inner), [inner, inner]))


def gone(chance: random.Random, case: Case) -> None:
    """A member or an element is missing."""
    parent, key = _anywhere(chance, case)
    if parent is not None:
        del parent[key]


def another_key(chance: random.Random, case: Case) -> None:
    """A member under another name, or one more."""
    parent, key = _anywhere(chance, case)
    if isinstance(parent, dict):
        new = chance.choice(KEYS)
        parent[new] = parent.pop(key) if chance.random() < 0.5 else _odd(chance)


def elsewhere(chance: random.Random, case: Case) -> None:
    """A part of the request where another belongs."""
    parent, key = _anywhere(chance, case)
    other, name = _anywhere(chance, case)
    if parent is not None and other is not None:
        moved = json.dumps(other[name])
        parent[key] = json.loads(moved)


def again(chance: random.Random, case: Case) -> None:
    """Elements repeated, reversed, or very many."""
    lists = [
        found
        for path in places(case.value)
        if path and isinstance(found := _parent(case, path)[path[-1]], list) and found
    ]
    if lists:
        one = chance.choice(lists)
        match chance.randrange(3):
            case 0:
                one.extend(json.loads(json.dumps(one)))
            case 1:
                one.reverse()
            case _:
                one.extend([one[0]] * chance.choice((3, 50, 2_000)))


def wrong_role(chance: random.Random, case: Case) -> None:
    """Roles and types swapped for each other's, or made up."""
    found = [p for p in places(case.value) if p and p[-1] in {"role", "type", "name", "id"}]
    if found:
        path = chance.choice(found)
        word = chance.choice(("user", "assistant", "tool", "system", "developer", "nobody", "", 7))
        _parent(case, path)[path[-1]] = word


def odd_text(chance: random.Random, case: Case) -> None:
    """A string that is cut, or holds what means something elsewhere."""
    found = [p for p in places(case.value) if p and isinstance(_parent(case, p)[p[-1]], str)]
    if found:
        path = chance.choice(found)
        parent = _parent(case, path)
        text, more = parent[path[-1]], chance.choice(TEXTS)
        at = chance.randrange(len(text) + 1)
        parent[path[-1]] = chance.choice((more, text[:at], text + more, text[:at] + more))


def no_object(chance: random.Random, case: Case) -> None:
    """The whole body is something else."""
    case.value = chance.choice((_odd(chance), [case.value], json.dumps(case.value)))


# --- The bytes. ---


def flipped(chance: random.Random, case: Case) -> None:
    """One to eight bits."""
    data = bytearray(case.data)
    for _ in range(chance.randrange(1, 9)):
        if data:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    case.data = bytes(data)


def cut(chance: random.Random, case: Case) -> None:
    """Its end is missing, or its beginning, or a piece of it."""
    one, other = sorted(chance.randrange(len(case.data) + 1) for _ in range(2))
    case.data = chance.choice(
        (case.data[:one], case.data[other:], case.data[:one] + case.data[other:])
    )


def inserted(chance: random.Random, case: Case) -> None:
    """Bytes from elsewhere, in the middle or around."""
    at = chance.randrange(len(case.data) + 1)
    more = chance.choice((chance.randbytes(8), b"\0", b"\xef\xbb\xbf", b"\xff", b'"', b"{", b"]"))
    case.data = chance.choice(
        (case.data[:at] + more + case.data[at:], more + case.data, case.data + more)
    )


def odd_word(chance: random.Random, case: Case) -> None:
    """A value that is no JSON, or at its edge."""
    _replace_value(chance, case, chance.choice(WORDS))


def deep(chance: random.Random, case: Case) -> None:
    """A value nested so deep that a reader may fall."""
    depth = chance.choice(DEEP)
    nested = chance.choice((b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth))
    _replace_value(chance, case, chance.choice((nested, nested[: len(nested) // 2])))


def twice(chance: random.Random, case: Case) -> None:
    """A key that stands there already, or is written in another way."""
    found = [m for m in _openings(case.data) if case.data[m + 1 : m + 2] == b'"']
    if found:
        at = chance.choice(found)
        end = case.data.find(b'"', at + 2) + 1
        key = case.data[at + 1 : end]
        told = chance.choice((key, b'"\\u%04x' % key[1] + key[2:] if len(key) > 2 else key))
        case.data = case.data[: at + 1] + told + b":1," + case.data[at + 1 :]


def recoded(chance: random.Random, case: Case) -> None:
    """In another encoding of text."""
    text = case.data.decode("utf-8", "surrogatepass")
    code = chance.choice(("utf-16", "utf-32", "utf-8-sig", "utf-7", "cp500"))
    case.data = text.encode(code, "replace")


def nothing(chance: random.Random, case: Case) -> None:
    """No body, or white space."""
    case.data = chance.choice((b"", b" ", b"\n" * 1_000, b"\0"))


def _openings(data: bytes) -> list[int]:
    return [at for at, byte in enumerate(data) if byte == ord("{")]


def _replace_value(chance: random.Random, case: Case, new: bytes) -> None:
    """In place of what follows some colon, up to the next comma or bracket."""
    colons = [at for at, byte in enumerate(case.data) if byte == ord(":")]
    if not colons:
        case.data = new
        return
    at = chance.choice(colons) + 1
    ends = [end for mark in (b",", b"}", b"]") if (end := case.data.find(mark, at)) >= 0]
    case.data = case.data[:at] + new + case.data[min(ends, default=len(case.data)) :]


# --- Around the body. ---


def packed(chance: random.Random, case: Case) -> None:
    """Compressed, really or only as it says."""
    coding = chance.choice(("gzip", "br", "zstd", "deflate", "identity", "gzip, gzip", "x", ""))
    case.headers["content-encoding"] = coding
    if chance.random() < 0.5:
        case.data = gzip.compress(case.data)


def odd_header(chance: random.Random, case: Case) -> None:
    """Headers that a client would not send, or not so."""
    name = chance.choice(
        ("content-type", "content-length", "anthropic-beta", "anthropic-version", "user-agent",
         "x-session-id", "idempotency-key", "accept", "authorization", "x-stainless-retry-count")
    )  # fmt: skip
    case.headers[name] = chance.choice(("", "0", "-1", "9" * 40, "text/plain", "\xff", "a" * 9_000))


def odd_query(chance: random.Random, case: Case) -> None:
    """A query that means nothing here."""
    case.query = chance.choice(("beta=true", "%", "%ff%00", "a=" * 2_000, "model=x&model=y"))


OF_VALUES: Final[tuple[Mutation, ...]] = (
    other_value, other_value, other_value, wrapped, gone, gone, another_key, elsewhere, again,
    wrong_role, wrong_role, odd_text, odd_text, odd_text, no_object,
)  # fmt: skip
OF_BYTES: Final[tuple[Mutation, ...]] = (
    flipped, cut, inserted, odd_word, deep, twice, recoded, nothing,
)  # fmt: skip
AROUND: Final[tuple[Mutation, ...]] = (packed, odd_header, odd_query)


def mutate(chance: random.Random, case: Case) -> None:
    """One to three changes; most keep the body JSON, for those get furthest."""
    draw = chance.random()
    for _ in range(chance.choice((1, 1, 2, 3)) if draw < 0.75 else 0):
        _apply(chance, case, chance.choice(OF_VALUES))
    case.write()
    if draw >= 0.7:
        _apply(chance, case, chance.choice(OF_BYTES))
    if draw < 0.15:
        _apply(chance, case, chance.choice(AROUND))


def _apply(chance: random.Random, case: Case, mutation: Mutation) -> None:
    mutation(chance, case)
    case.done.append(mutation.__name__)
