"""What `halfdoor doctor` looks at. Each check gives findings and never raises for what it finds."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from stat import S_IMODE
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from halfdoor.backends import guard
from halfdoor.backends.admission import elsewhere, show_url
from halfdoor.backends.control import authority
from halfdoor.backends.discover import Ask
from halfdoor.canon.decision import ControlPermit
from halfdoor.canon.labels import Zone
from halfdoor.canon.rules import Rule
from halfdoor.cli.options import counted
from halfdoor.config.check import SCRIPTED, produced
from halfdoor.config.found import Discovered
from halfdoor.config.load import Loaded, cards, rules_in_force
from halfdoor.config.model import Config
from halfdoor.config.tables.backends import Backend
from halfdoor.decide.unpriced import unpriced
from halfdoor.errors import BackendError, HalfdoorError, SetupError
from halfdoor.reading import terms
from halfdoor.reading.addresses import zone_of
from halfdoor.reading.engine import Engine
from halfdoor.reading.secret_formats import FORMATS, verify_table
from halfdoor.store.keys import LogKeys
from halfdoor.store.reader import LogReader
from halfdoor.store.schema import FILE

State = Literal["ok", "warn", "fail"]
# POST a question under a permit, no wider than a zone: `backends.control.control_post`.
Show = Callable[[str, ControlPermit, bytes, Zone], Awaitable[tuple[int, bytes]]]
# Host name → its addresses. Raises OSError.
Resolve = Callable[[str], Awaitable[list[str]]]

LITTLE_BYTES: Final = 1_000_000_000
TOO_LITTLE_BYTES: Final = 50_000_000


class Finding(Struct, frozen=True):
    """One thing that was looked at. hint: what to do about it, "" when nothing need be done."""

    state: State
    about: str
    said: str
    hint: str = ""


class Listed(Struct, frozen=True):
    """One model of a backend's `/v1/models`."""

    id: str


class Listing(Struct, frozen=True):
    """A backend's `/v1/models`."""

    data: tuple[Listed, ...] | None = None


def configuration(loaded: Loaded) -> Iterator[Finding]:
    """Files, rules and everything that loading noted."""
    source = loaded.config.source
    if source:
        yield Finding("ok", "config", source)
    else:
        hint = "`halfdoor init` writes one"
        yield Finding("ok", "config", "no file: what is found on this machine is used", hint)
    if loaded.project:
        added = len(loaded.project_rules)
        yield Finding("ok", "project", f"{loaded.project} adds {counted(added, 'rule')}")
    config = loaded.config
    unknown = unpriced(cards(config), config.budgets, config.plans) if config.budgets else ()
    for note in (*loaded.notes, *unknown):
        said, _, hint = note.partition("; hint: ")
        yield Finding("warn", "config", said, hint)
    rules = [
        f"{rule.name} ({rule.ceiling.name.lower()}{_on_terms(rule)})"
        for rule in rules_in_force(loaded)
        if produced(rule.label)
    ]
    yield Finding("ok", "rules", ", ".join(rules))


def _on_terms(rule: Rule) -> str:
    return f"; beyond the device: {terms.said(rule.require)}" if rule.require else ""


def engines(found: Discovered) -> Iterator[Finding]:
    """What discovery saw."""
    for engine in found.engines:
        said = f"{engine.kind} answers at {engine.url}, {counted(len(engine.models), 'model')}"
        yield Finding("ok", "engine", said)
    if not found.engines:
        said = "no engine answers on its usual port on this machine"
        yield Finding("ok", "engine", said, "start Ollama, LM Studio, vLLM or llama.cpp to use one")
    for provider in found.providers:
        yield Finding("ok", "key", f"{provider.variable} is set ({provider.name})")


def models(config: Config) -> Iterator[Finding]:
    """Is there anything that can answer?"""
    if not config.models:
        yield Finding("fail", "models", "no model is configured", "add `[[models]]`")
    scripted = [f"`{b.name}`" for b in config.backends if b.url.startswith(SCRIPTED)]
    if scripted:
        are = "is a scripted fake, not a model" if len(scripted) == 1 else "are scripted fakes"
        said = f"{' and '.join(scripted)} {are}"
        yield Finding("warn", "models", said, "start an engine or set a key, then `halfdoor init`")


async def backends(
    config: Config, ask: Ask, resolve: Resolve, *, online: bool
) -> tuple[Finding, ...]:
    """Zones and answers of every backend, asked at once."""
    real = [b for b in config.backends if not b.url.startswith(SCRIPTED)]
    found = await asyncio.gather(*(_backend(b, config, ask, resolve, online=online) for b in real))
    return tuple(finding for each in found for finding in each)


