"""The leaves of a body as stores write them: ids, money, quantities, times. Each reading names its path when it fails.

Decoding with msgspec is exact for money (a JSON number becomes a Decimal from its text, never through a float) and for
ids (whole numbers of any size). What is left to check here is what a type cannot say.
"""

from datetime import UTC, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from custom_events.errors import NotUnderstood

Id = int | float | str  # 64-bit number, text, or a whole number that went through JavaScript

MAX_ID_CHARS = 128  # the longest seen is a cart token of 35 characters; keys are indexed
MAX_TEXT_CHARS = 2_048  # of one text kept in an event (a landing page's URL is the longest)
MAX_MONEY_EXPONENT = 15  # below 10^15 of any currency
MIN_MONEY_EXPONENT = -12  # finer than any currency or per-unit price
MAX_QUANTITY = 10**9
_CURRENCY_CHARS = 3  # ISO 4217
_COUNTRY_CHARS = 2  # ISO 3166 alpha-2
_FLOAT_EXACT = 1e22  # whole numbers up to here have an exact shortest text


def wrong_shape(path: str, what: str) -> NotUnderstood:
    """The error for a leaf that cannot be read: `path` as `$.refunds[].id`, `what` in words. Never the value itself."""
    return NotUnderstood("wrong_shape", f"{what} - at `{path}`")


def optional_id(value: Id | None) -> str | None:
    """An id as text, or None for null, 0, "" and what no id looks like. 7.0 (through JavaScript) is "7"."""
    if type(value) is int:
        return str(value) if value > 0 else None
    if type(value) is str:
        text = value.strip()
        return text if 0 < len(text) <= MAX_ID_CHARS and text != "0" else None
    if type(value) is float and 1 <= value < _FLOAT_EXACT and value.is_integer():
        return str(int(Decimal(repr(value))))  # the digits that were written, not those of the nearest binary number
    return None


def required_id(value: Id | None, path: str) -> str:
    """An id as text. Raises NotUnderstood naming `path` when there is none."""
    text = optional_id(value)
    if text is None or len(text) > MAX_ID_CHARS:
        raise wrong_shape(path, f"Expected an id of 1 to {MAX_ID_CHARS} characters")
    return text


def amount(value: Decimal, path: str) -> Decimal:
    """Money, exact. Raises NotUnderstood for NaN, infinity and magnitudes that are no money."""
    try:
        exact = +value  # rounds beyond 28 digits, and turns -0 into 0
        # NaN and infinity have an `adjusted()` of 0
        if MIN_MONEY_EXPONENT <= exact.adjusted() < MAX_MONEY_EXPONENT and exact.is_finite():
            return exact
    except ArithmeticError:
        pass
    raise wrong_shape(path, "Expected an amount of money")


def optional_amount(value: Decimal | None, path: str) -> Decimal | None:
    """Money, or None for null."""
    return None if value is None else amount(value, path)


def whole_quantity(value: float | None, path: str) -> int:
    """A quantity as a whole number; fractions (WooCommerce plugins sell 1.5 m) round half up, and some is never none."""
    if value is None:
        return 0
    if not -MAX_QUANTITY <= value <= MAX_QUANTITY:
        raise wrong_shape(path, f"Expected a quantity up to {MAX_QUANTITY}")
    if isinstance(value, int):
        return value
    rounded = int(Decimal(value).quantize(Decimal(1), ROUND_HALF_UP))
    return rounded or (1 if value > 0 else -1 if value < 0 else 0)


def utc(value: datetime) -> datetime:
    """An aware time in UTC."""
    return value if value.tzinfo is UTC else value.astimezone(UTC)


def optional_utc(value: datetime | None) -> datetime | None:
    """An aware time in UTC, or None."""
    return None if value is None else utc(value)


def gmt(value: str | None, path: str) -> datetime | None:
    """WooCommerce's `*_gmt`: UTC without a Z; null, "" and "0" mean never. An offset, where one is written, counts."""
    return local(value, UTC, path)


def local(value: str | None, zone: tzinfo, path: str) -> datetime | None:
    """A time without offset in the site's own zone, as UTC."""
    if not value or value == "0":
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong_shape(path, "Expected a date and time (ISO 8601)") from None


@lru_cache(maxsize=1_024)
def zone_of(name: str) -> tzinfo:
    """The time zone of that IANA name; UTC when there is none (a site's settings are checked where they are written)."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError; a folder's name is an OSError
        return UTC


def text(value: str | None) -> str | None:
    """A text without surrounding blanks, cut to MAX_TEXT_CHARS; None for null and blank."""
    if not value:
        return None
    stripped = value.strip()
    return (stripped if len(stripped) <= MAX_TEXT_CHARS else stripped[:MAX_TEXT_CHARS]) or None


word = lru_cache(maxsize=1_024)(text)  # of the few words that a store writes in every order


@lru_cache(maxsize=1_024)
def currency_code(value: str | None) -> str | None:
    """An ISO 4217 code in capitals, or None for what cannot be one."""
    return _letters(value, _CURRENCY_CHARS)


@lru_cache(maxsize=1_024)
def country_code(value: str | None) -> str | None:
    """An ISO 3166 alpha-2 code in capitals, or None for what cannot be one."""
    return _letters(value, _COUNTRY_CHARS)


def _letters(value: str | None, count: int) -> str | None:
    code = value.strip().upper() if value else ""
    return code if len(code) == count and code.isascii() and code.isalpha() else None
