"""What a tool means for its own vendor alone, taken out of a body that goes to another backend.

Between two dialects it is left behind anyway. Within one, the body passes as it came but for these
splices: tools that the vendor would run itself, the line by which it attributes a request, and what
tells it whose device asks.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.canon.decision import Edit
from halfdoor.canon.request import Request
from halfdoor.dialects.decoding import UNREADABLE
from halfdoor.errors import ClientError
from halfdoor.reading.splice import without

ATTRIBUTION: Final = "attribution"
DEVICE_ID: Final = "device-id"
SERVER_TOOL: Final = "server-tool"
TYPED_TOOL: Final = "typed-tool"

Span = tuple[int, int]


class Head(Struct):
    """The least of a tool, or of a choice of one."""

    type: str | None = None
    name: str | None = None


_heads: Final = msgspec.json.Decoder(Head)
_choices: Final[msgspec.json.Decoder[Head | str]] = msgspec.json.Decoder(Head | str)
# Words that leave a model no way round its tools.
_FORCING: Final = frozenset({"any", "required"})
_NOBODY: Final = Head()


class ServerTools:
    """The tools of a request that its vendor would run itself.

    runs: does the vendor run a tool of this type? None: the type is not stated.
    Raises ClientError where the model must call one of them, or any tool and none is left.
    """

    def __init__(self, request: Request, runs: Callable[[str | None], bool]) -> None:
        self._spans = spans_of(request, "tools")
        self.heads = [_head(request.body, span) for span in self._spans]
        self.gone = [runs(head.type) for head in self.heads]
        if any(self.gone) and self._forced(request):
            raise forced()

    @property
    def members(self) -> dict[str, str]:
        """Members to cut, with the kind of edit; some engines refuse a list without tools."""
        none_left = bool(self.gone) and all(self.gone)
        return dict.fromkeys(("tools", "tool_choice"), SERVER_TOOL) if none_left else {}

    def edits(self) -> Iterator[Edit]:
        """Splices inside the list, where some tools are left in it."""
        if not all(self.gone):
            for start, end in without(self._spans, self.gone):
                yield Edit(SERVER_TOOL, start, end, b"")

    def rewritten(self, written: Callable[[str, str], bytes | None]) -> Iterator[Edit]:
        """Splices of tools that stand there by their type alone. written: (type, name) → tool."""
        for head, (start, end) in zip(self.heads, self._spans, strict=True):
            tool = written(head.type or "", head.name or "")
            if tool is not None:
                yield Edit(TYPED_TOOL, start, end, tool)

    def _forced(self, request: Request) -> bool:
        span = request.members.get("tool_choice")
        if span is None:
            return False
        try:
            choice = _choices.decode(memoryview(request.body)[span[0] : span[1]])
        except UNREADABLE:
            return False  # the engine will word what is wrong with it
        word = choice if isinstance(choice, str) else choice.type
        if word in _FORCING:
            return all(self.gone)
        out = [head for head, gone in zip(self.heads, self.gone, strict=True) if gone]
        # Responses names such a tool by its type, Messages by its name.
        named_ = "" if isinstance(choice, str) else choice.name or ""
        return word in {head.type for head in out} or named_ in {head.name for head in out}


def forced() -> ClientError:
    """The request cannot be answered without a tool that only its vendor runs."""
    return ClientError(
        "the request must call a tool that only its vendor runs, and this model is another's",
        code="unsupported_tool",
        where="tool_choice",
        hint="ask a model of that vendor, or leave the choice of tools to the model",
    )


def spans_of(request: Request, field: str) -> list[Span]:
    """The elements of one of the arrays that are blocks."""
    start = f"{field}["
    return [(b.start, b.end) for b in request.blocks if b.place.startswith(start)]


def named(fields: Collection[str]) -> dict[str, str]:
    """Members to cut because they name a device, a person or a conversation to one vendor."""
    return dict.fromkeys(fields, DEVICE_ID)


def cut_members(request: Request, gone: Mapping[str, str]) -> Iterator[Edit]:
    """Splices that take top-level members out, each with one comma. gone: kind of edit by key.

    All that go must be told at once. `model` stays in every body, so there is always one to keep.
    """
    if request.members.keys().isdisjoint(gone):
        return
    body, before, leading = request.body, 0, True
    for key, (start, end) in request.members.items():
        if key not in gone:
            leading = False
        elif leading:
            yield Edit(gone[key], key_start(body, start), body.index(b",", end) + 1, b"")
        else:
            yield Edit(gone[key], before, end, b"")
        before = end


def key_start(body: bytes, value_start: int) -> int:
    """Where `"key":` begins; the keys that are cut hold no quotes."""
    return body.rindex(b'"', 0, body.rindex(b'"', 0, value_start))


def _head(body: bytes, span: Span) -> Head:
    try:
        return _heads.decode(memoryview(body)[span[0] : span[1]])
    except UNREADABLE:
        return _NOBODY  # no tool at all: the engine will say so
