"""Edits of a body at byte spans: what stands between them is copied, never parsed."""

from collections.abc import Iterable, Iterator, Sequence

from halfdoor.canon.decision import Edit


def apply(body: bytes, edits: Iterable[Edit]) -> bytes:
    """The body with each edit's span replaced; the same object when there are none.

    edits: in any order. Raises ValueError when two overlap or one lies outside the body: that is
    a fault of the dialect that made them, never of a request.
    """
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
    if not ordered:
        return body
    pieces: list[bytes | memoryview] = []
    view, at = memoryview(body), 0
    for edit in ordered:
        if not at <= edit.start <= edit.end <= len(body):
            raise ValueError(f"edit {edit.kind} at {edit.start}:{edit.end} does not fit")
        pieces += (view[at : edit.start], edit.replacement)
        at = edit.end
    pieces.append(view[at:])
    return b"".join(pieces)


def without(spans: Sequence[tuple[int, int]], gone: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Byte spans to cut so that those elements leave their array, each run with one comma.

    spans: of all elements, in order. gone: a flag for each; with all of them the array is empty.
    """
    for first, last in _runs(gone):
        if first > 0:
            yield spans[first - 1][1], spans[last][1]
        elif last + 1 < len(spans):
            yield spans[0][0], spans[last + 1][0]
        else:
            yield spans[0][0], spans[last][1]


def _runs(flags: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """(first, last) of each run of True."""
    first: int | None = None
    for i, flag in enumerate([*flags, False]):
        if flag and first is None:
            first = i
        elif not flag and first is not None:
            yield first, i - 1
            first = None
