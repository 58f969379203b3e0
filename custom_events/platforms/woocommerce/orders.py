"""WooCommerce orders: no topic says paid, cancelled or refunded, so everything is read from the state (docs/reference/platforms.md 2.1, 2.2).

A body is built when it is delivered: `order.created` may arrive completed or refunded, after an `order.updated`, or
alone for five changes. Our plugin builds its bodies at the event, and says so beside. So every body proposes all that has happened by now, each under its natural key; what is known
already is dropped later. Times are the order's own: date_created_gmt, date_paid_gmt, date_completed_gmt. A
cancellation and an order's refunds have no date: date_modified_gmt of the first body that shows them.
"""

from datetime import datetime
from typing import Any

import msgspec

from custom_events.platforms import natural_keys, order_events
from custom_events.platforms.attributes import flattened
from custom_events.platforms.attribution import Attribution, attribution
from custom_events.platforms.headers import rfc3339
from custom_events.platforms.parse import optional_id, required_id
from custom_events.platforms.woocommerce import bodies, moments
from custom_events.platforms.woocommerce.bodies import ORDER
from custom_events.platforms.woocommerce.delivery import TOPIC as NATIVE_TOPIC
from custom_events.platforms.woocommerce.order_facts import (
    CASH_ON_DELIVERY,
    TRASHED,
    UNPAID_STATUSES,
    Times,
    order_of,
    refunds_of,
    times_of,
)
from custom_events.platforms.woocommerce.parties import customer_of, pairs_of, party
from custom_events.platforms.woocommerce.payments import is_in_test_mode
from custom_events.platforms.woocommerce.subscriptions import is_subscription, understand_subscription
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood, ignored
from custom_events.values.events import CommerceEvent, EventType, Subscription
from custom_events.values.recovery import FETCHED_AT

NOT_YET_ORDERS = frozenset(("checkout-draft", "auto-draft", "draft", "new"))
_PAID_STATUSES = frozenset(("processing", "completed"))  # wc_get_is_paid_statuses()
_REFUNDED = "refunded"
# Orders with a parent that sell something of their own: later payments of a deposit (WooCommerce Deposits), renewals.
_OWN_SALES = frozenset(("wc_deposits", "subscription"))
_SUB_ORDER = (
    "A vendor's part of another order, which counts as a whole; the site's setting take_sub_orders takes it as well"
)
_RENEWAL = "_subscription_renewal"


def understand_order(delivery: RawDelivery, site: SiteContext) -> Understood:
    """order.created, updated, restored, and our plugin's order.* topics: all carry the order's REST resource."""
    body = ORDER.decode(delivery.body)
    if is_subscription(body.billing_period, body.status):
        # The hooks of orders fire for subscriptions too (docs/reference/platforms.md 2.2).
        return understand_subscription(delivery, site)
    if body.status in NOT_YET_ORDERS:
        return ignored("draft_order", "A checkout draft is no order yet")
    order_id = required_id(body.id, "$.id")
    times = times_of(body, site, rfc3339(delivery.headers.get(FETCHED_AT)))
    happened = _happened(body, times, _signed_topic(delivery), site)
    refunds = refunds_of(body, order_id, times, site) if body.refunds else ()
    pairs = pairs_of(body.meta_data)
    meta = dict(pairs)
    renewal = _renewal(body, meta, order_id)
    parent_id = optional_id(body.parent_id)
    if parent_id and renewal is None and not site.take_sub_orders and body.created_via not in _OWN_SALES:
        return ignored("sub_order", _SUB_ORDER)
    if parent_id is None and renewal is not None and _RENEWAL in meta:
        parent_id = renewal.id
    order = order_of(body, order_id, times, happened.get(EventType.ORDER_PAID), site, refunds, meta, parent_id)
    origin = attribution(
        pairs,
        order.landing_site,
        [pair for line in body.line_items or () for pair in pairs_of(line.meta_data)],
        site.time_zone,
    )
    if renewal is not None:
        # Renewal orders copy the subscription's meta: the click is that of the first order, perhaps a year old.
        origin = Attribution(consent=origin.consent)
    template = CommerceEvent(
        type=EventType.ORDER_CREATED,
        key=natural_keys.of_order(EventType.ORDER_CREATED, order_id),
        occurred_at=times.created,
        evidence_at=times.shown,
        is_test=is_in_test_mode(meta, body.payment_method) or _is_test(body.custom_events),
        order=order,
        subscription=renewal,
        customer=customer_of(body.customer_id, party(body.billing), party(body.shipping), site),
        clicks=origin.clicks,
        consent=origin.consent,
        utm=origin.utm,
        meta=flattened(pairs),
    )
    given_back = refunds if _was_ever_paid(body, happened) else ()
    return Understood(
        events=(
            *_events(template, happened, order_id),
            *(order_events.refunded(template, refund) for refund in given_back),
        ),
        order=order,
        refunds=refunds,
        # What is trashed before the delivery is built is told of by this body alone.
        deleted_order_id=order_id if body.status == TRASHED else None,
        is_snapshot=body.status != TRASHED,
        shown_at=moments.built_at(body.custom_events),
    )


