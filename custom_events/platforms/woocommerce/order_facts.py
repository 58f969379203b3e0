"""What a WooCommerce order's body says of the order itself: its times, its refunds, its facts."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from custom_events.platforms.leaves import (
    amount,
    country_code,
    currency_code,
    gmt,
    local,
    optional_amount,
    optional_id,
    required_id,
    text,
    wrong_shape,
    zone_of,
)
from custom_events.platforms.woocommerce import bodies
from custom_events.platforms.woocommerce.parties import line_items, party
from custom_events.values.deliveries import SiteContext
from custom_events.values.events import Order, Refund

_LANDING = "_wc_order_attribution_session_entry"
_REFERRER = "_wc_order_attribution_referrer"


class Times(msgspec.Struct, frozen=True):
    """The order's own times, UTC."""

    created: datetime
    modified: datetime
    paid: datetime | None
    completed: datetime | None


def times_of(body: bodies.Order, site: SiteContext) -> Times:
    """The order's times; raises NotUnderstood without a creation time. Site-local ones serve where there is no `*_gmt`."""
    zone = zone_of(site.time_zone)
    created = gmt(body.date_created_gmt, "$.date_created_gmt") or local(body.date_created, zone, "$.date_created")
    if created is None:
        raise wrong_shape("$.date_created_gmt", "Expected a date and time")
    modified = gmt(body.date_modified_gmt, "$.date_modified_gmt") or local(body.date_modified, zone, "$.date_modified")
    return Times(
        created=created,
        modified=modified or created,
        paid=gmt(body.date_paid_gmt, "$.date_paid_gmt") or local(body.date_paid, zone, "$.date_paid"),
        completed=gmt(body.date_completed_gmt, "$.date_completed_gmt")
        or local(body.date_completed, zone, "$.date_completed"),
    )


def refunds_of(body: bodies.Order, order_id: str, times: Times, site: SiteContext) -> tuple[Refund, ...]:
    """The refunds that gave money back; totals are negative text."""
    return tuple(
        [
            Refund(
                id=required_id(found.id, "$.refunds[].id"),
                order_id=order_id,
                amount=abs(amount(found.total, "$.refunds[].total")),
                currency=currency_code(body.currency) or site.currency,
                reason=text(found.reason),
                created_at=times.modified,
            )
            for found in body.refunds or ()
            if found.total
        ]
    )


def order_of(
    body: bodies.Order,
    order_id: str,
    times: Times,
    paid_at: datetime | None,
    site: SiteContext,
    refunds: tuple[Refund, ...],
    meta: dict[str, Any],
) -> Order:
    """The order's facts. `paid_at` is decided by `orders.py`, `meta` holds WooCommerce's own order attribution."""
    billing, shipping = party(body.billing), party(body.shipping)
    items = line_items(body.line_items)
    return Order(
        id=order_id,
        number=optional_id(body.number),
        created_at=times.created,
        updated_at=times.modified,
        paid_at=paid_at,
        cancelled_at=times.modified if body.status == "cancelled" else None,
        currency=currency_code(body.currency) or site.currency,
        total=amount(body.total, "$.total"),
        subtotal=sum((item.total for item in items if item.total is not None), Decimal(0)) if items else None,
        tax=optional_amount(body.total_tax, "$.total_tax"),
        shipping=optional_amount(body.shipping_total, "$.shipping_total"),
        discount=optional_amount(body.discount_total, "$.discount_total"),
        status=text(body.status),
        financial_status=_financial_status(body, paid_at),
        fulfillment_status="fulfilled" if times.completed or body.status == "completed" else None,
        items=items,
        discount_codes=tuple([line.code for line in body.coupon_lines or () if line.code]),
        payment_methods=(body.payment_method,) if body.payment_method else (),
        shipping_methods=tuple([line.method_title for line in body.shipping_lines or () if line.method_title]),
        billing_country=country_code(billing.country) if billing else None,
        billing_postcode=text(billing.postcode) if billing else None,
        shipping_country=country_code(shipping.country) if shipping else None,
        shipping_postcode=text(shipping.postcode) if shipping else None,
        source_name=text(body.created_via),
        landing_site=_text_of(meta.get(_LANDING)),
        referring_site=_text_of(meta.get(_REFERRER)),
        refunded=sum((found.amount for found in refunds), Decimal(0)) if refunds else None,
    )


def _text_of(value: Any) -> str | None:
    """A meta value that is a text; it may be anything."""
    return text(value) if isinstance(value, str) else None


def _financial_status(body: bodies.Order, paid_at: datetime | None) -> str:
    """In Shopify's words, so that one condition fits both: pending, paid, partially_refunded, refunded."""
    if body.status == "refunded":
        return "refunded"
    if paid_at is None:
        return "pending"
    return "partially_refunded" if body.refunds else "paid"
