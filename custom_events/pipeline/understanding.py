"""From claimed raw events to what they say together: events by natural key and state by the store's clock. In memory, pure.

A raw event that cannot be decompressed or understood is parked; nothing that is in a body can stop the batch.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec
import structlog
import zstandard

from custom_events.pipeline import state
from custom_events.pipeline.state import CustomerState, OrderState, RefundState, SubscriptionState
from custom_events.platforms.base import StorePlatform
from custom_events.values import events
from custom_events.values.clicks import Consent, ConsentStatus
from custom_events.values.deliveries import Outcome, Platform, RawDelivery, SiteContext, Understood, parked
from custom_events.values.events import CommerceEvent

UNKNOWN_SITE = "unknown_site"
INTERNAL_ERROR = "internal_error"

Key = tuple[int, str]  # site, and what is unique within it
Row = TypeVar("Row")

_DECOMPRESS = zstandard.ZstdDecompressor().decompress
_HEADERS = msgspec.json.Decoder(dict[str, str])


class Raw(NamedTuple):
    """A raw event as the queue and the landing table hold it; `body` is compressed, `headers` is JSON text."""

    landed_week: date
    raw_id: int
    received_at: datetime
    site_id: int
    topic: str | None
    triggered_at: datetime | None
    headers: str
    body: bytes
    body_bytes: int


class Delivered(msgspec.Struct, eq=False, gc=False):
    """What became of one raw event; `new_events` is counted when its events are found to be new."""

    landed_week: date
    raw_id: int
    received_at: datetime
    site_id: int
    understood: Understood
    new_events: int = 0


class Proposal(msgspec.Struct, eq=False, gc=False):
    """An event that a body is evidence of. `event_id` and `stored_at` come with the look-up of its key, `before` is what was
    stored when this is nearer to the truth. `first`: of the same body, before this one."""

    site_id: int
    event: CommerceEvent
    from_raw: Delivered
    first: "Proposal | None" = None
    event_id: int = 0
    stored_at: datetime | None = None  # where the event is stored already; None: it is new
    facts: bytes | None = None
    before: CommerceEvent | None = None

    @property
    def key(self) -> str:
        """The event's natural key."""
        return self.event.key

    def json(self) -> bytes:
        """The event as JSON, encoded once."""
        if self.facts is None:
            first = self.first
            if first is None:
                self.facts = events.to_json(self.event)
            else:
                self.facts = events.to_json_beside(self.event, first.event, first.json())
        return self.facts

    def is_nearer_than(self, other: "Proposal") -> bool:
        """Whether this evidence of the same event is nearer to the truth than the other."""
        own, theirs = state.evidence_rank(self.event), state.evidence_rank(other.event)
        return own < theirs if own != theirs else self.json() < other.json()


class Happened(Protocol):
    """An event that is stored: a proposal of this batch, or one that was read again."""

    @property
    def event_id(self) -> int: ...
    @property
    def site_id(self) -> int: ...
    @property
    def key(self) -> str: ...
    @property
    def event(self) -> CommerceEvent: ...


