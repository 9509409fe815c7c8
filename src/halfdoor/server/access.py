"""Who may ask: the caller's Host, Origin and token; and which of its headers go further.

A foreign `Host` is 400, as RFC 9112 §3.2 has it for a Host that the server does not serve, and
because 400 is the one status that every tool shows at once (a container that asks for
`host.docker.internal` must read the hint, not retry for a minute). A foreign `Origin` comes only
from a web page and is 403. A missing or wrong token is 401, with word not to retry.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest
from ipaddress import ip_address
from typing import Final

from halfdoor.canon.commands import Headers
from halfdoor.canon.request import LAUNCHED, Actor
from halfdoor.config.tools.agents import AGENTS, OTHER
from halfdoor.errors import ClientError
from halfdoor.server.sessions import PREFIX, Sessions

# The longest that a tool sends has 41; a longer one is no name but a message. A name travels in
# lower case, where the form of some secrets is not recognised any more: the shortest of those has
# 39 letters, behind at least `openai-`.
_NAME_BYTES: Final = 45
_HOST: Final = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{0,5})?")

RawHeaders = list[tuple[bytes, bytes]]

# A gateway is called by few names and asked by few tools: each is judged once.
_KEPT: Final = 32

_STAY: Final = frozenset(
    {
        # Credentials: for halfdoor, or for a vendor the tool believes it reaches.
        b"api-key",
        b"authorization",
        b"cookie",
        b"cookie2",
        b"x-amz-security-token",
        b"x-api-key",
        b"x-auth-token",
        b"x-goog-api-key",
        # This connection's own business.
        b"accept-encoding",
        b"connection",
        b"content-encoding",
        b"content-length",
        b"expect",
        b"forwarded",
        b"host",
        b"keep-alive",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"via",
    }
)
_STAY_PREFIXES: Final = (b"proxy-", b"x-forwarded-", b"x-halfdoor-", b"x-real-ip", b"cf-", b"sec-")


@dataclass(frozen=True, slots=True)
class Access:
    """Judges a request by its headers, before its body is read.

    tokens: (name, secret); none means that whoever reaches a loopback listener may ask.
    admins: the same, of those who may change what holds, and may ask no model.
    watchers: the same, of those who may read the metrics, and nothing else.
    allowed_hosts: further names to accept in `Host`, lower-case, without port.
    loopback: the listener is reached from this device only.
    sessions: reads the tokens that `launch` gives; None where none are taken.
    owners: (person, team) by the name of a token, as configured.
    """

    tokens: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    admins: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    watchers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    allowed_hosts: frozenset[str] = frozenset({"localhost"})
    loopback: bool = True
    project: str = ""
    sessions: Sessions | None = None
    owners: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def visit(self, headers: RawHeaders) -> None:
        """Judge Host and Origin: for what needs no token. Raises ClientError, 400 or 403."""
        hosts = [value for name, value in headers if name == b"host"]
        origins = [value for name, value in headers if name == b"origin"]
        if len(hosts) != 1 or not self._serves(_name(hosts[0])):
            shown = _shown(hosts[0]) if len(hosts) == 1 else f"({len(hosts)} of them)"
            raise ClientError(
                f"the Host {shown} is not served here",
                code="foreign_host",
                hint="use the address it listens on, or add the name to `allowed_hosts`",
            )
        if any(origin.lower().partition(b"://")[2] != hosts[0].lower() for origin in origins):
            raise ClientError(
                f"a web page from {_shown(origins[0])} may not use halfdoor",
                status=403,
                code="foreign_origin",
                hint="ask from a program, not from a web page",
            )

    def admit(self, headers: RawHeaders) -> tuple[Actor, str]:
        """Who asks, and the caller's own credential for a vendor, "" if it showed none.

        What matched one of our tokens is never the caller's credential. Raises ClientError.
        """
        self.visit(headers)
        shown = _credentials(headers)
        # INVARIANT: an admin's token never becomes a caller's credential for a vendor.
        if self.admins and _recognised(shown, self.admins)[0]:
            raise ClientError(
                "an admin token asks no model",
                status=403,
                code="admin_token",
                hint="give your tool a token of its own; it must not hold this one",
            )
        if self.watchers and _recognised(shown, self.watchers)[0]:
            raise ClientError(
                "a metrics token asks no model",
                status=403,
                code="metrics_token",
                hint='give your tool a token of its own, with `role = "tool"`',
            )
        if launched := [secret for secret in shown if secret.startswith(PREFIX)]:
            return self._launched(launched, [s for s in shown if s not in launched])
        tool = _tool(headers)
        if not self.tokens:
            return Actor("", tool, self.project), next(iter(shown), "")
        name, others = _recognised(shown, self.tokens)
        if not name:
            raise ClientError(
                "no valid token was shown" if shown else "a token is needed",
                status=401,
                code="invalid_token",
                hint="send one of the configured `[[tokens]]` as your tool's API key",
            )
        person, team = self.owners.get(name, ("", ""))
        actor = Actor(name, tool, self.project, person=person, team=team)
        return actor, next(iter(others), "")

    def administer(self, headers: RawHeaders) -> str:
        """The admin token's name. Raises ClientError: nobody without one changes what holds."""
        self.visit(headers)
        if not self.admins:
            raise ClientError(
                "nobody is an admin here",
                status=403,
                code="no_admin",
                hint='add `[[tokens]]` with `role = "admin"`, set its variable where `halfdoor '
                "serve` starts and never where a tool does, and restart",
            )
        name, _ = _recognised(_credentials(headers), self.admins)
        if not name:
            raise ClientError(
                "an admin token is needed",
                status=403,
                code="not_admin",
                hint='set the variable of a `[[tokens]]` with `role = "admin"`',
            )
        return name

    def observe(self, headers: RawHeaders) -> None:
        """Judge who wants the metrics: open where no token is configured. Raises ClientError."""
        self.visit(headers)
        who = (*self.watchers, *self.admins)
        if not who and not self.tokens:
            return
        if not _recognised(_credentials(headers), who)[0]:
            raise ClientError(
                "a metrics token is needed",
                status=403,
                code="not_watcher",
                hint='send the secret of a `[[tokens]]` with `role = "metrics"` as a bearer token',
            )

    def _launched(self, tokens: list[str], others: list[str]) -> tuple[Actor, str]:
        """A tool that `launch` started: who it is stands in its token, not in its user agent."""
        if self.sessions is None:
            raise ClientError("session tokens are not taken here", status=401, code="invalid_token")
        sessions = [self.sessions.read(token) for token in dict.fromkeys(tokens)]
        rules = tuple(rule for session in sessions for rule in session.rules)
        first = sessions[0]
        actor = Actor(LAUNCHED, first.tool, first.project, rules, first.root)
        return actor, next(iter(others), "")

    def _serves(self, name: str) -> bool:
        if name in self.allowed_hosts:
            return True
        looped = _is_loopback(name)
        # An address in `Host` cannot be rebound; beyond loopback a token is needed anyway.
        return looped is not None and (looped or not self.loopback)


