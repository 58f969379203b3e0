"""Rounding amounts to what a currency has."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

USUAL_MINOR_DIGITS = 2
MAX_AMOUNT_DIGITS = 15  # before the point; more is no amount of money, and Google's double could not hold it exactly
AMOUNT_LIMIT = Decimal(10) ** MAX_AMOUNT_DIGITS

# ISO 4217 list one (SIX Group, https://www.six-group.com/en/products-services/financial-information/data-standards.html):
# minor units other than 2.
MINOR_DIGITS: dict[str, int] = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


# One minor unit of each currency that has others.
QUANTA: dict[str | None, Decimal] = {code: Decimal(1).scaleb(-digits) for code, digits in MINOR_DIGITS.items()}
USUAL_QUANTUM = Decimal(1).scaleb(-USUAL_MINOR_DIGITS)


def rounded(amount: Decimal, currency: str | None) -> Decimal:
    """The amount in the currency's minor units, halves away from zero. Raises InvalidOperation for what is no amount."""
    if not is_amount(amount):
        raise InvalidOperation(f"{amount} is no amount of money")
    return amount.quantize(QUANTA.get(currency, USUAL_QUANTUM), ROUND_HALF_UP)


def is_amount(amount: Decimal) -> bool:
    """Whether a decimal can be an amount of money: finite and of a size that exists."""
    return amount.is_finite() and amount.adjusted() < MAX_AMOUNT_DIGITS
