"""Encrypting what must not stand in the database in clear: the signing secrets of sites, the tokens of our apps in shops.

A key is 44 characters of URL-safe base64 (Fernet: AES-128-CBC with HMAC-SHA256). Several keys, separated by commas or
lines, are a rotation: the first encrypts, each of them decrypts.
"""

import base64
import os
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from custom_events import private_files
from custom_events.errors import InvalidConfiguration, NeedsAction
from custom_events.settings import Settings

KEY_FILE = "secret.key"
LEAST_DIFFERENT_BYTES = 16  # of the 32 of a key; random ones have fewer once in 10^16
_BOUND = b"\0"  # between a secret and, before it, whose it is
_PATH = "CUSTOM_EVENTS_SECRET_KEY"


def key(settings: Settings) -> bytes:
    """The installation's key: from the setting, else from the key file, which is made once and readable by its owner only.

    Raises InvalidConfiguration when it is no Fernet key, and NeedsAction when the file cannot be read or made.
    """
    if settings.secret_key is not None:
        content = settings.secret_key.get_secret_value().encode()
        _fernet(content)
        return content
    path = settings.local_directory / KEY_FILE
    try:
        private_files.make_directory(path.parent)
        # Written beside and linked into place: of two processes that start together both read the same, whole key.
        if not path.exists():
            made = path.with_name(f"{KEY_FILE}.{os.getpid()}")
            with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, private_files.FILE_MODE), "wb") as file:
                file.write(Fernet.generate_key() + b"\n")
            try:
                path.hardlink_to(made)
            except FileExistsError:
                pass
            finally:
                made.unlink()
        content = path.read_bytes().strip()
    except OSError as error:
        raise NeedsAction(
            f"The key file {path} cannot be read or made ({error.strerror}). "
            f"Mend its permissions, or set {_PATH} to a Fernet key."
        ) from error
    _fernet(content)
    return content


def encrypt(value: bytes, key: bytes) -> bytes:
    """A Fernet token of `value`, by the first key."""
    return _fernet(key).encrypt(value)


def decrypt(token: bytes, key: bytes) -> bytes:
    """The inverse of `encrypt`, by any of the keys. Raises NeedsAction when none of them fits."""
    try:
        return _fernet(key).decrypt(token)
    except InvalidToken:
        raise NeedsAction(
            f"A stored secret cannot be decrypted with this installation's key. Set {_PATH} to the key it was "
            "encrypted with (after the new one, separated by a comma), or enter the secret again."
        ) from None


def encrypt_for(owner: str, value: bytes, key: bytes) -> bytes:
    """As `encrypt`, bound to the row that holds it: `owner` names it (`shopify_installations:12`), and is needed to read it again."""
    return encrypt(owner.encode() + _BOUND + value, key)


def decrypt_for(owner: str, token: bytes, key: bytes) -> bytes:
    """The inverse of `encrypt_for`. Raises NeedsAction when no key fits, and for the token of another row."""
    whose, bound, value = decrypt(token, key).partition(_BOUND)
    if not bound or whose != owner.encode():
        raise NeedsAction(
            f"The stored secret of {owner} is that of another row: it was put there by hand. Enter it again."
        )
    return value


def renew(token: bytes, key: bytes) -> bytes:
    """The same secret encrypted by the first key: what a rotation does to every stored token. Raises NeedsAction as `decrypt` does."""
    return encrypt(decrypt(token, key), key)


def is_current(token: bytes, key: bytes) -> bool:
    """Whether the first of the keys has encrypted it."""
    try:
        Fernet(parts(key)[0]).decrypt(token)
    except InvalidToken:
        return False
    return True


def parts(key: bytes) -> list[bytes]:
    """The keys of the ring, in their order."""
    return key.replace(b",", b"\n").split()


def generate() -> bytes:
    """A fresh random key."""
    return Fernet.generate_key()


def put_first(settings: Settings) -> Path:
    """Make a new key and put it before those of the key file, which still decrypt. The file's path.

    Raises NeedsAction where the keys come from the setting, or the file cannot be written.
    """
    if settings.secret_key is not None:
        raise NeedsAction(
            f"The keys are those of {_PATH}: put a new one there, before those that it has and with a comma between them."
        )
    ring = b"\n".join([generate(), *parts(key(settings))])
    path = settings.local_directory / KEY_FILE
    made = path.with_name(f"{KEY_FILE}.{os.getpid()}")
    try:
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, private_files.FILE_MODE), "wb") as file:
            file.write(ring + b"\n")
            file.flush()
            os.fsync(file.fileno())  # whatever is encrypted by it is lost with it
        made.replace(path)
    except OSError as error:
        raise NeedsAction(f"The key file {path} cannot be written ({error.strerror}). Mend its permissions.") from error
    return path


def public_problem(settings: Settings) -> str | None:
    """What is wrong with the keys where others reach us, as sentences: one that was typed can be guessed. None: nothing is."""
    for encoded in parts(key(settings)):
        raw = base64.urlsafe_b64decode(encoded)
        if (raw.isascii() and raw.decode().isprintable()) or len(set(raw)) < LEAST_DIFFERENT_BYTES:
            return (
                f"A key of {_PATH} was not made at random: whoever guesses it can sign deliveries. Put a new one before it "
                "(custom-events secrets new-key), then encrypt by that what is stored (custom-events secrets rotate), and remove this one."
            )
    return None


@lru_cache(maxsize=8)
def _fernet(keys: bytes) -> MultiFernet:
    try:
        each = [Fernet(part) for part in parts(keys)]
        return MultiFernet(each)
    except ValueError:
        raise InvalidConfiguration(
            "not a Fernet key: 44 characters of URL-safe base64 are needed. Make one with: "
            'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"',
            path=_PATH,
        ) from None
