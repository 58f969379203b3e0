"""Stripe's amounts: whole numbers of a currency's smallest unit, by Stripe's own list (docs.stripe.com/currencies), which differs from ISO 4217.

ISK and UGX have no smaller unit and are written with two digits all the same, for compatibility with what they once were.
"""

from decimal import Decimal
from typing import Final

from custom_events.platforms.parse import amount, currency_code, wrong_shape

USUAL_DIGITS: Final = 2
DIGITS: Final = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"), 0
    ),
    **dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), 3),
}


def currency_of(code: str | None, path: str) -> str:
    """The ISO code in capitals. Raises NotUnderstood: without it the amounts mean nothing."""
    currency = currency_code(code)
    if currency is None:
        raise wrong_shape(path, "Expected an ISO 4217 currency code")
    return currency


def money(minor: Decimal | None, currency: str, path: str) -> Decimal | None:
    """An amount in the currency's main unit, exact; None for null."""
    return None if minor is None else amount(minor.scaleb(-DIGITS.get(currency, USUAL_DIGITS)), path)
