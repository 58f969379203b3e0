"""What may stand for a number in a configuration: finite, and of a size that the database and Google can hold.

Rules keep amounts as exact decimals. PostgreSQL's columns of amounts have 14 digits before the point, Google's doubles hold 15
exactly; finer than twelve decimals is no currency's unit and no rate of exchange.
"""

import re
from decimal import Decimal

MAX_WHOLE_DIGITS = 15  # before the point
MAX_DECIMALS = 12  # after it
WHOLE_LIMIT = 10**MAX_WHOLE_DIGITS
RIGHT = f"at most {MAX_WHOLE_DIGITS} digits before the point and {MAX_DECIMALS} after it"
MAX_ID = 2**63 - 1  # of a stored row: PostgreSQL's bigint
PATTERN = rf"[+-]?[0-9]{{1,{MAX_WHOLE_DIGITS}}}(\.[0-9]{{1,{MAX_DECIMALS}}})?"  # of a number written as text, without exponent

_WORDS = re.compile(r"\s*[-+]?\.?(nan|inf|infinity)\s*\Z", re.IGNORECASE)
_WRITTEN = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,4})?\Z")
_LONGEST_TEXT = 200  # characters; what is longer is no number that a person wrote


def is_no_number_word(text: str) -> bool:
    """Whether a text is a word for what is no number: NaN, Infinity, -.inf."""
    return _WORDS.match(text) is not None


def read_number(text: str) -> Decimal | None:
    """The number that a text writes; None for anything else, NaN and Infinity among it."""
    return Decimal(text) if len(text) <= _LONGEST_TEXT and _WRITTEN.match(text) is not None else None


def size_problem(number: Decimal | int) -> str | None:
    """Why a finite number is too large or too fine, as the end of a sentence; None when it is neither."""
    if isinstance(number, int):
        return None if abs(number) < WHOLE_LIMIT else f"has more than {MAX_WHOLE_DIGITS} digits"
    whole = number.adjusted() + 1
    if whole > MAX_WHOLE_DIGITS:
        return f"has {whole:,} digits before the point"
    decimals = _decimals(number)
    return f"has {decimals:,} digits after the point" if decimals > MAX_DECIMALS else None


def _decimals(number: Decimal) -> int:
    """Digits after the point, zeros at their end left out."""
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or exponent >= 0:
        return 0
    written = "".join(map(str, digits))
    zeros = len(written) - len(written.rstrip("0"))
    return -exponent - zeros if number else -exponent
