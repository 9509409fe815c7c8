"""Which language a file is in, by its name; and how that language writes a comment."""

import re
from posixpath import basename, splitext
from typing import Final

from msgspec import Struct


class Language(Struct, frozen=True):
    """name: as people say it. suffixes: of file names, lower case. names: whole file names.

    comments: what begins a comment that ends with its line. grammar: the module of its tree-sitter
    grammar and the function in it, ("", "") where it is read otherwise.
    """

    name: str
    suffixes: tuple[str, ...]
    comments: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    grammar: tuple[str, str] = ("", "")


_SLASHES: Final = ("//", "/*", "*")
_HASH: Final = ("#",)

LANGUAGES: Final = (
    Language("Python", (".py", ".pyi", ".pyw"), _HASH),
    Language("JSON", (".json",)),
    Language("TOML", (".toml",), _HASH),
    Language(
        "JavaScript",
        (".js", ".jsx", ".mjs", ".cjs"),
        _SLASHES,
        grammar=("tree_sitter_javascript", "language"),
    ),
    Language(
        "TypeScript",
        (".ts", ".mts", ".cts"),
        _SLASHES,
        grammar=("tree_sitter_typescript", "language_typescript"),
    ),
    Language("TSX", (".tsx",), _SLASHES, grammar=("tree_sitter_typescript", "language_tsx")),
    Language("Go", (".go",), _SLASHES, grammar=("tree_sitter_go", "language")),
    Language("Rust", (".rs",), _SLASHES, grammar=("tree_sitter_rust", "language")),
    Language("Java", (".java",), _SLASHES, grammar=("tree_sitter_java", "language")),
    Language("C", (".c",), _SLASHES, grammar=("tree_sitter_c", "language")),
    Language(
        "C++",
        (".cc", ".cpp", ".cxx", ".hpp", ".hh", ".hxx", ".h"),
        _SLASHES,
        grammar=("tree_sitter_cpp", "language"),
    ),
    Language("shell", (".sh", ".bash"), _HASH, grammar=("tree_sitter_bash", "language")),
    Language(
        "YAML", (".yaml", ".yml"), _HASH, (".clang-format",), ("tree_sitter_yaml", "language")
    ),
    # These are read for what stands in their comments only.
    Language("C#", (".cs",), _SLASHES),
    Language("Kotlin", (".kt", ".kts"), _SLASHES),
    Language("Swift", (".swift",), _SLASHES),
    Language("Scala", (".scala",), _SLASHES),
    Language("PHP", (".php",), ("//", "/*", "*", "#")),
    Language("Ruby", (".rb",), _HASH),
    Language("Perl", (".pl", ".pm"), _HASH),
    Language("SQL", (".sql",), ("--", "/*", "*")),
    Language("Lua", (".lua",), ("--",)),
    Language("CSS", (".css", ".scss", ".less"), _SLASHES),
    Language("HTML", (".html", ".htm", ".vue", ".svelte", ".xml"), ("<!--", "//", "/*", "*")),
    Language("a Dockerfile", (".dockerfile",), _HASH, ("dockerfile", "containerfile")),
    Language("a makefile", (".mk",), _HASH, ("makefile", "gnumakefile")),
)

_SAYS: Final = frozenset({"JSON", "TOML", "YAML", "CSS", "HTML", "a Dockerfile"})
_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_TESTS: Final = frozenset(
    {"test", "tests", "testing", "testsuite", "testdata", "unittest", "unittests", "conftest"}
    | {"spec", "specs", "mock", "mocks", "fixtures"}
)
_BY_SUFFIX: Final = {suffix: each for each in LANGUAGES for suffix in each.suffixes}
_BY_NAME: Final = {name: each for each in LANGUAGES for name in each.names}


def of_tests(path: str) -> bool:
    """Does a whole word of the path say that it is one of tests? Not in `latest/`, `contest.py`."""
    return any(word.lower() in _TESTS for word in _WORD.findall(path))


def language_of(path: str) -> Language | None:
    """The language of a file with this path, None when its name does not say."""
    name = basename(path).lower()
    return _BY_NAME.get(name) or _BY_SUFFIX.get(splitext(name)[1])


def is_program(path: str) -> bool:
    """Is it in a language in which something is done, not only said?"""
    language = language_of(path)
    return language is not None and language.name not in _SAYS


def is_python(path: str) -> bool:
    """Is it Python source, or a stub?"""
    return path.lower().endswith((".py", ".pyi", ".pyw"))
