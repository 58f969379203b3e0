"""A refund's own REST resource: sent by our plugin and read by the reconciler, never by a native webhook. Its amounts are those of its
order, whose currency it does not name."""

import re
from collections.abc import Sequence
from decimal import Decimal
from urllib.parse import unquote

from custom_events.platforms import natural_keys
from custom_events.platforms.parse import amount, gmt, local, optional_id, required_id, text, wrong_shape, zone_of
from custom_events.platforms.woocommerce.bodies import REFUND, Links, ShippingBack
from custom_events.platforms.woocommerce.parties import refunded_items
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood, ignored
from custom_events.values.events import CommerceEvent, EventType, Refund

_ORDER_IN_LINK = re.compile(r"/orders/([0-9]{1,20})(?![0-9])")


def understand_refund(delivery: RawDelivery, site: SiteContext) -> Understood:
    """order_refund: one `order.refunded`. The resource names its order in `_links.up` only."""
    body = REFUND.decode(delivery.body)
    created_at = gmt(body.date_created_gmt, "$.date_created_gmt") or local(
        body.date_created, zone_of(site.time_zone), "$.date_created"
    )
    if created_at is None:
        raise wrong_shape("$.date_created_gmt", "Expected a date and time")
    if not body.amount:
        return ignored("no_money_back", "Goods put back in stock")
    refund = Refund(
        id=required_id(body.id, "$.id"),
        order_id=required_id(optional_id(body.parent_id) or _linked_order(body.links), "$._links.up[0].href"),
        amount=abs(amount(body.amount, "$.amount")),
        reason=text(body.reason),
        items=refunded_items(body.line_items),
        shipping=shipping_back(body.shipping_lines) if body.shipping_lines else None,
        created_at=created_at,
        seen_at=created_at,
    )
    event = CommerceEvent(
        type=EventType.ORDER_REFUNDED,
        key=natural_keys.of_refund(refund.order_id, refund.id),
        occurred_at=created_at,
        evidence_at=created_at,
        refund=refund,
    )
    return Understood(events=(event,), refunds=(refund,))


def shipping_back(lines: Sequence[ShippingBack]) -> Decimal:
    """What went back for shipping, with its tax."""
    parts = (part for line in lines for part in (line.total, line.total_tax) if part)
    return abs(sum((amount(part, "$.shipping_lines[].total") for part in parts), Decimal(0)))


def _linked_order(links: Links | None) -> str | None:
    """By the link to its order, else by its own, which is below that one."""
    for link in (*(links.up or ()), *(links.own or ())) if links else ():
        match = _ORDER_IN_LINK.search(unquote(link.href)) if link.href else None
        if match is not None:
            return match.group(1)
    return None
