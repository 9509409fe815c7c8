"""Finds the forms of a table in text: hyperscan says which occur, RE2 says where, judges say no.

Offsets are of characters. An engine belongs to one thread at a time: hyperscan's scratch does, and
raises when it is shared. Every failure is raised: the survey turns it into a label.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
import re2
from msgspec import Struct

from halfdoor.errors import SetupError
from halfdoor.reading import plausible
from halfdoor.reading.formats.format import Format

try:
    import hyperscan

    NATIVE = True
except ImportError:  # no wheel for this platform
    NATIVE = False

SLOW: Final = "hyperscan is missing: text is scanned with RE2 alone, about fifty times slower"

# What may stand in front of a key: a boundary as people and encodings write it.
_EDGE: Final = r"(?:^|[^0-9A-Za-z]|\\[nrtbfv0]|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2})"
_MAGIC: Final = b"halfdoor-patterns-1\n"

# A character is as many bytes as UTF-8 says; only its first is none of these.
_CONTINUATION: Final = bytes(range(0x80, 0xC0))

_BYTES: Final = re2.Options()
_BYTES.encoding = re2.Options.Encoding.LATIN1
_BYTES.log_errors = False


class Hit(Struct, frozen=True):
    """One finding: text[start:end] has the form. Never the text itself."""

    format_id: str
    start: int
    end: int
    confidence: float


class Engine:
    """Scans text for the forms of one table.

    identity: hex over the table and its judges; another table is another identity.
    warning: for `doctor`, "" when all is well.
    """

    def __init__(
        self, table: tuple[Format, ...], *, compiled: bytes = b"", native: bool = NATIVE
    ) -> None:
        """Compile the table (0.3 s), or take it from `compiled`, which `dump` gave for it (1 ms).

        native: False scans with RE2 alone. Raises SetupError for a pattern that is none.
        """
        self.table = table
        self.identity = hashlib.sha256(msgspec.msgpack.encode(table)).hexdigest()
        self.warning = "" if native else SLOW
        self._patterns = [_pattern(form) for form in table]
        self._judges = [_judge(form) for form in table]
        self._located: list[re2._Regexp | None] = [None] * len(table)
        self._database = self._compile(compiled) if native else None

    @classmethod
    def load(cls, saved: bytes, table: tuple[Format, ...]) -> "Engine":
        """An engine from `dump`. Raises SetupError when it was made for another table or build."""
        return cls(table, compiled=saved)

    def dump(self) -> bytes:
        """The compiled table, to be kept by whoever has a disk; b"" when there is nothing to keep.

        Whoever can change it can blind the engine: `verify_table` belongs after every load.
        """
        if self._database is None:
            return b""
        saved = bytes(hyperscan.dumpb(self._database))
        return self._head() + hashlib.sha256(saved).digest() + saved

    def rest(self) -> None:
        """Give back what was compiled to say where; it is compiled again when a form occurs."""
        self._located = [None] * len(self.table)
        re2.purge()

    def scan(self, text: str) -> list[Hit]:
        """All findings, in order of place. Lone surrogates are read as the bytes they would be."""
        data = text.encode("utf-8", "surrogatepass")
        hits = [hit for index in self._occurring(data) for hit in self._locate(index, data)]
        if not hits:
            return hits
        hits.sort(key=lambda hit: (hit.start, hit.format_id))
        return hits if text.isascii() else list(_in_characters(hits, data))

    def _occurring(self, data: bytes) -> list[int]:
        if self._database is None:
            return [i for i in range(len(self.table)) if self._regexp(i).search(data)]
        found: list[int] = []
        self._database.scan(data, lambda index, *_: found.append(index))
        return found

    def _locate(self, index: int, data: bytes) -> list[Hit]:
        form, judge = self.table[index], self._judges[index]
        hits = []
        regexp = self._regexp(index)
        group = regexp.groupindex[b"key"]
        for match in regexp.finditer(data):
            start, end = match.span(group)
            # Filler behind a key is not the key: what stands before it is judged by itself.
            while end and (cut := start + plausible.filler_at(data[start:end])) < end:
                shorter = regexp.search(data[match.start() : cut])
                end = match.start() + shorter.end(group) if shorter else 0
            confidence = _judged(form, judge, plausible.Place(data, start, end)) if end else 0.0
            if confidence:
                hits.append(Hit(form.id, start, end, confidence))
        return hits

    def _regexp(self, index: int) -> "re2._Regexp":
        """Compiled when first needed: most tables' forms never occur."""
        made = self._located[index]
        if made is None:
            made = self._located[index] = re2.compile(self._patterns[index], _BYTES)
        return made

    def _compile(self, compiled: bytes) -> "hyperscan.Database":
        if compiled:
            return self._load(compiled)
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        try:
            database.compile(
                expressions=self._patterns,
                ids=list(range(len(self._patterns))),
                flags=[hyperscan.HS_FLAG_SINGLEMATCH] * len(self._patterns),
            )
        except hyperscan.error as error:
            raise SetupError(f"the secret table does not compile: {error}") from None
        return database

    def _load(self, compiled: bytes) -> "hyperscan.Database":
        head = self._head()
        if not compiled.startswith(head):
            raise SetupError(
                "the saved patterns were made for another table",
                hint="delete the file; it is made anew",
            )
        digest, saved = compiled[len(head) :][:32], compiled[len(head) + 32 :]
        if hashlib.sha256(saved).digest() != digest:
            raise SetupError(
                "the saved patterns are damaged", hint="delete the file; it is made anew"
            )
        try:
            database = hyperscan.loadb(saved, hyperscan.HS_MODE_BLOCK)
            database.scratch = hyperscan.Scratch(database)
        except hyperscan.error as error:  # another build of the library or another processor
            raise SetupError(
                f"the saved patterns cannot be read here: {error}",
                hint="delete the file; it is made anew",
            ) from None
        return database

    def _head(self) -> bytes:
        return _MAGIC + self.identity.encode() + b"\n"


def _pattern(form: Format) -> bytes:
    pattern = form.pattern if "(?P<key>" in form.pattern else f"{_EDGE}(?P<key>{form.pattern})"
    return (f"(?i){pattern}" if form.caseless else pattern).encode()


def _judge(form: Format) -> plausible.Judge | None:
    if form.check and form.check not in plausible.JUDGES:
        raise SetupError(f"secret format `{form.id}` names a judge `{form.check}` that is none")
    return plausible.JUDGES[form.check] if form.check else None


def _judged(form: Format, judge: plausible.Judge | None, place: plausible.Place) -> float:
    if form.floor and plausible.entropy(place.key) < form.floor:
        return 0.0
    return judge(place, form.confidence) if judge else form.confidence


def _in_characters(hits: Iterable[Hit], data: bytes) -> Iterator[Hit]:
    """The same with offsets of characters. hits: in order, so that each byte is counted once."""
    at = start = 0
    for hit in hits:
        start += len(data[at : hit.start].translate(None, _CONTINUATION))
        at = hit.start
        size = len(data[at : hit.end].translate(None, _CONTINUATION))
        yield Hit(hit.format_id, start, start + size, hit.confidence)
