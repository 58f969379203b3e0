"""How much of a refund went back, in the shop's currency (docs/reference/platforms.md 1.2). One rule:

1. The refund's transactions of kind `refund` that did not fail say it, whether they succeeded or are on their way; a gift card and a
   card together are two of them. All failed: nothing went back. A void, or anything else that is no refund: nothing either.
2. A transaction is in the shop's currency by its `amount_set`, by its `currency`, or by the rate of the body's own pairs of amounts.
   Where the refund's parts (lines, shipping, duties, fees, less what the adjustments say) come to the same but for that rate's
   rounding, their exact sum is taken. Without any pair the parts alone decide, in the share of what did not fail.
3. Without a transaction the parts decide. Unless the order's own current total says what it is worth, or the order was never paid and is over:
   then no money moved.

Shipping counts once: where `refund_shipping_lines` stand, adjustments of kind shipping_refund say the same again. A
refund_discrepancy is no part: it is the difference between the parts and the money, the whole refund while that is on its way.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from custom_events.platforms.parse import amount, currency_code
from custom_events.platforms.shopify.bodies import Adjustment, MoneySet, Refund, Transaction
from custom_events.platforms.shopify.rates import rate_of

_ZERO = Decimal(0)
_BACK = "refund"
_DONE = "success"
_FAILED = frozenset(("failure", "error"))
_SHIPPING_AGAIN = "shipping_refund"
_DISCREPANCY = "refund_discrepancy"


class GivenBack(NamedTuple):
    """What a refund gave back. `currency`: of the amount, where that is not the shop's or nobody says which that is; `from_parts`: no
    movement of money says so."""

    amount: Decimal
    currency: str | None = None
    is_pending: bool = False
    has_failed: bool = False
    from_parts: bool = False


NOTHING = GivenBack(_ZERO)


def given_back(
    refund: Refund, shop_currency: str | None, body: bytes, *, has_current_total: bool, never_was_paid: bool = False
) -> GivenBack:
    """What this refund gave back. `body` is the whole delivery; `has_current_total` and `never_was_paid`: whether its order says what
    it is worth now, and that nobody paid for it."""
    transactions = refund.transactions or ()
    back = [transaction for transaction in transactions if transaction.kind == _BACK]
    if back:
        moved = [transaction for transaction in back if transaction.status not in _FAILED]
        if not moved:
            return GivenBack(_ZERO, has_failed=True)
        is_pending = any(transaction.status != _DONE for transaction in moved)
        total, currency = _moved(refund, moved, back, shop_currency, body)
        return GivenBack(total, currency, is_pending)
    if any(transaction.kind == "void" for transaction in transactions):
        return NOTHING
    if never_was_paid or (has_current_total and refund.transactions is not None):
        return NOTHING
    return GivenBack(max(_parts(refund) - _discrepancies(refund), _ZERO), from_parts=True)


def _moved(
    refund: Refund, moved: Sequence[Transaction], back: Sequence[Transaction], shop_currency: str | None, body: bytes
) -> tuple[Decimal, str | None]:
    known = [_in_shop_currency(transaction, shop_currency) for transaction in moved]
    exact = [known_amount for known_amount in known if known_amount is not None]
    if len(exact) == len(moved):
        is_named = shop_currency is not None or moved[0].amount_set is not None
        return _total(exact), None if is_named else currency_code(moved[0].currency)
    currency = currency_code(moved[0].currency)
    written = _total(_written(transaction) for transaction in moved)
    parts = _parts(refund)
    rate = rate_of(body, currency)
    if rate is not None:
        in_shop_money = rate.in_shop_money(written)
        likely = (parts, _lines(refund, with_tax=False) + _rest(refund), parts - _discrepancies(refund))
        nearest = min(likely, key=lambda known_amount: abs(known_amount - in_shop_money))
        return (nearest if abs(nearest - in_shop_money) <= rate.tolerance(in_shop_money) else in_shop_money), None
    if parts > 0:
        whole = _total(_written(transaction) for transaction in back)
        return (parts if written == whole or not whole else parts * written / whole), None
    back_by_adjustment = -_discrepancies(refund)
    return (back_by_adjustment, None) if back_by_adjustment > 0 else (written, currency)


def _in_shop_currency(transaction: Transaction, shop_currency: str | None) -> Decimal | None:
    """The transaction's amount in the shop's currency; None when it is only known in the shopper's."""
    exact = shop_money(transaction.amount_set, "$.transactions[].amount_set.shop_money.amount")
    if exact is not None:
        return abs(exact)
    own = currency_code(transaction.currency)
    return _written(transaction) if shop_currency is None or own is None or own == shop_currency else None


