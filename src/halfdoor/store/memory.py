"""What earlier answers left behind: who made a call or a thought, and the labels of a text."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

from halfdoor.canon.commands import Remember, Texts
from halfdoor.canon.labels import Label
from halfdoor.store.sources import Sources

# A mark is 16 bytes and its entry about 300: full, this is some 30 MB.
MOST_MARKS: Final = 100_000
KEPT_MS: Final = 24 * 60 * 60 * 1000


class Recollection(Struct, frozen=True):
    """Obeys `flow.ports.Recalled`. latched: the card behind the newest of the marks."""

    labels: tuple[Label, ...] = ()
    latched: str = ""
    origins: dict[bytes, str] = {}


class _Kept(Struct):
    order: int
    until_ms: int  # moves on with each use, so that a long session keeps its labels
    model: str
    vendor: str
    labels: tuple[Label, ...]


class Memory:
    """Marks and what they stand for, least recently used first to go; nothing is on disk.

    So are texts that labels follow: `sources`.

    now_ms: Unix time in milliseconds. most: marks at a time. kept_ms: how long each lasts unused.
    """

    def __init__(
        self, now_ms: Callable[[], int], *, most: int = MOST_MARKS, kept_ms: int = KEPT_MS
    ) -> None:
        self._now_ms = now_ms
        self._most = most
        self._kept_ms = kept_ms
        self._order = 0
        self._marks: OrderedDict[bytes, _Kept] = OrderedDict()
        self.sources = Sources(kept_ms)

    async def recall(self, marks: tuple[bytes, ...], texts: Texts | None = None) -> Recollection:
        """See `look_up`; nothing is waited for."""
        return self.look_up(marks, texts)

    async def remember(self, what: Remember) -> None:
        """See `keep`; nothing is waited for."""
        self.keep(what)

    def look_up(self, marks: tuple[bytes, ...], texts: Texts | None = None) -> Recollection:
        """All that is remembered about these marks and texts, merged.

        Unknown and expired ones add nothing; texts are only asked for when a source is held.
        """
        now = self._now_ms()
        back = self.sources.recognised(texts, now) if texts is not None else ()
        known = {mark: kept for mark in marks if (kept := self._fresh(mark, now)) is not None}
        if not known:
            return Recollection(back)
        newest = max(known.values(), key=lambda kept: kept.order)
        origins = {mark: kept.vendor for mark, kept in known.items()}
        # A text that is also recognised by its shingles is named where it stands.
        placed = {label.name for label in back}
        labels = (label for kept in known.values() for label in kept.labels)
        others = tuple(label for label in labels if label.name not in placed)
        return Recollection(_merged((others, back)), newest.model, origins)

    def keep(self, what: Remember) -> None:
        """Keep these marks. A mark that is known keeps its labels too: labels only add up."""
        now = self._now_ms()
        self._order += 1
        for mark in what.marks:
            before = self._fresh(mark, now)
            labels = what.labels if before is None else _merged((before.labels, what.labels))
            self._marks[mark] = _Kept(
                self._order, now + self._kept_ms, what.model, what.vendor, labels
            )
            self._marks.move_to_end(mark)
        while len(self._marks) > self._most:
            self._marks.popitem(last=False)
        for source in what.sources:
            self.sources.add(source, now)
        if what.free is not None:
            self.sources.learn(what.free)

    def _fresh(self, mark: bytes, now: int) -> _Kept | None:
        kept = self._marks.get(mark)
        if kept is None:
            return None
        if kept.until_ms <= now:
            del self._marks[mark]
            return None
        kept.until_ms = now + self._kept_ms
        self._marks.move_to_end(mark)
        return kept


def _merged(labels: Iterable[tuple[Label, ...]]) -> tuple[Label, ...]:
    return tuple(dict.fromkeys(label for some in labels for label in some))
