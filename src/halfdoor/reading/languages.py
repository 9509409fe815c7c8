"""Which programming languages a text speaks of: by file names, fences and their own names.

Markup and data (Markdown, JSON, YAML …) are no languages here: they stand beside every other.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

_BY_SUFFIX: Final[dict[str, str]] = {
    suffix: language
    for language, suffixes in {
        "c": "c h", "clojure": "clj", "cpp": "cc cpp cxx hh hpp", "csharp": "cs",
        "css": "css less scss", "dart": "dart", "elixir": "ex exs", "erlang": "erl", "go": "go",
        "haskell": "hs", "html": "htm html", "java": "java", "javascript": "cjs js jsx mjs",
        "julia": "jl", "kotlin": "kt kts", "lua": "lua", "perl": "pl pm", "php": "php",
        "powershell": "ps1", "python": "ipynb py pyi", "ruby": "rb", "rust": "rs",
        "scala": "scala", "shell": "bash sh zsh", "sql": "sql", "svelte": "svelte",
        "swift": "swift", "terraform": "tf", "typescript": "cts mts ts tsx", "vue": "vue",
        "zig": "zig",
    }.items()
    for suffix in suffixes.split()
}  # fmt: skip
LANGUAGES: Final = frozenset(_BY_SUFFIX.values())

_BY_NAME: Final = {
    **{language: language for language in LANGUAGES if len(language) > 2},
    "golang": "go", "c++": "cpp", "c#": "csharp", "bash": "shell", "python3": "python",
    "html5": "html",
}  # fmt: skip
# What is named in passing, too ("no SQL injection"): it counts where nothing else does.
_IN_PASSING: Final = frozenset({"sql", "html", "css", "shell", "vue"})
# Languages that one program is written in together.
_KIN: Final = {"typescript": "javascript", "vue": "javascript", "svelte": "javascript", "cpp": "c",
               "html": "", "css": "", "shell": "", "sql": ""}  # fmt: skip

# Short names that are words, too, are taken only behind one of these.
_SHORT: Final = {"Go": "go", "C": "c"}
_INTO: Final = frozenset({"in", "to", "into", "nach"})
_FENCE: Final = re.compile(r"```+ ?([A-Za-z0-9+#-]{1,12})(?=[\s{:])")
_WORD: Final = re.compile(r"[^\s(){}\[\]<>,;:|=]+")
_QUOTES: Final = "`'\"*_"
_ENDS: Final = ".!?"


def words(text: str) -> list[str]:
    """What stands between spaces and brackets, one by one, as written."""
    return _WORD.findall(text)


def paths_in(said: Iterable[str]) -> Iterator[str]:
    """Those of the words that look like a file or a folder: they have a suffix or a slash."""
    for word in said:
        path = word.strip(_QUOTES).rstrip(_ENDS).strip(_QUOTES)
        name, dot, suffix = path.rpartition(".")
        if "/" in path or (name and dot and suffix.lower() in _BY_SUFFIX):
            yield path


def spoken_of(text: str, said: Sequence[str], paths: Iterable[str]) -> tuple[str, ...]:
    """The languages of an ask, sorted. said: its words; paths: those that are files."""
    named = {name for word in said if (name := _BY_NAME.get(_bare(word)))}
    named |= {_SHORT[word] for before, word in pairwise(said) if word in _SHORT and before in _INTO}
    told = {*of_paths(paths), *_fences(text), *(named - _IN_PASSING)}
    return tuple(sorted(told or named))


def _bare(word: str) -> str:
    """A word as a name: without its ends, and of a compound its first part."""
    return word.strip("`*_").rstrip(_ENDS).partition("-")[0].lower()


def of_paths(paths: Iterable[str]) -> tuple[str, ...]:
    """The languages of files, sorted."""
    suffixes = {path.rpartition(".")[2].lower() for path in paths}
    return tuple(sorted({_BY_SUFFIX[suffix] for suffix in suffixes if suffix in _BY_SUFFIX}))


def several(languages: tuple[str, ...]) -> bool:
    """Are these more than one language, not counting those that go together anyway?"""
    return len({_KIN.get(language, language) for language in languages} - {""}) > 1


def _fences(text: str) -> Iterator[str]:
    for found in _FENCE.finditer(text):
        word = found[1].lower()
        language = _BY_SUFFIX.get(word) or _BY_NAME.get(word)
        if language:
            yield language
