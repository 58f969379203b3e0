"""State of orders, refunds, subscriptions and customers by the store's clock, merged so that order of arrival cannot matter.

Each `merge` is commutative, associative and idempotent, so any permutation and any batching of a set of bodies ends in the same
row. What a store can undo belongs to the newest body by the store's clock that says something of it: status, totals, paid or
not, cancelled or not, the amount of a refund. Ties are decided by what comes later in an order's life and then by the values
themselves. What nobody undoes (when it was ordered, when a customer was first seen) keeps the earliest moment. Of answers about
consent a refusal counts, else a yes.
"""

from collections.abc import Hashable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from custom_events.values.clicks import Consent, ConsentStatus
from custom_events.values.events import Customer, Order, Refund, Subscription

NO_TIME = datetime(1, 1, 1, tzinfo=UTC)
NOBODY_SAID: tuple[str | None, str | None] = (None, None)
_UNKNOWN = ConsentStatus.UNKNOWN  # naming a member of an enumeration costs Python 3.11 as much as a comparison

TRASH = "trash"  # WooCommerce's status of an order that was deleted and can be restored
REFUNDED = "refunded"  # WooCommerce's status of an order that was given back whole, whatever refunds it lists

_NOTHING = Decimal(0)
_ENCODER = msgspec.json.Encoder(decimal_format="string")

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
            (REFUNDED, "voided", "cancelled", "expired", "switched"),
            (TRASH,),
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
    deleted_at: datetime | None = None  # by a delivery without a body, until the order is shown again
    currency: str | None = None
    total: Decimal | None = None
    refunded: Decimal = Decimal(0)
    customer_key: str | None = None
    is_test: bool = False
    current_total: Decimal | None = None
    payment_lost_at: datetime | None = None
    payment_state_at: datetime | None = None  # clock of what `paid_at` and `payment_lost_at` say
    cancellation_state_at: datetime | None = None  # clock of what `cancelled_at` says
    refunds_listed_at: datetime | None = None  # clock of the newest body that names every refund
    shown_at: datetime | None = None  # when the newest body was sent that is built as it is sent
    ad_user_data: str | None = None
    ad_personalization: str | None = None
    has_undone: bool = False  # events of it are stored that are undone

    @property
    def was_paid(self) -> bool:
        """Whether it was paid once, by the newest body that speaks of payment."""
        return self.paid_at is not None or self.payment_lost_at is not None

    @property
    def gone_at(self) -> datetime | None:
        """When it was deleted or trashed; None: it is there."""
        return self.state_at if self.status == TRASH else self.deleted_at


CLOCKS = ("state_at", "payment_state_at", "cancellation_state_at", "refunds_listed_at", "shown_at")
clocks_of = itemgetter(*map(OrderState._fields.index, CLOCKS))
beyond_clocks = itemgetter(*(place for place, name in enumerate(OrderState._fields) if name not in CLOCKS))


class RefundState(NamedTuple):
    """A row of `order_refunds` without its keys. `seen_at` is the clock of the newest body that says what became of it, `items` are
    its lines as JSON, `shipping` is the part that was paid for that."""

    amount: Decimal
    currency: str | None = None
    refunded_at: datetime | None = None
    seen_at: datetime | None = None
    items: str | None = None
    shipping: Decimal | None = None
    has_failed: bool | None = None


class SubscriptionState(NamedTuple):
    """A row of `subscriptions` without its keys."""

    state_at: datetime | None = None
    status: str | None = None
    started_at: datetime | None = None
    cancelled_at: datetime | None = None
    customer_key: str | None = None
    origin_order_id: str | None = None

    @property
    def says_whether_it_runs(self) -> bool:
        """Whether a body has said so; a custom sender's need not."""
        return self.status is not None or self.cancelled_at is not None


class CustomerState(NamedTuple):
    """A row of `customers` without its keys."""

    first_seen_at: datetime
    email_sha256: str | None = None
    phone_sha256: str | None = None


def order_state(
    order: Order,
    customer_key: str | None,
    *,
    is_test: bool,
    shown_at: datetime | None = None,
    consent: Consent | None = None,
) -> OrderState:
    """The state that one body shows. `shown_at`: when it was sent, of a body that is built as it is sent."""
    clock = order.updated_at
    ad_user_data, ad_personalization = NOBODY_SAID if consent is None else answers(consent)
    return OrderState(
        order.number,
        order.created_at,
        clock,
        order.status,
        order.financial_status,
        order.paid_at,
        order.cancelled_at,
        None,
        order.currency,
        order.total,
        _NOTHING,
        customer_key,
        is_test,
        order.current_total,
        order.payment_lost_at,
        clock if order.payment_known else None,
        clock if order.cancellation_known else None,
        clock if order.lists_refunds else None,
        shown_at,
        ad_user_data,
        ad_personalization,
    )


