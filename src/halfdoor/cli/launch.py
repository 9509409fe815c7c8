"""`halfdoor launch TOOL -- ARGS`: one tool, pointed at halfdoor for its own process only."""

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec
import typer

from halfdoor.backends import guard
from halfdoor.cli import connecting
from halfdoor.cli.options import (
    ConfigOption,
    JsonOption,
    ProjectOption,
    console,
    counted,
    load,
    root_of,
    say_json,
)
from halfdoor.config.connect import files, forms
from halfdoor.config.found import PROVIDERS
from halfdoor.config.load import Loaded
from halfdoor.config.tools import tool_for
from halfdoor.config.tools.tool import FILE, ROOT, TOKEN, Tool, Wish, filled, wished
from halfdoor.errors import SetupError
from halfdoor.server.address import Address, address, answers
from halfdoor.server.sessions import LASTS_MS, Session, mint
from halfdoor.store.keys import session_key

_START_S: Final = 15.0
# A terminal that is closed, and a person or a supervisor that has had enough.
_ENDS: Final = [each for name in ("SIGTERM", "SIGHUP") if (each := getattr(signal, name, None))]
_STOP_S: Final = 15.0
_OTHER_KEYS: Final = ("ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "AZURE_OPENAI_API_KEY")

PrintOption = Annotated[
    bool, typer.Option("--print", help="Show what would be set and why; start nothing.")
]


def launch(
    tool: Annotated[
        str, typer.Argument(help="claude, codex, opencode, continue, aider, llm, or any program.")
    ],
    args: Annotated[
        list[str] | None, typer.Argument(help="For the tool; put `--` before them.")
    ] = None,
    show: PrintOption = False,
    config: ConfigOption = None,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Start a coding tool that talks to halfdoor, and only that process."""
    guard.install()
    loaded = load(config, project)
    chosen = tool_for(tool)
    root = root_of(project or Path.cwd())
    where = f"http://{address(loaded.config.server.listen).asked}"
    if not chosen.variables:
        raise SetupError(
            f"`{chosen.name}` cannot be pointed here for one process",
            hint=f"try `halfdoor connect {chosen.name}`",
        )
    secret = token(loaded, chosen, root)
    mine = variables(chosen, where, secret)
    gone = stripped(loaded, os.environ, mine)
    line = status_line(chosen, root, args or [], connecting.status_command(config))
    if show or json:
        _explain(chosen, mine, gone, [*arguments(chosen, where, "…"), *line], json=json)
        return
    program = shutil.which(chosen.command)
    if program is None:
        raise SetupError(
            f"`{chosen.command}` is not on the PATH",
            hint=chosen.install or "name a program that can be started from here",
        )
    environment = {k: v for k, v in os.environ.items() if k not in gone}
    environment |= {k: v for k, v in mine.items() if k not in gone}
    with _gateway(loaded, config):
        rules = len(loaded.project_rules)
        more = f", {counted(rules, 'rule')} of its own" if rules else ""
        said = f"halfdoor: {chosen.name} asks {where} for project {_named(root)}{more}"
        console(stderr=True).print(said)
        with _own_file(chosen, loaded.state_dir, where, secret) as own:
            words = [*arguments(chosen, where, own), *line, *(args or [])]
            code = _run([program, *words], environment)
    raise typer.Exit(code)


def token(loaded: Loaded, tool: Tool, root: Path) -> str:
    """A token that carries tool, project and the project's rules, good for thirty days."""
    until_ms = time.time_ns() // 1_000_000 + LASTS_MS
    rules, file = loaded.project_rules, loaded.project
    session = Session(tool.name[:64], _named(root), until_ms, rules, str(root), file)
    return mint(session_key(loaded.state_dir), session)


def _named(root: Path) -> str:
    """The folder's name, without what would steer a terminal: a clone brings its own."""
    return "".join(c for c in root.name if c.isprintable())[:64]


def variables(tool: Tool, where: str, secret: str) -> dict[str, str]:
    """The tool's variables, filled in."""
    return {
        variable.name: filled(variable.value, {ROOT: where, TOKEN: secret})
        for variable in tool.variables
    }


def arguments(tool: Tool, where: str, own: str) -> list[str]:
    """What stands before the person's own arguments. own: the path of the tool's own file."""
    return [filled(each, {ROOT: where, FILE: own}) for each in tool.arguments]


def status_line(tool: Tool, root: Path, args: list[str], command: str) -> list[str]:
    """The option that gives a tool a status line, for a person who has none of their own."""
    place = tool.place
    if place is None or not tool.takes or any(arg.startswith(tool.takes) for arg in args):
        return []
    wish = Wish("", status=command)
    settings = [setting for setting in wished(place, wish) if setting.yields]
    names = {*place.files, place.project}
    below = [(folder / name, folder) for folder in (connecting.home(), root) for name in names]
    try:
        texts = [files.seen(file, folder).text for file, folder in below]
        lacking = all(forms.changed(place.form, text, settings)[1] for text in texts)
    except SetupError:
        return []  # a file beyond us may hold one
    told = {setting.at[0]: setting.value for setting in settings}
    return [tool.takes, msgspec.json.encode(told).decode()] if lacking else []


@contextlib.contextmanager
def _own_file(tool: Tool, state_dir: Path, where: str, secret: str) -> Iterator[str]:
    """The path of a file for this process, gone when it ends; "" for a tool that wants none.

    It holds the session's token, so only its owner can read it.
    """
    if not tool.file:
        yield ""
        return
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", prefix=f"{tool.name}-", suffix=".yaml", dir=state_dir
    ) as file:
        file.write(filled(tool.file, {ROOT: where, TOKEN: secret}))
        file.flush()
        yield file.name


def stripped(loaded: Loaded, environ: Mapping[str, str], mine: Mapping[str, str]) -> list[str]:
    """Vendor keys, with which the tool could go past halfdoor, and admins' tokens.

    A backend with `credentials = "client"` keeps its own vendor's key in the tool's hands.
    """
    passed = {
        urlsplit(backend.url).hostname
        for backend in loaded.config.backends
        if backend.credentials == "client"
    }
    keys = {p.variable for p in PROVIDERS if urlsplit(p.url).hostname not in passed}
    others = {token.env for token in loaded.config.tokens if token.role != "tool"}
    gone = {*keys, *_OTHER_KEYS} - mine.keys() | others
    return sorted(name for name in gone if name in environ)


def _explain(
    tool: Tool, mine: dict[str, str], gone: list[str], words: list[str], *, json: bool
) -> None:
    whys = {variable.name: variable.why for variable in tool.variables}
    if json:
        shown = [{"name": n, "value": _masked(v), "why": whys[n]} for n, v in mine.items()]
        say_json({"tool": tool.name, "set": shown, "removed": gone, "arguments": words})
        return
    screen = console()
    for name, value in mine.items():
        screen.print(f"set     {name}={_masked(value)}")
        screen.print(f"        {whys[name]}")
    if words:
        screen.print(f"start   {tool.command} {shlex.join(words)}")
    for variable in tool.left_alone:
        screen.print(f"leave   {variable.name}")
        screen.print(f"        {variable.why}")
    for name in gone:
        screen.print(f"remove  {name}")
        screen.print("        with it the tool could go past halfdoor, or change what holds")


def _masked(value: str) -> str:
    """A session token is shown by its beginning: a screen is not the place for it."""
    return value if not value.startswith("hd1.") else "hd1.… (made anew at each start)"


@contextlib.contextmanager
def _gateway(loaded: Loaded, config: Path | None) -> Iterator[None]:
    """A running gateway: the one that answers, or one that lives as long as the tool does."""
    where = address(loaded.config.server.listen)
    if asyncio.run(answers(where)):
        yield
        return
    output = loaded.state_dir / "serve.log"
    command = [sys.executable, "-m", "halfdoor", "serve"]
    command += ["--config", str(config)] if config else []
    with output.open("wb") as log, guard.start_permit("a gateway for this tool"):
        # A session of its own, so that Ctrl-C in the tool is the tool's affair.
        serving = subprocess.Popen(  # noqa: S603  our own program
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
    try:
        _await(serving, where, output)
        yield
    finally:
        serving.terminate()
        try:
            serving.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            serving.kill()
            serving.wait()


def _await(serving: "subprocess.Popen[bytes]", where: Address, output: Path) -> None:
    deadline = time.monotonic() + _START_S
    while not asyncio.run(answers(where)):
        if serving.poll() is not None or time.monotonic() > deadline:
            said = output.read_text("utf-8", "replace").strip().splitlines()
            why = said[-1].removeprefix("error: ") if said else "it said nothing"
            raise SetupError(f"the gateway did not start: {why}", where=str(output))
        time.sleep(0.05)


def _run(command: list[str], environment: dict[str, str]) -> int:
    """The tool's exit code, as a shell gives it. Ctrl-C is the tool's to answer.

    What ends this process is passed on to the tool; its end ends a gateway of its own.
    """
    # A handler, not SIG_IGN: the tool would inherit that and never be interrupted.
    before = {signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None)}
    try:
        with guard.start_permit("the tool that a person asked for"):
            running = subprocess.Popen(command, env=environment)  # noqa: S603  see above
        for each in _ENDS:
            before[each] = signal.signal(each, lambda number, _: running.send_signal(number))
        code = running.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code
