"""Finds and reads the two files: the user's, and the project's that can only tighten it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from stat import S_IMODE
from typing import Final

from msgspec import Struct

from halfdoor.canon.rules import Rule
from halfdoor.config import rules as policy
from halfdoor.config.authorities import check_authorities
from halfdoor.config.budgets import budgets
from halfdoor.config.cards import aliases as aliases
from halfdoor.config.cards import cards as cards
from halfdoor.config.cards import repositories
from halfdoor.config.check import check, rules
from halfdoor.config.model import Config, ProjectTables, Tables
from halfdoor.config.offline import COMMAND, flag, flagged, offline_rule
from halfdoor.config.parse import Source, tables
from halfdoor.config.plans import plans
from halfdoor.config.rates import check_rates
from halfdoor.config.routes import routes
from halfdoor.config.toolnames import check_tools, strangers
from halfdoor.config.zones import check_zone
from halfdoor.errors import SetupError

PROJECT_FILE: Final = ".halfdoor.toml"
# A cloned repository is untrusted; no honest file comes near this.
FILE_LIMIT_BYTES: Final = 1024 * 1024
OTHERS: Final = 0o077


class Loaded(Struct, frozen=True):
    """All that was read. config.source is "" when the user has no file.

    project: the project's file, "" when there is none. notes: sentences for `serve` and `doctor`.
    offline: who says that nothing but this device is spoken to, "" when nobody does.
    """

    config: Config
    state_dir: Path
    project: str = ""
    project_rules: tuple[Rule, ...] = ()
    notes: tuple[str, ...] = ()
    offline: str = ""


def load(config: Path | None, project_dir: Path | None, env: Mapping[str, str]) -> Loaded:
    """Read the user's file (or `config` instead of it) and the nearest project's.

    project_dir: where to look for `.halfdoor.toml` from, upwards; None looks nowhere.
    Raises SetupError; a user's file that does not exist is none, a `config` that does not is one.
    """
    user = user_settings(config, env)
    project = project_file(project_dir, env) if project_dir else None
    known = tuple(each.name for each in user.repositories)
    added = load_project(project, known) if project else ()
    state = state_dir(user, env)
    return Loaded(
        config=user,
        state_dir=state,
        project=str(project or ""),
        project_rules=added,
        notes=tuple(_notes(user, env)),
        offline=user.offline or (COMMAND if flagged(str(flag(state))) else ""),
    )


def load_user(path: Path) -> Config:
    """Read one user's file. Raises SetupError with `file:line` and a hint."""
    return user_config(source_of(path), str(path))


def user_settings(path: Path | None, env: Mapping[str, str]) -> Config:
    """The user's file alone, or `path` instead of it. Raises SetupError as `load_user`."""
    file = path or user_file(env)
    return Config() if path is None and _absent(file) else load_user(file)


def user_config(source: Source, path: str) -> Config:
    """A user's file that has been read, or is not written yet. Raises SetupError as above."""
    read = tables(source, Tables)
    check(source, read)
    check_authorities(source, read)
    check_zone(source, read)
    check_rates(source, read)
    check_tools(source, read)
    return Config(
        server=read.server,
        tokens=read.tokens,
        backends=read.backends,
        models=read.models,
        names=read.names,
        repositories=repositories(read),
        rules=rules(
            source,
            read.rules,
            policy.DEFAULTS,
            tuple(each.name for each in read.repositories),
        ),
        routing=read.routing,
        budgets=budgets(source, read),
        plans=plans(source, read),
        gate=read.gate,
        routes=routes(source, read),
        source=path,
        offline=source.place("server", "offline") if read.server.offline else "",
    )


def source_of(path: Path) -> Source:
    """A file's text, and the line of each key in it. Raises SetupError as `load_user` does."""
    return Source(path.name, _text(path))


def load_project(path: Path, repositories: tuple[str, ...] = ()) -> tuple[Rule, ...]:
    """A project's rules. Raises SetupError for anything but `[[rules]]` and `[gate]`.

    repositories: names that the user's file declares, for `repo:` rules.
    """
    if path.exists() and not path.is_file():
        # Not opened: a repository's pipe or terminal would hold the start up for ever.
        raise SetupError("is not a regular file", hint="remove it", where=str(path))
    source = source_of(path)
    read = tables(source, ProjectTables)
    return rules(source, read.rules, repositories=repositories)