class Gathered:
    """All that the raw events of one batch say, merged. Add with `take`, in any order."""

    def __init__(self, sites: Mapping[int, SiteContext], platforms: Mapping[Platform, StorePlatform]) -> None:
        self._sites, self._platforms = sites, platforms
        self.delivered: list[Delivered] = []
        self.events: dict[Key, Proposal] = {}
        self.orders: dict[Key, OrderState] = {}
        self.refunds: dict[tuple[int, str, str], RefundState] = {}
        self.subscriptions: dict[Key, SubscriptionState] = {}
        self.customers: dict[Key, CustomerState] = {}
        self.consents: dict[
            Key, tuple[datetime, Consent]
        ] = {}  # what bodies said of orders: a refusal, else the newest; and when

    def take(self, raw: Raw) -> Delivered:
        """Understand one raw event and merge what it says. Never raises for what a body holds."""
        understood = self._understand(raw)
        delivered = Delivered(raw.landed_week, raw.raw_id, raw.received_at, raw.site_id, understood)
        self.delivered.append(delivered)
        if understood.outcome is Outcome.UNDERSTOOD:
            self._merge(raw, understood, delivered)
        return delivered

    def _heed(self, site_id: int, order_id: str, event: CommerceEvent) -> None:
        """Consent that somebody gave or refused; a body that says nothing takes nothing back. A refusal counts whatever else was
        said, so that batches need not agree about what came last."""
        consent = event.consent
        if consent is None or consent.ad_user_data is ConsentStatus.UNKNOWN:
            return
        said = consent.ad_user_data is ConsentStatus.DENIED, event.evidence_at
        known = self.consents.get((site_id, order_id))
        if known is None or (known[1].ad_user_data is ConsentStatus.DENIED, known[0]) <= said:
            self.consents[site_id, order_id] = event.evidence_at, consent

    def _understand(self, raw: Raw) -> Understood:
        site = self._sites.get(raw.site_id)
        if site is None:
            return parked(UNKNOWN_SITE, f"No site {raw.site_id}")
        try:
            body = _DECOMPRESS(raw.body, max_output_size=raw.body_bytes)
            delivery = RawDelivery(topic=raw.topic, body=body, headers=_HEADERS.decode(raw.headers))
            return self._platforms[site.platform].understand(delivery, site)
        except Exception as error:  # noqa: BLE001  one raw event must not stop the others; it is parked, and counted
            structlog.get_logger().warning("understanding_failed", raw_id=raw.raw_id, error=type(error).__name__)
            return internal_error(error)

    def _merge(self, raw: Raw, understood: Understood, delivered: Delivered) -> None:
        site_id = raw.site_id
        customer_key = None
        customer, seen_at = None, raw.received_at
        is_test = False
        evidence_at = raw.triggered_at or raw.received_at
        first: Proposal | None = None
        for event in understood.events:
            evidence_at, is_test = event.evidence_at, event.is_test
            proposal = Proposal(site_id, event, delivered, first)
            if first is None:
                first = proposal
            known = self.events.setdefault((site_id, event.key), proposal)
            if known is not proposal and proposal.is_nearer_than(known):
                self.events[site_id, event.key] = proposal
            if event.customer is customer and event.occurred_at >= seen_at:
                continue  # all events of a body have the same one: nothing new about it
            customer, seen_at = event.customer, event.occurred_at
            if customer is not None and customer.key is not None:
                customer_key = customer.key
                seen = state.customer_state(customer, seen_at)
                _merge_into(self.customers, (site_id, customer_key), seen, state.merge_customers)
        if understood.order is not None:
            if understood.events:
                self._heed(site_id, understood.order.id, understood.events[-1])
            order = state.order_state(understood.order, customer_key, is_test=is_test)
            _merge_into(self.orders, (site_id, understood.order.id), order, state.merge_orders)
        if understood.deleted_order_id is not None:
            stub = OrderState(deleted_at=raw.triggered_at or raw.received_at)
            _merge_into(self.orders, (site_id, understood.deleted_order_id), stub, state.merge_orders)
        for refund in understood.refunds:
            self.orders.setdefault((site_id, refund.order_id), OrderState())
            found = state.refund_state(refund)
            _merge_into(self.refunds, (site_id, refund.order_id, refund.id), found, state.merge_refunds)
        if understood.subscription is not None:
            contract = state.subscription_state(understood.subscription, evidence_at, customer_key)
            _merge_into(self.subscriptions, (site_id, understood.subscription.id), contract, state.merge_subscriptions)


def internal_error(error: Exception) -> Understood:
    """Parked by our own fault: the error's class and nothing of the data."""
    return parked(INTERNAL_ERROR, type(error).__name__)


def _merge_into(rows: dict[Any, Row], key: Any, row: Row, merge: Callable[[Row, Row], Row]) -> None:
    known = rows.get(key)
    rows[key] = row if known is None else merge(known, row)
