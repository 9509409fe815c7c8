"""The configured tokens: their secrets, whose they are, and what each may do."""

from collections.abc import Mapping, Sequence

from halfdoor.config.model import Config
from halfdoor.config.tables.server import Token
from halfdoor.errors import SetupError
from halfdoor.server.access import Access
from halfdoor.server.sessions import Sessions


def access(
    config: Config,
    tokens: Sequence[tuple[str, str]],
    sessions: Sessions | None,
    *,
    loopback: bool,
) -> Access:
    """Who may ask, by the configuration. tokens: (name, secret), as `secrets` found them."""
    roles = {each.name: each.role for each in config.tokens}
    return Access(
        tokens=tuple(token for token in tokens if roles[token[0]] == "tool"),
        admins=tuple(token for token in tokens if roles[token[0]] == "admin"),
        watchers=tuple(token for token in tokens if roles[token[0]] == "metrics"),
        allowed_hosts=frozenset({"localhost", *map(str.lower, config.server.allowed_hosts)}),
        loopback=loopback,
        sessions=sessions,
        owners={each.name: (each.person, each.team) for each in config.tokens},
    )


def asking(tokens: Sequence[Token]) -> int:
    """How many of the tokens may ask models."""
    return sum(each.role == "tool" for each in tokens)


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
