"""`docs/reference/config.md`, written from `config/tables/`; a test holds the two equal."""

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from halfdoor.config.model import ProjectTables, Tables
from halfdoor.config.rules import DEFAULTS
from halfdoor.config.shape import Field, fields

HEAD: Final = """\
# Configuration

*Generated from `src/halfdoor/config/tables/`; change it there.*

halfdoor reads one TOML file: `$XDG_CONFIG_HOME/halfdoor/config.toml` (without that variable
`~/.config/halfdoor/config.toml`), or the file given with `--config`. `halfdoor init` writes one
from what it finds. A change takes effect when `halfdoor serve` is started again, or on SIGHUP if it
loosens nothing.

`${VARIABLE}` may stand as the whole of a backend's `key` and nowhere else; keys and tokens
themselves are never in a file.
"""

PROJECT: Final = """
## A project's `.halfdoor.toml`

The nearest one is read, from the working directory up to the root of the git checkout or the home
directory. A cloned repository is untrusted, so the file can only tighten: its `[[rules]]` are added
to the user's and displace none, and any key but these stops start-up.
"""

RULES: Final = """
## Rules that hold without being written

A rule in the user's file replaces the default for its label; where it allows more, start-up says
so. A project's rule never replaces one. Nothing looks for `personal` yet: its row is a promise for
the day something does.

| label | ceiling | above |
|---|---|---|
"""


def page() -> str:
    """The whole page, Markdown."""
    defaults = "".join(
        f"| `{rule.label}` | `{rule.ceiling.name.lower()}` | `{rule.above.name.lower()}` |\n"
        for rule in DEFAULTS
    )
    sections = "\n".join(_sections(Tables))
    project = "".join(f"- `{_heading(f, '')}`\n" for f in fields(ProjectTables).values())
    return f"{HEAD}\n{sections}{RULES}{defaults}{PROJECT}\n{project}"


def _sections(kind: type[Struct], above: str = "") -> Iterator[str]:
    """A section for each table below this one, depth first."""
    for field in fields(kind).values():
        if field.table:
            name = f"{above}{field.name}"
            yield _section(_heading(field, above), field.table)
            yield from _sections(field.table, f"{name}.")


def _heading(field: Field, above: str) -> str:
    name = f"{above}{field.name}"
    return f"[[{name}]]" if field.array else f"[{name}]"


def _section(heading: str, table: type[Struct]) -> str:
    said = (table.__doc__ or "").partition("\n")[0]
    rows = "".join(
        f"| `{f.name}` | {_type(f)} | {_default(f)} | {f.description} |\n"
        for f in fields(table).values()
    )
    return f"## `{heading}`\n\n{said}\n\n| key | type | default | |\n|---|---|---|---|\n{rows}"


def _type(field: Field) -> str:
    words = [] if field.array else [f"`{word}`" for word in field.words if word]
    return " or ".join(words) or field.said_type


def _default(field: Field) -> str:
    if field.required:
        return "needed"
    if field.table:
        return ""
    return "" if field.default in {None, "", ()} else f"`{_toml(field.default)}`"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    return f'"{value}"' if isinstance(value, str) else f"{value:_}"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201  this is how the page is renewed