def _recognised(shown: list[str], tokens: tuple[tuple[str, str], ...]) -> tuple[str, list[str]]:
    """The token's name and what is left. Every token is compared, whatever matched before."""
    found, others = "", []
    for secret in shown:
        print_ = sha256(secret.encode("latin-1", "replace")).digest()
        mine = ""
        for name, token in tokens:
            if compare_digest(sha256(token.encode("latin-1", "replace")).digest(), print_):
                mine = name
        found = found or mine
        if not mine:
            others.append(secret)
    return found, others


def passed_on(headers: RawHeaders) -> Headers:
    """The headers that may go further: lower-case, in order, no credentials, nothing hop-by-hop.

    What goes no further is not looked at either: a name of more than 45 letters.
    """
    named = {
        token.strip()
        for name, value in headers
        if name == b"connection"
        for token in value.lower().split(b",")
    }
    return tuple(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in headers
        if name not in _STAY
        and name not in named
        and not name.startswith(_STAY_PREFIXES)
        and len(name) <= _NAME_BYTES
    )


def _credentials(headers: RawHeaders) -> list[str]:
    shown = []
    for name, value in headers:
        text = value.decode("latin-1")
        if name == b"x-api-key" and text:
            shown.append(text)
        elif name == b"authorization" and text[:7].lower() == "bearer " and text[7:].strip():
            shown.append(text[7:].strip())
    return shown


def _tool(headers: RawHeaders) -> str:
    agent = next((value for name, value in headers if name == b"user-agent"), b"")
    return _of_agent(agent[:64])


@lru_cache(maxsize=_KEPT)
def _of_agent(agent: bytes) -> str:
    said = agent.decode("latin-1").lower()
    return next((tool for prefix, tool in AGENTS if said.startswith(prefix)), OTHER)


@lru_cache(maxsize=_KEPT)
def _is_loopback(name: str) -> bool | None:
    """None for what is no address."""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return None


@lru_cache(maxsize=_KEPT)
def _name(host: bytes) -> str:
    """The name in `name:port` or `[address]:port`, lower-case, without a final dot; "" for neither.

    Strict, because a proxy before us may read `127.0.0.1:80@other` or `[::1].other` otherwise.
    """
    found = _HOST.fullmatch(host.decode("latin-1").strip().lower())
    return (found[1] or found[2]).removesuffix(".") if found else ""


def _shown(value: bytes) -> str:
    """A header's value, short and printable: it is another's text."""
    return "`" + "".join(c for c in value.decode("latin-1")[:80] if c.isprintable()) + "`"
