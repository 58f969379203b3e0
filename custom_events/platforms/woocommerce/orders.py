"""WooCommerce orders: no topic says paid, cancelled or refunded, so everything is read from the state (reference: 2.1, 2.2).

A body is built when it is delivered: `order.created` may arrive completed or refunded, after an `order.updated`, or
alone for five changes. So every body proposes all that has happened by now, each under its natural key; what is known
already is dropped later. Times are the order's own: date_created_gmt, date_paid_gmt, date_completed_gmt. A
cancellation and an order's refunds have no date: date_modified_gmt of the first body that shows them.
"""

from datetime import datetime
from decimal import Decimal

import msgspec

from custom_events.platforms import natural_keys
from custom_events.platforms.attributes import flattened
from custom_events.platforms.attribution import Attribution, attribution
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
from custom_events.platforms.woocommerce.bodies import ORDER
from custom_events.platforms.woocommerce.parties import customer_of, line_items, pairs_of, party
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood, ignored
from custom_events.values.events import CommerceEvent, EventType, Order, Refund, Subscription

NOT_YET_ORDERS = frozenset(("checkout-draft", "auto-draft", "draft", "new"))
_PAID_STATUSES = frozenset(("processing", "completed"))  # wc_get_is_paid_statuses()
_CASH_ON_DELIVERY = "cod"
_LANDING = "_wc_order_attribution_session_entry"
_REFERRER = "_wc_order_attribution_referrer"
_RENEWAL = "_subscription_renewal"


class _Times(msgspec.Struct, frozen=True):
    """The order's own times, UTC."""

    created: datetime
    modified: datetime
    paid: datetime | None
    completed: datetime | None


def understand_order(delivery: RawDelivery, site: SiteContext) -> Understood:
    """order.created, updated, restored, and our plugin's order.* topics: all carry the order's REST resource."""
    body = ORDER.decode(delivery.body)
    if body.status in NOT_YET_ORDERS:
        return ignored("draft_order", "A checkout draft is no order yet")
    order_id = required_id(body.id, "$.id")
    times = _times(body, site)
    happened = _happened(body, times, delivery.topic, site)
    pairs = pairs_of(body.meta_data)
    meta = dict(pairs)
    landing, referrer = (value if isinstance(value, str) else None for value in map(meta.get, (_LANDING, _REFERRER)))
    origin = attribution(pairs, landing, [pair for line in body.line_items or () for pair in pairs_of(line.meta_data)])
    renewal = _renewal(body, meta, order_id)
    if renewal is not None:
        # Renewal orders copy the subscription's meta: the click is that of the first order, perhaps a year old.
        origin = Attribution(consent=origin.consent)
    refunds = _refunds(body, order_id, times, site)
    order = _order(body, order_id, times, happened.get(EventType.ORDER_PAID), site, refunds)
    template = CommerceEvent(
        type=EventType.ORDER_CREATED,
        key=natural_keys.of_order(EventType.ORDER_CREATED, order_id),
        occurred_at=times.created,
        evidence_at=times.modified,
        order=msgspec.structs.replace(order, landing_site=text(landing), referring_site=text(referrer)),
        subscription=renewal,
        customer=customer_of(body.customer_id, party(body.billing), party(body.shipping), site),
        clicks=origin.clicks,
        consent=origin.consent,
        utm=origin.utm,
        meta=flattened(pairs),
    )
    return Understood(
        events=(*_events(template, happened, order_id), *(_refunded(template, found) for found in refunds)),
        order=template.order,
        refunds=refunds,
    )


def _times(body: bodies.Order, site: SiteContext) -> _Times:
    zone = zone_of(site.time_zone)
    created = gmt(body.date_created_gmt, "$.date_created_gmt") or local(body.date_created, zone, "$.date_created")
    if created is None:
        raise wrong_shape("$.date_created_gmt", "Expected a date and time")
    modified = gmt(body.date_modified_gmt, "$.date_modified_gmt") or local(body.date_modified, zone, "$.date_modified")
    return _Times(
        created=created,
        modified=modified or created,
        paid=gmt(body.date_paid_gmt, "$.date_paid_gmt") or local(body.date_paid, zone, "$.date_paid"),
        completed=gmt(body.date_completed_gmt, "$.date_completed_gmt")
        or local(body.date_completed, zone, "$.date_completed"),
    )


