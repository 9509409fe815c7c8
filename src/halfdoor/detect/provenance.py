"""Labels of files by their text: a piece of a restricted file, pasted where nothing names it.

An index (built by `store/index.py`) holds every fourth shingle of the files, with the file each is
from; those that stand in many files are left out. Two of one file in one block are its text.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.canon.labels import Label
from halfdoor.reading import grams
from halfdoor.reading.passages import Passage

ENOUGH: Final = 2
# A shingle that stands in more files than these is said by everybody: imports, licences.
MOST_FILES: Final = 5
VERSION: Final = 1

_EVERY: Final = 4 - 1
_MOST_BITS: Final = 24


class Index(Struct, frozen=True, array_like=True):
    """Fingerprints of files. shingles: ascending, 8 bytes each; files: whose each is, 4 bytes each.

    labels: names, each once. of: for each file its labels' places in `labels`.
    """

    version: int
    labels: tuple[str, ...]
    of: tuple[tuple[int, ...], ...]
    shingles: bytes
    files: bytes


class _Known:
    """One index, ready to be asked."""

    def __init__(self, data: bytes) -> None:
        index = msgspec.msgpack.decode(data, type=Index)
        if index.version != VERSION:
            raise ValueError(f"an index of version {index.version}, not {VERSION}")
        self._labels = index.labels
        self._of = index.of
        self._shingles, self._files = array("q"), array("I")
        self._shingles.frombytes(index.shingles)
        self._files.frombytes(index.files)
        # Eight places for each shingle: most of what is strange is told by one look.
        self._mask = (1 << min((len(self._shingles) * 8).bit_length(), _MOST_BITS)) - 1
        self._places = bytearray(self._mask + 1)
        for shingle in self._shingles:
            self._places[shingle >> 2 & self._mask] = 1

    def labels(self, shingles: Iterable[int]) -> Iterator[str]:
        """Of the files of which so many of these shingles are."""
        hits: Counter[int] = Counter()
        places, mask = self._places, self._mask
        for shingle in shingles:
            if places[shingle >> 2 & mask]:
                hits.update(self._files_of(shingle))
        found = {at for file, count in hits.items() if count >= ENOUGH for at in self._of[file]}
        return (self._labels[at] for at in sorted(found))

    def _files_of(self, shingle: int) -> "array[int]":
        first = last = bisect_left(self._shingles, shingle)
        while last < len(self._shingles) and self._shingles[last] == shingle:
            last += 1
        return self._files[first:last]


class ProvenanceDetector:
    """Knows files by their text. indexes: as `pack` wrote them.

    Raises ValueError when one is no index of this version.
    """

    name = "provenance"
    reads_paths = False

    def __init__(self, indexes: tuple[bytes, ...]) -> None:
        self.identity = "\n".join(sha256(data).hexdigest() for data in indexes)
        try:
            self._known = [_Known(data) for data in indexes]
        except msgspec.MsgspecError as error:
            raise ValueError(f"no index: {error}") from None

    def find(self, passage: Passage) -> tuple[Label, ...]:
        """Labels of the files whose text stands in this passage; no detail."""
        if not self._known:
            return ()
        shingles = selected(grams.shingles(passage.texts))
        names = dict.fromkeys(name for known in self._known for name in known.labels(shingles))
        return tuple(Label(name, passage.place, self.name) for name in names)


def selected(shingles: Iterable[int]) -> list[int]:
    """The shingles that an index holds: a quarter, the same ones of a text wherever it stands."""
    return [one for one in shingles if not one & _EVERY]


def pack(files: Iterable[tuple[tuple[str, ...], Iterable[int]]]) -> bytes:
    """An index of files: of each its labels and its selected shingles, each once."""
    numbers: dict[str, int] = {}
    of: list[tuple[int, ...]] = []
    found: list[tuple[int, int]] = []
    for at, (labels, shingles) in enumerate(files):
        of.append(tuple(numbers.setdefault(label, len(numbers)) for label in labels))
        found += ((shingle, at) for shingle in shingles)
    often = Counter(shingle for shingle, _ in found)
    found = sorted(pair for pair in found if often[pair[0]] <= MOST_FILES)
    shingles_, files_ = array("q", (s for s, _ in found)), array("I", (at for _, at in found))
    index = Index(VERSION, tuple(numbers), tuple(of), shingles_.tobytes(), files_.tobytes())
    return msgspec.msgpack.encode(index)