def rules_in_force(loaded: Loaded) -> tuple[Rule, ...]:
    """Defaults, the user's rules, the project's and `offline`; see `config.rules.in_force`."""
    offline = (offline_rule(loaded.offline),) if loaded.offline else ()
    return (*policy.in_force(loaded.config.rules, loaded.project_rules), *offline)


def user_file(env: Mapping[str, str]) -> Path:
    """`$XDG_CONFIG_HOME/halfdoor/config.toml`, on every system; the file need not exist."""
    return _base(env, "XDG_CONFIG_HOME", ".config") / "halfdoor" / "config.toml"


def state_dir(config: Config, env: Mapping[str, str]) -> Path:
    """Where the log and its keys are; the folder need not exist."""
    configured = config.server.state_dir
    if not configured:
        return _base(env, "XDG_STATE_HOME", ".local/state") / "halfdoor"
    if configured.startswith("~/"):
        return _home(env) / configured[2:]
    return Path(configured).expanduser()


def project_file(start: Path, env: Mapping[str, str]) -> Path | None:
    """The nearest `.halfdoor.toml`, up to the root of the git checkout or the user's home."""
    home = _home(env)
    start = start.absolute()
    for folder in (start, *start.parents):
        if not _absent(folder / PROJECT_FILE):
            return folder / PROJECT_FILE
        if folder == home or not _absent(folder / ".git"):
            return None
    return None


def _absent(path: Path) -> bool:
    """It is certain that nothing is there; when in doubt, reading it will say what is wrong."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _base(env: Mapping[str, str], variable: str, default: str) -> Path:
    """An XDG base directory; the standard says that a relative value is ignored."""
    configured = Path(env.get(variable, ""))
    return configured if configured.is_absolute() else _home(env) / default


def _home(env: Mapping[str, str]) -> Path:
    return Path(env["HOME"]) if env.get("HOME") else Path.home()


def _text(path: Path) -> str:
    """A file's text. Raises SetupError when it is missing, unreadable, too big or not UTF-8."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT_BYTES + 1)
    except FileNotFoundError:
        hint = "give the path of one that is; `halfdoor init` writes a configuration"
        raise SetupError("there is no such file", hint=hint, where=str(path)) from None
    except OSError as error:
        why = error.strerror or "it cannot be opened"
        hint = (
            "give a file in it" if isinstance(error, IsADirectoryError) else "check its permissions"
        )
        raise SetupError(f"cannot be read: {why}", hint=hint, where=str(path)) from None
    if len(data) > FILE_LIMIT_BYTES:
        raise SetupError("is larger than 1 MiB", hint="is it the right file?", where=str(path))
    return _decoded(path, data)


def _decoded(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")  # some editors begin a file with a mark
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        where = f"{path.name}:{line}"
        raise SetupError("is not UTF-8", hint="save it as UTF-8", where=where) from None


def _notes(config: Config, env: Mapping[str, str]) -> Iterator[str]:
    if config.source:
        yield from _permission_notes(Path(config.source))
    for backend in config.backends:
        if backend.key_env and not env.get(backend.key_env):
            yield (
                f"{backend.key_env} is not set, so backend `{backend.name}` is called without a "
                "key; hint: set it and start again"
            )
    yield from strangers(config)
    for default, rule in policy.loosened(config.rules):
        yield (
            f"LOOSENED: `{rule.label}` may reach {rule.ceiling.name.lower()} ({rule.source}); "
            f"the default is {default.ceiling.name.lower()}"
        )


def _permission_notes(path: Path) -> Iterator[str]:
    mode = S_IMODE(path.stat().st_mode)
    # Windows reports 0o666 for every file and keeps permissions elsewhere.
    if mode & OTHERS and path.drive == "":
        yield f"{path} can be read by others (mode {mode:03o}); hint: chmod 600 {path}"
