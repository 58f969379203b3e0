"""Passwords: hashed by argon2id, compared at the same cost whether the login exists or not."""

import threading
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from custom_events.errors import Fault, InvalidConfiguration
from custom_events.values.texts import text_problem

LEAST_CHARACTERS: Final = 12  # NIST SP 800-63B-4 asks for 15 where a password is all there is, 8 beside a second factor
MOST_CHARACTERS: Final = 1_024  # hashing takes as long as the text; nobody types more
AT_ONCE: Final = (
    2  # hashes computed at the same time: each takes 64 MiB (argon2-cffi's defaults, RFC 9106's second choice)
)

_HASHING: Final = threading.BoundedSemaphore(AT_ONCE)


def hashed(password: str) -> str:
    """The hash to keep. Raises InvalidConfiguration for a password that is too short, or no text."""
    wrong = text_problem(password)
    if wrong is None and len(password.strip()) < LEAST_CHARACTERS:
        wrong = f"it has fewer than {LEAST_CHARACTERS} characters"
    if wrong is None and len(password) > MOST_CHARACTERS:
        wrong = f"it has more than {MOST_CHARACTERS} characters"
    if wrong is not None:
        right = f"{LEAST_CHARACTERS} to {MOST_CHARACTERS} characters; a few words that belong together to nobody else are good"
        raise InvalidConfiguration(f"{wrong}; {right}", path="password", faults=(Fault("password", wrong, right),))
    with _HASHING:
        return _hasher().hash(password)


def fits(stored: str | None, password: str) -> bool:
    """Whether the password is that of the hash. None (nobody of that login): no, after the same work."""
    try:
        with _HASHING:
            return _hasher().verify(_nobodys() if stored is None else stored, password[:MOST_CHARACTERS]) and bool(
                stored
            )
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


def is_outdated(stored: str) -> bool:
    """Whether it was hashed with other parameters than today's."""
    return _hasher().check_needs_rehash(stored)


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys() -> str:
    return _hasher().hash("a password of nobody")
