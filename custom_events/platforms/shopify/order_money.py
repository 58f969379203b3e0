"""What a Shopify order's body says of its money beyond its totals: what it is worth now, what was paid for shipping, and how."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec

from custom_events.platforms.parse import amount, order_total
from custom_events.platforms.shopify import bodies
from custom_events.platforms.shopify.lines import tax_of
from custom_events.values.events import Refund

_ZERO = Decimal(0)
_NOTHING_LEFT = frozenset(("voided", "refunded"))
_GIFT_CARD = "gift_card"


class Shipping(NamedTuple):
    """What was paid for shipping, its tax, and the discounts that fell on it; None as far as nobody says."""

    paid: Decimal | None = None
    tax: Decimal | None = None
    discount: Decimal | None = None


_NO_SHIPPING = Shipping()


class _Line(msgspec.Struct, gc=False):
    current_quantity: int | float | None = None


class _Lines(msgspec.Struct, gc=False):
    line_items: list[_Line] | None = None


_LEFT = msgspec.json.Decoder(_Lines)


def current_total_of(order: bodies.Order, total: Decimal, body: bytes) -> Decimal | None:
    """What the order is worth now by Shopify's own count. None where that is doubtful: 0 beside a total without anything that could
    have taken it away (seen in a real body). Raises NotUnderstood below zero, as of the total itself."""
    current = order_total(order.current_total_price or _ZERO, "$.current_total_price")
    if current or not total:
        return current
    taken = order.refunds or order.cancelled_at is not None or order.financial_status in _NOTHING_LEFT
    return current if taken or _has_no_piece_left(body) else None


def _has_no_piece_left(body: bytes) -> bool:
    """Whether every line says that nothing is left of it. Read from the body again, which happens to hardly any order."""
    try:
        lines = _LEFT.decode(body).line_items
    except msgspec.DecodeError:  # an odd leaf that is read for this alone
        return False
    return bool(lines) and all(line.current_quantity == 0 for line in lines or ())


def paid_amount_of(order: bodies.Order, total: Decimal, current_total: Decimal | None) -> Decimal:
    """What was paid so far and not given back: what it is worth less what is outstanding."""
    worth = total if current_total is None else current_total
    return max(worth - amount(order.total_outstanding or _ZERO, "$.total_outstanding"), _ZERO)


def gift_card_of(order: bodies.Order, total: Decimal) -> Decimal | None:
    """Bodies say that a gift card paid, not how much: known only where nothing else paid."""
    names = order.payment_gateway_names or ()
    return total if len(names) == 1 and names[0] == _GIFT_CARD else None


def shipping_of(order: bodies.Order) -> Shipping:
    """By the shipping lines; bodies without them have a total before discounts."""
    lines = order.shipping_lines
    if not lines:
        both = order.total_shipping_price_set
        money = both.shop_money if both is not None else None
        if money is None or money.amount is None:
            return _NO_SHIPPING
        return Shipping(amount(money.amount, "$.total_shipping_price_set.shop_money.amount"))
    paid, full, tax = _ZERO, _ZERO, _ZERO
    has_tax = True
    for line in lines:
        price = amount(line.price or _ZERO, "$.shipping_lines[].price")
        full += price
        paid += _paid_for(line, price)
        if line.tax_lines is None:
            has_tax = False
        elif line.tax_lines:
            tax += tax_of(line.tax_lines)
    return Shipping(paid, tax if has_tax else None, full - paid if full > paid else None)


def _paid_for(line: bodies.ShippingLine, price: Decimal) -> Decimal:
    """The smaller of the discounted price and of the price less its allocations: API versions before 2024-07 leave the allocations
    out of the discounted price."""
    both = line.discounted_price_set
    money = both.shop_money if both is not None else None
    discounted = line.discounted_price if money is None or money.amount is None else money.amount
    if discounted is None and not line.discount_allocations:
        return price
    paid = price if discounted is None else amount(discounted, "$.shipping_lines[].discounted_price")
    if line.discount_allocations:
        shares = (share.amount for share in line.discount_allocations)
        path = "$.shipping_lines[].discount_allocations[].amount"
        paid = min(paid, price - sum((amount(share, path) for share in shares if share), _ZERO))
    return max(paid, _ZERO)


def is_exchange(order: bodies.Order, refunds: Sequence[Refund]) -> bool:
    """Whether goods were exchanged for others: a return says so, or goods came back for which only a part of the money did, without a
    discrepancy that would explain the rest."""
    if any(given_back.exchange_line_items for given_back in order.returns or ()):
        return True
    for body, refund in zip(order.refunds or (), refunds, strict=True):
        named = sum((item.total for item in refund.items if item.total is not None), _ZERO)
        if 0 < refund.amount < named and not body.order_adjustments:
            return True
    return False
