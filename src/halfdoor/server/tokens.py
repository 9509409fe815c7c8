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
    ruling = admins(config.tokens)
    return Access(
        tokens=tuple(token for token in tokens if token[0] not in ruling),
        admins=tuple(token for token in tokens if token[0] in ruling),
        allowed_hosts=frozenset({"localhost", *map(str.lower, config.server.allowed_hosts)}),
        loopback=loopback,
        sessions=sessions,
        owners={each.name: (each.person, each.team) for each in config.tokens},
    )


def admins(tokens: Sequence[Token]) -> frozenset[str]:
    """Names of the tokens that ask no model."""
    return frozenset(each.name for each in tokens if each.role == "admin")


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
