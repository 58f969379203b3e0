"""The values of an explanation: an order's or event's way from the store's webhook to Google's answer."""

from datetime import datetime
from decimal import Decimal

import msgspec

from custom_events.ledger.single_uploads import Answer
from custom_events.matching.explain import Explanation
from custom_events.values.deliveries import Platform


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A raw event. `outcome` is None while it waits (`is_waiting`) or when its outcome expired."""

    raw_id: int
    received_at: datetime
    topic: str | None
    delivery_id: str | None
    triggered_at: datetime | None
    signature: str
    body_bytes: int
    is_waiting: bool
    outcome: str | None
    reason: str | None
    detail: str | None
    new_events: int | None
    processed_at: datetime | None


class Refunded(msgspec.Struct, frozen=True, kw_only=True):
    """One refund of the order. `counts`: not failed, and not gone from the store's list."""

    refund_id: str
    amount: Decimal
    currency: str | None
    refunded_at: datetime | None
    counts: bool = True


class OrderState(msgspec.Struct, frozen=True, kw_only=True):
    """The order by the store's own clock, whatever came first."""

    order_id: str
    number: str | None
    ordered_at: datetime | None
    state_at: datetime | None
    status: str | None
    financial_status: str | None
    paid_at: datetime | None
    cancelled_at: datetime | None
    deleted_at: datetime | None
    currency: str | None
    total: Decimal | None
    refunded: Decimal
    is_test: bool
    current_total: Decimal | None = None  # what it is worth now by the store's own count
    payment_lost_at: datetime | None = None
    refunds: tuple[Refunded, ...] = ()


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the ledger: the conversion (sequence 0) or one of its adjustments. `reference` is how the API asks for it."""

    id: int
    reference: str
    created_at: datetime
    kind: str
    sequence: int
    state: str
    reason: str | None
    sentence: str | None
    value: Decimal | None
    currency: str | None
    ads_action: str | None
    transaction_id: str
    click_kind: str | None
    conversion_at: datetime
    adjusted_at: datetime | None
    not_before: datetime
    deadline_at: datetime
    settled_at: datetime | None
    attempts: int
    google_request_id: str | None
    intent_at: datetime | None
    answered_at: datetime | None
    answers: tuple[Answer, ...] = ()


class Occurred(msgspec.Struct, frozen=True, kw_only=True):
    """A custom event that was made of the event; withdrawn ones stay and say why. `value_now`: what it is worth by what became of its
    order since; what Google has follows."""

    id: int
    dedup_key: str
    value: Decimal | None
    currency: str | None
    value_now: Decimal | None = None
    withheld_reason: str | None
    withdrawn_at: datetime | None
    withdrawn_reason: str | None
    created_at: datetime
    definition_revision: int | None
    assignment_revision: int | None
    uploads: tuple[Upload, ...] = ()


class Dedup(msgspec.Struct, frozen=True, kw_only=True):
    """The key that the match has, and the custom event of another commerce event that has it."""

    key: str
    custom_event_id: int | None = None
    event_key: str | None = None
    occurred_at: datetime | None = None

    @property
    def is_taken(self) -> bool:
        """Whether another event has the key."""
        return self.custom_event_id is not None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One assignment about one event. `rules`: "then" (the revisions that decided, or applied when it was matched) or "now".
    `verdict` is the outcome in one sentence."""

    assignment_id: int
    definition: str
    label: str
    rules: str
    definition_revision: int | None
    assignment_revision: int | None
    verdict: str
    explanation: Explanation
    dedup: Dedup | None
    custom_events: tuple[Occurred, ...]


class Silent(msgspec.Struct, frozen=True, kw_only=True):
    """An assignment of the site that was not asked, and why."""

    assignment_id: int
    definition: str
    label: str
    why: str


class EventTrace(msgspec.Struct, frozen=True, kw_only=True):
    """One commerce event and what each assignment made of it. `is_undone`: the store took it back, so it matches nothing."""

    id: int
    key: str
    type: str
    occurred_at: datetime
    evidence_at: datetime
    stored_at: datetime
    amount: Decimal | None
    currency: str | None
    is_test: bool
    is_undone: bool = False
    raw_id: int | None
    decisions: tuple[Decision, ...]


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """The whole way. `order` is None for events without one; `deliveries` are those that showed something new."""

    site_id: int
    site_key: str
    site_name: str
    platform: Platform
    order: OrderState | None
    deliveries: tuple[Delivery, ...]
    events: tuple[EventTrace, ...]
    silent: tuple[Silent, ...] = ()


def to_json(trace: Trace) -> bytes:
    """The trace as JSON; amounts as text, times in ISO 8601."""
    return msgspec.json.encode(trace)
