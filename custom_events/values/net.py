"""What is net: the one place that knows which amounts of an order hold tax.

`Order.total` always holds all tax, on every platform. Shipping, discount and items hold theirs where `taxes_included` is true (Shopify
shops with taxes in their prices), and are without it where it is false (WooCommerce always) or nobody says. What tax there is in an
amount that holds it is in `shipping_tax`, `discount_tax` and `LineItem.tax`; where nobody says, it is the order's tax in proportion to
its total, which is exact where the order knows one rate. An order that does not know its tax has none.

A function that is asked `without_tax` gives the amount net, else as a part of `Order.total`, that is with its tax.
"""

from decimal import Decimal

from custom_events.values.events import LineItem, Order

_ZERO = Decimal(0)


def total(order: Order, *, without_tax: bool) -> Decimal | None:
    """The order's total; None where it is unknown."""
    if order.total is None or not without_tax:
        return order.total
    return order.total - (order.tax or _ZERO)


def shipping(order: Order, *, without_tax: bool) -> Decimal:
    """What was paid for shipping; 0 where nobody says."""
    return _part(order.shipping, order.shipping_tax, order, without_tax)


def discount(order: Order, *, without_tax: bool, without_shipping: bool = False) -> Decimal:
    """The sum of the discounts, as a positive amount; without those on shipping where shipping does not count. 0 where nobody says."""
    whole = _part(order.discount, order.discount_tax, order, without_tax)
    on_shipping = order.shipping_discount
    if not without_shipping or not on_shipping or not order.discount:
        return whole
    return whole - whole * min(on_shipping / order.discount, Decimal(1))


def line_total(item: LineItem) -> Decimal | None:
    """A line's total as the store's prices are, else price times quantity."""
    if item.total is not None:
        return item.total
    return item.price * item.quantity if item.price is not None else None


def item_total(item: LineItem, order: Order | None, *, without_tax: bool) -> Decimal | None:
    """A line's total after its discounts; None where it is unknown. `order` is the one it is of, also where a refund names it."""
    amount = line_total(item)
    if amount is None or order is None:
        return amount
    # Stores say the tax of every line or of none: a line without it beside others that have it is free of tax.
    tax = _ZERO if item.tax is None and any(line_item.tax is not None for line_item in order.items) else item.tax
    return _part(amount, tax, order, without_tax)


def _part(amount: Decimal | None, tax: Decimal | None, order: Order, without_tax: bool) -> Decimal:
    if amount is None:
        return _ZERO
    if order.taxes_included:
        if not without_tax:
            return amount
        return amount - (amount * _tax_share(order) if tax is None else min(tax, amount) if amount >= 0 else tax)
    return amount if without_tax or tax is None else amount + tax


def _tax_share(order: Order) -> Decimal:
    """The share of the total that is tax."""
    return order.tax / order.total if order.tax and order.total else _ZERO
