"""Customers, lines and meta of WooCommerce's bodies as our values."""

from typing import Any, Final

import msgspec

from custom_events.platforms import people
from custom_events.platforms.attributes import Pair, flattened
from custom_events.platforms.parse import Id, optional_amount, optional_id, text, whole_quantity
from custom_events.platforms.woocommerce.bodies import Line, Meta, Party
from custom_events.values.deliveries import SiteContext
from custom_events.values.events import Customer, LineItem

_MONEY_OF_ITEMS: Final = ("price", "total", "discount", "tax")


def party(value: Party | list[Any] | None) -> Party | None:
    """The party; PHP writes an empty one as `[]`."""
    return value if isinstance(value, Party) else None


def pairs_of(meta: list[Meta] | None) -> list[Pair]:
    """Meta entries as name and value."""
    return [(entry.key, entry.value) for entry in meta if entry.key] if meta else []


def customer_of(
    customer_id: Id | None,
    billing: Party | None,
    shipping: Party | None,
    site: SiteContext,
    email: str | None = None,
) -> Customer | None:
    """Who bought. `customer_id` 0 is a guest, known by the hash of the address alone."""
    parties = [contact for contact in (billing, shipping) if contact]
    return people.customer(
        id=customer_id,
        emails=(*(contact.email for contact in parties), email),
        phones=tuple([contact.phone for contact in parties]),
        countries=(*(contact.country for contact in parties), site.default_country),
    )


def line_item(line: Line) -> LineItem:
    """One line. Totals are without tax, whether or not the store's prices include it."""
    total = optional_amount(line.total, "$.line_items[].total")
    subtotal = optional_amount(line.subtotal, "$.line_items[].subtotal")
    discount = subtotal - total if subtotal is not None and total is not None else None
    return LineItem(
        product_id=optional_id(line.product_id),
        variant_id=optional_id(line.variation_id),
        sku=text(line.sku),
        title=text(line.name),
        quantity=whole_quantity(line.quantity, "$.line_items[].quantity"),
        price=optional_amount(line.price, "$.line_items[].price"),
        total=total,
        discount=discount or None,
        tax=optional_amount(line.total_tax, "$.line_items[].total_tax") or None,
        properties=flattened(
            [pair for pair in pairs_of(line.meta_data) if not pair[0].startswith("_")]  # hidden ones are bookkeeping
        )
        if line.meta_data
        else {},
    )


def line_items(lines: list[Line] | None) -> tuple[LineItem, ...]:
    """All lines, in their order."""
    return tuple([line_item(line) for line in lines]) if lines else ()


def refunded_items(lines: list[Line] | None) -> tuple[LineItem, ...]:
    """Lines of a refund, whose quantities and totals are negative there."""
    return tuple([_positive(line_item(line)) for line in lines or ()])


def _positive(item: LineItem) -> LineItem:
    parts = {name: value for name in _MONEY_OF_ITEMS if (value := getattr(item, name)) is not None}
    return msgspec.structs.replace(
        item, quantity=abs(item.quantity), **{name: abs(value) for name, value in parts.items()}
    )
