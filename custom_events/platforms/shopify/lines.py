"""Lines of Shopify's orders, checkouts and carts as our line items."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec

from custom_events.platforms.attributes import Pair, flattened, named
from custom_events.platforms.parse import amount, optional_amount, optional_id, text, whole_quantity, word
from custom_events.platforms.shopify.bodies import Address, Line, MoneySet, RefundLine, TaxLine
from custom_events.values.events import LineItem

_ZERO = Decimal(0)
_CENT = Decimal("0.01")


def line_item(line: Line) -> LineItem:
    """One line. `total` is price times quantity less every discount that falls on the line, order-wide ones included; it holds the
    tax where the shop's prices do."""
    count = whole_quantity(line.quantity, "$.line_items[].quantity")
    price = None if line.price is None else amount(line.price, "$.line_items[].price")
    discount = _discount(line) if line.discount_allocations or line.total_discount else _ZERO
    total = None if line.line_price is None else amount(line.line_price, "$.line_items[].line_price")
    if total is None and price is not None and line.quantity is not None:
        total = price * count - discount
    return LineItem(
        product_id=optional_id(line.product_id),
        variant_id=optional_id(line.variant_id),
        sku=text(line.sku),
        title=text(line.title),
        vendor=word(line.vendor),
        quantity=count,
        price=price,
        total=total,
        discount=discount or None,
        tax=tax_of(line.tax_lines) if line.tax_lines else None,
        properties=flattened(named(line.properties)) if line.properties else {},
    )


def refunded_item(refund: RefundLine, line: Line | None, taxes_included: bool | None) -> LineItem:
    """What came back of a line: its own subtotal and its pieces' share of the discount, all positive. `line` is the order's line as far
    as it is known; `taxes_included` None: nobody says.

    A subtotal is in the shop's prices. Where it is without the tax that they hold, which shows by the price of the pieces, the tax is
    put back: items of a refund are compared with items of its order."""
    count = abs(whole_quantity(refund.quantity, "$.refund_line_items[].quantity"))
    subtotal = _money(refund.subtotal_set, refund.subtotal, "$.refund_line_items[].subtotal")
    tax = _money(refund.total_tax_set, refund.total_tax, "$.refund_line_items[].total_tax")
    whole = LineItem() if line is None else line_item(line)
    discount, gross = None, None
    if whole.discount and whole.quantity:
        discount = (whole.discount * count / whole.quantity).quantize(whole.discount, ROUND_HALF_UP)
    if whole.price is not None:
        gross = whole.price * count - (discount or _ZERO)
    if subtotal is None:
        subtotal = gross
    elif gross is not None and tax and taxes_included is not False and _is_net(subtotal, tax, gross, count):
        subtotal += tax
    return msgspec.structs.replace(whole, quantity=count, total=subtotal, discount=discount or None, tax=tax or None)


def _is_net(subtotal: Decimal, tax: Decimal, gross: Decimal, pieces: int) -> bool:
    """Whether the tax is missing from the subtotal: with it, and only so, it is what the pieces cost but for their rounding."""
    rounding = _CENT * (pieces + 1)
    return abs(subtotal + tax - gross) <= rounding < abs(subtotal - gross)


def tax_of(lines: list[TaxLine]) -> Decimal:
    """The sum of a line's taxes."""
    if len(lines) == 1 and (only := lines[0].price) is not None:
        return amount(only, "$.tax_lines[].price")
    return sum((amount(line.price, "$.tax_lines[].price") for line in lines if line.price), _ZERO)


def _money(both: MoneySet | None, plain: Decimal | None, path: str) -> Decimal | None:
    """A positive amount in the shop's currency; None where there is none."""
    money = both.shop_money if both is not None else None
    price = plain if money is None or money.amount is None else money.amount
    return None if price is None else abs(amount(price, path))


def line_items(lines: list[Line] | None) -> tuple[LineItem, ...]:
    """All lines, in their order."""
    return tuple([line_item(line) for line in lines]) if lines else ()


def item_pairs(lines: list[Line] | None) -> list[Pair]:
    """The properties of all lines: the last place where a click id may be."""
    return [pair for line in lines or () if line.properties for pair in named(line.properties)]


def _discount(line: Line) -> Decimal:
    """Allocations hold line and order discounts both; carts and old bodies have `total_discount` only."""
    if line.discount_allocations:
        shares = (share.amount for share in line.discount_allocations)
        return sum((amount(share, "$.line_items[].discount_allocations[].amount") for share in shares if share), _ZERO)
    return optional_amount(line.total_discount, "$.line_items[].total_discount") or _ZERO


def split_tags(tags: str | list[str] | None) -> tuple[str, ...]:
    """Tags, which Shopify writes as one text with commas."""
    if not tags:
        return ()
    parts = tags.split(",") if isinstance(tags, str) else tags
    return tuple([tag for part in parts if (tag := part.strip())])


def address_of(value: Address | list[Any] | None) -> Address | None:
    """The address; an empty one comes as null or as `[]`."""
    return value if isinstance(value, Address) else None
