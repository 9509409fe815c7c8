"""A request's blocks as fingerprints. Nothing is made before it is asked for."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from halfdoor.canon.request import Request
from halfdoor.reading import followed, grams, passages
from halfdoor.reading.grams import Shingles

# Shingles of blocks that are kept for the next turn, 8 bytes each: of some 4 MB of text.
KEPT_SHINGLES: Final = 500_000
# The key of a block that cannot be read: it is `scan-failed`, and has no text.
UNREADABLE: Final = b""


class Kept:
    """Shingles by block, least recently used first to go."""

    def __init__(self, most: int = KEPT_SHINGLES) -> None:
        self._most = most
        self._size = 0
        self._kept: OrderedDict[bytes, Shingles] = OrderedDict()

    def of(self, key: bytes, make: Callable[[], Shingles]) -> Shingles:
        """The shingles of the block with this key, made once."""
        shingles = self._kept.get(key)
        if shingles is not None:
            self._kept.move_to_end(key)
            return shingles
        shingles = self._kept[key] = make()
        self._size += len(shingles)
        while self._size > self._most:
            self._size -= len(self._kept.popitem(last=False)[1])
        return shingles


class Blocks:
    """The blocks of one request, then what stands outside its body; obeys `canon.commands.Texts`.

    blocks: see `Texts.blocks`; the print of one that could not be read is UNREADABLE.
    names: does a text, alone, say that it comes from a labelled file?
    """

    def __init__(
        self,
        request: Request,
        outside: tuple[tuple[str, str], ...],
        blocks: tuple[tuple[str, bytes], ...],
        kept: Kept,
        names: Callable[[str], bool],
    ) -> None:
        self._request = request
        self._outside = outside
        self.blocks = blocks
        self._kept = kept
        self._names = names

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Blocks) and self.blocks == other.blocks

    __hash__ = None  # type: ignore[assignment]  # as of every value that is compared by content

    def shingles(self, at: int) -> Shingles:
        """See `Texts.shingles`."""
        return self._kept.of(self.blocks[at][1], lambda: grams.shingles(self._texts(at)))

    def followed(self, at: int) -> set[int]:
        """Shingles of those texts in block `at` that labels follow."""
        if self.blocks[at][1] == UNREADABLE:
            return set()
        if at >= len(self._request.blocks):
            return grams.of_source(self._texts(at))
        raw, member = self._raw(at)
        return grams.of_source(followed.block(raw, member=member, names=self._names))

    def _texts(self, at: int) -> tuple[str, ...]:
        if self.blocks[at][1] == UNREADABLE:
            return ()
        if at >= len(self._request.blocks):
            return passages.plain(self._outside[at - len(self._request.blocks)][1], "").texts
        raw, member = self._raw(at)
        return passages.passage(raw, "", member, paths=False).texts

    def _raw(self, at: int) -> tuple[bytes, bool]:
        block = self._request.blocks[at]
        return self._request.body[block.start : block.end], block.member
