"""Texts to be recognised, what happens to them on their way back, and what recognises them.

All is made of the standard library of the Python that runs this, and of the packages beside it,
with a fixed seed: other versions give slightly other figures.
"""

import ast
import keyword
import random
import re
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Final

from halfdoor.canon.commands import Source
from halfdoor.detect.provenance import ProvenanceDetector, pack, selected
from halfdoor.reading import grams
from halfdoor.reading.passages import Passage
from halfdoor.store.sources import Sources

SEED: Final = 20
LINES: Final = (10, 20, 50)
# Copies of the standard library, and tables that are alike: they would be recognised rightly.
_COPIES: Final = (
    "/test/", "/idlelib/", "/encodings/", "/lib2to3/", "/pip/", "/setuptools/", "_vendor", "typing_ext",
    "tomli", "/mypy/", "/mypyc/", "typeshed", "exceptiongroup", "importlib_metadata", "zipp", "turtledemo",
)  # fmt: skip

Edit = Callable[[str, random.Random], str]
Recognise = Callable[[str], bool]


def modules(folder: str, least: int, most: int) -> list[Path]:
    """Python files of a middling size below a folder, shuffled."""
    files = [
        file
        for file in sorted(Path(folder).rglob("*.py"))
        if not any(copy in str(file) for copy in _COPIES) and least < file.stat().st_size < most
    ]
    random.Random(SEED).shuffle(files)
    return files


@cache
def read(path: Path) -> str:
    """A file's text."""
    return path.read_text("utf-8", "replace")


def documents(files: Iterable[Path]) -> Iterator[str]:
    """Documentation as prose: the docstrings of one module, 120 words and more, one after another."""
    for file in files:
        try:
            tree = ast.parse(read(file))
        except (SyntaxError, ValueError):
            continue
        kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        found = (
            ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, kinds)
        )
        prose = [text for text in found if len(text.split()) >= 20]
        words = "\n\n".join(prose).split(" ")
        if len(words) >= 120:
            yield " ".join(words[:600])


# --- what happens to a text on its way back ---


def whole(text: str, _chance: random.Random) -> str:
    return text


def half(text: str, chance: random.Random) -> str:
    at = chance.randrange(2)
    return text[: len(text) // 2] if at else text[len(text) // 2 :]


def sentence(text: str, chance: random.Random) -> str:
    """One sentence of 12 words or more."""
    said = [s for s in re.split(r"(?<=[.:;])\s+", text) if 12 <= len(s.split()) <= 40]
    return chance.choice(said) if said else ""


def tenth_changed(text: str, chance: random.Random) -> str:
    return re.sub(r"\w+", lambda m: "instead" if chance.random() < 0.1 else m[0], text)


def fifth_changed(text: str, chance: random.Random) -> str:
    return re.sub(r"\w+", lambda m: "instead" if chance.random() < 0.2 else m[0], text)


def fifth_deleted(text: str, chance: random.Random) -> str:
    return "\n".join(line for line in text.split("\n") if chance.random() > 0.2)


def third_renamed(text: str, chance: random.Random) -> str:
    """Three of ten names get another, everywhere."""
    names = sorted({*re.findall(r"[A-Za-z_]\w{2,}", text)} - {*keyword.kwlist})
    other = {name: f"{name}_new" for name in chance.sample(names, len(names) * 3 // 10)}
    return re.sub(r"[A-Za-z_]\w*", lambda m: other.get(m[0], m[0]), text)


def numbered(text: str, _chance: random.Random) -> str:
    return "\n".join(f"{n:6}\t{line}" for n, line in enumerate(text.split("\n"), 417))


# --- what is followed, and what has nothing to do with it ---


class Corpus:
    """sources: modules whose code is followed, and as many documents of prose.

    unrelated: other documents.
    """

    def __init__(self, sources: int, unrelated: int) -> None:
        library = modules(sysconfig.get_path("stdlib"), 4_000, 200_000)
        library = [file for file in library if "site-packages" not in str(file)]
        packages = modules(sysconfig.get_path("purelib"), 3_000, 200_000)
        self.followed = library[:sources]
        self.others = [*library[sources:], *packages[:400]]
        self.prose = list(islice(documents(library), sources))
        rest = documents([*library[2 * sources :], *packages])
        self.other_prose = list(islice(rest, unrelated))

    def snippets(self, files: list[Path], lines: int, count: int) -> list[str]:
        """Pieces of so many lines, seven tenths of them not empty."""
        chance = random.Random(SEED + lines)
        found: list[str] = []
        while len(found) < count:
            text = read(chance.choice(files)).splitlines()
            at = chance.randrange(max(len(text) - lines, 1))
            piece = text[at : at + lines]
            if sum(1 for line in piece if line.strip()) >= lines * 0.7:
                found.append("\n".join(piece))
        return found


def memory(texts: Iterable[str]) -> Recognise:
    """Sources as a running halfdoor holds them, each the answer to a labelled exchange."""
    sources = Sources(1, most=10**9)
    for at, text in enumerate(texts):
        sources.add(Source(at.to_bytes(4), ("derived:x",), partial(grams.of_source, [text])), 0)
    return lambda text: bool(sources._look(grams.shingles([text])).labels)


def index(files: Iterable[Path]) -> Recognise:
    """The index of restricted files."""
    packed = pack((("path:x",), selected(grams.shingles([read(file)]))) for file in files)
    detector = ProvenanceDetector((packed,))
    return lambda text: bool(detector.find(Passage("", texts=(text,))))


def rate(texts: Iterable[str], recognise: Recognise, edit: Edit = whole) -> tuple[int, int]:
    """(recognised, tried)."""
    chance = random.Random(SEED)
    edited = [text for text in (edit(text, chance) for text in texts) if text]
    return sum(map(recognise, edited)), len(edited)


PROSE: Final = {"whole": whole, "half": half, "one sentence of 12 to 40 words": sentence,
                "one word in ten changed": tenth_changed, "one word in five changed": fifth_changed}  # fmt: skip
CODE: Final = {"as it is": whole, "with line numbers": numbered, "one line in five deleted": fifth_deleted,
               "three names in ten changed": third_renamed}  # fmt: skip
