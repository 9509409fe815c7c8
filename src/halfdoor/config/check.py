"""What no single key can tell: names that must meet, addresses and labels that make sense."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from ipaddress import ip_address
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final
from urllib.parse import SplitResult, urlsplit

from halfdoor.canon.labels import Zone
from halfdoor.canon.rules import EVERY, Above, Require, Rule
from halfdoor.config.model import Tables
from halfdoor.config.parse import Source
from halfdoor.config.suggest import meant
from halfdoor.config.tables.rules import Requirement, RuleTable

# Labels that some detector really gives, and the one of every request. A rule for any other would
# promise what nothing keeps.
PRODUCED: Final = ("secret", "not-scanned", "scan-failed", EVERY)
PATH: Final = "path:"
REPO: Final = "repo:"
SCRIPTED: Final = "scripted:"
LABEL_LIMIT: Final = 300


def check(source: Source, tables: Tables) -> None:
    """Raise SetupError for the first thing that cannot be meant."""
    _listening(source, tables)
    for section in ("tokens", "backends", "models", "repositories", "budgets", "plans"):
        _distinct(source, section, [entry.name for entry in getattr(tables, section)])
    _backends(source, tables)
    _models(source, tables)
    _names(source, tables)
    _repositories(source, tables)


def rules(
    source: Source,
    entries: Sequence[RuleTable],
    displaced: Sequence[Rule] = (),
    repositories: Sequence[str] = (),
) -> tuple[Rule, ...]:
    """The rules as `decide` reads them, each with its place. Raises SetupError.

    displaced: rules that hold for their labels until an entry speaks of the label.
    repositories: the names that `repo:` may have.
    """
    for index, entry in enumerate(entries):
        if entry.label.startswith(REPO):
            _repository_label(source, index, entry.label, repositories)
        else:
            _label(source, index, entry.label)
        _demand(source, index, entry)
    named = [entry.name or entry.label for entry in entries]
    for index, name in enumerate(named):
        if not name.isascii():  # it travels in a header
            raise source.error(
                ("rules", index, "label"), "this rule needs a name", 'add `name = "…"` in ASCII'
            )
    _distinct(source, "rules", named)
    return tuple(
        Rule(
            name=name,
            label=entry.label,
            ceiling=_ceiling(entry, entries, displaced),
            above=Above[entry.above.upper()],
            source=source.place("rules", index),
            require=_require(entry.require),
        )
        for index, (name, entry) in enumerate(zip(named, entries, strict=True))
    )


def _ceiling(entry: RuleTable, all_: Sequence[RuleTable], displaced: Sequence[Rule]) -> Zone:
    """Its own or, where it only requires something, what holds for its label without it.

    INVARIANT: a rule that only requires something never widens what a default holds.
    """
    if entry.ceiling is not None:
        return Zone[entry.ceiling.upper()]
    same = [other.ceiling for other in all_ if other.label == entry.label and other.ceiling]
    if same:
        return min(Zone[ceiling.upper()] for ceiling in same)
    return min((r.ceiling for r in displaced if r.label == entry.label), default=Zone.CLOUD)


def _require(table: Requirement | None) -> Require | None:
    if table is None:
        return None
    return Require(table.region or (), table.training, table.retention_days)


def _demand(source: Source, index: int, entry: RuleTable) -> None:
    """Raise SetupError for a rule that asks for nothing."""
    if entry.require is None:
        if entry.ceiling is None:
            raise source.error(
                ("rules", index),
                "`[[rules]]` lacks `ceiling`",
                'write the widest zone, as `ceiling = "device"`, or what you `require`',
            )
        return
    if entry.require.region == ():
        raise source.error(
            ("rules", index, "require", "region"),
            "`region` lists no region",
            'list at least one, as `region = ["eu"]`, or leave it out',
        )
    if _require(entry.require) == Require():
        raise source.error(
            ("rules", index, "require"),
            "`require` requires nothing",
            'write at least one of `region`, `training = "never"`, `retention_days`',
        )


def callable_so(glob: str, tables: Tables) -> bool:
    """Can reports call any model so? One that sends on the name asked has that of a price list."""
    return any(model.id == "*" or fnmatchcase(model.name, glob) for model in tables.models)


def produced(label: str) -> bool:
    """Does any detector give this label?"""
    return label in PRODUCED or label.startswith((PATH, REPO))


def host_and_port(listen: str) -> tuple[str, int] | None:
    """`127.0.0.1:4114` or `[::1]:4114` as its two parts, None if it is neither."""
    host, _, port = listen.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 65536) or not host:
        return None
    if host.startswith("[") and host.endswith("]"):
        return host[1:-1], int(port)
    return None if ":" in host else (host, int(port))


def is_loopback(host: str) -> bool:
    """Only this machine can reach a listener there. The unspecified address is *not* loopback."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listening(source: Source, tables: Tables) -> None:
    address = host_and_port(tables.server.listen)
    if address is None:
        raise source.error(
            ("server", "listen"),
            f"`listen` is `{tables.server.listen}`",
            'write an address and a port, `listen = "127.0.0.1:4114"`',
        )
    if not is_loopback(address[0]) and not any(t.role == "tool" for t in tables.tokens):
        raise source.error(
            ("server", "listen"),
            f"`{tables.server.listen}` is open to other machines and asks for no token",
            "add `[[tokens]]` with `name` and `env`, or listen on 127.0.0.1",
        )
    _administered(source, tables)
    state = tables.server.state_dir
    if state and not state.startswith("~/") and not _absolute(state):
        raise source.error(
            ("server", "state_dir"), f"`{state}` is relative", "start it with `/` or `~/`"
        )


