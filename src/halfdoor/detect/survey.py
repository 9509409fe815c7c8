"""What is in a request: every block is read once, and remembered by its keyed print.

INVARIANT: nothing that fails here makes a request look cleaner. A detector that raises leaves
`scan-failed`; JSON that two readers could read in two ways refuses the request.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Final, Protocol

from msgspec import Struct, structs

from halfdoor.canon.labels import Label
from halfdoor.canon.request import TURNS, Request
from halfdoor.detect.linkage import Linkage, Pathfinder, Told
from halfdoor.detect.texts import UNREADABLE, Blocks, Kept
from halfdoor.errors import ClientError
from halfdoor.reading import effects, passages
from halfdoor.reading.followed import FOLLOWED
from halfdoor.reading.passages import PATHS_TOLD, Passage
from halfdoor.reading.prints import Prints
from halfdoor.reading.tokens import NOTHING, Size, Spared, size, spared

# Room for about 20,000 blocks: a long coding session has some hundreds.
CACHE_BYTES: Final = 8 * 1024 * 1024
# What a block takes that has neither labels, marks nor paths, and what each of these adds.
_SEEN_BYTES: Final = 300
_FACT_BYTES: Final = 80
# How a piece of a request is read.
_VALUE: Final = "value"
_MEMBER: Final = "member"
_TEXT: Final = "text"


class Detector(Protocol):
    """Finds one kind of fact. One file each; may carry `identity`, a string over its tables.

    One that never looks at `Passage.paths` may say so with `reads_paths = False`: when all do, no
    paths are looked for.
    """

    name: str

    def find(self, passage: Passage) -> tuple[Label, ...]:
        """Labels of this passage, a pure function of it. May raise: that is `scan-failed`."""


class Turn(IntEnum):
    """What a block says of its conversation.

    MODEL: a model spoke before, or here. OWN: it holds what no other conversation has, a call's id
    or a vendor's seal.
    """

    NONE = 0
    MODEL = 1
    OWN = 2


class Found(Struct, frozen=True):
    """All that is known of a request. No text, save vendors' seals.

    labels: each once for its place.
    paths: files named, in order; none when no detector reads them.
    marks: prints of answered call ids, signatures and earlier answers.
    returning: prints of the call ids answered since a model last spoke.
    signatures: (print, signature) of each thinking block.
    texts: the blocks' texts as fingerprints, on demand; None where nobody can ask.
    turns: what each block of `texts` says of its conversation. seen: all that is known of each.
    size: what of the body costs tokens.
    """

    labels: tuple[Label, ...] = ()
    paths: tuple[str, ...] = ()
    marks: tuple[bytes, ...] = ()
    returning: tuple[bytes, ...] = ()
    signatures: tuple[tuple[bytes, str], ...] = ()
    texts: Blocks | None = None
    turns: tuple[Turn, ...] = ()
    seen: "tuple[Seen, ...]" = ()
    size: Size = Size(0)


class Seen(Struct, frozen=True):
    """What is remembered of one block: no text, and no place, since a block may move.

    answered: prints of the calls whose results stand here, b"" for one that has no id.
    spared: what of it costs no tokens; of what cannot be read nothing is spared.
    """

    labels: tuple[Label, ...]
    paths: tuple[str, ...]
    answered: tuple[bytes, ...]
    marks: tuple[bytes, ...]
    signatures: tuple[tuple[bytes, str], ...]
    speaks: bool
    told: Told = Told()
    turn: Turn = Turn.NONE
    spared: Spared = NOTHING


_UNREADABLE: Final = Seen((Label("scan-failed", "", "survey", "reading"),), (), (), (), (), False)


class Surveyor:
    """Surveys requests with a set of detectors. Belongs to one thread at a time.

    detectors_hash: hex over the detectors and their tables, for the log.
    cache_bytes: about how much is remembered of blocks; the least used are forgotten.
    """

    def __init__(
        self,
        detectors: tuple[Detector, ...],
        prints: Prints,
        *,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self._detectors = detectors
        self._paths = any(getattr(detector, "reads_paths", True) for detector in detectors)
        self._prints = prints
        self._known = _Known(cache_bytes)
        self._shingles = Kept()
        self._linkage = _linkage(detectors, prints)
        self.detectors_hash = _hash(detectors)

    def survey(self, request: Request) -> Found:
        """Everything found in body, headers and query. Raises ClientError for ambiguous JSON."""
        places: list[tuple[str, Seen]] = []
        blocks: list[tuple[str, bytes]] = []
        outside = tuple(_outside(request))
        for place, shape, raw in _pieces(request, outside):
            key = self._prints.block(raw)
            seen = self._known.get((shape, key)) or self._new((shape, key), raw)
            blocks.append((place, UNREADABLE if seen is _UNREADABLE else key))
            places.append((place, seen))
        texts = Blocks(request, outside, tuple(blocks), self._shingles, self._names)
        return _merged(places, self._linked(places), texts, len(request.body))

    def _new(self, key: tuple[str, bytes], raw: bytes | memoryview) -> Seen:
        seen, lasting = self._look(key[0], bytes(raw))
        if lasting:
            self._known.keep(key, seen)
        return seen

    def _read(self, shape: str, raw: bytes) -> Passage:
        if shape == _TEXT:
            return passages.plain(raw.decode("utf-8", "surrogatepass"), "")
        return passages.passage(raw, "", shape == _MEMBER, paths=self._paths)

    def _look(self, shape: str, raw: bytes) -> tuple[Seen, bool]:
        """Read and inspect; False when something failed, so that it is tried again next time."""
        try:
            passage = self._read(shape, raw)
        except ClientError:
            raise
        except Exception:  # noqa: BLE001  whatever fails, the block counts as unscanned
            return _UNREADABLE, False
        labels = [Label("not-scanned", "", "survey", kind) for kind in passage.opaque]
        labels += [Label("scan-failed", "", "survey", kind) for kind in passage.unread]
        failed = False
        told = Told()
        for detector in self._detectors:
            try:
                labels += detector.find(passage)
            except Exception:  # noqa: BLE001  a detector is a plugin's, and it fails closed
                labels.append(Label("scan-failed", "", "survey", detector.name))
                failed = True
        try:
            told = self._linkage.told(passage, labels) if self._linkage else told
        except Exception:  # noqa: BLE001  the same
            labels.append(Label("scan-failed", "", "survey", "linkage"))
            failed = True
        free = NOTHING if shape == _TEXT else spared(raw, opaque=bool(passage.opaque))
        return self._remembered(passage, labels, told, free), not failed

    def _linked(self, places: list[tuple[str, Seen]]) -> tuple[Label, ...]:
        """What calls add to the blocks' own labels; each has its place."""
        if self._linkage is None or not any(seen.told.links for _, seen in places):
            return ()
        blocks = ((place, seen.answered, seen.told) for place, seen in places)
        try:
            return tuple(self._linkage.labels(blocks))
        except Exception:  # noqa: BLE001  it asks a detector, which may be a plugin's
            return (Label("scan-failed", "request", "survey", "linkage"),)

    def _names(self, text: str) -> bool:
        """Does a text, alone, say that it comes from a file that labels follow?"""
        alone = Passage("", texts=(text,), paths=effects.paths_in_result(text))
        try:
            labels = [label for detector in self._detectors for label in detector.find(alone)]
        except Exception:  # noqa: BLE001  a detector is a plugin's: when in doubt, it says so
            return True
        return any(label.name.startswith(FOLLOWED) for label in labels)

    def _remembered(
        self, passage: Passage, labels: Iterable[Label], told: Told, free: Spared
    ) -> Seen:
        mark = self._prints.mark
        answered = tuple(mark("call", call) if call else b"" for call in passage.answered)
        sealed = tuple((mark("signature", seal), seal) for seal in passage.signatures)
        texts = tuple(mark("text", text) for text in passage.assistant_texts)
        return Seen(
            labels=tuple(dict.fromkeys(structs.replace(label, place="") for label in labels)),
            paths=passage.paths[:PATHS_TOLD],
            answered=answered,
            marks=(*filter(None, answered), *(print_ for print_, _ in sealed), *texts),
            signatures=sealed,
            speaks=passage.speaks,
            told=told,
            turn=_turn(passage),
            spared=free,
        )


