"""`halfdoor scan`: the secret detector over files, without any gateway."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Final

import typer
from msgspec import Struct

from halfdoor.cli.options import ConfigOption, JsonOption, console, counted, printable, say_json
from halfdoor.config.load import load_user
from halfdoor.errors import SetupError
from halfdoor.reading.engine import Engine, Hit
from halfdoor.reading.secret_formats import FORMATS

FOUND: Final = 3
LARGE_BYTES: Final = 5_000_000
STDIN: Final = "(standard input)"
# Other people's code and caches. What git ignores is read: secrets live there, and tools read it.
SKIPPED: Final = frozenset(
    {".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", ".mypy_cache", ".tox"}
)


Note = Callable[[str], None]


class Secret(Struct, frozen=True):
    """A finding. line and column count from 1, in characters; shown: at most four of its own."""

    path: str
    line: int
    column: int
    kind: str
    shown: str
    confidence: float


def scan(
    path: Annotated[str, typer.Argument(help="A file or folder; `-` reads standard input.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Look for secrets in a file, a folder or standard input.

    Exit 0: none found. Exit 3: some found. In folders, binary files, those above 5 MB, links and
    folders of dependencies are left out; a folder's large files are named on standard error.
    """
    if config:
        load_user(config)  # nothing in it matters here, but a broken file is worth hearing of
    engine, notes = Engine(FORMATS), console(stderr=True)
    found, read = [], 0
    for name, text in _texts(path, notes.print):
        read += 1
        for secret in secrets(engine, name, text):
            found.append(secret)
            if not json:
                place = f"{printable(name)}:{secret.line}:{secret.column}"
                typer.echo(f"{place}: {secret.kind} {secret.shown}")
    if json:
        say_json(found)
    else:  # on standard error: what programs read holds findings only
        notes.print(f"{counted(len(found), 'finding')} in {counted(read, 'text')}")
    if found:
        raise typer.Exit(FOUND)


def secrets(engine: Engine, path: str, text: str) -> Iterator[Secret]:
    """What the engine finds in one text, in order of place; the surest form where several fit."""
    best: dict[int, Hit] = {}
    for hit in engine.scan(text):
        if hit.start not in best or hit.confidence > best[hit.start].confidence:
            best[hit.start] = hit
    for hit in best.values():
        yield Secret(
            path=path,
            line=text.count("\n", 0, hit.start) + 1,
            column=hit.start - text.rfind("\n", 0, hit.start),
            kind=hit.format_id,
            shown=masked(text[hit.start : hit.end]),
            confidence=hit.confidence,
        )


def masked(secret: str) -> str:
    """Enough to recognise it: a quarter of it, at most four characters, none that controls."""
    return printable(secret[: min(4, len(secret) // 4)]) + "…"


def _texts(path: str, note: Note) -> Iterator[tuple[str, str]]:
    """(name, text) of all that is to be read. Raises SetupError when the path itself cannot be."""
    if path == "-":
        yield STDIN, _decoded(sys.stdin.buffer.read())
    elif Path(path).is_dir():
        yield from _below(path, note)
    else:
        yield path, _decoded(_bytes(Path(path)))


def _below(folder: str, note: Note) -> Iterator[tuple[str, str]]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        for file in sorted(Path(root) / name for name in files):
            data = _plain(file, note)
            if b"\0" not in data[:8192]:
                yield str(file), _decoded(data)


def _plain(file: Path, note: Note) -> bytes:
    """A regular file's bytes; b"" and a note where it cannot or need not be read."""
    try:
        if file.is_symlink() or not file.is_file():
            return b""
        if file.stat().st_size > LARGE_BYTES:
            note(f"not scanned: {file} is larger than 5 MB; name it to scan it")
            return b""
        return _bytes(file)
    except (OSError, SetupError):
        note(f"not scanned: {file} cannot be read")
        return b""


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        hint = "give a file, a folder, or `-` for standard input"
        said = f"cannot be read: {error.strerror}"
        raise SetupError(said, hint=hint, where=str(path)) from None


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "replace")