def _written(transaction: Transaction) -> Decimal:
    return abs(amount(transaction.amount, "$.transactions[].amount"))


def _parts(refund: Refund) -> Decimal:
    """Lines with their tax, shipping, duties and fees."""
    return _lines(refund, with_tax=True) + _rest(refund)


def _lines(refund: Refund, *, with_tax: bool) -> Decimal:
    path = "$.refund_line_items[].subtotal"
    lines = refund.refund_line_items or ()
    subtotals = _total(_known(line.subtotal_set, line.subtotal, path) for line in lines)
    return subtotals + _total(_known(line.total_tax_set, line.total_tax, path) for line in lines if with_tax)


def _rest(refund: Refund) -> Decimal:
    """Shipping, duties and fees."""
    path = "$.refund_shipping_lines[].subtotal_amount_set.shop_money.amount"
    shipping = refund.refund_shipping_lines
    rest = (
        _total(
            _known(part, None, path) for line in shipping for part in (line.subtotal_amount_set, line.tax_amount_set)
        )
        if shipping
        else -_total(
            _adjusted(adjustment)
            for adjustment in refund.order_adjustments or ()
            if not _is_discrepancy(adjustment, refund)
        )
    )
    duties = shop_money(refund.total_duties_set, "$.total_duties_set.shop_money.amount")
    if not duties:
        duties = _total(
            _known(amounts.amount_set, None, "$.refund_duties[].amount_set") for amounts in refund.refund_duties or ()
        )
    fees = shop_money(refund.total_additional_fees_set, "$.total_additional_fees_set.shop_money.amount")
    if not fees:
        listed = refund.additional_fees or ()
        fees = _total(
            _known(amounts.price_set or amounts.amount_set, None, "$.additional_fees[].price_set") for amounts in listed
        )
    return rest + duties + fees


def _discrepancies(refund: Refund) -> Decimal:
    return _total(
        _adjusted(adjustment) for adjustment in refund.order_adjustments or () if _is_discrepancy(adjustment, refund)
    )


def _is_discrepancy(adjustment: Adjustment, refund: Refund) -> bool:
    """Since shipping has lines of its own, what has no kind is no shipping."""
    return adjustment.kind == _DISCREPANCY or (adjustment.kind is None and refund.refund_shipping_lines is not None)


def _adjusted(adjustment: Adjustment) -> Decimal:
    path = "$.order_adjustments[].amount"
    return _known(adjustment.amount_set, adjustment.amount, path) + _known(
        adjustment.tax_amount_set, adjustment.tax_amount, path
    )


def shipping_of(refund: Refund) -> Decimal | None:
    """What went back for shipping, with its tax; None where the body names none."""
    shipping = refund.refund_shipping_lines
    if shipping:
        path = "$.refund_shipping_lines[].subtotal_amount_set.shop_money.amount"
        parts = (part for line in shipping for part in (line.subtotal_amount_set, line.tax_amount_set))
        return _total(_known(part, None, path) for part in parts)
    listed = [adjustment for adjustment in refund.order_adjustments or () if adjustment.kind == _SHIPPING_AGAIN]
    return -_total(_adjusted(adjustment) for adjustment in listed) if listed else None


def currency_of(refund: Refund) -> str | None:
    """The shop's currency from any `*_set`; a refund has none at its top level."""
    return next(
        (
            code
            for money_set in _sets(refund)
            if money_set and (money := money_set.shop_money) and (code := currency_code(money.currency_code))
        ),
        None,
    )


def _sets(refund: Refund) -> Iterator[MoneySet | None]:
    for line in refund.refund_line_items or ():
        yield line.subtotal_set
    for shipping in refund.refund_shipping_lines or ():
        yield shipping.subtotal_amount_set
    for adjustment in refund.order_adjustments or ():
        yield adjustment.amount_set
    for transaction in refund.transactions or ():
        yield transaction.amount_set
    yield refund.total_duties_set


def shop_money(both: MoneySet | None, path: str) -> Decimal | None:
    """The shop's side of a `*_set`."""
    money = both.shop_money if both is not None else None
    return None if money is None or money.amount is None else amount(money.amount, path)


def _known(both: MoneySet | None, plain: Decimal | None, path: str) -> Decimal:
    """An amount in the shop's currency: of the set, else as it stands; 0 where there is none."""
    shop_amount = shop_money(both, path)
    return shop_amount if shop_amount is not None else _ZERO if plain is None else amount(plain, path)


def _total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, _ZERO)