def _administered(source: Source, tables: Tables) -> None:
    where = tables.server.admin_listen
    if not where:
        return
    address = host_and_port(where)
    if address is None or not address[1]:
        raise source.error(
            ("server", "admin_listen"),
            f"`admin_listen` is `{where}`",
            'write an address and a port, `admin_listen = "127.0.0.1:4115"`',
        )
    if address[1] == (host_and_port(tables.server.listen) or ("", 0))[1]:
        raise source.error(
            ("server", "admin_listen"),
            f"`{where}` has the port of `listen`",
            "choose another port, or leave `admin_listen` out",
        )
    if not is_loopback(address[0]) and all(token.role == "tool" for token in tables.tokens):
        raise source.error(
            ("server", "admin_listen"),
            f"`{where}` is open to other machines and asks for no token",
            'add `[[tokens]]` with `role = "metrics"` or "admin", or listen on 127.0.0.1',
        )


def _absolute(path: str) -> bool:
    return PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()


def _distinct(source: Source, section: str, names: Sequence[str]) -> None:
    seen: dict[str, int] = {}
    for index, name in enumerate(names):
        first = seen.setdefault(name, index)
        if first < index:
            raise source.error(
                (section, index, "name"),
                f"two `[[{section}]]` are called `{name}`",
                f"the other stands at {source.place(section, first)}; give one another `name`",
            )


def _backends(source: Source, tables: Tables) -> None:
    for index, backend in enumerate(tables.backends):
        if trouble := _url_trouble(backend.url):
            raise source.error(("backends", index, "url"), f"`url` {trouble[0]}", trouble[1])
        if backend.fim and backend.dialect != "openai_chat":
            raise source.error(
                ("backends", index, "fim"),
                f"`fim` is for backends of dialect `openai_chat`, and this is `{backend.dialect}`",
                "leave it out: other dialects have one way each, or none",
            )
        if backend.key and backend.credentials:
            raise source.error(
                ("backends", index, "credentials"),
                f"backend `{backend.name}` has both `key` and `credentials`",
                "keep one: its own key, or the caller's",
            )
        if (backend.overflow_at or 0) > backend.queue:
            raise source.error(
                ("backends", index, "overflow_at"),
                f"`overflow_at` of backend `{backend.name}` is {backend.overflow_at}, and no more "
                f"than {backend.queue} may wait (`queue`)",
                "lower it, or raise `queue`: beyond that others are asked anyway",
            )
        if backend.slo.first_token_share is not None and backend.slo.first_token_s is None:
            raise source.error(
                ("backends", index, "slo", "first_token_share"),
                "`first_token_share` without `first_token_s` promises nothing",
                "write within how many seconds, as `first_token_s = 3.0`",
            )


