"""What may stand on the wire between halfdoor and a model's server: pure rules, no sockets."""

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


def sent_headers(dialect: Headers, key: Headers) -> list[tuple[str, str]]:
    """All headers of a call but `host` and `content-length`: the dialect's, and one key."""
    sent = [header for header in dialect if header[0].lower() not in _OURS]
    sent.append(("accept-encoding", "identity"))
    sent.extend(key)
    return sent


def received_headers(raw: tuple[tuple[bytes, bytes], ...]) -> Headers:
    """As `canon` has them: lower-case names, every byte kept."""
    return tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw)


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
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in {"http", "https"} or not host:
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
