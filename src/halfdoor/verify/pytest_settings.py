"""Which settings pytest runs by: those that the revision has whose `[gate]` holds.

pytest is told its file by name, so that it is the same one whichever tests are named to it. What
else a file holds (`pyproject.toml`) stays as the change has it.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from posixpath import splitext
from typing import Final, NamedTuple

from halfdoor.canon.checks import Subject


def _all(data: bytes) -> object:
    """Such a file is pytest's whatever stands in it."""
    return data


def _in_toml(data: bytes) -> object:
    try:
        return tomllib.loads(data.decode("utf-8", "replace")).get("tool", {}).get("pytest")
    except tomllib.TOMLDecodeError:
        return None


def _in_ini(name: bytes) -> Callable[[bytes], object]:
    section = re.compile(rb"^\[" + name + rb"\][^\n]*\n((?:[^\[\n][^\n]*\n?|\n)*)", re.MULTILINE)
    return lambda data: found[1] if (found := section.search(data)) else None


# In pytest's order, with what they say to it, None where they say nothing.
_FILES: Final[Mapping[str, Callable[[bytes], object]]] = {
    "pytest.toml": _all,
    ".pytest.toml": _all,
    "pytest.ini": _all,
    ".pytest.ini": _all,
    "pyproject.toml": _in_toml,
    "tox.ini": _in_ini(b"pytest"),
    "setup.cfg": _in_ini(b"tool:pytest"),
}
NAMES: Final = tuple(_FILES)
# Beside the project's own: paths in settings begin where their file lies.
_COPY: Final = ".halfdoor-pytest"
_NONE: Final = f"{_COPY}.ini"


class By(NamedTuple):
    """Options that name the file, and what has to lie in a tree for them."""

    options: tuple[str, ...]
    files: dict[str, bytes]


def settings(subject: Subject) -> By:
    """Those that hold, for the tree before the change and for the one after it."""
    path, said = _chosen(subject.settings)
    if (path, said) == _chosen(subject.files) == _chosen(_after(subject)):
        return _own(path)
    if not path:
        return _own("")
    # Of those that are pytest's alone the name is what makes them so.
    name = path if _FILES[path] is _all else _COPY + splitext(path)[1]
    return By(_options(name), {name: subject.settings[path]})


def own_settings(subject: Subject) -> By:
    """Those that the tree after the change has itself."""
    return _own(_chosen(_after(subject))[0])


def differ(subject: Subject) -> bool:
    """Does the change say otherwise?"""
    return _chosen(subject.settings) != _chosen(_after(subject))


def _own(path: str) -> By:
    return By(_options(path), {}) if path else By(_options(_NONE), {_NONE: b""})


def _options(path: str) -> tuple[str, ...]:
    return ("-c", path, "--rootdir", ".")


def _after(subject: Subject) -> dict[str, bytes]:
    gone = {each.was or each.path for each in subject.changes}
    kept = {path: data for path, data in subject.files.items() if path not in gone}
    return kept | {each.path: each.after for each in subject.changes if each.after is not None}


def _chosen(files: Mapping[str, bytes]) -> tuple[str, object]:
    """The file that pytest would take of these, and what it says; ("", None) for none."""
    for path, read in _FILES.items():
        said = read(files[path]) if path in files else None
        if said is not None:
            return path, said
    return "", None
