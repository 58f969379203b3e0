"""What a leaf of an odd type evidently means: a number written as text, a text written as a number, words for yes and no, times.

Every function returns None where nothing is evident: then the leaf counts as missing.
"""

import re
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

import msgspec

from custom_events.platforms.parse import MAX_MONEY_DIGITS, MAX_QUANTITY, MIN_MONEY_EXPONENT, local

# Moments in seconds or milliseconds since 1970, from 2001 to 2286: anything else is some other number.
_EPOCH_SECONDS = (10**9, 10**10)
_EPOCH_MILLISECONDS = (10**12, 10**13)
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]{1,2}\Z")  # 19,90; `1,234` may be either
_YES = frozenset(("1", "true", "yes", "on", "y"))
_NO = frozenset(("0", "false", "no", "off", "n"))


def number(text: str) -> Decimal | None:
    """`2`, ` 2.50 `, `19,90`; a finite one."""
    text = text.strip()
    if _DECIMAL_COMMA.match(text):
        text = text.replace(",", ".")
    try:
        value = Decimal(text)
    except ArithmeticError:
        return None
    return value if value.is_finite() else None


def is_money(value: Decimal) -> bool:
    """Whether an amount is one that `leaves.amount` takes."""
    return value.is_finite() and MIN_MONEY_EXPONENT <= (+value).adjusted() < MAX_MONEY_DIGITS


def is_quantity(value: Decimal | int) -> bool:
    """Whether a number is one that `leaves.whole_quantity` takes."""
    return -MAX_QUANTITY <= value <= MAX_QUANTITY


def as_text(value: Decimal | int) -> str:
    """A number in full, as a person would write it."""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def yes_or_no(value: Any) -> bool | None:
    """True and false as words and as numbers."""
    word = (as_text(value) if isinstance(value, int | Decimal) else value).strip().lower()
    return True if word in _YES else False if word in _NO else None


def is_offset_time(text: str) -> bool:
    """Whether msgspec reads an aware time that has a moment in UTC (no year 0, not before the year 1 in UTC)."""
    try:
        moment = msgspec.convert(text, datetime)
        moment.astimezone(UTC)
    except (msgspec.ValidationError, OverflowError):
        return False
    return moment.tzinfo is not None


def offset_time(value: Any) -> str | None:
    """An aware time in other spellings that Python knows, or a moment since 1970, as RFC 3339."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip())
            return moment.astimezone(UTC).isoformat() if moment.tzinfo is not None else None
        except (ValueError, OverflowError):
            return None
    return _since_1970(value)


def is_local_time(text: str, zone: tzinfo = UTC) -> bool:
    """Whether `leaves.local` reads it; one that says never is read as well."""
    try:
        local(text, zone, "")
    except Exception:  # noqa: BLE001  (NotUnderstood, and whatever a strange time makes of Python's calendar)
        return False
    return True


def local_time(value: Any) -> str | None:
    """A moment since 1970, with its offset."""
    return None if isinstance(value, str) else _since_1970(value)


def _since_1970(value: Decimal | int) -> str | None:
    for low, high in (_EPOCH_SECONDS, _EPOCH_MILLISECONDS):
        if low <= value < high:
            return datetime.fromtimestamp(float(value) * _EPOCH_SECONDS[0] / low, UTC).isoformat()
    return None
