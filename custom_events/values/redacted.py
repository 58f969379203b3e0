"""A commerce event without whatever names a person or leads back to one: what was bought, for how much and when stays. Pure."""

from collections.abc import Iterable

import msgspec

from custom_events.values.events import Cart, CommerceEvent, LineItem, Order, Refund, Subscription
from custom_events.values.forgotten import Subjects

_replace = msgspec.structs.replace


def redacted(event: CommerceEvent, subjects: Subjects) -> CommerceEvent:
    """The event with pseudonyms for its ids, and without customer, clicks, attributes, free texts, addresses and codes."""
    return CommerceEvent(
        type=event.type,
        key=subjects.natural_key(event.key),
        occurred_at=event.occurred_at,
        evidence_at=event.evidence_at,
        is_test=event.is_test,
        order=None if event.order is None else _order(event.order, subjects),
        refund=None if event.refund is None else _refund(event.refund, subjects),
        subscription=None if event.subscription is None else _subscription(event.subscription, subjects),
        cart=None if event.cart is None else _cart(event.cart, subjects),
        consent=None if event.consent is None else _replace(event.consent, source=None),
        sources=event.sources,
        is_undone=event.is_undone,
    )


def redacted_items(items: Iterable[LineItem]) -> tuple[LineItem, ...]:
    """Lines without what the customer had written on them."""
    return tuple([_replace(item, properties={}) for item in items])


def _order(order: Order, subjects: Subjects) -> Order:
    return Order(
        id=subjects.pseudonym("order", order.id),
        created_at=order.created_at,
        updated_at=order.updated_at,
        paid_at=order.paid_at,
        cancelled_at=order.cancelled_at,
        currency=order.currency,
        total=order.total,
        subtotal=order.subtotal,
        current_total=order.current_total,
        tax=order.tax,
        shipping=order.shipping,
        shipping_tax=order.shipping_tax,
        discount=order.discount,
        discount_tax=order.discount_tax,
        shipping_discount=order.shipping_discount,
        taxes_included=order.taxes_included,
        gift_card=order.gift_card,
        tip=order.tip,
        paid_amount=order.paid_amount,
        status=order.status,
        financial_status=order.financial_status,
        fulfillment_status=order.fulfillment_status,
        items=redacted_items(order.items),
        payment_methods=order.payment_methods,
        source_name=order.source_name,
        refunded=order.refunded,
        lists_refunds=order.lists_refunds,
        payment_lost_at=order.payment_lost_at,
        payment_known=order.payment_known,
        cancellation_known=order.cancellation_known,
        parent_id=None if order.parent_id is None else subjects.pseudonym("order", order.parent_id),
        is_exchange=order.is_exchange,
    )


def _refund(refund: Refund, subjects: Subjects) -> Refund:
    return _replace(
        refund,
        id=subjects.pseudonym("refund", refund.id),
        order_id=subjects.pseudonym("order", refund.order_id),
        reason=None,
        items=redacted_items(refund.items),
    )


def _subscription(subscription: Subscription, subjects: Subjects) -> Subscription:
    order_id, origin = subscription.order_id, subscription.origin_order_id
    return _replace(
        subscription,
        id=subjects.pseudonym("subscription", subscription.id),
        order_id=None if order_id is None else subjects.pseudonym("order", order_id),
        origin_order_id=None if origin is None else subjects.pseudonym("order", origin),
    )


def _cart(cart: Cart, subjects: Subjects) -> Cart:
    return _replace(cart, token=subjects.pseudonym("cart", cart.token), items=redacted_items(cart.items))
