"""An edit that nobody has applied yet, tried on the working tree."""

import os
from collections.abc import Iterator
from pathlib import Path

from halfdoor.canon.checks import Change, Edit, Stood
from halfdoor.store.beneath import stands
from halfdoor.store.git import FILE_LIMIT_BYTES
from halfdoor.verify.applies import applied, form_of

# What is at each path that an edit names, as `canon.checks.Subject` has it.
Stands = dict[str, Stood]


def edited(root: Path, text: str) -> tuple[Edit, tuple[Change, ...], Stands]:
    """The edit, what it changes as far as it applies, and all that it was tried against.

    root: the top of the working tree, as git says it.
    INVARIANT: whoever tries it again does so against the same, and finds the same.
    """
    edit = Edit(form_of(text), text, tuple(_roots(root)))
    seen: Stands = {}

    def look(path: str) -> Stood:
        if path not in seen:
            seen[path] = stands(root, path, FILE_LIMIT_BYTES)
        return seen[path]

    changes, _ = applied((edit,), look)
    return edit, changes, seen


def _roots(root: Path) -> Iterator[str]:
    """The checkout's folder as it is, and as the shell calls it when a link leads there."""
    yield str(root)
    said, here = Path(os.environ.get("PWD", "")), Path.cwd()
    # `resolve` raises RuntimeError for a loop.
    real = Path(os.path.realpath(said))
    if said.is_absolute() and real == here and here.is_relative_to(root):
        within = here.relative_to(root).parts
        if said.parts[len(said.parts) - len(within) :] == within:
            yield str(Path(*said.parts[: len(said.parts) - len(within)]))
