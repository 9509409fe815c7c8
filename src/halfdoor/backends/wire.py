"""What may stand on the wire between halfdoor and a model's server: pure rules, no sockets."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from halfdoor.canon.commands import Headers
from halfdoor.errors import SetupError

# Set by the transport or by credentials and by nobody else: neither a dialect nor a client may
# steer the transfer, speak for another host or bring a second key.
_OURS: Final = frozenset(
    {
        "accept-encoding",
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-api-key",
    }
)


# A request's target and its headers, as far as nothing in them can end a line or begin another.
_TARGET: Final = re.compile(r"/[!-~\x80-\xff]*")
_HEADERS: Final = re.compile(r"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t -~\x80-\xff]*\r\n)*")
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Who is asked. host: a name in ASCII or an address without brackets."""

    host: str
    port: int
    tls: bool

    @property
    def authority(self) -> str:
        """`name:port`, as `ControlPermit.host` wants it; IPv6 in brackets."""
        return f"{self._bracketed}:{self.port}"

    @property
    def field(self) -> str:
        """The `host` header: without a port that its scheme implies."""
        usual = _PORTS["https" if self.tls else "http"]
        return self._bracketed if self.port == usual else self.authority

    @property
    def _bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


def origin(url: str) -> Origin:
    """Whom an http or https URL asks. Raises ValueError when it names no host."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in _PORTS or not host:
        raise ValueError
    name = host if host.isascii() else host.encode("idna").decode("ascii")
    return Origin(name, parts.port or _PORTS[parts.scheme], parts.scheme == "https")


def target_of(url: str) -> str:
    """A URL's path and query, as they stand in a request."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def request_line(method: str, place: str, host: str) -> str:
    """The first line, and `host`. Raises ValueError when the place could not stand in one line."""
    if not _TARGET.fullmatch(place):
        raise ValueError
    return f"{method} {place} HTTP/1.1\r\nhost: {host}\r\n"


def request_head(line: str, headers: list[tuple[str, str]], length: int | None) -> bytes:
    """All that precedes a body of `length` bytes; None for a request that has none.

    INVARIANT: each header is one line of its own. Raises ValueError for one that is not.
    """
    fields = "".join([f"{name}: {value}\r\n" for name, value in headers])
    if fields.count("\n") != len(headers) or not _HEADERS.fullmatch(fields):
        raise ValueError
    end = "\r\n" if length is None else f"content-length: {length}\r\n\r\n"
    return f"{line}{fields}{end}".encode("latin-1")


def sent_headers(dialect: Headers, key: Headers) -> list[tuple[str, str]]:
    """All headers of a call but `host` and `content-length`: the dialect's, and one key."""
    sent = [header for header in dialect if header[0].lower() not in _OURS]
    sent.append(("accept-encoding", "identity"))
    sent.extend(key)
    return sent


def unfit(status: int, headers: Headers) -> tuple[str, str] | None:
    """Why an answer cannot be used, as (what, hint) to follow "backend `x` "; None if it can."""
    if 300 <= status < 400:
        return (
            f"answered {status}, a redirect, and redirects are never followed",
            "put the address where it really answers into the config",
        )
    if not 200 <= status < 600:
        return f"answered with the status {status}", "check the backend's `url` in the config"
    codings = [value.lower() for name, value in headers if name == "content-encoding"]
    codings += [
        value.lower().replace("chunked", "").strip(" ,")
        for name, value in headers
        if name == "transfer-encoding"
    ]
    coding = next((value for value in codings if value not in {"identity", ""}), "")
    if coding:
        what = f"compressed its answer ({status}, `{coding[:20]}`), which was not asked for"
        return what, "switch compression off in the proxy before it"
    return None


def checked_url(name: str, url: str) -> str:
    """A backend's base URL without a slash at its end. Raises SetupError; never quotes a key."""
    try:
        parts = urlsplit(url)
        origin(url)
    except ValueError:
        parts = urlsplit("")
    if not parts.scheme:
        raise SetupError(
            f"backend `{name}` has a `url` that is not http or https, or has no host",
            hint="write it as its SDK wants it, e.g. `http://127.0.0.1:11434/v1`",
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise SetupError(
            f"backend `{name}` has a `url` with credentials or a query in it",
            hint='put the key in the environment and name it: `key = "${NAME}"`',
        )
    return url.rstrip("/")
