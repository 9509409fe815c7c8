"""One block of a request, read by shape: whatever the dialect, calls look like calls.

Fields that no dialect knows yet are read like all others; what cannot be read as text is named.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from msgspec import Struct

from halfdoor.reading import effects, hidden, leaves

# Of each of two parts that meet: more than a key is long.
_MEETING_CHARS: Final = 1024
# Shorter texts are said by everybody.
_TELLING_CHARS: Final = 64
# The paths of one block that can be followed to where they lead; more count as not scanned.
PATHS_TOLD: Final = 4096

Item = dict[str, object]

_ARGUMENTS: Final = ("input", "arguments", "args")
_CALL_IDS: Final = ("call_id", "tool_call_id", "tool_use_id", "id")
_ANSWERS: Final = ("tool_use_id", "tool_call_id")
# Messages that hold a call's result; not all dialects say of which call.
_RESULTS: Final = ("tool", "function")
_SPOKEN: Final = ("text", "thinking", "reasoning_content", "reasoning", "content", "refusal")

# Parts by their `type`; what they hold is looked at where it stands.
_KINDS: Final = {
    "image": "image", "image_url": "image", "input_image": "image", "image_file": "image",
    "document": "document", "file": "document", "input_file": "document",
    "input_audio": "audio", "audio": "audio", "video": "video", "video_url": "video",
    "redacted_thinking": "redacted-thinking", "reasoning.encrypted": "encrypted-reasoning",
    "item_reference": "item-reference", "container_upload": "file-reference",
}  # fmt: skip
# Members that only a vendor can resolve or read.
_REFERENCES: Final = {
    "file_id": "file-reference", "fileId": "file-reference", "file_url": "remote-file",
    "previous_response_id": "previous-response", "conversation": "conversation",
    "encrypted_content": "encrypted-reasoning", "encrypted_index": "encrypted-reasoning",
    "container": "container", "vector_store_ids": "vector-store", "fileUri": "remote-file",
}  # fmt: skip

# Members that may hold a text as the numbers of its tokens.
_NUMBERED: Final = ("prompt", "input", "context")
_NUMBERS: Final = frozenset(bytes((digit,)) for digit in b"[-0123456789")

# OpenAI's own tools: the member that says what the call does, under no name and no arguments.
_DOING: Final = {
    "local_shell_call": "action", "shell_call": "action", "apply_patch_call": "operation",
}  # fmt: skip
# What an attached file is called.
_TITLES: Final = ("filename", "file_name", "title", "name")
# Beside a `text`, as llama.cpp has other files for a completion.
_NAMING: Final = "filename"

# An object without any of these keys, most of them in schemas, is nothing but its strings; and what
# no key of it can tell is not asked for.
_CALLING: Final = frozenset((*_ARGUMENTS, "function", *_DOING.values()))
_ANSWERING: Final = frozenset((*_ANSWERS, "call_id", "role"))
_SEALING: Final = frozenset(
    ("encrypted_content", "signature", "thoughtSignature", "thinking", "thought", "data")
)
_POINTING: Final = frozenset((*_REFERENCES, "images", "inlineData", "inline_data"))
_TELLING: Final = _CALLING | _ANSWERING | _SEALING | _POINTING | {"summary", _NAMING}


class CallSeen(Struct, frozen=True):
    """A tool call. id: "" where the dialect gives none. arguments: None when there are none.

    Arguments that are no JSON object stand under the key `input`.
    """

    id: str
    name: str
    arguments: Item | None


class Passage(Struct, frozen=True):
    """What one block says. Holds text: never cached, never logged.

    place: see `canon.labels.Label.place`.
    texts: every string, key and text hidden in them. calls: tool calls made.
    answered: ids of the calls whose results stand here, "" where the dialect gives none.
    signatures: vendors' seals and ciphertexts of thinking.
    assistant_texts: what a model said before, or may have said as a sub-agent whose report is a
        call's result, in parts of 64 characters and more.
    opaque: kinds of parts that cannot be read as text. unread: kinds that should be text but are
        not decodable. paths: files that calls, results and diffs name. speaks: a model's turn.
    touched: what each of the calls touches, in their order; none where no paths were asked for.
    """

    place: str
    texts: tuple[str, ...] = ()
    calls: tuple[CallSeen, ...] = ()
    answered: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()
    assistant_texts: tuple[str, ...] = ()
    opaque: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    speaks: bool = False
    touched: tuple[effects.Touch, ...] = ()


def passage(raw: bytes, place: str, member: bool, *, paths: bool = True) -> Passage:
    """Read one block. Raises ClientError, see `leaves.read`.

    member: raw is `"key": value`. paths: False leaves them out, where nobody asks for them: to find
    them takes as long as to decode the block.
    """
    found = leaves.read(b"{" + raw + b"}" if member else raw)
    notes = _Notes()
    if _is_numbers(raw, found.objects, member=member):
        notes.unread["tokens"] = None
    for item in found.objects:
        notes.look_at(item)
    said = [*found.leaves, *notes.decoded]
    binary = {text for text in said if hidden.is_binary(text)}
    if binary - notes.sealed.keys() and not notes.opaque:
        notes.opaque["binary"] = None
    readable = [text for text in said if text not in binary] if binary else said
    within = [text for text in map(hidden.embedded, binary) if text]
    touched = tuple(_touch(call) for call in notes.calls) if paths else ()
    texts = (*said, *_across(found.objects), *leaves.expand_all(readable), *within)
    return Passage(
        place=place,
        texts=texts,
        calls=tuple(notes.calls),
        answered=tuple(notes.answered),
        signatures=tuple(notes.sealed),
        assistant_texts=tuple(notes.spoken),
        opaque=tuple(notes.opaque),
        unread=tuple(notes.unread),
        paths=_paths(touched, notes.titles, texts) if paths else (),
        speaks=notes.speaks,
        touched=touched,
    )


def _is_numbers(raw: bytes, objects: list[Item], *, member: bool) -> bool:
    """Is this a text that its sender cut into tokens? Only a model's own table makes it text again.

    Elements of a list are messages or texts, and none of them is a list or a number otherwise.
    """
    if not member:
        return raw[:1] in _NUMBERS
    values = [objects[0].get(key) for key in _NUMBERED]
    return any(
        isinstance(item, int | float | list)
        for value in values
        if isinstance(value, list)
        for item in value
    )


def _across(items: Iterable[Item]) -> Iterator[str]:
    """Where two text parts of one message meet: who reads them as one finds a key cut in two."""
    for item in items:
        parts = item.get("content")
        if isinstance(parts, list) and len(parts) > 1:
            for one, other in pairwise(parts):
                before, after = _text_of(one), _text_of(other)
                if before and after:
                    yield before[-_MEETING_CHARS:] + after[:_MEETING_CHARS]


def _text_of(part: object) -> str:
    text = part.get("text") if isinstance(part, dict) else ""
    return text if isinstance(text, str) else ""


def plain(text: str, place: str) -> Passage:
    """A passage of text that stands outside the body: headers, the query."""
    return Passage(place=place, texts=(text, *leaves.expand(text)))


class _Notes:
    """What the objects of one block told; dicts where order and once-ness both matter."""

    def __init__(self) -> None:
        self.calls: list[CallSeen] = []
        self.answered: dict[str, None] = {}
        self.sealed: dict[str, None] = {}
        self.spoken: list[str] = []
        self.opaque: dict[str, None] = {}
        self.unread: dict[str, None] = {}
        self.decoded: list[str] = []
        self.titles: list[str] = []
        self.speaks = False

    def look_at(self, item: Item) -> None:
        kind = item.get("type")
        kind = kind if isinstance(kind, str) else ""
        output = kind.endswith("_output")
        if not output and kind not in _KINDS and _TELLING.isdisjoint(item):
            return
        if not _CALLING.isdisjoint(item):
            self._call(item, kind)
        if output or not _ANSWERING.isdisjoint(item):
            self._answer(item, kind)
        if not _SEALING.isdisjoint(item):
            self._seal(item, kind)
        if kind in _KINDS or not _POINTING.isdisjoint(item):
            self._part(item, kind)
        if _NAMING in item and isinstance(item.get("text"), str):
            self.titles.append(_first(item, (_NAMING,)))
        if item.get("role") in {"assistant", "model"} or kind == "reasoning":
            self.speaks = True
            self._turn(item)

    def _call(self, item: Item, kind: str) -> None:
        function = item.get("function")
        if isinstance(function, dict) and _arguments(function) is not None:
            self._called(item, function)
        elif kind in _DOING and isinstance(item.get(_DOING[kind]), dict):
            name = kind.removesuffix("_call")
            self._called(item, {"name": name, "input": item[_DOING[kind]]})
        elif isinstance(item.get("name"), str) and _arguments(item) is not None:
            self._called(item, item)

    def _called(self, outer: Item, inner: Item) -> None:
        self.speaks = True
        raw = _arguments(inner)
        name = inner.get("name")
        call = CallSeen(_first(outer, _CALL_IDS), name if isinstance(name, str) else "", _read(raw))
        if call not in self.calls[-1:]:
            self.calls.append(call)
        self._said(raw if isinstance(raw, str) else json.dumps(raw))

    def _answer(self, item: Item, kind: str) -> None:
        answered = _first(item, _ANSWERS) if "name" not in item or kind.endswith("result") else ""
        if not answered and kind.endswith("_output"):
            answered = _first(item, ("call_id", "id"))
        turn = item.get("role") in _RESULTS
        if not answered and turn:
            answered = _first(item, (*_ANSWERS, "call_id"))
        if answered or turn:
            self.answered[answered] = None
            # A sub-agent's report is a model's answer that its caller gets as a result.
            self._turn(item)

    def _seal(self, item: Item, kind: str) -> None:
        sealed = [item.get("encrypted_content")]
        if kind == "reasoning":
            sealed = [sealed[0] or ""]
        if kind == "thinking" or "thinking" in item or "thought" in item:
            sealed += [item.get("signature"), item.get("thoughtSignature")]
        if kind in {"redacted_thinking", "reasoning.encrypted"}:
            sealed.append(item.get("data"))
        # Thinking that nobody sealed is told too, as "": a vendor that checks seals refuses it.
        bare = kind in {"thinking", "reasoning"}
        self.sealed.update(
            (seal, None) for seal in sealed if isinstance(seal, str) and (seal or bare)
        )

    def _part(self, item: Item, kind: str) -> None:
        if kind in _KINDS:
            self._source(item, _KINDS[kind])
        for key in item.keys() & _REFERENCES.keys():
            if item[key] and isinstance(item[key], str | list):
                self.opaque[_REFERENCES[key]] = None
        if isinstance(item.get("images"), list) and item["images"]:
            self.opaque["image"] = None
        if isinstance(item.get("inlineData", item.get("inline_data")), dict):
            self.opaque["image"] = None

    def _source(self, item: Item, kind: str) -> None:
        """A part with a source: plain text is read, text in base64 is decoded, all else named."""
        if kind == "document":
            inner = item.get("file")
            held = (item, inner) if isinstance(inner, dict) else (item,)
            self.titles += (title for each in held if (title := _first(each, _TITLES)))
        source = item.get("source", item)
        source = source if isinstance(source, dict) else item
        if source.get("type") in {"text", "content"}:
            return
        if str(source.get("media_type", "")).startswith("text/"):
            self._text_document(source.get("data"))
        else:
            remote = _is_remote(source.get("url", source.get("image_url")))
            self.opaque[f"remote-{kind}" if remote else kind] = None

    def _text_document(self, data: object) -> None:
        try:
            text = base64.b64decode(str(data), validate=True).decode()
        except (binascii.Error, ValueError):
            self.unread["text-document"] = None
            return
        self.decoded.append(text)

    def _turn(self, item: Item) -> None:
        """What a model said in this turn: its own text and its parts', not its calls' values."""
        for part in (item, *_dicts(item.get("content")), *_dicts(item.get("summary"))):
            for key in _SPOKEN:
                self._said(part.get(key))

    def _said(self, text: object) -> None:
        if isinstance(text, str) and len(text) >= _TELLING_CHARS:
            self.spoken.append(text)


def _arguments(item: Item) -> object:
    for key in _ARGUMENTS:
        if isinstance(item.get(key), str | dict):
            return item[key]
    return None


def _read(raw: object) -> Item | None:
    """Arguments as an object; free text stands under `input`."""
    if isinstance(raw, dict):
        return raw or None
    text = str(raw or "")
    try:
        value = _decoder.decode(text) if text else None
    except (ValueError, RecursionError):
        # Another reader may make more of what begins like an object: its words count as paths.
        return {"input": text, "command": text} if text.lstrip()[:1] == "{" else {"input": text}
    return value if isinstance(value, dict) else {"input": raw} if raw else None


def _all_values(pairs: list[tuple[str, object]]) -> Item:
    """An object; where a key stands twice, all its values count: readers differ in which one."""
    item = dict(pairs)
    if len(item) == len(pairs):
        return item
    return {key: [value for name, value in pairs if name == key] for key in item}


def _first(item: Item, keys: tuple[str, ...]) -> str:
    for key in keys:
        value = item.get(key)
        if isinstance(value, str) and value:
            return value
    return ""


def _is_remote(url: object) -> bool:
    url = url.get("url") if isinstance(url, dict) else url
    return isinstance(url, str) and not url.startswith("data:")


def _dicts(value: object) -> Iterator[Item]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _touch(call: CallSeen) -> effects.Touch:
    return effects.touch(call.name, call.arguments or {})


def _paths(
    touched: tuple[effects.Touch, ...], titles: list[str], texts: tuple[str, ...]
) -> tuple[str, ...]:
    named = [path for touch in touched for path in touch.paths]
    named += filter(None, map(effects.normalise, titles))
    return tuple(dict.fromkeys((*named, *effects.paths_in_result("\n".join(texts)))))


_decoder: Final = json.JSONDecoder(object_pairs_hook=_all_values, parse_int=float)