async def admissions(config: Config, show: Show) -> tuple[Finding, ...]:
    """Where engines that claim to be near really run their models, as far as they say."""
    near = {b.name: b for b in config.backends if b.zone != "cloud" and _may_ask(b, online=False)}
    asked = [(near[m.backend], m) for m in config.models if m.backend in near and m.id != "*"]
    told = await asyncio.gather(*(_elsewhere(show, backend, m.id) for backend, m in asked))
    return tuple(
        Finding(
            "fail",
            f"model {model.name}",
            f"`{backend.name}` sends it on to its maker's cloud: it counts as `cloud`",
            'give it a backend of its own with `zone = "cloud"`',
        )
        for (backend, model), away in zip(asked, told, strict=True)
        if away
    )


async def _elsewhere(show: Show, backend: Backend, model: str) -> bool:
    if guard.is_offline() and not _on_device(backend):
        return False
    body = msgspec.json.encode({"model": model})
    url = show_url(backend.url)
    permit = ControlPermit(authority(url), "doctor")
    try:
        return elsewhere(*await show(url, permit, body, Zone[backend.zone.upper()]))
    except BackendError:
        return False  # that it does not answer is told elsewhere


async def real_zone(backend: Backend, resolve: Resolve) -> Zone:
    """The widest zone among the addresses behind a URL. Raises OSError when there is none.

    A name that is claimed to be in the cloud is not looked up: nothing is wider.
    """
    host = urlsplit(backend.url).hostname or ""
    if host == "localhost":
        return Zone.DEVICE
    if backend.zone == "cloud" or _is_address(host):
        return zone_of(host)
    return max(map(zone_of, await resolve(host)), default=Zone.CLOUD)