def _is_test(moment: bodies.Moment | None) -> bool:
    return moment is not None and moment.is_test


def _signed_topic(delivery: RawDelivery) -> str | None:
    """The topic as far as it proves anything. A native webhook's signature leaves it open: whoever has one signed order that waits for its
    payment could have it paid by another header."""
    return None if NATIVE_TOPIC in delivery.headers else delivery.topic


def _happened(body: bodies.Order, times: Times, topic: str | None, site: SiteContext) -> dict[EventType, datetime]:
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


def _paid_at(body: bodies.Order, times: Times, topic: str | None, site: SiteContext) -> datetime | None:
    """When the order counts as paid; None while it does not.

    `date_paid` where there is one. Cash on delivery has none until it is completed: with the site's setting `processing`, or one
    of its own statuses, it counts from the order's creation (in every body, so that the time never changes). Transfers and cheques wait
    on-hold without a date. A refunded order was paid only where a date says so: shops set it on orders whose payment failed as well.
    Our plugin decides by its own setting, and says so; without that its order.paid is evidence by itself.
    """
    if moments.says_whether_paid(body.custom_events):
        return moments.paid_at(body.custom_events)
    was_completed = body.status == _REFUNDED and times.completed is not None
    by_status = body.status in _PAID_STATUSES or was_completed or topic == "order.paid"
    if body.payment_method == CASH_ON_DELIVERY:
        when = site.cod_paid_when
        if when == "processing":
            return times.created if by_status or times.paid else None
        if not isinstance(when, str):
            is_paid = body.status in when or body.status == "completed" or times.completed or times.paid
            return times.created if is_paid else None
        by_status = by_status and body.status != "processing"
    if times.paid is not None:
        return times.paid
    return (times.completed or times.created) if by_status else None


def _was_ever_paid(body: bodies.Order, happened: dict[EventType, datetime]) -> bool:
    """Whether its refunds gave money back. WooCommerce makes a refund of the whole when an order is set to refunded, paid or not, and
    takes one of any order. Cash on delivery may have been paid without a date."""
    is_unpaid = body.status in UNPAID_STATUSES and body.payment_method != CASH_ON_DELIVERY
    return EventType.ORDER_PAID in happened or not is_unpaid


def _events(template: CommerceEvent, happened: dict[EventType, datetime], order_id: str) -> list[CommerceEvent]:
    """One event for each transition; the renewal that a paid renewal order is, or its failed payment."""
    events = order_events.happened(template, order_id, happened)
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


def _renewal(body: bodies.Order, meta: dict[str, Any], order_id: str) -> Subscription | None:
    """The subscription this order renews; None for any other order."""
    value = meta.get(_RENEWAL)
    subscription_id = optional_id(value) if isinstance(value, int | float | str) else None
    if subscription_id is None:
        if body.created_via != "subscription":
            return None
        subscription_id = natural_keys.subscription_of_order(order_id)
    return Subscription(id=subscription_id, order_id=order_id)
