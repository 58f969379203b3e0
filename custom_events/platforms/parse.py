"""The leaves of a body as stores write them: ids, money, quantities, times. Each reading names its path when it fails.

Decoding with msgspec is exact for money (a JSON number becomes a Decimal from its text, never through a float) and for
ids (whole numbers of any size). What is left to check here is what a type cannot say.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation, Overflow
from functools import lru_cache

from custom_events.errors import NotUnderstood
from custom_events.values.identifiers import email_sha256, sha256_hex
from custom_events.values.zones import zone_or_utc

Id = int | float | str  # 64-bit number, text, or a whole number that went through JavaScript

MAX_ID_CHARS = 128  # the longest seen is a cart token of 35 characters; keys are indexed
HASHED_ID = "hashed:"  # before the digest of an id that named somebody
_HASHED_ID_CHARS = 32  # hexadecimal: 128 bits
_PHONE = re.compile(r"\+(?:[ ()/.\-]{0,2}\d){8,15}")
MAX_TEXT_CHARS = 2_048  # of one text kept in an event (a landing page's URL is the longest)
MAX_MONEY_DIGITS = 14  # before the point: what the database's numeric(20, 6) holds
MIN_MONEY_EXPONENT = -12  # finer than any currency or per-unit price
MAX_QUANTITY = 10**9
WRONG_SHAPE = "wrong_shape"
_CURRENCY_CHARS = 3  # ISO 4217
_COUNTRY_CHARS = 2  # ISO 3166 alpha-2
# MySQL's zero date, which WordPress writes for a time that never came: as it is, and as PHP's calendar reads it.
_NEVER = ("0000-00-00", "-0001-11-30")
_ZERO = Decimal(0)
_CENT = Decimal("0.01")
_MONEY = "Expected an amount of money"
_KEPT_DECIMALS = 6  # in the database
_LAST_DECIMAL = Decimal(1).scaleb(-_KEPT_DECIMALS)
# A double holds 15 decimal digits for sure; what comes after them, and after more decimals than stores keep, is the noise of a
# number that went through a binary one (19.9 as 19.900000000000002).
_MAX_STORE_DECIMALS = 8
_FIFTEEN_DIGITS = Context(prec=15, rounding=ROUND_HALF_UP)
_AS_SHORT = Context(prec=15, traps=[Inexact, InvalidOperation, Overflow]).plus  # refuses what is longer
_FLOAT_EXACT = 1e22  # whole numbers up to here have an exact shortest text


def wrong_shape(path: str, expected: str) -> NotUnderstood:
    """The error for a leaf that cannot be read: `path` as `$.refunds[].id`, `what` in words. Never the value itself."""
    return NotUnderstood(WRONG_SHAPE, f"{expected} - at `{path}`", path)


def optional_id(value: Id | None) -> str | None:
    """An id as text, or None for null, 0, "" and what no id looks like. 7.0 (through JavaScript) is "7"."""
    if type(value) is int:
        return str(value) if value > 0 else None
    if type(value) is str:
        text = value.strip()
        if "@" in text or text[:1] == "+":
            text = _unnamed(text)
        return text if 0 < len(text) <= MAX_ID_CHARS and text != "0" else None
    if type(value) is float and 1 <= value < _FLOAT_EXACT and value.is_integer():
        return str(int(Decimal(repr(value))))  # the digits that were written, not those of the nearest binary number
    return None


def _unnamed(text: str) -> str:
    """An id that is an e-mail address or a phone number, as a hash: it is as good an id, and names nobody."""
    is_personal = email_sha256(text) if "@" in text else _PHONE.fullmatch(text)
    return f"{HASHED_ID}{sha256_hex(text.lower())[:_HASHED_ID_CHARS]}" if is_personal else text


def required_id(value: Id | None, path: str) -> str:
    """An id as text. Raises NotUnderstood naming `path` when there is none."""
    text = optional_id(value)
    if text is None or len(text) > MAX_ID_CHARS:
        raise wrong_shape(path, f"Expected an id of 1 to {MAX_ID_CHARS} characters")
    return text


def amount(value: Decimal, path: str) -> Decimal:
    """Money, exact but for the noise of binary numbers. Raises NotUnderstood for NaN, infinity and magnitudes that are no money."""
    try:
        try:
            exact = _AS_SHORT(value)  # turns -0 into 0
        except Inexact:
            exact = _without_noise(value)
    except ArithmeticError:
        raise wrong_shape(path, _MONEY) from None
    # NaN and infinity have an `adjusted()` of 0
    if MIN_MONEY_EXPONENT <= exact.adjusted() < MAX_MONEY_DIGITS and exact.is_finite():
        return exact
    if exact.is_finite() and exact.adjusted() > 0:
        expected = f"{_MONEY} of at most {MAX_MONEY_DIGITS} digits before the point"
        raise NotUnderstood("amount_too_large", f"{expected} - at `{path}`")
    raise wrong_shape(path, _MONEY)


def _without_noise(value: Decimal) -> Decimal:
    """An amount of more than 15 digits: those of a store, or of a number that went through a binary one."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -_MAX_STORE_DECIMALS:
        return value.quantize(_LAST_DECIMAL, ROUND_HALF_UP) if exponent < -_KEPT_DECIMALS else +value
    kept = value.normalize(_FIFTEEN_DIGITS)
    cents = kept.quantize(_CENT)
    return cents if cents == kept else kept


def order_total(value: Decimal, path: str) -> Decimal:
    """The total of an order. Raises NotUnderstood for what is no amount of money, and below zero."""
    total = amount(value, path)
    if total < 0:
        raise NotUnderstood("total_below_zero", f"An order cannot be worth less than nothing - at `{path}`")
    return total


def refunded_of(amounts: Iterable[Decimal]) -> Decimal:
    """The sum of an order's refunds. Raises NotUnderstood for a sum that is no amount of money."""
    return amount(sum(amounts, _ZERO), "$.refunds")


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
    """WooCommerce's `*_gmt`: UTC without a Z; null, "", "0" and MySQL's zero date mean never. An offset, where one is written, counts."""
    return local(value, UTC, path)


def local(value: str | None, zone: tzinfo, path: str) -> datetime | None:
    """A time without offset in the site's own zone, as UTC."""
    if not value or value == "0":
        return None
    try:
        if (
            value[7:8] == "-"
        ):  # else a week date, or one without dashes; an order has five times, so no more is asked here
            moment = datetime.fromisoformat(value)
            return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    if value.startswith(_NEVER):
        return None
    raise wrong_shape(path, "Expected a date and time (ISO 8601)")


zone_of = zone_or_utc  # of a site's settings


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
