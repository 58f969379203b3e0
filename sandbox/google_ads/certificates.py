"""A certificate authority of the sandbox's own, and a server certificate for localhost signed by it.

The Google Ads client always uses TLS and has no option for roots. What it trusts is the file named by
GRPC_DEFAULT_SSL_ROOTS_FILE_PATH, read once per process when it opens its first TLS channel.
"""

import fcntl
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from custom_events import private_files

TRUST_VARIABLE = "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"
_VALIDITY = timedelta(days=3650)
_PRIVATE_FILE_MODE = 0o600


@dataclass(frozen=True)
class Certificates:
    """Files in PEM: the authority to trust, and the server's certificate and key."""

    ca_file: Path
    certificate_file: Path
    key_file: Path


def ensure(directory: Path) -> Certificates:
    """Make the authority and the server certificate in `directory` once; later calls, also of other processes, reuse them."""
    private_files.make_directory(directory)
    certificates = Certificates(directory / "ca.pem", directory / "server.pem", directory / "server.key")
    with (directory / "certificates.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not certificates.ca_file.exists():
            _make(certificates)
    return certificates


def _make(files: Certificates) -> None:
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("Custom Events sandbox authority")
    ca = (
        _builder(ca_name, ca_name, ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))])
    certificate = (
        _builder(_name("localhost"), ca_name, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(names, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    files.key_file.touch(mode=_PRIVATE_FILE_MODE)
    files.key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    files.certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.ca_file.write_bytes(ca.public_bytes(serialization.Encoding.PEM))  # last: its presence says all is there


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALIDITY)
    )
