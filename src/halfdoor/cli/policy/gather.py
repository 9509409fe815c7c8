"""What the ignore and deny files of a project say, as rules that its own file could hold."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from stat import S_ISREG
from typing import Final

from msgspec import Struct, structs

from halfdoor.canon.labels import Zone
from halfdoor.canon.rules import Rule
from halfdoor.cli.options import printable
from halfdoor.cli.policy.denials import read_denials
from halfdoor.cli.policy.ignores import FLAVOURS, Drafted, Flavour, Unsaid, read_ignore
from halfdoor.config.load import PROJECT_FILE, load_project
from halfdoor.errors import SetupError

SETTINGS: Final = (".claude/settings.json", ".claude/settings.local.json")
FILE_LIMIT_BYTES: Final = 256 * 1024
FOLDERS_LIMIT: Final = 50_000
RULES_LIMIT: Final = 5_000
# Other people's code: its ignore files are not this project's.
SKIPPED: Final = frozenset((".git", ".hg", ".svn", ".venv", "venv", "node_modules", "vendor"))


class Suggested(Struct, frozen=True):
    """One rule of the draft. name: "" where the label serves as one.

    present: where the project's file holds as much already, "" where it does not.
    """

    label: str
    ceiling: str
    sources: tuple[Drafted, ...]
    name: str = ""
    present: str = ""


class Draft(Struct, frozen=True):
    """All that was read. unread: files that could not be, each with its reason."""

    files: tuple[str, ...]
    rules: tuple[Suggested, ...]
    unsaid: tuple[Unsaid, ...]
    unread: tuple[Unsaid, ...]


def drafted_from(root: Path, ceiling: str) -> Draft:
    """Everything that the files below `root` say. Raises SetupError when there is none."""
    real = root.resolve()
    files, found, unread = [], [], []
    for path, flavour in _files(real):
        name = path.relative_to(real).as_posix()
        files.append(printable(name))
        try:
            found += _said(path, name, flavour, real)
        except (OSError, ValueError) as error:
            why = str(error.strerror if isinstance(error, OSError) else error)
            unread.append(Unsaid(printable(name), "", why))
    if not files:
        kinds = ", ".join((*(flavour.file for flavour in FLAVOURS), *SETTINGS))
        raise SetupError("there is nothing to import", where=str(root), hint=f"looked for {kinds}")
    found = [_shown(one) for one in found]
    globs = [one for one in found if isinstance(one, Drafted)]
    suggested = tuple(_suggested(globs, ceiling, _present(root / PROJECT_FILE)))
    if len(suggested) > RULES_LIMIT:
        raise SetupError(
            f"the files make {len(suggested):,} rules, more than {RULES_LIMIT:,}", where=str(root)
        )
    unsaid = tuple(one for one in found if isinstance(one, Unsaid))
    return Draft(tuple(files), suggested, unsaid, tuple(unread))


def _files(root: Path) -> Iterator[tuple[Path, Flavour | None]]:
    """Files to read, links included: they are judged when they are opened. None: deny rules."""
    kinds = {flavour.file: flavour for flavour in FLAVOURS}
    for number, (folder, folders, names) in enumerate(os.walk(root)):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        if number == FOLDERS_LIMIT:
            raise SetupError(
                f"there are more than {FOLDERS_LIMIT:,} folders",
                where=str(root),
                hint="name the project's own folder",
            )
        yield from ((Path(folder) / name, kinds[name]) for name in sorted(names) if name in kinds)
    for name in SETTINGS:
        if os.path.lexists(root / name):
            yield root / name, None


def _said(path: Path, name: str, flavour: Flavour | None, root: Path) -> list[Drafted | Unsaid]:
    text = _text(path, root)
    if flavour is None:
        return list(read_denials(name, text))
    folder = name.rpartition("/")[0]
    return list(read_ignore(flavour, name, folder, text.removeprefix("\ufeff")))


def _text(path: Path, root: Path) -> str:
    """A regular file's text, bytes that are no UTF-8 as surrogates. Raises OSError, ValueError.

    INVARIANT: nothing outside the project is opened, and no pipe or terminal is waited for.
    """
    real = Path(os.path.realpath(path, strict=True))  # `resolve` raises RuntimeError for a loop
    if not real.is_relative_to(root):
        raise ValueError("it is a link that leads out of the project")
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with open(os.open(real, flags), "rb") as file:  # noqa: PTH123  opened with flags of its own
        if not S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is no regular file")
        data = file.read(FILE_LIMIT_BYTES + 1)
    if len(data) > FILE_LIMIT_BYTES:
        raise ValueError("it is larger than 256 KiB")
    return data.decode("utf-8", "surrogateescape")


def _shown(one: Drafted | Unsaid) -> Drafted | Unsaid:
    """INVARIANT: nothing that steers a terminal, and no half of a character, goes further."""
    return structs.replace(one, where=printable(one.where), said=printable(one.said))


def _suggested(
    found: Iterable[Drafted], ceiling: str, present: tuple[Rule, ...]
) -> Iterator[Suggested]:
    """One rule for each glob, in the order in which they were met."""
    by_label: dict[str, list[Drafted]] = {}
    for one in found:
        by_label.setdefault(f"path:{one.glob}", []).append(one)
    taken = {rule.name for rule in present}
    widest = Zone[ceiling.upper()]
    for label, sources in by_label.items():
        held = [rule.source for rule in present if rule.label == label and rule.ceiling <= widest]
        name = ""
        if not held and (label in taken or not label.isascii()):  # names travel in headers
            name = _free_name(taken)
            taken.add(name)
        yield Suggested(label, ceiling, tuple(sources), name, held[0] if held else "")


def _free_name(taken: set[str]) -> str:
    return next(
        name for number in range(1, len(taken) + 2) if (name := f"imported {number}") not in taken
    )


def _present(file: Path) -> tuple[Rule, ...]:
    return load_project(file) if os.path.lexists(file) else ()
