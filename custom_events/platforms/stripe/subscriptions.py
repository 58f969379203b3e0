"""Subscriptions: started when they are active or tried out, cancelled when somebody ended them, also when they run until the period's end."""

from decimal import Decimal

import msgspec

from custom_events.platforms import natural_keys
from custom_events.platforms.attributes import flattened
from custom_events.platforms.attribution import attribution
from custom_events.platforms.parse import required_id, text
from custom_events.platforms.stripe import bodies
from custom_events.platforms.stripe.facts import customer_of, optional_time, pairs_of, time_of
from custom_events.platforms.stripe.money import currency_of, money
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood
from custom_events.values.events import CommerceEvent, EventType, Subscription

SUBSCRIPTION = msgspec.json.Decoder(bodies.SubscriptionEvent)
_RUNNING = frozenset(("active", "trialing", "past_due", "unpaid", "paused", "canceled"))
_NEVER_BEGAN = frozenset(("incomplete", "incomplete_expired"))
_ZERO = Decimal(0)


def understand_subscription(delivery: RawDelivery, site: SiteContext) -> Understood:
    """customer.subscription.created, updated, deleted, paused, resumed: the state, and what it proves."""
    event = SUBSCRIPTION.decode(delivery.body)
    body = event.data.object
    at = time_of(event.created)
    subscription = _subscription(body, site)
    pairs = pairs_of(body.metadata)
    origin = attribution(pairs, time_zone=site.time_zone)
    template = CommerceEvent(
        type=EventType.SUBSCRIPTION_STARTED,
        key=natural_keys.of_one(EventType.SUBSCRIPTION_STARTED, subscription.id),
        occurred_at=subscription.created_at or at,
        evidence_at=at,
        is_test=not event.livemode,
        subscription=subscription,
        customer=customer_of(body.customer, emails=(), phones=(), address=None, site=site),
        clicks=origin.clicks,
        consent=origin.consent,
        utm=origin.utm,
        meta=flattened(pairs),
    )
    events = [template] if body.status in _RUNNING else []
    if subscription.cancelled_at is not None and body.status not in _NEVER_BEGAN:
        kind = EventType.SUBSCRIPTION_CANCELLED
        ended = msgspec.structs.replace(
            template,
            type=kind,
            key=natural_keys.of_one(kind, subscription.id),
            occurred_at=subscription.cancelled_at,
            clicks=(),
            utm={},
        )
        events.append(ended)
    return Understood(events=tuple(events), subscription=subscription, subscription_at=at)


def _subscription(body: bodies.Subscription, site: SiteContext) -> Subscription:
    currency = currency_of(body.currency or site.currency, "$.data.object.currency")
    items = body.items.data if body.items else []
    prices = [item.price for item in items if item.price is not None]
    recurring = next((price.recurring for price in prices if price.recurring is not None), bodies.Recurring())
    amounts = [
        (money(item.price.unit_amount, currency, "$.data.object.items.data[].price.unit_amount") or _ZERO)
        * (1 if item.quantity is None else item.quantity)
        for item in items
        if item.price is not None and item.price.unit_amount is not None
    ]
    return Subscription(
        id=required_id(body.id, "$.data.object.id"),
        status=text(body.status),
        interval=text(recurring.interval),
        interval_count=recurring.interval_count,
        created_at=optional_time(body.start_date) or time_of(body.created),
        cancelled_at=optional_time(body.canceled_at) or optional_time(body.ended_at),
        amount=sum(amounts, _ZERO) if amounts else None,
        currency=currency,
    )