class _Known:
    """Blocks that were seen, by shape and print; the least used are forgotten first.

    limit: bytes. size: bytes that they take, about; paths and seals may be long.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._blocks: OrderedDict[tuple[str, bytes], Seen] = OrderedDict()
        self.size = 0

    def get(self, key: tuple[str, bytes]) -> Seen | None:
        seen = self._blocks.get(key)
        if seen is not None:
            self._blocks.move_to_end(key)
        return seen

    def keep(self, key: tuple[str, bytes], seen: Seen) -> None:
        self._blocks[key] = seen
        self.size += _bytes(seen)
        while self.size > self._limit:
            self.size -= _bytes(self._blocks.popitem(last=False)[1])


def _bytes(seen: Seen) -> int:
    facts = len(seen.labels) + len(seen.marks) + len(seen.paths) + len(seen.signatures)
    texts = sum(map(len, seen.paths)) + sum(len(seal) for _, seal in seen.signatures)
    told = sum(len(call.labels) + 1 for call in seen.told.called) + len(seen.told.listed)
    texts += sum(len(path) for call in seen.told.called for path in (*call.relative, *call.folders))
    return _SEEN_BYTES + (facts + told) * _FACT_BYTES + texts


def _linkage(detectors: tuple[Detector, ...], prints: Prints) -> Linkage | None:
    """None where no rule speaks of a path."""
    for detector in detectors:
        if isinstance(detector, Pathfinder) and detector.reads_paths:
            return Linkage(detector, prints)
    return None


def _turn(passage: Passage) -> Turn:
    if any(passage.answered) or any(passage.signatures) or any(call.id for call in passage.calls):
        return Turn.OWN
    return Turn.MODEL if passage.speaks else Turn.NONE


def _pieces(
    request: Request, outside: tuple[tuple[str, str], ...]
) -> Iterator[tuple[str, str, bytes | memoryview]]:
    """Place, shape and bytes of all that is looked at."""
    whole = memoryview(request.body)
    for block in request.blocks:
        shape = _MEMBER if block.member else _VALUE
        yield block.place, shape, whole[block.start : block.end]
    for place, text in outside:
        yield place, _TEXT, text.encode("utf-8", "surrogatepass")


def _outside(request: Request) -> Iterator[tuple[str, str]]:
    if request.headers:
        # A name travels in lower case, which hides a key of capitals.
        names = "\n".join(name.upper() for name, _ in request.headers)
        # Of `x-note-https://…` the colon of the address is taken for the one behind the name.
        lines = "\n".join(
            f"{name}:{value}" if value.startswith("//") else f"{name}: {value}"
            for name, value in request.headers
        )
        yield "headers", f"{lines}\n{names}"
    if request.query:
        yield "query", request.query


def _merged(
    places: list[tuple[str, Seen]], linked: tuple[Label, ...], texts: Blocks, length: int
) -> Found:
    labels: dict[Label, None] = {}
    paths: dict[str, None] = {}
    marks: dict[bytes, None] = {}
    signatures: dict[tuple[bytes, str], None] = {}
    for place, seen in places:
        for label in seen.labels:
            labels[structs.replace(label, place=place)] = None
        # Of a long session's blocks most have none of these.
        if seen.paths:
            paths.update(dict.fromkeys(seen.paths))
        if seen.marks:
            marks.update(dict.fromkeys(seen.marks))
        if seen.signatures:
            signatures.update(dict.fromkeys(seen.signatures))
    labels.update(dict.fromkeys(linked))
    return Found(
        tuple(labels),
        tuple(paths),
        tuple(marks),
        _returning(places),
        tuple(signatures),
        texts,
        tuple([seen.turn for _, seen in places]),
        tuple([seen for _, seen in places]),
        size(length, [seen.spared for _, seen in places]),
    )


def _returning(places: list[tuple[str, Seen]]) -> tuple[bytes, ...]:
    """Answers behind a model's last turn; system messages and parallel results stand among them."""
    found: list[bytes] = []
    for place, seen in reversed(places):
        if place.startswith(TURNS):
            if seen.speaks:
                break
            if seen.answered:
                found = [*filter(None, seen.answered), *found]
    return tuple(dict.fromkeys(found))


def _hash(detectors: tuple[Detector, ...]) -> str:
    parts = [f"{detector.name}\0{getattr(detector, 'identity', '')}" for detector in detectors]
    return hashlib.sha256("\0\0".join(parts).encode()).hexdigest()
