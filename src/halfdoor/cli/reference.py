"""`docs/reference/cli.md`, written from the commands themselves; a test holds the two equal."""

from collections.abc import Iterator
from typing import Any, Final

from halfdoor.cli import COMMANDS, command

HEAD: Final = """\
# Commands

*Generated from `src/halfdoor/cli/`; change it there.*

Exit codes: 0 ok, 1 error, 2 usage, 3 refused by policy (for `scan`: something was found), 130
interrupted. An error is one line on standard error: what is wrong, and a hint. With `NO_COLOR` set,
and whenever the output is no terminal, there are no colours. `halfdoor --version`
tells the version.
"""


def page() -> str:
    """The whole page, Markdown."""
    return "\n".join([HEAD, *(section for name in COMMANDS for section in _sections(name))])


def _sections(name: str) -> Iterator[str]:
    built = command(name)
    below = getattr(built, "commands", {})
    if not below:
        yield _section(name, built)
        return
    yield _section(name, built)
    for each in below.values():
        yield _section(f"{name} {each.name}", each)


def _section(name: str, built: Any) -> str:
    shown = [parameter for parameter in built.params if parameter.name != "help"]
    arguments = [p for p in shown if p.param_type_name == "argument"]
    options = [p for p in shown if p.param_type_name == "option" and not p.hidden]
    called = " ".join(["halfdoor", name, *(_placeholder(a) for a in arguments)])
    rows = [f"| `{_placeholder(a)}` | {_help(a)} |" for a in arguments]
    rows += [f"| `{_spelling(o)}` | {_help(o)}{_default(o)} |" for o in options]
    table = "\n".join(["", "| | |", "|---|---|", *rows, ""]) if rows else ""
    return f"## `{called}`\n\n{_prose(built)}\n{table}"


def _prose(built: Any) -> str:
    return str(built.help or "")


def _help(parameter: Any) -> str:
    return (getattr(parameter, "help", None) or "").replace("|", "\\|")


def _placeholder(argument: Any) -> str:
    return str(argument.metavar or argument.name).upper()


def _spelling(option: Any) -> str:
    value = "" if option.is_flag else f" {option.metavar or 'VALUE'}"
    return ", ".join(option.opts) + value


def _default(option: Any) -> str:
    value = option.default
    return "" if value in {None, "", False} or option.is_flag else f" Default: `{value}`."


if __name__ == "__main__":
    print(page(), end="")
