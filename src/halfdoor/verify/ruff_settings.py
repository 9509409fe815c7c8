"""Settings of ruff in a repository: where they lie, what they say, and what has to lie around."""

import tomllib
from collections.abc import Iterator, Mapping
from posixpath import basename, dirname
from typing import Final

from halfdoor.canon.checks import Subject

# Where a project keeps settings of ruff, in any folder; those below may be named by `extend`.
CONFIGS: Final = ("ruff.toml", ".ruff.toml", "pyproject.toml")
READS: Final = (*CONFIGS, "*ruff*.toml")


def config_above(subject: Subject, path: str) -> Iterator[str]:
    """Paths of the project's own settings of ruff that lie in a folder above; the nearest first."""
    for folder in (*_above(path), ""):
        for name in CONFIGS:
            place = f"{folder}/{name}" if folder else name
            text = subject.settings.get(place)
            if text is not None and (name != "pyproject.toml" or b"[tool.ruff" in text):
                yield place


def formats(config: bytes, path: str) -> bool:
    """Do these settings say how ruff formats?"""
    return "format" in _own(config, path)


def _own(config: bytes, path: str) -> dict[str, object]:
    """What a file says to ruff; nothing when it cannot be read, and then ruff says so."""
    try:
        read = tomllib.loads(config.decode("utf-8", "replace"))
    except tomllib.TOMLDecodeError:
        return {}
    found: dict[str, object] = read
    if basename(path) == "pyproject.toml":
        found = read.get("tool", {}).get("ruff", {})
    return found


def excluding(subject: Subject, config: str) -> bool:
    """Do settings say what to leave out? config: the path of a team's own, "" for none.

    What ruff leaves out unasked is meant for its search, and a file that changed was not searched.
    """
    for path, text in _settings(subject).items():
        ours = path == config or "ruff" in path or basename(path) in CONFIGS
        if ours and "exclude" in str(_own(text, path)):
            return True
    return False


def surroundings(subject: Subject, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The project's settings, and empty files that tell ruff which packages are its own."""
    folders = {above for path in files for above in _above(path)}
    inits = {
        path
        for path in subject.paths
        if path.endswith("__init__.py") and (path.count("/") < 3 or dirname(path) in folders)
    }
    return dict.fromkeys(inits, b"") | _settings(subject)


def _settings(subject: Subject) -> dict[str, bytes]:
    return {path: text for path, text in subject.settings.items() if path.endswith(".toml")}


def _above(path: str) -> Iterator[str]:
    while path := dirname(path):
        yield path
