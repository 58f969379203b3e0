"""Passwords: hashed by argon2id, compared at the same cost whether the login exists or not."""

import re
import threading
from collections.abc import Sequence
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from custom_events.errors import Fault, InvalidConfiguration
from custom_events.values.texts import text_problem

LEAST_CHARACTERS: Final = 12  # NIST SP 800-63B-4 asks for 15 where a password is all there is, 8 beside a second factor
MOST_CHARACTERS: Final = 1_024  # hashing takes as long as the text; nobody types more
LEAST_GUESSES_LOG10: Final = 8.0  # 10^8 guesses: zxcvbn's score 3, out of reach of whoever guesses online
ESTIMATED_CHARACTERS: Final = (
    72  # zxcvbn's own limit, as its time grows with the square of them; more of them only make it better
)
OUR_WORDS: Final = (
    "custom-events",
    "customevents",
    "administrator",
)  # what an installation of ours would be guessed by
AT_ONCE: Final = (
    2  # hashes computed at the same time: each takes 64 MiB (argon2-cffi's defaults, RFC 9106's second choice)
)

_HASHING: Final = threading.BoundedSemaphore(AT_ONCE)


def hashed(password: str, *, about: Sequence[str] = ()) -> str:
    """The hash to keep. Raises as `check` does."""
    check(password, about=about)
    return rehashed(password)


def check(password: str, *, about: Sequence[str] = ()) -> None:
    """Raise InvalidConfiguration for a password that is too short, easy to guess, or no text. `about`: words that whoever guesses would try
    first, as the login. It costs some milliseconds, where a hash costs as much as a sign-in."""
    wrong = text_problem(password)
    if wrong is None and len(password.strip()) < LEAST_CHARACTERS:
        wrong = f"it has fewer than {LEAST_CHARACTERS} characters"
    if wrong is None and len(password) > MOST_CHARACTERS:
        wrong = f"it has more than {MOST_CHARACTERS} characters"
    if wrong is None and _is_easy(password, about):
        wrong = "it is easy to guess: it is on a list of much used passwords, or made of such, of names, dates or keys beside each other"
    if wrong is not None:
        right = f"{LEAST_CHARACTERS} to {MOST_CHARACTERS} characters; a few words that nobody else would put together are good"
        raise InvalidConfiguration(f"{wrong}; {right}", path="password", faults=(Fault("password", wrong, right),))


def rehashed(password: str) -> str:
    """The hash of a password that was good when it was chosen: today's rules may be others."""
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


def _is_easy(password: str, about: Sequence[str]) -> bool:
    """Whether it takes fewer guesses than the least; looked for in lists of leaked passwords, names and words, without asking anybody."""
    from zxcvbn import zxcvbn  # 30 ms and its lists: only where a password is chosen

    words = [part for text in (*about, *OUR_WORDS) for part in (text, *re.split(r"[^\w]+", text)) if part]
    estimate = zxcvbn(password[:ESTIMATED_CHARACTERS], user_inputs=words)
    return bool(estimate["guesses_log10"] < LEAST_GUESSES_LOG10)


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys() -> str:
    return _hasher().hash("a password of nobody")
