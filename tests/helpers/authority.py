"""A certificate authority of a test's own, and servers that show what it signed."""

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = dt.timedelta(days=1)


class Authority:
    """Its certificate is in `file`, for whoever wants to believe it."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder / name
        self._folder.mkdir()
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file = self._folder / "ca.pem"
        self.file.write_bytes(self._made(self._name, self._key, DAY, authority=True))

    def server(self, address: str = "127.0.0.1", good_for: dt.timedelta = DAY) -> ssl.SSLContext:
        """What a server at `address` shows; a certificate that ended when `good_for` is negative."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a model's server")])
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file = self._folder / "server.pem"
        file.write_bytes(secret + self._made(name, key, good_for, address=address))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _made(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        good_for: dt.timedelta,
        *,
        authority: bool = False,
        address: str = "",
    ) -> bytes:
        now, public = dt.datetime.now(dt.UTC), key.public_key()
        number = x509.random_serial_number()
        made = (
            x509.CertificateBuilder(self._name, name, public, number)
            .not_valid_before(now - 3 * DAY)
            .not_valid_after(now + good_for)
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        )
        if address:
            here = [x509.IPAddress(ipaddress.ip_address(address))]
            made = made.add_extension(x509.SubjectAlternativeName(here), critical=False)
        return made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
