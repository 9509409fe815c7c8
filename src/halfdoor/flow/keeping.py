"""What an exchange leaves for later turns: who made a call or a thought, and text with labels."""

from functools import cached_property
from typing import Final

from msgspec.structs import replace

from halfdoor.canon.commands import Learnt, Remember, Source
from halfdoor.canon.decision import Target
from halfdoor.canon.labels import DERIVED, Label
from halfdoor.canon.request import TURNS, Kind
from halfdoor.flow import session
from halfdoor.flow.house import House
from halfdoor.flow.session import Session
from halfdoor.flow.weighing import PLACED, Weighed
from halfdoor.reading import followed, grams
from halfdoor.reading.followed import FOLLOWED

# What stands beside the conversation, and comes from none of its turns.
_APART: Final = ("headers", "query")


class Keeping:
    """Made for one exchange and asked twice: when its answer is complete, and when it is over.

    known: by what the session is known.
    """

    def __init__(self, weighed: Weighed, house: House, known: Session) -> None:
        self._weighed = weighed
        self._prints = house.prints
        self._paths = house.paths
        self._pins = known.pins
        # What no rule narrows travels for nothing: every talk about a picture would be followed.
        held = {label.name for label in weighed.labels if house.book.narrows(label.name)}
        self._names = tuple(sorted({_derived(name) for name in held}))
        self._blocks = self._labelled_blocks() if self._names else ()
        self._floor = session.floor(weighed, known) if self._names else None

    def __call__(self, target: Target, learnt: Learnt, *, floor: bool = True) -> Remember:
        """Calls and seals by their maker; the answer, and labelled blocks, by their labels.

        floor: the session keeps the labels, too, and who answered.
        """
        what = self._what(target, learnt, floor=floor)
        if not (floor and self._pins) or self._weighed.request.kind is Kind.COUNT:
            return what
        choice, now_ms = self._weighed.choice, self._weighed.scene.now_ms
        tokens = choice.prompt.expected(target.name)
        pin = self._weighed.stayed.pin(target.name, choice.name, now_ms, tokens)
        return replace(what, pins=self._pins, pin=pin)

    def _what(self, target: Target, learnt: Learnt, *, floor: bool) -> Remember:
        mark = self._prints.mark
        marks = [mark("call", call) for call in learnt.calls]
        marks += [mark("signature", seal) for seal in learnt.signatures]
        if not self._names:
            free = self._weighed.found.texts
            return Remember(tuple(marks), target.name, target.vendor, (), free=free)
        marks += [mark("text", text) for text in learnt.texts]
        labels = tuple(Label(name, "answer", "derived") for name in self._names)
        sources = (*self._blocks, *(self._answer(text) for text in learnt.texts))
        held = self._floor if floor else None
        return Remember(tuple(marks), target.name, target.vendor, labels, sources, floor=held)

    def _answer(self, text: str) -> Source:
        def shingles() -> set[int]:
            return grams.of_source(followed.answer((text,))) - self._said_before

        return Source(self._prints.mark("source", text), self._names, shingles)

    def _labelled_blocks(self) -> tuple[Source, ...]:
        """Blocks whose labels say where their text comes from.

        Not those that only brought labelled text back: what else stands in them would carry its
        labels on, and soon everything would.
        """
        found, sources = self._weighed.found, []
        if found.texts is None:
            return ()
        names: dict[str, set[str]] = {}
        for label in found.labels:
            if label.name.startswith(FOLLOWED):
                names.setdefault(label.place, set()).add(label.name)
        led = self._led()
        for at, (place, key) in enumerate(found.texts.blocks):
            if own := {*names.get(place, ()), *led.get(at, ())}:
                sources.append(self._block(at, key, tuple(sorted(map(_derived, own)))))
        return tuple(sources)

    def _led(self) -> dict[int, set[str]]:
        """Blocks by what is known only of where files really are, which names no block.

        A glob from the root: the blocks that name such a file, and the results of their calls.
        What a link led to, or a repository, may be the text of any result, in a project whose root
        is known: elsewhere that would follow what everybody reads.
        """
        placed = [label.name for label in self._weighed.labels if label.place in PLACED]
        wanted = {name for name in placed if name.startswith(FOLLOWED)}
        led: dict[int, set[str]] = {}
        if not wanted:
            return led
        calls: dict[bytes, set[str]] = {}
        named: set[str] = set()
        for at, block in enumerate(self._weighed.found.seen):
            own = wanted & self._rooted(block.paths)
            if own:
                named |= own
                led[at] = set(own)
            for call in block.told.called:
                calls.setdefault(call.mark, set()).update(own)
        root, real = self._weighed.actor.root, self._weighed.scene.real
        anywhere = wanted - (named - self._rooted(real)) if root else set[str]()
        for at, block in enumerate(self._weighed.found.seen):
            for mark in block.answered:
                led.setdefault(at, set()).update(calls.get(mark, ()), anywhere)
        return led

    def _rooted(self, paths: tuple[str, ...]) -> set[str]:
        globs = self._paths.rooted(paths, self._weighed.actor.root)
        return {f"path:{glob}" for glob in globs}

    def _block(self, at: int, key: bytes, names: tuple[str, ...]) -> Source:
        texts = self._weighed.found.texts
        assert texts is not None
        return Source(key, names, lambda: texts.followed(at) - self._said_before)

    @cached_property
    def _said_before(self) -> frozenset[int]:
        """What stood in the request before anything labelled, with system text and tools.

        It cannot come from labelled text, and is much of what a session repeats: the same
        instructions stand in everybody's.
        """
        texts = self._weighed.found.texts
        if texts is None:
            return frozenset()
        labelled = {label.place for label in self._weighed.labels}
        turns = [place for place, _ in texts.blocks if place.startswith(TURNS)]
        first = next((at for at, place in enumerate(turns) if place in labelled), 0)
        if not labelled <= {*turns, *_APART}:
            first = 0  # a label without a place of its own may have come first of all
        after = {*turns[first:], *labelled}
        found: set[int] = set()
        for at, (place, _) in enumerate(texts.blocks):
            if place not in after:
                found.update(texts.shingles(at))
        return frozenset(found)


def _derived(name: str) -> str:
    """INVARIANT: `derived:` never nests; what derives from derived text derives from its source."""
    return DERIVED + name.removeprefix(DERIVED)
