"""What failed below, in the house's words: which kind of fault, and a sentence for its operator.

Exceptions are known by the names of their classes, so that only `http.py` imports the library that
raises them; a test walks that library's exception tree and fails when a name is missing here.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from halfdoor.canon.commands import FaultKind

RUNNING: Final = "is it running? try `halfdoor doctor`"

KINDS: Final[Mapping[str, FaultKind]] = MappingProxyType(
    {
        # The exception tree of aiohttp's client.
        "ClientError": FaultKind.PROTOCOL,
        "ClientResponseError": FaultKind.PROTOCOL,
        "ContentTypeError": FaultKind.PROTOCOL,
        "WSServerHandshakeError": FaultKind.PROTOCOL,
        "ClientHttpProxyError": FaultKind.PROTOCOL,
        "TooManyRedirects": FaultKind.PROTOCOL,
        "ClientConnectionError": FaultKind.CUT,
        "ClientConnectionResetError": FaultKind.CUT,
        "ClientOSError": FaultKind.CUT,
        "ClientConnectorError": FaultKind.CONNECT,
        "ClientConnectorDNSError": FaultKind.CONNECT,
        "ClientProxyConnectionError": FaultKind.CONNECT,
        "UnixClientConnectorError": FaultKind.CONNECT,
        "ClientSSLError": FaultKind.TLS,
        "ClientConnectorSSLError": FaultKind.TLS,
        "ClientConnectorCertificateError": FaultKind.TLS,
        "ServerFingerprintMismatch": FaultKind.TLS,
        "ServerConnectionError": FaultKind.CUT,
        "ServerDisconnectedError": FaultKind.CUT,
        "ServerTimeoutError": FaultKind.TIMEOUT,
        "ConnectionTimeoutError": FaultKind.CONNECT,
        "SocketTimeoutError": FaultKind.TIMEOUT,
        "ClientPayloadError": FaultKind.CUT,
        "UploadAbortedError": FaultKind.CUT,
        "InvalidURL": FaultKind.PROTOCOL,
        "InvalidUrlClientError": FaultKind.PROTOCOL,
        "RedirectClientError": FaultKind.PROTOCOL,
        "NonHttpUrlClientError": FaultKind.PROTOCOL,
        "InvalidUrlRedirectClientError": FaultKind.PROTOCOL,
        "NonHttpUrlRedirectClientError": FaultKind.PROTOCOL,
        # Its parser's, where they come up unwrapped (a broken body).
        "HttpProcessingError": FaultKind.PROTOCOL,
        # The standard library's.
        "TimeoutError": FaultKind.TIMEOUT,
        "SSLError": FaultKind.TLS,
        "OSError": FaultKind.CUT,
        "ValueError": FaultKind.PROTOCOL,
    }
)


def kind_of(error: BaseException) -> FaultKind:
    """The kind of the nearest known class; PROTOCOL for a stranger."""
    for known in type(error).__mro__:
        kind = KINDS.get(known.__name__)
        if kind is not None:
            return kind
    return FaultKind.PROTOCOL


def worded(error: BaseException, *, late: str) -> tuple[FaultKind, str, str]:
    """(kind, what happened, hint), to follow "backend `x` ".

    late: the sentence for a time-out, which only the caller can word. Nothing of the exception's
    own text is quoted but the system's error string: it may hold headers or a body.
    """
    kind = kind_of(error)
    match kind:
        case FaultKind.TIMEOUT:
            return kind, late, RUNNING
        case FaultKind.CONNECT:
            return kind, f"cannot be reached{_reason(error)}", RUNNING
        case FaultKind.TLS:
            hint = "check the certificate, the machine's clock and the `url` in the config"
            return kind, f"failed its TLS handshake{_reason(error)}", hint
        case FaultKind.CUT:
            return kind, "closed the connection before its answer was complete", RUNNING
        case _:
            hint = "check the backend's `url` in the config; `halfdoor doctor` asks it"
            return kind, "did not answer in HTTP that can be understood", hint


def _reason(error: BaseException) -> str:
    """The system's own words: `connection refused`, `self-signed certificate`."""
    below = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    text = getattr(below, "verify_message", "") or getattr(below, "strerror", "") or ""
    return f" ({text.lower()})" if isinstance(text, str) and text else ""