async def addresses(name: str) -> list[str]:
    """Look a name up in the system's way. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(name, None)
    return [str(place[0]) for *_, place in found]


def port(listen: str, *, running: bool, held: Callable[[str], None]) -> Finding:
    """running: a halfdoor answers there. held: raises SetupError when the port cannot be had."""
    if running:
        return Finding("ok", "port", f"a gateway answers on {listen}")
    try:
        held(listen)
    except SetupError as error:
        return Finding("fail", "port", error.message, error.hint)
    return Finding("ok", "port", f"{listen} is free")


def state(folder: Path, free_bytes: Callable[[Path], int] | None = None) -> Iterator[Finding]:
    """The state folder: whose it is, who can read it, and how much fits."""
    if folder.exists():
        yield from _permissions(folder)
    else:
        there = _existing(folder)
        if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
            yield Finding("ok", "state", f"{folder} will be made at the first start")
        else:
            said = f"{folder} cannot be made: {there} cannot be written"
            yield Finding("fail", "state", said, "mend its permissions, or set `state_dir`")
    there = _existing(folder)
    free = free_bytes(there) if free_bytes else shutil.disk_usage(there).free
    size = f"{free / 1e9:.1f} GB" if free >= 1e9 else f"{free / 1e6:.1f} MB"
    said = f"{size} free for the log"
    if free < TOO_LITTLE_BYTES:
        yield Finding("fail", "disk", said, "free some space: without a log nothing is served")
    elif free < LITTLE_BYTES:
        yield Finding("warn", "disk", said, "free some space, or set `state_dir` elsewhere")
    else:
        yield Finding("ok", "disk", said)


def evidence(folder: Path) -> Iterator[Finding]:
    """The log and its keys: can they be used? Whether it is whole, `log verify` says."""
    if not (folder / FILE).exists():
        return
    try:
        LogKeys.load(folder)
        with LogReader(folder) as reader:
            said = f"{counted(reader.size(), 'entry')}; `halfdoor log verify` proves them"
    except HalfdoorError as error:
        said = f"{error.where}: {error.message}" if error.where else error.message
        yield Finding("fail", "log", said, error.hint)
        return
    yield Finding("ok", "log", said)


def detectors() -> Iterator[Finding]:
    """Every positive example of every secret format, as at start-up."""
    try:
        engine = Engine(FORMATS)
        verify_table(engine)
    except SetupError as error:
        yield Finding("fail", "detectors", error.message, error.hint)
        return
    yield Finding("ok", "detectors", f"{len(FORMATS)} secret formats find their own examples")
    if engine.warning:
        yield Finding("warn", "detectors", engine.warning, "install a wheel of `hyperscan`")


def control_calls(config: Config, listen: str, *, online: bool) -> Finding:
    """Calls without request text that this configuration makes, and where they end."""
    asked = [authority(b.url) for b in config.backends if _may_ask(b, online=online)]
    said = "; ".join(
        [
            "discovery on 127.0.0.1 (ports 11434, 1234, 8000, 8080; without a file, init, doctor)",
            f"status on {listen} (ps, doctor)",
            "from near backends, whether they run their models themselves (serve, doctor)",
            "what near backends have loaded (serve, doctor)",
            f"model lists from {', '.join(dict.fromkeys(asked)) or 'nobody'} (doctor)",
            *_package_index(config),
        ]
    )
    return Finding("ok", "control", f"what is asked without any request's text: {said}")


def _package_index(config: Config) -> Iterator[str]:
    """Names of packages alone, one a question."""
    named = [authority(each) for each in (config.gate.index, config.gate.npm_index) if each]
    if named:
        yield f"names of packages from {', '.join(named)} (gate --index)"


async def _backend(
    backend: Backend, config: Config, ask: Ask, resolve: Resolve, *, online: bool
) -> list[Finding]:
    if guard.is_offline() and not _on_device(backend):
        return [Finding("ok", f"backend {backend.name}", "not asked: halfdoor is offline")]
    return [
        await _zone(backend, resolve),
        *_plaintext(backend),
        *(await _answers(backend, config, ask) if _may_ask(backend, online=online) else ()),
    ]


async def _zone(backend: Backend, resolve: Resolve) -> Finding:
    about = f"backend {backend.name}"
    try:
        zone = await real_zone(backend, resolve)
    except (OSError, UnicodeError):  # the second for names that IDNA cannot write
        said = f"the host of {backend.url} cannot be found"
        return Finding("fail", about, said, "check its name and your network")
    claimed, real = backend.zone, zone.name.lower()
    if claimed == "cloud" and not _is_address(urlsplit(backend.url).hostname or ""):
        return Finding("ok", about, "zone cloud, as claimed: nothing is wider")
    if zone > Zone[claimed.upper()]:
        said = f"claims `{claimed}`, but its address is in `{real}`: it counts as `{real}`"
        return Finding("fail", about, said, f'write `zone = "{real}"`')
    if claimed == real:
        return Finding("ok", about, f"zone {claimed}, as its address shows")
    return Finding("ok", about, f"zone {claimed}, as claimed (its address alone: {real})")


def _plaintext(backend: Backend) -> Iterator[Finding]:
    if backend.url.startswith("http:") and backend.zone != "device" and not _on_device(backend):
        said = "requests and keys travel unencrypted"
        yield Finding("warn", f"backend {backend.name}", said, "use an https:// address")


def _on_device(backend: Backend) -> bool:
    """Is it written as an address of this device? What is sent there never leaves."""
    host = urlsplit(backend.url).hostname or ""
    return host == "localhost" or zone_of(host) is Zone.DEVICE


def _may_ask(backend: Backend, *, online: bool) -> bool:
    real = not backend.url.startswith(SCRIPTED)
    return real and (online or backend.zone != "cloud")


async def _answers(backend: Backend, config: Config, ask: Ask) -> Iterator[Finding]:
    about = f"backend {backend.name}"
    # As each vendor's SDK wants it: the URL of OpenAI's dialects has its version already.
    tail = "/models" if backend.dialect.startswith("openai_") else "/v1/models"
    url = backend.url.rstrip("/") + tail
    try:
        status, body = await ask(url, ControlPermit(authority(url), "doctor"))
    except BackendError as error:
        hint = error.hint or "is it running? Is the address right?"
        return iter([Finding("fail", about, error.message, hint)])
    if status >= 500:
        said = f"answers with HTTP {status}"
        return iter([Finding("fail", about, said, "look at its own log")])
    known = _ids(body) if status == 200 else None
    said = "answers" if known is None else f"answers, and lists {counted(len(known), 'model')}"
    missing = [
        Finding("fail", about, f"does not have `{model.id}`", "load it there, or mend `id`")
        for model in config.models
        if known and model.backend == backend.name and model.id not in {*known, "*"}
    ]
    return iter([Finding("ok", about, said), *missing])


def _ids(body: bytes) -> list[str] | None:
    try:
        listed = msgspec.json.decode(body, type=Listing).data
    except msgspec.MsgspecError:
        return None
    return None if listed is None else [model.id for model in listed]


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(p for p in (folder, *folder.parents) if p.exists())


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def _permissions(folder: Path) -> Iterator[Finding]:
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        said = f"{folder} cannot be written"
        yield Finding("fail", "state", said, f"make it a folder of your own: chmod 700 {folder}")
        return
    mode = S_IMODE(folder.stat().st_mode)
    if mode & 0o077 and os.name != "nt":
        written = mode & 0o022  # `serve` refuses such a folder
        said = f"{folder} can be {'written' if written else 'read'} by others (mode {mode:03o})"
        yield Finding("fail" if written else "warn", "state", said, f"chmod 700 {folder}")
    else:
        yield Finding("ok", "state", str(folder))


def tokens(config: Config, env: Mapping[str, str]) -> Iterator[Finding]:
    """Tokens whose secret is not in the environment would let nobody in."""
    for token in config.tokens:
        if not env.get(token.env):
            said = f"token `{token.name}`: {token.env} is not set"
            yield Finding("fail", "tokens", said, "set it before `halfdoor serve`")
