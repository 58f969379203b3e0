"""A custom sender's JSON becomes commerce events; docs/reference/custom-webhooks.md describes it for senders.

A body names one event by its `type`. Beside it, `order.created_at`, `paid_at` and `cancelled_at` are evidence of those
transitions, so that a sender of paid orders alone gives complete orders. Clicks of a renewal are taken as the sender
says: unlike the stores, nothing copies them behind the sender's back.
"""

from datetime import datetime
from typing import Any

import msgspec

from custom_events.platforms import natural_keys
from custom_events.platforms.custom import parts
from custom_events.platforms.custom.bodies import BODY, Body
from custom_events.platforms.custom.shapes import shape_of
from custom_events.platforms.custom.topics import ORDER_TYPES, PERIOD_TYPES, TYPES
from custom_events.platforms.parking import Reading, guarded
from custom_events.platforms.parse import optional_id, required_id, utc, wrong_shape
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood, parked
from custom_events.values.events import Cart, CommerceEvent, EventType, Subscription

_OVER = frozenset(("pending-cancel", "cancelled", "canceled", "expired"))  # of a subscription


def understand(delivery: RawDelivery, site: SiteContext) -> Understood:
    """Never raises: events and states, or parked with a reason and the path of the field."""
    return guarded(_understand, delivery, site, _second_reading, decodes_times=True)


def _second_reading(_document: Any) -> Reading:
    return Reading(_understand, shape_of(Body))


def _understand(delivery: RawDelivery, site: SiteContext) -> Understood:
    body = BODY.decode(delivery.body)
    kind = TYPES.get(body.type)
    if kind is None:
        return parked("unknown_topic", "`$.type` is none of the event types")
    if delivery.topic and delivery.topic != body.type:
        return parked("topic_mismatch", "The topic header and `$.type` differ")
    occurred_at = utc(body.occurred_at)
    refund = parts.refund_of(body, occurred_at)
    order = parts.order_of(body.order, kind, occurred_at, refund) if body.order else None
    template = CommerceEvent(
        type=kind,
        key="",
        occurred_at=occurred_at,
        evidence_at=max(occurred_at, order.updated_at) if order else occurred_at,
        is_test=body.test,
        order=order,
        subscription=parts.subscription_of(body, site),
        customer=parts.customer_of(body, site),
        clicks=parts.clicks_of(body.clicks, site),
        consent=parts.consent_of(body.consent),
        utm=parts.utm_of(body.utm),
        properties=parts.properties_of(body.properties),
    )
    if kind is EventType.ORDER_REFUNDED:
        if refund is None:
            raise _missing("refund", kind)
        # An event by itself has to say in which currency it is: the site's, as long as nobody knows its order.
        completed = msgspec.structs.replace(refund, currency=refund.currency or site.currency)
        own = [
            msgspec.structs.replace(template, key=natural_keys.of_refund(refund.order_id, refund.id), refund=completed)
        ]
    elif kind is EventType.CART_ITEM_ADDED:
        own = _items_added(template, body, site)
    else:
        own = [_named(template, body, site)]
    return Understood(
        events=(*_transitions(template, body), *own),
        order=order,
        refunds=(refund,) if refund else (),
        subscription=_state(template),
    )


def _state(template: CommerceEvent) -> Subscription | None:
    """The subscription as the body leaves it: that it ended is said by the type, by `cancelled_at` or by `status`."""
    subscription = template.subscription
    if subscription is None or subscription.cancelled_at is not None:
        return subscription
    is_over = template.type is EventType.SUBSCRIPTION_CANCELLED or (subscription.status or "").lower() in _OVER
    return msgspec.structs.replace(subscription, cancelled_at=template.occurred_at) if is_over else subscription


def _transitions(template: CommerceEvent, body: Body) -> list[CommerceEvent]:
    """What the times that the sender gave the order prove, other than what the body is about."""
    order = template.order
    if order is None or body.order is None:
        return []
    proven = (
        (EventType.ORDER_CREATED, body.order.created_at),
        (EventType.ORDER_PAID, body.order.paid_at),
        (EventType.ORDER_CANCELLED, body.order.cancelled_at),
    )
    # An order's event is about the order's total, also beside a subscription with an amount of its own.
    beside = template.subscription and msgspec.structs.replace(template.subscription, amount=None)
    return [
        msgspec.structs.replace(
            template,
            type=kind,
            key=natural_keys.of_order(kind, order.id),
            occurred_at=utc(moment),
            subscription=beside,
        )
        for kind, moment in proven
        if isinstance(moment, datetime) and kind is not template.type
    ]


def _named(template: CommerceEvent, body: Body, site: SiteContext) -> CommerceEvent:
    """The event that `type` names, with its natural key and the most lasting of its times."""
    kind, order, subscription = template.type, template.order, template.subscription
    moment, cart = template.occurred_at, None
    if kind in ORDER_TYPES:
        if order is None:
            raise _missing("order", kind)
        key = natural_keys.of_order(kind, order.id)
        times = {EventType.ORDER_CREATED: order.created_at, EventType.ORDER_PAID: order.paid_at}
        moment = (order.cancelled_at if kind is EventType.ORDER_CANCELLED else times.get(kind)) or moment
    elif kind is EventType.CUSTOMER_CREATED:
        who = template.customer
        if who is None or who.key is None:
            raise _missing("customer.id", kind)
        key = natural_keys.of_one(kind, who.id or who.key)
        moment = who.created_at or moment
    elif kind is EventType.CHECKOUT_STARTED:
        cart = _cart(body, site, kind)
        key = natural_keys.of_one(kind, cart.token)
        moment = cart.created_at or moment
    elif subscription is None:
        raise _missing("subscription", kind)
    elif kind in PERIOD_TYPES:
        period = subscription.order_id or required_id(optional_id(body.id), "$.subscription.order_id")
        key = natural_keys.of_period(kind, subscription.id, period)
    else:
        key = natural_keys.of_one(kind, subscription.id)
    return msgspec.structs.replace(template, key=key, occurred_at=moment, cart=cart)


def _items_added(template: CommerceEvent, body: Body, site: SiteContext) -> list[CommerceEvent]:
    """`cart.item_added` for each line of the cart, which is then a cart of its own."""
    cart = _cart(body, site, template.type)
    if not cart.items:
        raise wrong_shape("$.cart.items", "Expected the item that was added")
    events: dict[str, CommerceEvent] = {}
    for item in cart.items:
        line = item.variant_id or item.product_id or item.sku or optional_id(body.id)
        key = natural_keys.of_cart_item(cart.token, required_id(line, "$.cart.items[].variant_id"))
        alone = msgspec.structs.replace(cart, items=(item,), total=item.total)
        events.setdefault(key, msgspec.structs.replace(template, key=key, cart=alone))
    return list(events.values())


def _cart(body: Body, site: SiteContext, kind: EventType) -> Cart:
    if body.cart is None:
        raise _missing("cart", kind)
    return parts.cart_of(body.cart, site)


def _missing(part: str, kind: EventType) -> Exception:
    return wrong_shape(f"$.{part}", f"An event of type {kind} needs `{part}`")
