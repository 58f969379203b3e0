"""Rounding amounts to what a currency has."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from custom_events.values.currencies import MINOR_DIGITS, QUANTA, USUAL_MINOR_DIGITS, USUAL_QUANTUM

__all__ = ["AMOUNT_LIMIT", "MINOR_DIGITS", "QUANTA", "USUAL_MINOR_DIGITS", "USUAL_QUANTUM", "is_amount", "rounded"]

MAX_AMOUNT_DIGITS = (
    14  # before the point: what the database's numeric(20, 6) holds; Google's double could not hold more exactly
)
AMOUNT_LIMIT = Decimal(10) ** MAX_AMOUNT_DIGITS


def rounded(amount: Decimal, currency: str | None) -> Decimal:
    """The amount in the currency's minor units, halves away from zero. Raises InvalidOperation for what is no amount."""
    if not is_amount(amount):
        raise InvalidOperation(f"{amount} is no amount of money")
    return amount.quantize(QUANTA.get(currency, USUAL_QUANTUM), ROUND_HALF_UP)


def is_amount(amount: Decimal) -> bool:
    """Whether a decimal can be an amount of money: finite and of a size that exists."""
    return amount.is_finite() and amount.adjusted() < MAX_AMOUNT_DIGITS
