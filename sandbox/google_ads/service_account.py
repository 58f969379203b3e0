"""A service account's key file whose tokens come from the sandbox, so that `load_from_env` works unmodified."""

import json
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

_RSA_BITS = 2048
_PRIVATE_FILE_MODE = 0o600


def write_service_account(directory: Path, token_uri: str) -> Path:
    """Write service-account.json with `token_uri`; the key is made once per directory. Returns the path."""
    path = directory / "service-account.json"
    if path.exists():
        document = json.loads(path.read_text())
        document["token_uri"] = token_uri
    else:
        document = {
            "type": "service_account",
            "project_id": "sandbox-project",
            "private_key_id": "sandbox",
            "private_key": _private_key(),
            "client_email": "sandbox@sandbox-project.iam.gserviceaccount.com",
            "client_id": "100000000000000000000",
            "token_uri": token_uri,
        }
    path.touch(mode=_PRIVATE_FILE_MODE)
    path.write_text(json.dumps(document, indent=2))
    return path


def _private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