def _happened(body: bodies.Order, times: _Times, topic: str | None, site: SiteContext) -> dict[EventType, datetime]:
    """What has happened to the order by now, and when by the store's clock."""
    happened = {EventType.ORDER_CREATED: times.created}
    paid_at = _paid_at(body, times, topic, site)
    if paid_at is not None:
        happened[EventType.ORDER_PAID] = paid_at
    if body.status == "completed" or times.completed is not None:
        happened[EventType.ORDER_FULFILLED] = times.completed or times.modified
    if body.status == "cancelled":
        happened[EventType.ORDER_CANCELLED] = times.modified
    return happened


def _paid_at(body: bodies.Order, times: _Times, topic: str | None, site: SiteContext) -> datetime | None:
    """When the order counts as paid; None while it does not.

    `date_paid` where there is one. Cash on delivery has none until it is completed: with the site's setting `processing`
    it counts from the order's creation (in every body, so that the time never changes). Transfers and cheques wait
    on-hold without a date. A refunded order was paid. Our plugin's own order.paid is evidence by itself.
    """
    by_status = body.status in _PAID_STATUSES or body.status == "refunded" or topic == "order.paid"
    if body.payment_method == _CASH_ON_DELIVERY:
        if site.cod_paid_when == "processing":
            return times.created if by_status or times.paid else None
        by_status = by_status and body.status != "processing"
    if times.paid is not None:
        return times.paid
    return (times.completed or times.created) if by_status else None


def _events(template: CommerceEvent, happened: dict[EventType, datetime], order_id: str) -> list[CommerceEvent]:
    """One event for each transition; the renewal that a paid renewal order is, or its failed payment."""
    events: list[CommerceEvent] = []
    for kind, moment in happened.items():
        key = natural_keys.of_order(kind, order_id)
        events.append(msgspec.structs.replace(template, type=kind, key=key, occurred_at=moment))
    renewal, order = template.subscription, template.order
    if renewal is None or order is None:
        return events
    paid_at = happened.get(EventType.ORDER_PAID)
    if paid_at is not None:
        kind, moment = EventType.SUBSCRIPTION_RENEWED, paid_at
    elif order.status == "failed":
        kind, moment = EventType.SUBSCRIPTION_PAYMENT_FAILED, template.occurred_at
    else:
        return events
    key = natural_keys.of_period(kind, renewal.id, order_id)
    return [*events, msgspec.structs.replace(template, type=kind, key=key, occurred_at=moment)]


def _refunded(template: CommerceEvent, refund: Refund) -> CommerceEvent:
    """A refund with the order around it."""
    return msgspec.structs.replace(
        template,
        type=EventType.ORDER_REFUNDED,
        key=natural_keys.of_refund(refund.order_id, refund.id),
        occurred_at=refund.created_at or template.evidence_at,
        refund=refund,
    )


def _refunds(body: bodies.Order, order_id: str, times: _Times, site: SiteContext) -> tuple[Refund, ...]:
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


def _renewal(body: bodies.Order, meta: dict[str, object], order_id: str) -> Subscription | None:
    """The subscription this order renews; None for any other order."""
    value = meta.get(_RENEWAL)
    subscription_id = optional_id(value) if isinstance(value, int | float | str) else None
    if subscription_id is None:
        if body.created_via != "subscription":
            return None
        subscription_id = natural_keys.subscription_of_order(order_id)
    return Subscription(id=subscription_id, order_id=order_id)


def _order(
    body: bodies.Order,
    order_id: str,
    times: _Times,
    paid_at: datetime | None,
    site: SiteContext,
    refunds: tuple[Refund, ...],
) -> Order:
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
        refunded=sum((found.amount for found in refunds), Decimal(0)) if refunds else None,
    )


def _financial_status(body: bodies.Order, paid_at: datetime | None) -> str:
    """In Shopify's words, so that one condition fits both: pending, paid, partially_refunded, refunded."""
    if body.status == "refunded":
        return "refunded"
    if paid_at is None:
        return "pending"
    return "partially_refunded" if body.refunds else "paid"
