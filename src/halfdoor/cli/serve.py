"""`halfdoor serve`: the gateway, in the foreground."""

import os
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated

import typer

from halfdoor import __version__
from halfdoor.backends import guard
from halfdoor.canon.cards import Card
from halfdoor.canon.record import Noted
from halfdoor.canon.rules import Above, Rule
from halfdoor.cli.options import ConfigOption, ProjectOption, console, load
from halfdoor.config.load import Loaded, rules_in_force
from halfdoor.config.model import Token
from halfdoor.config.rules import loosened
from halfdoor.errors import SetupError
from halfdoor.flow.writing import timestamp
from halfdoor.server.access import Access
from halfdoor.server.app import App
from halfdoor.server.body import Limits
from halfdoor.server.listen import Address, address, bound, guarded, run
from halfdoor.server.sessions import Sessions
from halfdoor.server.status import Status
from halfdoor.store.keys import session_key
from halfdoor.wiring import Gateway, assemble

ListenOption = Annotated[
    str | None,
    typer.Option("--listen", metavar="HOST:PORT", help="Listen here, whatever the file says."),
]


def serve(
    config: ConfigOption = None, listen: ListenOption = None, project: ProjectOption = None
) -> None:
    """Start the gateway."""
    guard.install()
    loaded = load(config, project)
    server = loaded.config.server
    where = address(listen or server.listen)
    tokens = secrets(loaded.config.tokens, os.environ)
    guarded(where, tokens=len(tokens))
    with bound(where) as listening:
        where = Address(where.host, listening.getsockname()[1])
        gateway = assemble(loaded, loaded.state_dir)
        access = Access(
            tokens=tokens,
            allowed_hosts=frozenset({"localhost", *map(str.lower, server.allowed_hosts)}),
            loopback=where.loopback,
            sessions=Sessions(session_key(loaded.state_dir), gateway.services.clock.now_ms),
        )
        app = App(
            gateway.house,
            gateway.services,
            access,
            Limits(body_bytes=server.body_limit_bytes),
            Status(__version__, os.getpid(), time.monotonic(), gateway.house.cards),
            running=lambda: running(gateway),
            tightened=gateway.tightened,
        )
        run(app, listening, lambda: _announce(loaded, gateway.house.cards, where))


def secrets(tokens: tuple[Token, ...], env: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """(name, secret) of each token. Raises SetupError; never shows a secret."""
    found = []
    for token in tokens:
        secret = env.get(token.env, "")
        if not secret or not (secret.isascii() and secret.isprintable()):
            raise SetupError(
                f"token `{token.name}` has no usable secret in `{token.env}`",
                hint=f"set it before the start: `export {token.env}=...`, or take the token out",
            )
        found.append((token.name, secret))
    return tuple(found)


@asynccontextmanager
async def running(gateway: Gateway) -> AsyncIterator[None]:
    """From the first entry to the last: a start, what was loosened, a stop, the log closed."""
    try:
        facts = {"version": __version__, "policy": gateway.house.policy_hash}
        await _note(gateway, "started", facts)
        for default, own in loosened(gateway.loaded.config.rules):
            zones = {"from": default.ceiling.name.lower(), "to": own.ceiling.name.lower()}
            await _note(gateway, "loosened", {"label": default.label, **zones})
        yield
        await _note(gateway, "stopped", {})
    finally:
        await gateway.close()


async def _note(gateway: Gateway, event: str, facts: dict[str, str]) -> None:
    clock = gateway.services.clock
    now_ms = clock.now_ms()
    noted = Noted(clock.exchange_id(now_ms), timestamp(now_ms), event, facts)
    await gateway.services.log.append(noted)


def _announce(loaded: Loaded, cards: tuple[Card, ...], where: Address) -> None:
    screen = console()
    for line in banner(loaded, cards, where):
        screen.print(line)


def banner(loaded: Loaded, cards: tuple[Card, ...], where: Address) -> Iterator[str]:
    """What a person should know of a gateway that has just started, line by line."""
    root = f"http://{where}"
    yield f"halfdoor {__version__} listens on {root}  (Ctrl-C stops it)"
    yield f"  config  {loaded.config.source or 'none: made of the engines and keys found here'}"
    yield f"  log     {loaded.state_dir}"
    yield "models, and where they are"
    yield from (_model(card) for card in cards)
    if any(card.scripted for card in cards):
        yield "!! SCRIPTED MODELS: they answer without any model. `halfdoor init` finds real ones."
    yield "rules in force"
    yield from (_rule(rule) for rule in rules_in_force(loaded))
    for default, own in loosened(loaded.config.rules):
        far, near = own.ceiling.name.lower(), default.ceiling.name.lower()
        yield f"!! LOOSENED: `{own.label}` may reach {far} ({own.source}); the default is {near}"
    yield from (f"!! {note}" for note in loaded.notes)
    token = "<your token>" if loaded.config.tokens else "unused"
    yield "point your tools here"
    yield f"  Claude Code  ANTHROPIC_BASE_URL={root} ANTHROPIC_AUTH_TOKEN={token} claude"
    yield f"  OpenAI SDK   OPENAI_BASE_URL={root}/v1 OPENAI_API_KEY={token}"


def _model(card: Card) -> str:
    scripted = "  SCRIPTED" if card.scripted else ""
    return f"  {card.name:<28} {card.zone.name.lower():<8} {card.backend}{scripted}"


def _rule(rule: Rule) -> str:
    what = "refuse the request" if rule.above is Above.REFUSE else "leave them out"
    ceiling = rule.ceiling.name.lower()
    return f"  {rule.name:<28} {ceiling:<8} beyond it: {what} ({rule.source})"
