"""Labels that calls give to their results, and that a shell's folder gives to later calls.

A block is read once and remembered; which call a result answers, and where a shell was by then, is
known only of a request as a whole. So what a block tells of its calls is kept small, and put
together here for each request without reading any text again.

INVARIANT: this adds labels and never takes one away.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, Protocol, runtime_checkable

from msgspec import Struct, structs

from halfdoor.canon.labels import Label
from halfdoor.reading import effects
from halfdoor.reading.passages import Passage
from halfdoor.reading.prints import Prints
from halfdoor.reading.shell import is_absolute

# Paths of one call that a folder named earlier may stand before.
_RELATIVE: Final = 64
# Folders that a shell may be in, the newest first.
_FOLDERS: Final = 6
# A shell's pattern may mean a file that its own letters do not tell.
_WILD: Final = frozenset("*?[")
# What calls named against where they may have been made, remembered.
_PLACES: Final = 4096


@runtime_checkable
class Pathfinder(effects.Telling, Protocol):
    """A detector that judges paths by themselves."""

    name: str
    reads_paths: bool

    def labels(self, paths: Iterable[str], place: str = "") -> tuple[Label, ...]:
        """One label for each rule that speaks of any of these paths, normalised."""


class Called(Struct, frozen=True):
    """What is remembered of one call. See `reading.effects.Touch` for the rest.

    mark: the print of its id, b"" without one. labels: of what it touches, without a place.
    relative: its relative paths.
    """

    mark: bytes
    labels: tuple[Label, ...]
    relative: tuple[str, ...]
    folders: tuple[str, ...]
    lists: bool
    runs: bool
    resumes: bool


class Told(Struct, frozen=True):
    """What one block tells about calls.

    called: calls made, in order. listed: labels of what stands in lines of its own, which count
    when the call that is answered here lists files. links: False when it adds nothing to others.
    """

    called: tuple[Called, ...] = ()
    listed: tuple[Label, ...] = ()
    links: bool = False


class Linkage:
    """Links calls, results and folders under one detector's rules."""

    def __init__(self, finder: Pathfinder, prints: Prints) -> None:
        self._finder = finder
        self._prints = prints
        self._inside = lru_cache(maxsize=_PLACES)(self._labels_inside)

    def told(self, passage: Passage, labels: Iterable[Label]) -> Told:
        """What to remember of a block. May raise what the detector raises.

        labels: the block's own; a call names nothing that its block does not name.
        """
        named = any(label.detector == self._finder.name for label in labels)
        called = tuple(
            self._called(call.id, touch, self._finder.labels(touch.paths) if named else ())
            for call, touch in zip(passage.calls, passage.touched, strict=True)
        )
        links = any(call.labels or call.folders for call in called)
        if not passage.answered:
            return Told(called, (), links)
        listed = self._finder.labels(effects.paths_listed(passage.texts, self._finder))
        return Told(called, listed, links or bool(listed))

    def labels(self, blocks: Iterable[tuple[str, Sequence[bytes], Told]]) -> Iterator[Label]:
        """The labels that calls add. blocks: place, prints of the calls it answers, what it told.

        A call counts for every later result with its id, and for those without one until the next
        turn that makes calls. A result whose call is not there may be a listing.
        """
        calls: dict[bytes, _Answer] = {}
        shell = _Shell()
        for place, answered, told in blocks:
            # INVARIANT: what only looks like a call, inside a result, ends nothing.
            if told.called and not answered:
                calls.pop(b"", None)
            for call in told.called:
                found = dict.fromkeys(self._inside(shell.folders, call.relative, call.runs))
                yield from _at(place, found)
                found.update(dict.fromkeys(call.labels))
                shell.ran(call, found)
                for mark in {call.mark, b""}:
                    calls.setdefault(mark, _Answer()).add(found, lists=call.lists)
            for mark in answered:
                answer = calls.get(mark)
                if answer is not None:
                    yield from _at(place, answer.labels)
                if answer is None or answer.lists:
                    yield from _at(place, told.listed)

    def _called(self, call_id: str, touch: effects.Touch, labels: tuple[Label, ...]) -> Called:
        return Called(
            mark=self._prints.mark("call", call_id) if call_id else b"",
            labels=labels,
            relative=touch.relative()[:_RELATIVE],
            folders=touch.folders[-_FOLDERS:],
            lists=touch.lists,
            runs=touch.runs,
            resumes=touch.resumes,
        )

    def _labels_inside(
        self, folders: tuple[str, ...], relative: tuple[str, ...], runs: bool
    ) -> tuple[Label, ...]:
        """What a call touches if it was made in one of these folders; a command, all of it."""
        if not folders:
            return ()
        named = "\n".join((*folders, *relative))
        if _WILD.isdisjoint(named) and not self._finder.telling(named):
            return ()
        paths = [effects.inside(folder, path) for folder in folders for path in relative]
        return self._finder.labels((*(folders if runs else ()), *filter(None, paths)))


class _Answer:
    """What the result of a call carries; ids may repeat, then all of their calls count."""

    def __init__(self) -> None:
        self.labels: dict[Label, None] = {}
        self.lists = False

    def add(self, labels: dict[Label, None], *, lists: bool) -> None:
        self.labels.update(labels)
        self.lists = self.lists or lists


class _Shell:
    """Where the commands of a conversation may have left their shell, and what they touched.

    Whether a client keeps one shell is not known: each folder counts alone and inside the earlier.
    """

    def __init__(self) -> None:
        self.folders: tuple[str, ...] = ()
        self._labels: dict[Label, None] = {}

    def ran(self, call: Called, labels: dict[Label, None]) -> None:
        """Take a call into account; one that resumes others gets their labels."""
        if call.resumes:
            labels.update(self._labels)
        if call.runs:
            self._labels.update(labels)
        for folder in call.folders:
            self.folders = _gone(self.folders, folder)


@lru_cache(maxsize=_PLACES)
def _gone(folders: tuple[str, ...], folder: str) -> tuple[str, ...]:
    """Where a shell may be after `cd folder`, the likeliest first."""
    alone = effects.normalise(folder)
    if is_absolute(folder):
        return (alone,)
    inner = (effects.inside(earlier, folder) for earlier in folders)
    found = dict.fromkeys(path for path in (*inner, alone) if path)
    if alone and not alone.startswith(".."):  # the shell may have stayed where it was
        found.update(dict.fromkeys(folders))
    return tuple(found)[:_FOLDERS]


def _at(place: str, labels: Iterable[Label]) -> Iterator[Label]:
    return (structs.replace(label, place=place) for label in labels)
