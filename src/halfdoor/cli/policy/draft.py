"""`halfdoor policy import`: rules drafted from the ignore and deny files of other tools."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from stat import S_ISREG
from typing import Annotated, Final

import typer
from msgspec import Struct

from halfdoor.canon.rules import Rule
from halfdoor.cli import ERROR
from halfdoor.cli.options import (
    ConfigOption,
    JsonOption,
    console,
    counted,
    printable,
    project_dir,
    say_json,
)
from halfdoor.cli.policy.denials import read_denials
from halfdoor.cli.policy.ignores import FLAVOURS, Drafted, Flavour, Unsaid, read_ignore
from halfdoor.config.check import rules
from halfdoor.config.load import PROJECT_FILE, load_project, load_user
from halfdoor.config.model import ProjectTables
from halfdoor.config.parse import Source, tables
from halfdoor.config.writing import quoted
from halfdoor.errors import SetupError

SETTINGS: Final = (".claude/settings.json", ".claude/settings.local.json")
FILE_LIMIT_BYTES: Final = 256 * 1024
FOLDERS_LIMIT: Final = 50_000
RULES_LIMIT: Final = 5_000
# Other people's code: its ignore files are not this project's.
SKIPPED: Final = frozenset((".git", ".hg", ".svn", ".venv", "venv", "node_modules", "vendor"))
_SAID_CHARS: Final = 160
_SOURCES: Final = 8


class Ceiling(StrEnum):
    """How far the text of an imported file may go."""

    DEVICE = "device"
    NETWORK = "network"


class Suggested(Struct, frozen=True):
    """One rule of the draft. present: it already stands in the project's file."""

    label: str
    ceiling: str
    sources: tuple[Drafted, ...]
    present: str = ""


class Draft(Struct, frozen=True):
    """All that was read. unread: files that could not be, each with its reason."""

    files: tuple[str, ...]
    rules: tuple[Suggested, ...]
    unsaid: tuple[Unsaid, ...]
    unread: tuple[Unsaid, ...]


