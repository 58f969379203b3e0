"""Subscriptions of WooCommerce Subscriptions (docs/reference/platforms.md 2.2).

Started: active, or has been. `date_paid_gmt` is the proof; `last_payment_date_gmt` is none, it is set on pending ones too
(measured). Cancelled: the customer's cancel gives pending-cancel now and cancelled at the end of the term, under one
key and with one date, `cancelled_date_gmt`; it may be active again before that. Renewals and failed renewals are told by
their orders.
"""

from datetime import datetime

import msgspec

from custom_events.platforms import natural_keys
from custom_events.platforms.attributes import flattened
from custom_events.platforms.attribution import attribution
from custom_events.platforms.parse import (
    currency_code,
    gmt,
    optional_amount,
    optional_id,
    required_id,
    text,
    wrong_shape,
)
from custom_events.platforms.woocommerce import bodies, moments
from custom_events.platforms.woocommerce.bodies import SUBSCRIPTION
from custom_events.platforms.woocommerce.parties import customer_of, pairs_of, party
from custom_events.platforms.woocommerce.payments import is_in_test_mode
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood
from custom_events.values.events import CommerceEvent, EventType, Subscription

_RUNNING = frozenset(("active", "pending-cancel"))
_ENDED = frozenset(("pending-cancel", "cancelled", "expired"))
_OF_NO_ORDER = frozenset(("active", "pending-cancel", "expired", "switched"))  # statuses
_KEPT = frozenset(("switched", "trash"))  # statuses that a cancelled one may go on to
MAX_INTERVAL = 10_000  # periods between payments; more is nonsense


def is_subscription(billing_period: object, status: object) -> bool:
    """Whether the body under an order's topic is a subscription; only subscriptions have the first field, and few leave it empty."""
    return bool(billing_period) or (billing_period is not None and status in _OF_NO_ORDER)


def understand_subscription(delivery: RawDelivery, site: SiteContext) -> Understood:
    """subscription.created and updated: the state, and what it proves."""
    body = SUBSCRIPTION.decode(delivery.body)
    subscription_id = required_id(body.id, "$.id")
    created_at = gmt(body.start_date_gmt, "$.start_date_gmt") or gmt(body.date_created_gmt, "$.date_created_gmt")
    if created_at is None:
        raise wrong_shape("$.start_date_gmt", "Expected a date and time")
    modified_at = (
        moments.built_at(body.custom_events) or gmt(body.date_modified_gmt, "$.date_modified_gmt") or created_at
    )
    started = body.status in _RUNNING or gmt(body.date_paid_gmt, "$.date_paid_gmt") is not None
    ended_at = _ended_at(body, modified_at)
    parent_id = optional_id(body.parent_id)
    subscription = Subscription(
        id=subscription_id,
        status=text(body.status),
        order_id=parent_id,
        origin_order_id=parent_id,
        interval=text(body.billing_period),
        interval_count=_interval_count(body.billing_interval),
        created_at=created_at,
        cancelled_at=ended_at,
        amount=optional_amount(body.total, "$.total"),
        currency=currency_code(body.currency) or site.currency,
    )
    pairs = pairs_of(body.meta_data)
    origin = attribution(pairs, time_zone=site.time_zone)
    template = CommerceEvent(
        type=EventType.SUBSCRIPTION_STARTED,
        key=natural_keys.of_one(EventType.SUBSCRIPTION_STARTED, subscription_id),
        occurred_at=created_at,
        evidence_at=modified_at,
        is_test=is_in_test_mode(dict(pairs), None) or (body.custom_events is not None and body.custom_events.is_test),
        subscription=subscription,
        customer=customer_of(body.customer_id, party(body.billing), party(body.shipping), site),
        clicks=origin.clicks,
        consent=origin.consent,
        utm=origin.utm,
        meta=flattened(pairs),
    )
    events = [template] if started else []
    if started and ended_at is not None:
        events.append(
            msgspec.structs.replace(
                template,
                type=EventType.SUBSCRIPTION_CANCELLED,
                key=natural_keys.of_one(EventType.SUBSCRIPTION_CANCELLED, subscription_id),
                occurred_at=ended_at,
                clicks=(),
                utm={},
            )
        )
    return Understood(events=tuple(events), subscription=subscription, subscription_at=modified_at)


def _ended_at(body: bodies.Subscription, modified_at: datetime) -> datetime | None:
    """When it was cancelled, or expired; None while it runs."""
    cancelled_at = gmt(body.cancelled_date_gmt, "$.cancelled_date_gmt")
    if body.status in _KEPT:
        return cancelled_at
    if body.status not in _ENDED:
        return None
    if cancelled_at is None and body.status == "expired":
        cancelled_at = gmt(body.end_date_gmt, "$.end_date_gmt")
    return cancelled_at or modified_at


def _interval_count(value: bodies.Id | None) -> int | None:
    """`billing_interval`, a number as text."""
    digits = optional_id(value) or ""
    return int(digits) if digits.isascii() and digits.isdigit() and int(digits) <= MAX_INTERVAL else None
