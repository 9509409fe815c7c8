"""Texts that labels follow, by their shingles; see `reading/grams.py` for the unit.

INVARIANT: while a source is remembered nothing takes a shingle from it, and one more source adds
labels to what is recognised and never removes one.
"""

from array import array
from collections import Counter, OrderedDict
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from halfdoor.canon.commands import Source, Texts
from halfdoor.canon.labels import Label
from halfdoor.reading.grams import ENOUGH, Shingles

# Of all sources together, about 100 bytes each; of one; of harmless texts, 8 bytes each.
MOST_SHINGLES: Final = 200_000
MOST_OF_ONE: Final = 50_000
MOST_HARMLESS: Final = 128_000
# Those too short to be recognised count here only: they are not read again every turn.
MOST_SOURCES: Final = 20_000
# Blocks whose result is remembered until the next source comes or goes.
_MOST_LOOKED: Final = 16_384
# A quarter of a source is the source itself, come back: it is remembered for another while.
_STRONG: Final = 4
_NEVER: Final = 2**63


class _Held(Struct):
    number: int
    until_ms: int
    labels: tuple[str, ...]
    shingles: Shingles


class _Looked(Struct, frozen=True):
    generation: int
    labels: tuple[str, ...] = ()
    strong: tuple[bytes, ...] = ()


