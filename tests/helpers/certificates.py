"""Certificates made by code, for servers on loopback."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

PASSWORD = b"made-up"


@dataclass(frozen=True)
class Identity:
    """A self-signed certificate of localhost and 127.0.0.1, and its key."""

    certificate: bytes
    key: bytes
    locked_key: bytes
    """The same, protected by PASSWORD."""

    @property
    def trust(self) -> ssl.SSLContext:
        """A client's context that trusts this certificate and no other."""
        return ssl.create_default_context(cadata=self.certificate.decode())

    @property
    def der(self) -> bytes:
        return ssl.PEM_cert_to_DER_cert(self.certificate.decode())


@dataclass(frozen=True)
class Files:
    """Where a server reads its identity."""

    certificate: Path
    key: Path

    def write(self, identity: Identity) -> None:
        """Put an identity in place as tools do: written aside, then renamed."""
        for path, data in ((self.certificate, identity.certificate), (self.key, identity.key)):
            aside = path.with_suffix(".new")
            aside.write_bytes(data)
            aside.replace(path)


def identity(
    name: str = "localhost", good_for: timedelta = timedelta(days=60), until: datetime | None = None
) -> Identity:
    """Make an identity; no two are the same. `good_for` from now on, or `until`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, until or now + good_for) - timedelta(days=1))
        .not_valid_after(until or now + good_for)
        .add_extension(_names(name), critical=False)
        .sign(key, hashes.SHA256())
    )
    locked = BestAvailableEncryption(PASSWORD)
    return Identity(
        made.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked),
    )


def placed(folder: Path, made: Identity) -> Files:
    """Write an identity into `folder`."""
    files = Files(folder / "certificate.pem", folder / "key.pem")
    files.write(made)
    return files


def _names(name: str) -> x509.SubjectAlternativeName:
    loopback = x509.IPAddress(ip_address("127.0.0.1"))
    return x509.SubjectAlternativeName([x509.DNSName(name), loopback])
