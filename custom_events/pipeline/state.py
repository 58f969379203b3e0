"""State of orders, refunds, subscriptions and customers by the store's clock, merged so that order of arrival cannot matter.

Each `merge` is commutative, associative and idempotent: of two states the newer one wins as a whole, ties are decided by
what comes later in an order's life and then by the values themselves, and moments (paid, cancelled ...) keep the earliest
that anybody told. So any permutation and any batching of a set of bodies ends in the same row.
"""

from collections.abc import Hashable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from custom_events.values.events import CommerceEvent, Customer, Order, Refund, Subscription

NO_TIME = datetime(1, 1, 1, tzinfo=UTC)

# Stores write whole seconds, so bodies of one second tie; then the later station of an order's life is the newer one.
_STATIONS = {
    word: rank
    for rank, words in enumerate(
        (
            ("auto-draft", "checkout-draft"),
            ("pending", "open", "active", "future"),
            ("on-hold", "authorized", "failed", "paused"),
            ("partially_paid", "processing"),
            ("paid", "completed", "closed"),
            ("partially_refunded", "pending-cancel"),
            ("refunded", "voided", "cancelled", "expired", "switched"),
            ("trash",),
        ),
        start=1,
    )
    for word in words
}


class OrderState(NamedTuple):
    """A row of `orders` without its keys. What no body has said yet is None; a stub has refunds or a deletion only."""

    number: str | None = None
    ordered_at: datetime | None = None
    state_at: datetime | None = None
    status: str | None = None
    financial_status: str | None = None
    paid_at: datetime | None = None
    cancelled_at: datetime | None = None
    deleted_at: datetime | None = None
    currency: str | None = None
    total: Decimal | None = None
    refunded: Decimal = Decimal(0)
    customer_key: str | None = None
    is_test: bool = False


class RefundState(NamedTuple):
    """A row of `order_refunds` without its keys."""

    amount: Decimal
    currency: str | None = None
    refunded_at: datetime | None = None


class SubscriptionState(NamedTuple):
    """A row of `subscriptions` without its keys."""

    state_at: datetime | None = None
    status: str | None = None
    started_at: datetime | None = None
    cancelled_at: datetime | None = None
    customer_key: str | None = None
    origin_order_id: str | None = None


class CustomerState(NamedTuple):
    """A row of `customers` without its keys."""

    first_seen_at: datetime
    email_sha256: str | None = None
    phone_sha256: str | None = None


def order_state(order: Order, customer_key: str | None, *, is_test: bool) -> OrderState:
    """The state that one body shows."""
    return OrderState(
        order.number,
        order.created_at,
        order.updated_at,
        order.status,
        order.financial_status,
        order.paid_at,
        order.cancelled_at,
        None,
        order.currency,
        order.total,
        Decimal(0),
        customer_key,
        is_test,
    )


def merge_orders(one: OrderState, two: OrderState) -> OrderState:
    """The newer state with the earliest moments of both. `refunded` is not merged here: it is the sum of `order_refunds`."""
    newer = one if _order_rank(one) >= _order_rank(two) else two
    return newer._replace(
        ordered_at=earliest(one.ordered_at, two.ordered_at),
        paid_at=earliest(one.paid_at, two.paid_at),
        cancelled_at=earliest(one.cancelled_at, two.cancelled_at),
        deleted_at=earliest(one.deleted_at, two.deleted_at),
        refunded=max(one.refunded, two.refunded),
    )


def _order_rank(state: OrderState) -> tuple[Any, ...]:
    return (
        state.state_at or NO_TIME,
        _STATIONS.get(state.financial_status or "", 0),
        _STATIONS.get(state.status or "", 0),
        *comparable(state.financial_status, state.status, state.total, state.currency),
        *comparable(state.customer_key, state.number, state.is_test),
    )


def refund_state(refund: Refund) -> RefundState:
    """What one body says of a refund."""
    return RefundState(refund.amount, refund.currency, refund.created_at)


def merge_refunds(one: RefundState, two: RefundState) -> RefundState:
    """The larger amount: a refund is told of before its money has moved (amount 0), never the other way round."""
    return RefundState(
        max(one.amount, two.amount), least(one.currency, two.currency), earliest(one.refunded_at, two.refunded_at)
    )


def subscription_state(subscription: Subscription, at: datetime, customer_key: str | None) -> SubscriptionState:
    """What one body, as of `at`, says of a subscription."""
    return SubscriptionState(
        at,
        subscription.status,
        subscription.created_at,
        subscription.cancelled_at,
        customer_key,
        subscription.origin_order_id,
    )


def merge_subscriptions(one: SubscriptionState, two: SubscriptionState) -> SubscriptionState:
    """The newer status; customer and first order as far as either knows them."""
    newer, older = (one, two) if _subscription_rank(one) >= _subscription_rank(two) else (two, one)
    return SubscriptionState(
        newer.state_at,
        newer.status,
        earliest(one.started_at, two.started_at),
        earliest(one.cancelled_at, two.cancelled_at),
        least(newer.customer_key, older.customer_key),
        least(newer.origin_order_id, older.origin_order_id),
    )


def _subscription_rank(state: SubscriptionState) -> tuple[Any, ...]:
    return (state.state_at or NO_TIME, _STATIONS.get(state.status or "", 0), *comparable(state.status))


def customer_state(customer: Customer, seen_at: datetime) -> CustomerState:
    """What one event, as of its own time, says of its customer."""
    return CustomerState(seen_at, customer.email_sha256, customer.phone_sha256)


def merge_customers(one: CustomerState, two: CustomerState) -> CustomerState:
    """First seen at the earlier; of several hashes the least, which is arbitrary and the same whatever came first."""
    return CustomerState(
        min(one.first_seen_at, two.first_seen_at),
        least(one.email_sha256, two.email_sha256),
        least(one.phone_sha256, two.phone_sha256),
    )


def evidence_rank(event: CommerceEvent) -> tuple[Any, ...]:
    """Of two evidences of the same event the smaller is nearer to the truth: the older, then the earlier station.

    Events of equal rank may still differ; `facts` (the JSON) decides then, which is arbitrary and the same for everybody.
    """
    order = event.order
    if order is None:
        return (event.evidence_at, 0, 0, 0)
    return (
        event.evidence_at,
        _STATIONS.get(order.financial_status or "", 0),
        _STATIONS.get(order.status or "", 0),
        order.refunded or 0,
    )


def earliest(one: datetime | None, two: datetime | None) -> datetime | None:
    """The earlier of two moments, as far as they are known."""
    if one is None or two is None:
        return one or two
    return min(one, two)


def least(one: str | None, two: str | None) -> str | None:
    """The lesser of two words, as far as they are known: arbitrary, and the same whatever came first."""
    if one is None or two is None:
        return one or two
    return min(one, two)


def comparable(*values: Hashable) -> tuple[tuple[bool, Any], ...]:
    """The values in a form in which None sorts first."""
    return tuple((value is not None, value if value is not None else 0) for value in values)
