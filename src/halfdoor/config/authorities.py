"""`ca_file`: are the certificate authorities that a backend is pinned to really in the file?"""

from pathlib import Path

from halfdoor.config.model import Tables
from halfdoor.config.parse import Source
from halfdoor.config.tables.backends import Backend


def check_authorities(source: Source, tables: Tables) -> None:
    """Raise SetupError, with the line, for a file that could never let a connection stand."""
    for index, backend in enumerate(tables.backends):
        if backend.ca_file and (trouble := _trouble(backend)):
            said = f"`ca_file` of backend `{backend.name}` {trouble[0]}"
            raise source.error(("backends", index, "ca_file"), said, trouble[1])


def _trouble(backend: Backend) -> tuple[str, str] | None:
    """What is wrong and what would do; None when nothing is."""
    if not backend.url.startswith("https:"):
        return "pins a `url` that is not https", "write `https://`, or take `ca_file` out"
    if not backend.ca_file.startswith(("/", "~/")):
        return "is relative", "start it with `/` or `~/`"
    try:
        pem = Path(backend.authorities).read_bytes()
    except OSError as error:
        return f"cannot be read: {error.strerror}", "check the path and its permissions"
    if not _certificates(pem):
        return "holds no certificate", "give certificates in PEM, `-----BEGIN CERTIFICATE-----`"
    return None


def _certificates(pem: bytes) -> int:
    """How many there are; 0 for a file that is broken anywhere."""
    from cryptography import x509  # noqa: PLC0415  30 ms that a file without `ca_file` need not pay

    try:
        return len(x509.load_pem_x509_certificates(pem))
    except ValueError:
        return 0
