"""What a WooCommerce order's body says of the order itself: its times, its refunds, its facts."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from custom_events.platforms.parse import (
    amount,
    country_code,
    currency_code,
    gmt,
    local,
    optional_amount,
    optional_id,
    order_total,
    refunded_of,
    required_id,
    text,
    wrong_shape,
    zone_of,
)
from custom_events.platforms.woocommerce import bodies, moments
from custom_events.platforms.woocommerce.parties import line_items, party, refunded_items
from custom_events.platforms.woocommerce.payments import deposit_of, gift_cards_of
from custom_events.platforms.woocommerce.refunds import shipping_back
from custom_events.values.deliveries import SiteContext
from custom_events.values.events import Order, Refund

CASH_ON_DELIVERY = "cod"
TRASHED = "trash"
_ZERO = Decimal(0)
_REFUNDED = "refunded"
# Any other status without a date says nothing of payment: the trash keeps to itself what an order was, plugins have their own words.
UNPAID_STATUSES = frozenset(("pending", "on-hold", "failed", "cancelled", _REFUNDED))
_FAILED = "failed"
_LOST_STATUSES = frozenset((_FAILED, "on-hold"))  # after it was paid: a debit came back, a dispute was opened
_LANDING = "_wc_order_attribution_session_entry"
_OWN = "_custom_events"
_REFERRER = "_wc_order_attribution_referrer"


class Times(msgspec.Struct, frozen=True):
    """The order's own times, UTC. `shown`: as of when the body shows the order: when it was last modified, or later, when we read it."""

    created: datetime
    modified: datetime
    shown: datetime
    paid: datetime | None
    completed: datetime | None


def times_of(body: bodies.Order, site: SiteContext, fetched_at: datetime | None = None) -> Times:
    """The order's times; raises NotUnderstood without a creation time. Site-local ones serve where there is no `*_gmt`. `fetched_at`: when
    we read the body from the store's API, by its clock."""
    zone = zone_of(site.time_zone)
    created = gmt(body.date_created_gmt, "$.date_created_gmt") or local(body.date_created, zone, "$.date_created")
    if created is None:
        raise wrong_shape("$.date_created_gmt", "Expected a date and time")
    modified = gmt(body.date_modified_gmt, "$.date_modified_gmt") or local(body.date_modified, zone, "$.date_modified")
    modified = moments.built_at(body.custom_events) or modified or created
    return Times(
        created=created,
        modified=modified,
        shown=modified if fetched_at is None else max(modified, fetched_at),
        paid=gmt(body.date_paid_gmt, "$.date_paid_gmt") or local(body.date_paid, zone, "$.date_paid"),
        completed=gmt(body.date_completed_gmt, "$.date_completed_gmt")
        or local(body.date_completed, zone, "$.date_completed"),
    )


def refunds_of(body: bodies.Order, order_id: str, times: Times, site: SiteContext) -> tuple[Refund, ...]:
    """The refunds that gave money back; totals are negative text. Those of our plugin say when, and of what."""
    return tuple(
        [
            Refund(
                id=required_id(refund.id, "$.refunds[].id"),
                order_id=order_id,
                amount=abs(amount(refund.total, "$.refunds[].total")),
                currency=currency_code(body.currency) or site.currency,
                reason=text(refund.reason),
                items=refunded_items(refund.line_items),
                shipping=shipping_back(refund.shipping_lines) if refund.shipping_lines else None,
                created_at=gmt(refund.date_created_gmt, "$.refunds[].date_created_gmt") or times.modified,
                seen_at=times.shown,
            )
            for refund in body.refunds or ()
            if refund.total
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
    parent_id: str | None,
) -> Order:
    """The order's facts. `paid_at` and `parent_id` are decided by `orders.py`, `meta` holds WooCommerce's own order attribution."""
    billing, shipping = party(body.billing), party(body.shipping)
    items = line_items(body.line_items)
    gift_card = gift_cards_of(body, meta)
    total = order_total(body.total, "$.total")
    if gift_card is not None:
        total += gift_card  # a way of paying, which the body's total is without
    refunded = refunded_of(refund.amount for refund in refunds) if refunds else None
    is_lost = _is_lost(body, times, site)
    return Order(
        id=order_id,
        number=optional_id(body.number),
        created_at=times.created,
        updated_at=times.shown,
        paid_at=paid_at,
        cancelled_at=times.modified if body.status == "cancelled" else None,
        currency=currency_code(body.currency) or site.currency,
        total=total,
        subtotal=sum((item.total for item in items if item.total is not None), Decimal(0)) if items else None,
        tax=optional_amount(body.total_tax, "$.total_tax"),
        # A shop sets an order to refunded without an entry that would say how much; all of it went back.
        current_total=_ZERO if body.status == _REFUNDED else None,
        shipping=optional_amount(body.shipping_total, "$.shipping_total"),
        shipping_tax=optional_amount(body.shipping_tax, "$.shipping_tax"),
        discount=optional_amount(body.discount_total, "$.discount_total"),
        discount_tax=optional_amount(body.discount_tax, "$.discount_tax"),
        taxes_included=False,  # the REST resource is so, whatever the shop's prices are
        gift_card=gift_card,
        paid_amount=_paid_amount(body, meta, paid_at, None if is_lost else max(total - (refunded or _ZERO), _ZERO)),
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
        landing_site=_text_of(meta.get(_LANDING)) or _own_landing_page(meta.get(_OWN)),
        referring_site=_text_of(meta.get(_REFERRER)),
        refunded=refunded,
        lists_refunds=body.refunds is not None,
        payment_lost_at=times.modified if is_lost else None,
        payment_known=paid_at is not None
        or body.status in UNPAID_STATUSES
        or moments.says_whether_paid(body.custom_events),
        cancellation_known=body.status != TRASHED,
        parent_id=parent_id,
    )


def _paid_amount(
    body: bodies.Order, meta: dict[str, Any], paid_at: datetime | None, whole: Decimal | None
) -> Decimal | None:
    """What was paid so far: the deposit, as long as the order has the status of one (with or without a date of payment), else the
    `whole` of what was paid."""
    deposit = deposit_of(body, meta)
    return deposit if deposit is not None or paid_at is None else whole


def _is_lost(body: bodies.Order, times: Times, site: SiteContext) -> bool:
    """Whether it was paid, and the money is gone or in dispute."""
    status = body.status
    if status == _FAILED and moments.paid_at(body.custom_events) is not None:
        return True  # cash on delivery, say, which has no date of payment before it is completed
    return times.paid is not None and (status in _LOST_STATUSES or status in site.payment_lost_statuses)


def _text_of(value: Any) -> str | None:
    """A meta value that is a text; it may be anything."""
    return text(value) if isinstance(value, str) else None


def _own_landing_page(value: Any) -> str | None:
    """The landing page of the click that our plugin kept, without what others wrote into its query."""
    return _text_of(value.get("landing_page")) if isinstance(value, dict) else None


def _financial_status(body: bodies.Order, paid_at: datetime | None) -> str:
    """In Shopify's words, so that one condition fits both: pending, paid, partially_refunded, refunded."""
    if body.status == _REFUNDED:
        return _REFUNDED
    if paid_at is None:
        return "pending"
    return "partially_refunded" if body.refunds else "paid"
