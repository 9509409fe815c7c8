"""`halfdoor policy import`: rules drafted from the ignore and deny files of other tools."""

import contextlib
import secrets
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from halfdoor.cli import ERROR
from halfdoor.cli.options import (
    ConfigOption,
    JsonOption,
    console,
    counted,
    project_dir,
    say_json,
)
from halfdoor.cli.policy.gather import Draft, drafted_from
from halfdoor.cli.policy.ignores import Drafted, Unsaid
from halfdoor.config.check import rules
from halfdoor.config.load import PROJECT_FILE, load_user
from halfdoor.config.model import ProjectTables
from halfdoor.config.parse import Source, tables
from halfdoor.config.writing import quoted
from halfdoor.errors import SetupError

_SAID_CHARS: Final = 160
_SOURCES: Final = 8


class Ceiling(StrEnum):
    """How far the text of an imported file may go."""

    DEVICE = "device"
    NETWORK = "network"


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


def page(made: Draft) -> str:
    """The draft as TOML; what could not be imported stands there as comments."""
    blocks = [_HEAD]
    blocks += ["".join(f"# NOT READ {_line(one)}\n" for one in made.unread)] * bool(made.unread)
    for one in made.rules:
        said = "".join(f"# {_origin(source)}\n" for source in one.sources[:_SOURCES])
        if len(one.sources) > _SOURCES:
            said += f"# and {len(one.sources) - _SOURCES:,} more lines\n"
        if one.present:
            blocks.append(f"{said}# already in {one.present}: {_shown(one.label)}\n")
            continue
        name = f"name = {quoted(one.name)}\n" if one.name else ""
        rule = f"[[rules]]\n{name}label = {quoted(one.label)}\nceiling = {quoted(one.ceiling)}\n"
        blocks.append(said + rule)
    blocks += [f"# NOT IMPORTED {_line(one)}\n" for one in made.unsaid]
    return "\n".join(blocks)


_HEAD: Final = """\
# Drafted by `halfdoor policy import`. A rule matches at any folder boundary and in any case, so it
# holds at least what its line hid. Look it over: `halfdoor policy check`.
"""


def _origin(one: Drafted) -> str:
    note = f" ({one.note})" if one.note else ""
    return f"{_shown(one.where)}: {_shown(one.said)}{note}"


def _line(one: Unsaid) -> str:
    said = f": {_shown(one.said)}" if one.said else ""
    return f"{_shown(one.where)}{said}: {_shown(one.why)}"


def _shown(text: str) -> str:
    """Others' text on one line of ours; what steers a terminal is gone from it already."""
    return text if len(text) <= _SAID_CHARS else text[:_SAID_CHARS] + "…"


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
