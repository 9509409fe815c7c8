"""`make recognition`: the tables of docs/explanation/labels-follow-text.md."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from math import sqrt
from typing import Final

from halfdoor.reading import grams
from tests.recognition.corpus import (
    CODE,
    LINES,
    PROSE,
    Corpus,
    Recognise,
    index,
    memory,
    rate,
    read,
    whole,
)

SOURCES: Final = 60
TRIES: Final = 300
UNRELATED: Final = 500


def shown(found: tuple[int, int]) -> str:
    """A share in percent with its 95 % Wilson interval."""
    hits, tried = found
    z = 1.96
    share, spread = (
        hits / tried,
        z * sqrt(hits * (tried - hits) / tried + z * z / 4) / (tried + z * z),
    )
    middle = (share + z * z / (2 * tried)) / (1 + z * z / tried)
    low, high = max(middle - spread, 0), min(middle + spread, 1)
    return f"{share:.1%} ({low:.1%} to {high:.1%})"


def prose_rows(corpus: Corpus) -> Iterator[tuple[str, ...]]:
    recognise = memory(corpus.prose)
    for name, edit in PROSE.items():
        texts = corpus.prose * (5 if edit is not whole else 1)
        yield name, shown(rate(texts, recognise, edit))
    others = corpus.other_prose
    yield f"**{len(others)} unrelated texts**", shown(rate(others, recognise))


def code_rows(corpus: Corpus, recognise: Recognise) -> Iterator[tuple[str, ...]]:
    pieces = {n: corpus.snippets(corpus.followed, n, TRIES) for n in LINES}
    for name, edit in CODE.items():
        yield name, *(shown(rate(pieces[n], recognise, edit)) for n in LINES)
    others = (corpus.snippets(corpus.others, n, UNRELATED) for n in LINES)
    yield f"**{UNRELATED} unrelated pieces**", *(shown(rate(some, recognise)) for some in others)


def say(line: str = "") -> None:
    sys.stdout.write(line + "\n")


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Markdown."""
    say("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        say("| " + " | ".join(row) + " |")
    say()


def cost(corpus: Corpus) -> Iterator[tuple[str, ...]]:
    """Milliseconds of CPU for 400 KB, the best of nine."""
    text = "\n".join(map(read, corpus.others))[:400_000]
    sources = memory(map(read, corpus.followed))
    detector = index(corpus.followed)
    for name, work in {
        "shingles": lambda: grams.shingles([text]),
        "shingles, and a look into the memory": lambda: sources(text),
        "shingles, and a look into the index": lambda: detector(text),
    }.items():
        yield name, f"{min(_timed(work) for _ in range(9)):.1f} ms"


def _timed(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return (time.process_time() - begun) * 1000


def main() -> None:
    """Print all tables."""
    corpus = Corpus(SOURCES, UNRELATED)
    head = ("the piece comes back", *(f"{n} lines" for n in LINES))
    say(f"Python {sys.version.split()[0]}, {SOURCES} modules and {SOURCES} documents followed\n")
    table(("prose comes back", "recognised"), prose_rows(corpus))
    table(head, code_rows(corpus, memory(map(read, corpus.followed))))
    say("The index:\n")
    table(head, code_rows(corpus, index(corpus.followed)))
    table(("400 KB of new text", "CPU"), cost(corpus))


if __name__ == "__main__":
    main()
