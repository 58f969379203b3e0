"""Encrypting what must not stand in the database in clear: the signing secrets of sites, the tokens of our apps in shops.

A key is 44 characters of URL-safe base64 (Fernet: AES-128-CBC with HMAC-SHA256). Several keys, separated by commas or
lines, are a rotation: the first encrypts, each of them decrypts.
"""

import base64
import hashlib
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from custom_events import private_files
from custom_events.errors import InvalidConfiguration, NeedsAction
from custom_events.settings import Settings

KEY_FILE = "secret.key"
LEAST_DIFFERENT_BYTES = 16  # of the 32 of a key; random ones have fewer once in 10^16
_PATH = "CUSTOM_EVENTS_SECRET_KEY"
_BOUND = b"\x00row\x01"  # before the digest of a row within a token; no secret begins so


def has_key(settings: Settings) -> bool:
    """Whether there is one, by the setting or in the key file."""
    return settings.secret_key is not None or (settings.local_directory / KEY_FILE).exists()


def key(settings: Settings) -> bytes:
    """The installation's key: from the setting, else from the key file, which is made once and readable by its owner only.

    Raises InvalidConfiguration when it is no Fernet key, and NeedsAction when the file cannot be read or made. Where secrets are stored
    already, `catalog.key_ring` refuses a key that did not encrypt them.
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


def encrypt(value: bytes, key: bytes, row: str = "") -> bytes:
    """A Fernet token of `value`, by the first key. `row` names where it is stored: copied elsewhere it is worth nothing. "": nowhere."""
    return _fernet(key).encrypt(_bound_to(row) + value)


def decrypt(token: bytes, key: bytes, row: str = "") -> bytes:
    """The inverse of `encrypt`, by any of the keys. Raises NeedsAction when none of them fits, or the token is another row's. One that an
    older version made is bound to none, until a rotation binds it."""
    try:
        value = _unbound(_fernet(key).decrypt(token), row)
    except InvalidToken:
        value = None
    if value is None:
        raise NeedsAction(
            f"A stored secret cannot be decrypted with this installation's key. Set {_PATH} to the key it was "
            "encrypted with (after the new one, separated by a comma), or enter the secret again."
        )
    return value


def _unbound(value: bytes, row: str) -> bytes | None:
    """What a token holds, or None where that is bound to another row."""
    if not value.startswith(_BOUND):
        return value
    binding = _bound_to(row)
    return value[len(binding) :] if row and value.startswith(binding) else None


def fits(token: bytes, key: bytes, row: str) -> bool:
    """Whether one of the keys decrypts it, for this row."""
    try:
        decrypt(token, key, row)
    except NeedsAction:
        return False
    return True


def check_some(settings: Settings, stored: Sequence[tuple[bytes, str]]) -> None:
    """See that this installation's keys decrypt one of these tokens, each with its row, if there are any. No key is made. Raises NeedsAction."""
    if not stored:
        return
    if not has_key(settings):
        raise missing_key()
    ring = key(settings)
    if not any(fits(token, ring, row) for token, row in stored):
        raise another_key()


def another_key() -> NeedsAction:
    """What is said where the key is not the database's."""
    return NeedsAction(
        f"This is not the key that this database's secrets were encrypted with. Set {_PATH} to that one (after a new one, separated by a comma)."
    )


def missing_key() -> NeedsAction:
    """What is said where the database has secrets, and there is no key."""
    return NeedsAction(
        f"The key of what is encrypted in this database is missing. Set {_PATH} to it, or copy {KEY_FILE} from where the programs ran before; "
        "without it every signing secret has to be entered again."
    )


def renew(token: bytes, key: bytes, row: str = "") -> bytes:
    """The same secret encrypted by the first key and bound to its row: what a rotation does to every stored token. Raises NeedsAction as
    `decrypt` does."""
    return encrypt(decrypt(token, key, row), key, row)


def is_current(token: bytes, key: bytes, row: str = "") -> bool:
    """Whether the first of the keys has encrypted it, for this row."""
    try:
        value = Fernet(parts(key)[0]).decrypt(token)
    except InvalidToken:
        return False
    return value.startswith(_bound_to(row))


def row_of_site(site_id: int) -> str:
    """What a site's signing secrets are bound to."""
    return f"site_secrets:{site_id}"


def row_of_installation(site_id: int, shop: str) -> str:
    """What the tokens of our app in a shop are bound to."""
    return f"shopify_installations:{site_id}:{shop}"


def row_of_store_key(site_id: int) -> str:
    """What the key of a store's API is bound to."""
    return f"store_api_keys:{site_id}"


def row_of_report(report_key: str) -> str:
    """What the targets of a report's schedules need is bound to."""
    return f"report_schedules:{report_key}"


def row_of_request(site_id: int) -> str:
    """What the person of a site's request about data is bound to."""
    return f"privacy_requests:{site_id}"


FORGETTING_KEY_ROW = "forgetting_keys"
KEY_CHECK_ROW = "key_ring_checks"


def _bound_to(row: str) -> bytes:
    return _BOUND + hashlib.sha256(row.encode()).digest() if row else b""


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
