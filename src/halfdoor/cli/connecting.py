"""What `connect` and `disconnect` share: which file, whose token, and how a change is shown."""

import difflib
import os
import re
import shlex
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from halfdoor.cli.options import printable
from halfdoor.config.connect.files import settings_file
from halfdoor.config.connect.steps import Step
from halfdoor.config.model import Config
from halfdoor.config.tools import TOOLS, tool_for
from halfdoor.config.tools.tool import Place, Tool, Wish
from halfdoor.errors import SetupError
from halfdoor.server.address import address

_SECRET: Final = re.compile(
    r"""((?:key|token|secret|password|credential)\w*["']?\s*[:=]\s*)(?!["']?(?:unused|\d+|\$?\{))"""
    r"""("[^"]*"|'[^']*'|[^\s,}]+)""",
    re.IGNORECASE,
)
_STYLES: Final = {"+": "green", "-": "red", "@": "cyan"}


def known_tool(name: str) -> tuple[Tool, Place]:
    """A tool that can be connected. Raises SetupError that names them."""
    tool = tool_for(name)
    if tool.place is None or tool not in TOOLS:
        names = ", ".join(each.name for each in TOOLS if each.place)
        raise SetupError(
            f"how `{name}` is connected is not known",
            hint=f"one of {names}; or by hand, as docs/how-to/connect-a-tool.md says",
        )
    return tool, tool.place


def home() -> Path:
    """The user's home. Raises SetupError."""
    try:
        return Path(os.environ["HOME"]) if os.environ.get("HOME") else Path.home()
    except RuntimeError:
        raise SetupError("there is no home folder", hint="set HOME") from None


def where(place: Place, project: Path | None) -> tuple[Path, Path]:
    """The tool's file, and the folder that must hold it. Raises SetupError."""
    if project is not None and not project.is_dir():
        raise SetupError("there is no such folder", where=str(project), hint="mend `--project`")
    root = project.absolute() if project is not None else None
    return settings_file(place, home(), root), root or home()


def status_command(config: Path | None) -> str:
    """What a tool runs for its status line: this halfdoor, wherever the tool is started."""
    words = [sys.executable, "-m", "halfdoor", "status", "--claude-code"]
    return shlex.join([*words, "--config", str(config.absolute())] if config else words)


def wish(config: Config, model: str, token: str, status: str = "") -> Wish:
    """What the tool is to be told. Raises SetupError for a model or a token that is not there."""
    _known_model(config, model)
    env = _variable(config, token)
    asks = any(backend.credentials == "client" for backend in config.backends)
    return Wish(
        root=f"http://{address(config.server.listen).asked}",
        model=model,
        env=env,
        context=_window(config, model),
        keyed=bool(env) or not asks,
        status=status,
    )


def shown(step: Step) -> list[str]:
    """The change as a diff without context; what looks like another's secret is masked."""
    before = _lines(step.was.text if step.was.mode is not None else "")
    after = _lines(step.data.decode() if step.data is not None else "")
    diff = list(difflib.unified_diff(before, after, "is", "will be", n=0, lineterm=""))
    return [printable(_masked(line)) for line in diff[2:]]


def show(screen: Console, step: Step) -> None:
    """The file and what changes in it."""
    screen.print(f"file     {step.was.path}{'' if step.was.mode is not None else ' (new)'}")
    for line in shown(step):
        screen.print(Text(f"  {line}", style=_STYLES.get(line[:1], "")))
    for each in step.left:
        screen.print(f"left     {printable(each)}: changed since it was connected; see to it")


def document(step: Step, *, written: bool) -> dict[str, Any]:
    """The same for programs."""
    return {
        "tool": step.tool.name,
        "file": str(step.was.path),
        "changed": not step.idle,
        "written": written,
        "diff": shown(step),
        "left": step.left,
    }


def _masked(line: str) -> str:
    return _SECRET.sub(r"\1…", line)


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").split("\n") if text else []


def answers_to(config: Config, model: str) -> bool:
    """Does a model here answer to this name? Without a file of the user's, nobody knows yet."""
    return not config.source or any(fnmatchcase(model, name) for name in _names(config))


def _names(config: Config) -> list[str]:
    return ["auto", *(m.name for m in config.models), *(n.match for n in config.names)]


def _known_model(config: Config, model: str) -> None:
    if not answers_to(config, model):
        raise SetupError(f"there is no model `{model}`", hint=f"one of {', '.join(_names(config))}")


def _variable(config: Config, token: str) -> str:
    names = ", ".join(each.name for each in config.tokens)
    found = [each for each in config.tokens if token in {"", each.name}]
    if len(found) == 1:
        return found[0].env
    if not config.tokens and not token:
        return ""
    if not found:
        raise SetupError(f"there is no token `{token}`", hint=f"one of {names or 'none'}")
    raise SetupError("several tokens are configured", hint=f"choose with `--token`: {names}")


def _window(config: Config, model: str) -> int:
    """The smallest window of all that may answer; 0 where one is not known."""
    named = [m for m in config.models if m.name == model] or list(config.models)
    windows = [m.context_tokens or 0 for m in named]
    return min(windows, default=0)