class Sources:
    """Sources, least recently used first to go. kept_ms: how long each lasts unused."""

    def __init__(self, kept_ms: int, *, most: int = MOST_SHINGLES) -> None:
        self._kept_ms = kept_ms
        self._most = most
        self._held: OrderedDict[bytes, _Held] = OrderedDict()
        self._by_number: dict[int, bytes] = {}
        # Whose a shingle is: the number of its one source, or of several.
        self._owners: dict[int, int | tuple[int, ...]] = {}
        self._harmless: OrderedDict[bytes, Shingles] = OrderedDict()
        self._looked: OrderedDict[bytes, _Looked] = OrderedDict()
        self._used: set[bytes] = set()
        # No source expires before this; some may long have been used again.
        self._next_ms = _NEVER
        self._generation = 0
        self._numbers = 0
        self._size = 0
        self._harmless_size = 0

    def __len__(self) -> int:
        return len(self._held)

    def held(self, source_id: bytes) -> tuple[tuple[str, ...], Shingles, int]:
        """Labels, shingles and last moment (Unix ms) of a source; none of one that is not held."""
        held = self._held.get(source_id)
        return (held.labels, held.shingles, held.until_ms) if held else ((), array("q"), 0)

    def used(self) -> tuple[bytes, ...]:
        """Sources that came back since this was last asked, and are still held."""
        used = tuple(self._used & self._held.keys())
        self._used.clear()
        return used

    def add(self, source: Source, now_ms: int, until_ms: int = 0) -> bool:
        """Follow this text, or follow it on; True when that is news.

        until_ms: Unix ms, of a source that another process met; else it lasts from now.
        """
        self.forget_old(now_ms)
        lasts = until_ms or now_ms + self._kept_ms
        before = self._held.get(source.id)
        if before is not None:
            before.until_ms = max(lasts, before.until_ms)
            self._held.move_to_end(source.id)
            labels = tuple(sorted({*before.labels, *source.labels}))
            news = labels != before.labels
            if news:
                before.labels = labels
                self._generation += 1
            return news
        shingles = source.shingles()
        self._hold(source, shingles if until_ms else self._telling(shingles), lasts)
        return True

    def recognised(self, texts: Texts, now_ms: int) -> tuple[Label, ...]:
        """Labels of the sources that come back in these texts, each once for its place."""
        self.forget_old(now_ms)
        if not self._owners:
            return ()
        found: dict[Label, None] = {}
        for at, (place, key) in enumerate(texts.blocks):
            looked = self._looked.get(key)
            if looked is None or looked.generation != self._generation:
                looked = self._look(texts.shingles(at))
                self._note(key, looked)
            for source_id in looked.strong:
                self._held[source_id].until_ms = now_ms + self._kept_ms
                self._held.move_to_end(source_id)
                self._used.add(source_id)
            found.update((Label(name, place, "derived"), None) for name in looked.labels)
        return tuple(found)

    def learn(self, texts: Texts) -> None:
        """These texts carried no label: what they say is not what a later source is known by."""
        if not self._held:
            return
        for at, (_place, key) in enumerate(texts.blocks):
            if key in self._harmless:
                self._harmless.move_to_end(key)
                continue
            shingles = texts.shingles(at)
            self._harmless[key] = shingles
            self._harmless_size += len(shingles)
        while self._harmless_size > MOST_HARMLESS:
            self._harmless_size -= len(self._harmless.popitem(last=False)[1])

    def forget_old(self, now_ms: int) -> None:
        """Drop what has expired. Costs a comparison until the next source may have."""
        if now_ms < self._next_ms:
            return
        for source_id in [one for one, held in self._held.items() if held.until_ms <= now_ms]:
            self._drop(source_id)
        self._next_ms = min((held.until_ms for held in self._held.values()), default=_NEVER)

    def _telling(self, shingles: set[int]) -> set[int]:
        for harmless in self._harmless.values():
            shingles.difference_update(harmless)
        if len(shingles) < ENOUGH:
            return set()
        # Of too many, the same ones every time: hashes have no order of their own.
        return shingles if len(shingles) <= MOST_OF_ONE else set(sorted(shingles)[:MOST_OF_ONE])

    def _hold(self, source: Source, shingles: set[int], until_ms: int) -> None:
        self._numbers += 1
        number = self._numbers
        shared = shingles & self._owners.keys()
        self._owners.update(dict.fromkeys(shingles - shared, number))
        for shingle in shared:
            self._owners[shingle] = (*_several(self._owners[shingle]), number)
        self._held[source.id] = _Held(number, until_ms, source.labels, array("q", shingles))
        self._by_number[number] = source.id
        self._next_ms = min(self._next_ms, until_ms)
        self._size += len(shingles)
        self._generation += bool(shingles)
        while len(self._held) > (1 if self._size > self._most else MOST_SOURCES):
            self._drop(next(iter(self._held)))

    def _drop(self, source_id: bytes) -> None:
        held = self._held.pop(source_id, None)
        if held is None:
            return
        for shingle in held.shingles:
            rest = tuple(n for n in _several(self._owners[shingle]) if n != held.number)
            if rest:
                self._owners[shingle] = rest if len(rest) > 1 else rest[0]
            else:
                del self._owners[shingle]
        del self._by_number[held.number]
        self._size -= len(held.shingles)
        self._generation += bool(held.shingles)

    def _look(self, shingles: Shingles) -> _Looked:
        owners = self._owners
        if owners.keys().isdisjoint(shingles):
            return _Looked(self._generation)
        hits = Counter(owners[one] for one in owners.keys() & set(shingles))
        names: Counter[str] = Counter()
        sources: Counter[int] = Counter()
        for numbers, count in hits.items():
            several = _several(numbers)
            sources.update(dict.fromkeys(several, count))
            names.update(dict.fromkeys(self._labels_of(several), count))
        labels = tuple(sorted(name for name, count in names.items() if count >= ENOUGH))
        strong = (self._by_number[n] for n, count in sources.items() if self._strong(n, count))
        return _Looked(self._generation, labels, tuple(strong))

    def _labels_of(self, numbers: tuple[int, ...]) -> Iterator[str]:
        for number in numbers:
            yield from self._held[self._by_number[number]].labels

    def _strong(self, number: int, count: int) -> bool:
        held = self._held[self._by_number[number]]
        return count >= ENOUGH and count * _STRONG >= len(held.shingles)

    def _note(self, key: bytes, looked: _Looked) -> None:
        self._looked[key] = looked
        if len(self._looked) > _MOST_LOOKED:
            self._looked.popitem(last=False)


def _several(numbers: int | tuple[int, ...]) -> tuple[int, ...]:
    return (numbers,) if isinstance(numbers, int) else numbers