def draft(
    project: Annotated[
        Path | None, typer.Argument(help="The project's folder; here if left out.")
    ] = None,
    ceiling: Annotated[
        Ceiling, typer.Option(help="How far the text of such files may go.")
    ] = Ceiling.DEVICE,
    write: Annotated[
        bool, typer.Option("--write", help="Append the rules to the project's `.halfdoor.toml`.")
    ] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Draft rules from the ignore files and deny rules of other coding tools.

    Reads `.aiexclude`, `.aiignore`, `.cursorignore`, `.geminiignore`, `.clineignore` in all folders
    and `permissions.deny` of `.claude/settings.json` and `.claude/settings.local.json`. Each rule
    says which line it comes from; each line that no rule can express is told. Exit 1 if a file
    could not be read.
    """
    if config:
        load_user(config)  # nothing in it matters here, but a broken file is worth hearing of
    root = project_dir(project)
    made = drafted_from(root, ceiling.value)
    if json:
        say_json(made)
    else:
        typer.echo(text := page(made), nl=False)
        _loads(Source("the draft", text))
    _tell(made)
    if write:
        _append(root / PROJECT_FILE, made)
    if made.unread:
        raise typer.Exit(ERROR)


def drafted_from(root: Path, ceiling: str) -> Draft:
    """Everything that the files below `root` say. Raises SetupError when there is none."""
    real = root.resolve()
    files, found, unread = [], [], []
    for path, flavour in _files(real):
        name = path.relative_to(real).as_posix()
        files.append(name)
        try:
            found += _said(path, name, flavour, real)
        except (OSError, ValueError) as error:
            why = str(error.strerror if isinstance(error, OSError) else error)
            unread.append(Unsaid(name, "", why))
    if not files:
        kinds = ", ".join((*(flavour.file for flavour in FLAVOURS), *SETTINGS))
        raise SetupError("there is nothing to import", where=str(root), hint=f"looked for {kinds}")
    globs = [one for one in found if isinstance(one, Drafted)]
    suggested = _suggested(globs, ceiling, root / PROJECT_FILE)
    if len(suggested) > RULES_LIMIT:
        raise SetupError(
            f"the files make {len(suggested):,} rules, more than {RULES_LIMIT:,}", where=str(root)
        )
    unsaid = tuple(one for one in found if isinstance(one, Unsaid))
    return Draft(tuple(files), suggested, unsaid, tuple(unread))


def page(made: Draft) -> str:
    """The draft as TOML; what could not be imported stands there as comments."""
    blocks = [_HEAD]
    blocks += ["".join(f"# NOT READ {_line(one)}\n" for one in made.unread)] * bool(made.unread)
    named = 0
    for one in made.rules:
        said = "".join(f"# {_origin(source)}\n" for source in one.sources[:_SOURCES])
        if len(one.sources) > _SOURCES:
            said += f"# and {len(one.sources) - _SOURCES:,} more lines\n"
        if one.present:
            blocks.append(f"{said}# already in {one.present}: {_shown(one.label)}\n")
            continue
        name = ""
        if not one.label.isascii():  # names travel in headers
            named += 1
            name = f"name = {quoted(f'imported {named}')}\n"
        rule = f"[[rules]]\n{name}label = {quoted(one.label)}\nceiling = {quoted(one.ceiling)}\n"
        blocks.append(said + rule)
    blocks += [f"# NOT IMPORTED {_line(one)}\n" for one in made.unsaid]
    return "\n".join(blocks)


_HEAD: Final = """\
# Drafted by `halfdoor policy import`. A rule matches at any folder boundary and in any case, so it
# holds at least what its line hid. Look it over: `halfdoor policy check`.
"""


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


def _suggested(found: list[Drafted], ceiling: str, file: Path) -> tuple[Suggested, ...]:
    """One rule for each glob, in the order in which they were met."""
    present = {rule.label: rule.source for rule in _present(file)}
    by_glob: dict[str, list[Drafted]] = {}
    for one in found:
        by_glob.setdefault(one.glob, []).append(one)
    return tuple(
        Suggested(f"path:{glob}", ceiling, tuple(sources), present.get(f"path:{glob}", ""))
        for glob, sources in by_glob.items()
    )


def _present(file: Path) -> tuple[Rule, ...]:
    return load_project(file)[0] if os.path.lexists(file) else ()


def _origin(one: Drafted) -> str:
    note = f" ({one.note})" if one.note else ""
    return f"{_shown(one.where)}: {_shown(one.said)}{note}"


def _line(one: Unsaid) -> str:
    said = f": {_shown(one.said)}" if one.said else ""
    return f"{_shown(one.where)}{said}: {_shown(one.why)}"


def _shown(text: str) -> str:
    """Others' text on one line of ours."""
    return printable(text if len(text) <= _SAID_CHARS else text[:_SAID_CHARS] + "…")


def _tell(made: Draft) -> None:
    """On standard error: what programs read is the draft."""
    notes = console(stderr=True)
    fresh = sum(1 for one in made.rules if not one.present)
    notes.print(f"{counted(fresh, 'rule')} from {counted(len(made.files), 'file')}")
    for one in made.unread:
        notes.print(f"not read: {_line(one)}")
    if made.unsaid:
        notes.print(f"{counted(len(made.unsaid), 'line')} not imported; the draft says why")


def _append(file: Path, made: Draft) -> None:
    """Add the rules to the project's file, as one step: it is whole before and after.

    Raises SetupError when the file is a link, or would not load with them.
    """
    if file.is_symlink():
        raise SetupError("is a link, and is not written", where=str(file), hint="append by hand")
    fresh = [one for one in made.rules if not one.present]
    if not fresh:
        console(stderr=True).print(f"nothing to add to {file}")
        return
    before = file.read_text("utf-8") if file.exists() else ""
    text = before + ("\n" if before else "") + page(made)
    _loads(Source(file.name, text))
    draft_file = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        draft_file.write_text(text, "utf-8")
        if file.exists():
            draft_file.chmod(file.stat().st_mode & 0o777)
        draft_file.replace(file)
    except OSError as error:
        raise SetupError(f"cannot be written: {error.strerror}", where=str(file)) from None
    finally:
        with contextlib.suppress(OSError):
            draft_file.unlink(missing_ok=True)
    console(stderr=True).print(f"{counted(len(fresh), 'rule')} added to {file}")


def _loads(source: Source) -> None:
    """INVARIANT: what is printed and what is written loads. Raises SetupError."""
    rules(source, tables(source, ProjectTables).rules)
