"""Subscription contracts and billing attempts of the app's own subscriptions (docs/reference/platforms.md 1.2).

Neither body holds a time: the delivery's trigger time is the store's clock here. Subscriptions of other apps are never told
of; their renewals are found from the orders (`orders.py`), under the same key, so that one renewal is one event.
"""

from datetime import datetime

from custom_events.platforms import natural_keys, people
from custom_events.platforms.parse import currency_code, optional_id, required_id, text
from custom_events.platforms.shopify import bodies
from custom_events.platforms.shopify.bodies import BILLING_ATTEMPT, CONTRACT
from custom_events.platforms.shopify.delivery import triggered_at
from custom_events.platforms.shopify.origin import check_kind
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood
from custom_events.values.events import CommerceEvent, EventType, Subscription

_ENDED = frozenset(("cancelled", "expired"))


def understand_contract(delivery: RawDelivery, site: SiteContext) -> Understood:
    """subscription_contracts/*: the contract's state; `subscription.started` on create, `subscription.cancelled` when it ended."""
    body = CONTRACT.decode(delivery.body)
    check_kind(body.admin_graphql_api_id, "SubscriptionContract")
    moment = triggered_at(delivery.headers)
    topic = delivery.topic or ""
    started = topic == "subscription_contracts/create"
    ended = (body.status or "").lower() in _ENDED or topic.endswith(("/cancel", "/expire"))
    subscription = Subscription(
        id=required_id(body.id, "$.id"),
        status=text(body.status),
        order_id=optional_id(body.origin_order_id) if started else None,
        origin_order_id=optional_id(body.origin_order_id),
        interval=text(body.billing_policy.interval) if body.billing_policy else None,
        interval_count=body.billing_policy.interval_count if body.billing_policy else None,
        created_at=moment if started else None,
        cancelled_at=moment if ended else None,
        currency=currency_code(body.currency_code) or site.currency,
    )
    kinds = [EventType.SUBSCRIPTION_STARTED] * started + [EventType.SUBSCRIPTION_CANCELLED] * ended
    return Understood(
        events=tuple([_event(kind, subscription, body.customer_id, moment) for kind in kinds]),
        subscription=subscription,
        subscription_at=moment,
    )


def understand_billing_attempt(delivery: RawDelivery, _site: SiteContext) -> Understood:
    """subscription_billing_attempts/success and failure: renewed, or the payment failed.

    A renewal is named by its order alone: the order's own body does not know its contract, and tells the same.
    """
    body = BILLING_ATTEMPT.decode(delivery.body)
    failed = (delivery.topic or "").endswith("/failure")
    order_id = optional_id(body.order_id)
    contract_id = required_id(body.subscription_contract_id, "$.subscription_contract_id")
    period = order_id or required_id(body.idempotency_key, "$.order_id")
    subscription = Subscription(id=contract_id, order_id=order_id, error_code=text(body.error_code))
    if failed:
        kind = EventType.SUBSCRIPTION_PAYMENT_FAILED
        key = natural_keys.of_period(kind, contract_id, period)
    else:
        kind = EventType.SUBSCRIPTION_RENEWED
        named_by = natural_keys.subscription_of_order(order_id) if order_id else contract_id
        key = natural_keys.of_period(kind, named_by, period)
    moment = triggered_at(delivery.headers)
    event = CommerceEvent(type=kind, key=key, occurred_at=moment, evidence_at=moment, subscription=subscription)
    return Understood(events=(event,))


def _event(
    kind: EventType, subscription: Subscription, customer_id: bodies.Id | None, moment: datetime
) -> CommerceEvent:
    return CommerceEvent(
        type=kind,
        key=natural_keys.of_one(kind, subscription.id),
        occurred_at=moment,
        evidence_at=moment,
        subscription=subscription,
        customer=people.customer(id=customer_id),
    )