def answers(consent: Consent) -> tuple[str | None, str | None]:
    """What a customer answered about ad_user_data and ad_personalization; None where nothing was said."""
    user_data, ads = consent.ad_user_data, consent.ad_personalization
    return None if user_data is _UNKNOWN else user_data, None if ads is _UNKNOWN else ads


def merge_orders(order: OrderState, other: OrderState) -> OrderState:
    """The newer state, with what the newest bodies say of payment, cancellation and refunds: not every body speaks of each.
    `refunded` is worked out from `order_refunds` afterwards (`given_back`)."""
    if _says_it_later(other, order):  # most of what stores send of an order again; a quarter of the work
        return other
    if order.state_at == other.state_at:
        newer = max(order, other, key=_order_rank)
    else:
        newer = order if (order.state_at or NO_TIME) > (other.state_at or NO_TIME) else other
    payment = max(_payment(order), _payment(other), key=_payment_rank)
    cancellation = max(_cancellation(order), _cancellation(other), key=_cancellation_rank)
    shown_at = latest(order.shown_at, other.shown_at)
    deleted_at = latest(order.deleted_at, other.deleted_at)
    if deleted_at is not None and deleted_at < (latest(newer.state_at, shown_at) or NO_TIME):
        deleted_at = None
    return newer._replace(
        ordered_at=earliest(order.ordered_at, other.ordered_at),
        paid_at=payment[1],
        cancelled_at=cancellation[1],
        deleted_at=deleted_at,
        refunded=max(order.refunded, other.refunded),
        payment_lost_at=payment[2],
        payment_state_at=payment[0],
        cancellation_state_at=cancellation[0],
        refunds_listed_at=latest(order.refunds_listed_at, other.refunds_listed_at),
        shown_at=shown_at,
        ad_user_data=least(order.ad_user_data, other.ad_user_data),  # "denied" comes before "granted"
        ad_personalization=least(order.ad_personalization, other.ad_personalization),
        has_undone=order.has_undone or other.has_undone,
    )


def _says_it_later(newer: OrderState, order: OrderState) -> bool:
    """Whether a state says what another one says, and speaks at least as late of all of it: merged they are the newer one. Not asked of
    rows from before there were clocks of payment and cancellation."""
    return (
        order.deleted_at is None
        and order.payment_state_at is not None
        and order.cancellation_state_at is not None
        and beyond_clocks(newer) == beyond_clocks(order)
        and all(map(_is_as_late, clocks_of(newer), clocks_of(order)))
    )


def _is_as_late(clock: datetime | None, other: datetime | None) -> bool:
    return other is None or (clock is not None and clock >= other)


_Payment = tuple[datetime | None, datetime | None, datetime | None]
_Cancellation = tuple[datetime | None, datetime | None]


def _payment(state: OrderState) -> _Payment:
    """What it says of payment, after the clock of that. Rows written before there was one have the whole state's."""
    clock = state.payment_state_at or (state.state_at if state.paid_at is not None else None)
    return clock, state.paid_at, state.payment_lost_at


def _payment_rank(payment: _Payment) -> tuple[datetime, datetime, bool, datetime]:
    """Within one second paid goes before not paid, and not lost before lost."""
    clock, paid_at, lost_at = payment
    return clock or NO_TIME, paid_at or NO_TIME, lost_at is None, lost_at or NO_TIME


def _cancellation(state: OrderState) -> _Cancellation:
    """The same of cancellation."""
    clock = state.cancellation_state_at or (state.state_at if state.cancelled_at is not None else None)
    return clock, state.cancelled_at


def _cancellation_rank(cancellation: _Cancellation) -> tuple[datetime, datetime]:
    """Within one second cancelled goes before not cancelled."""
    return cancellation[0] or NO_TIME, cancellation[1] or NO_TIME


def _order_rank(state: OrderState) -> tuple[Any, ...]:
    """Which of two states of one moment is the newer."""
    return (
        _STATIONS.get(state.financial_status or "", 0),
        _STATIONS.get(state.status or "", 0),
        *comparable(state.financial_status, state.status, state.total, state.current_total, state.currency),
        *comparable(state.customer_key, state.number, state.is_test),
    )