def _url_trouble(url: str) -> tuple[str, str] | None:
    """What is wrong with a base URL and what would do; never the URL: it may hold a secret."""
    if url.startswith(SCRIPTED):
        return None
    parts = _split(url)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        return "is not an http address", 'write it in full, `url = "http://127.0.0.1:11434/v1"`'
    if parts.username is not None or parts.password is not None:
        return "holds a user name or password", 'use `key = "${VARIABLE}"`'
    if parts.query or parts.fragment:
        return "has a `?` or `#` part", "keep only scheme, host, port and path"
    return None


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for a port that is none
    except ValueError:
        return None
    return parts if url.isprintable() and " " not in url else None


def _models(source: Source, tables: Tables) -> None:
    known = [backend.name for backend in tables.backends]
    for index, model in enumerate(tables.models):
        if model.backend not in known:
            raise source.error(
                ("models", index, "backend"),
                f"model `{model.name}` names the backend `{model.backend}`, which does not exist",
                meant(model.backend, known) or "add `[[backends]]`",
            )
        if model.name == "auto":
            raise source.error(
                ("models", index, "name"), "`auto` always means all models", "call it otherwise"
            )


def _names(source: Source, tables: Tables) -> None:
    known = [model.name for model in tables.models]
    for index, name in enumerate(tables.names):
        if name.match == "auto":
            raise source.error(
                ("names", index, "match"),
                "`auto` always means all models",
                "match another name, or put `[[models]]` in the order you want",
            )
        if not name.choose:
            raise source.error(
                ("names", index, "choose"),
                f"`{name.match}` chooses no model",
                "list at least one model's name",
            )
        for choice in name.choose:
            if choice not in known:
                raise source.error(
                    ("names", index, "choose"),
                    f"`{name.match}` chooses `{choice}`, which is no model",
                    meant(choice, known) or "add `[[models]]`",
                )
    matches = [name.match for name in tables.names]
    for index, match in enumerate(matches):
        if match in matches[:index]:
            raise source.error(
                ("names", index, "match"),
                f"`{match}` is matched twice",
                "the first would always win; join both lists in one `choose`",
            )


def _repositories(source: Source, tables: Tables) -> None:
    for index, each in enumerate(tables.repositories):
        if not each.root.startswith(("/", "~/")) or not each.root.isprintable():
            raise source.error(
                ("repositories", index, "root"),
                f"the root of repository `{each.name}` is not a whole path",
                "start it with `/` or `~/`",
            )


def _repository_label(source: Source, index: int, label: str, known: Sequence[str]) -> None:
    name = label.removeprefix(REPO)
    if name not in known:
        hint = meant(name, known) if known else ""
        raise source.error(
            ("rules", index, "label"),
            f"`repo:{_shown(name)}` is none of the user's `[[repositories]]`",
            hint or "declare it in the user's config, or use `halfdoor policy pin`",
        )


def _label(source: Source, index: int, label: str) -> None:
    if label in PRODUCED:
        return
    place = ("rules", index, "label")
    if not label.startswith(PATH):
        raise source.error(
            place,
            f"nothing produces the label `{_shown(label)}` yet",
            meant(label, (*PRODUCED, "path:<glob>", "repo:<name>")),
        )
    if trouble := glob_trouble(label.removeprefix(PATH)):
        raise source.error(
            place,
            f"`path:` {trouble}",
            "write it relative to the project's root, as `path:payments/**`",
        )


def _shown(text: str) -> str:
    return ascii(text[:LABEL_LIMIT])[1:-1]


def glob_trouble(glob: str) -> str:
    """Why a path glob could never mean what its author hoped, "" when it can."""
    glob = glob.removeprefix("./").removeprefix("/")  # either way: from the project's root
    if not glob.strip():
        return "has no glob"
    if glob.startswith("~") or _absolute(glob) or PureWindowsPath(glob).drive:
        return "is absolute"
    if "\\" in glob:
        return "has a backslash; paths are compared with `/`"
    if not glob.isprintable() or len(glob) > LABEL_LIMIT:
        return "is too long or has characters that cannot be shown"
    if any(part in {"", ".", ".."} for part in glob.rstrip("/").split("/")):
        return "has an empty, `.` or `..` step"
    return ""
