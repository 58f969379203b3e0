"""Lines of Shopify's orders, checkouts and carts as our line items."""

from decimal import Decimal
from typing import Any

from custom_events.platforms.attributes import Pair, flattened, named
from custom_events.platforms.leaves import amount, optional_amount, optional_id, text, whole_quantity, word
from custom_events.platforms.shopify.bodies import Address, Line
from custom_events.values.events import LineItem

_ZERO = Decimal(0)


def line_item(line: Line, quantity: float | None = None) -> LineItem:
    """One line. `total` is price times quantity less every discount that falls on the line, order-wide ones included;
    a refund gives its own `quantity`."""
    count = whole_quantity(line.quantity if quantity is None else quantity, "$.line_items[].quantity")
    price = None if line.price is None else amount(line.price, "$.line_items[].price")
    discount = _discount(line) if line.discount_allocations or line.total_discount else _ZERO
    total = None if line.line_price is None else amount(line.line_price, "$.line_items[].line_price")
    if total is None and price is not None:
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
        properties=flattened(named(line.properties)) if line.properties else {},
    )


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
