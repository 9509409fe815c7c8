"""Edits of a body at byte spans: what stands between them is copied, never parsed."""

from collections.abc import Iterable

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