def refund_state(refund: Refund, seen_at: datetime) -> RefundState:
    """What one body, as of `seen_at` unless the refund says, says of a refund."""
    items = _ENCODER.encode(refund.items).decode() if refund.items else None
    clock = refund.seen_at or seen_at
    has_failed = refund.has_failed or None
    return RefundState(refund.amount, refund.currency, refund.created_at, clock, items, refund.shipping, has_failed)


def merge_refunds(refund: RefundState, other: RefundState) -> RefundState:
    """The amount that the newest body tells, in the currency it tells it in: a pending refund may fail, or move less. Its lines do
    not change, but not every body has them: the fuller list stays."""
    newer = max(refund, other, key=_refund_rank)
    return RefundState(
        newer.amount,
        newer.currency,
        earliest(refund.refunded_at, other.refunded_at),
        newer.seen_at,
        max(refund.items, other.items, key=_fullness),
        max(refund.shipping, other.shipping, key=comparable),
        newer.has_failed,
    )


def _refund_rank(state: RefundState) -> tuple[datetime, Decimal, str, bool]:
    return state.seen_at or NO_TIME, state.amount, state.currency or "", not state.has_failed


def _fullness(items: str | None) -> tuple[int, str]:
    return (0, "") if items is None else (len(items), items)


def counts(refund: RefundState, refunds_listed_at: datetime | None) -> bool:
    """Whether a refund gave money back: one that the newest list of the order's refunds does not name is gone."""
    return refund.amount > 0 and (refund.seen_at or NO_TIME) >= (refunds_listed_at or NO_TIME)


def given_back(order: OrderState, refunds: Iterable[RefundState]) -> Decimal:
    """How much of an order was given back: the refunds that count; all of it where the store says so, whether it lists refunds
    already or not."""
    amount = sum((refund.amount for refund in refunds if counts(refund, order.refunds_listed_at)), _NOTHING)
    return max(amount, order.total or _NOTHING) if order.status == REFUNDED else amount


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


def merge_subscriptions(subscription: SubscriptionState, other: SubscriptionState) -> SubscriptionState:
    """Status and end by the newest body that says whether it runs; customer and first order as far as either knows them."""
    newer, older = (
        (subscription, other)
        if _subscription_rank(subscription) >= _subscription_rank(other)
        else (other, subscription)
    )
    return SubscriptionState(
        newer.state_at,
        newer.status,
        earliest(subscription.started_at, other.started_at),
        newer.cancelled_at,
        least(newer.customer_key, older.customer_key),
        least(newer.origin_order_id, older.origin_order_id),
    )


def _subscription_rank(state: SubscriptionState) -> tuple[Any, ...]:
    return (
        state.says_whether_it_runs,
        state.state_at or NO_TIME,
        _STATIONS.get(state.status or "", 0),
        *comparable(state.status, state.cancelled_at),
    )


def customer_state(customer: Customer, seen_at: datetime) -> CustomerState:
    """What one event, as of its own time, says of its customer."""
    return CustomerState(seen_at, customer.email_sha256, customer.phone_sha256)


def merge_customers(customer: CustomerState, other: CustomerState) -> CustomerState:
    """First seen at the earlier; of several hashes the least, which is arbitrary and the same whatever came first."""
    return CustomerState(
        min(customer.first_seen_at, other.first_seen_at),
        least(customer.email_sha256, other.email_sha256),
        least(customer.phone_sha256, other.phone_sha256),
    )


def stations(order: Order) -> tuple[int, int]:
    """How far an order's life had come when a body showed it, by its payment and by its status: of two bodies of one second the
    smaller is the older."""
    return _STATIONS.get(order.financial_status or "", 0), _STATIONS.get(order.status or "", 0)


def earliest(moment: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier of two moments, as far as they are known."""
    if moment is None or other is None:
        return moment or other
    return min(moment, other)


def latest(moment: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two moments, as far as they are known."""
    if moment is None or other is None:
        return moment or other
    return max(moment, other)


def least(text: str | None, other: str | None) -> str | None:
    """The lesser of two words, as far as they are known: arbitrary (but for consent), and the same whatever came first."""
    if text is None or other is None:
        return other if text is None else text
    return min(text, other)


def comparable(*values: Hashable) -> tuple[tuple[bool, Any], ...]:
    """The values in a form in which None sorts first."""
    return tuple((value is not None, value if value is not None else 0) for value in values)
