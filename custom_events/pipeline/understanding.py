"""From claimed raw events to what they say together: events by natural key and state by the store's clock. In memory, pure.

A raw event that cannot be decompressed or understood is parked; nothing that is in a body can stop the batch.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec
import structlog
import zstandard

from custom_events.pipeline import state
from custom_events.pipeline.evidence import Evidence, has_all, is_older, merge, parts_of
from custom_events.pipeline.kept_fields import KeptFields
from custom_events.pipeline.state import CustomerState, OrderState, RefundState, SubscriptionState
from custom_events.platforms import beacons
from custom_events.platforms.base import StorePlatform
from custom_events.values import events
from custom_events.values.beacons import MECHANISM
from custom_events.values.clicks import ConsentStatus
from custom_events.values.deliveries import (
    SITE_PAUSED,
    Outcome,
    Platform,
    RawDelivery,
    SiteContext,
    Understood,
    beacon_of,
    ignored,
    parked,
)
from custom_events.values.events import CommerceEvent
from custom_events.values.forgotten import REDACTED, is_redacted_delivery

UNKNOWN_SITE = "unknown_site"
INTERNAL_ERROR = "internal_error"

Key = tuple[int, str]  # site, and what is unique within it
Row = TypeVar("Row")

_DECOMPRESS = zstandard.ZstdDecompressor().decompress
_HEADERS = msgspec.json.Decoder(dict[str, str])


class Raw(NamedTuple):
    """A raw event as the queue and the landing table hold it; `body` is compressed, `headers` is JSON text. `content`: the body's bytes, where
    somebody has looked at them already."""

    landed_week: date
    raw_id: int
    received_at: datetime
    site_id: int
    topic: str | None
    triggered_at: datetime | None
    headers: str
    body: bytes
    body_bytes: int
    content: bytes | None = None

    def decompressed(self) -> bytes:
        """The exact bytes of the delivery."""
        if self.content is not None:
            return self.content
        return _DECOMPRESS(self.body, max_output_size=self.body_bytes)


class Delivered(msgspec.Struct, eq=False, gc=False):
    """What became of one raw event; `new_events` is counted when its events are found to be new. `shows`: the state of the order that its body
    shows."""

    landed_week: date
    raw_id: int
    received_at: datetime
    site_id: int
    understood: Understood
    new_events: int = 0
    shows: OrderState | None = None


class CandidateEvent(msgspec.Struct, eq=False, gc=False):
    """An event that a body is evidence of, or several bodies of the batch together. `event_id` and `stored_at` come with the look-up
    of its key, `before` is what was stored when this says something else. `first`: of the same body, before this one."""

    site_id: int
    event: CommerceEvent
    from_raw: Delivered  # the oldest body
    first: "CandidateEvent | None" = None
    others: tuple[Delivered, ...] = ()  # what else in the batch told of it
    stored_raw: tuple[int, date] | None = None  # the oldest body, where that is not in the batch
    event_id: int = 0
    stored_at: datetime | None = None  # where the event is stored already; None: it is new
    stored_as: events.Stored | None = None
    before: CommerceEvent | None = None
    known_parts: int = -1

    @property
    def key(self) -> str:
        """The event's natural key."""
        return self.event.key

    def stored(self) -> events.Stored:
        """The event as it is stored, encoded once."""
        if self.stored_as is None:
            first = self.first
            if first is None:
                self.stored_as = events.to_stored(self.event)
            else:
                self.stored_as = events.to_stored_beside(self.event, first.event, first.stored())
        return self.stored_as

    @property
    def evidence(self) -> Evidence:
        """The event with its oldest raw event."""
        raw = self.from_raw
        return Evidence(self.event, *(self.stored_raw or (raw.raw_id, raw.landed_week)))

    @property
    def bodies(self) -> tuple[Delivered, ...]:
        """Those of the batch that the event is made of."""
        raw_ids = {self.evidence.raw_id, *(source.raw_id for source in self.event.sources)}
        return tuple([raw for raw in (self.from_raw, *self.others) if raw.raw_id in raw_ids])

    @property
    def parts(self) -> int:
        """`parts_of` the event, worked out once."""
        if self.known_parts < 0:
            self.known_parts = parts_of(self.event)
        return self.known_parts

    def merged(self, other: "CandidateEvent") -> "CandidateEvent":
        """What this and another candidate of the same event say together: one of them, or a third."""
        older = is_older(self.event, other.event)
        if older is not None:
            base, rest = (self, other) if older else (other, self)
            if has_all(base.event, base.parts, rest.event, rest.parts):
                base.others = (*base.others, rest.from_raw, *rest.others)
                return base
        mine, theirs = self.evidence, other.evidence
        event, raw_id, _ = merge(mine, theirs)
        base, rest = (self, other) if raw_id == mine.raw_id else (other, self)
        return CandidateEvent(self.site_id, event, base.from_raw, others=(*base.others, rest.from_raw, *rest.others))


class SiteEvent(Protocol):
    """An event that is stored: a candidate of this batch, or one that was read again."""

    @property
    def event_id(self) -> int: ...
    @property
    def site_id(self) -> int: ...
    @property
    def key(self) -> str: ...
    @property
    def event(self) -> CommerceEvent: ...


class BatchState:
    """All that the raw events of one batch say, merged. Add with `take`, in any order. `kept`: what of events is kept; None: all of it."""

    def __init__(
        self,
        sites: Mapping[int, SiteContext],
        platforms: Mapping[Platform, StorePlatform],
        kept: KeptFields | None = None,
    ) -> None:
        self._sites, self._platforms, self._kept = sites, platforms, kept
        self.delivered: list[Delivered] = []
        self.events: dict[Key, CandidateEvent] = {}
        self.orders: dict[Key, OrderState] = {}
        self.refunds: dict[tuple[int, str, str], RefundState] = {}
        self.subscriptions: dict[Key, SubscriptionState] = {}
        self.customers: dict[Key, CustomerState] = {}
        self.consents: dict[
            Key, CommerceEvent
        ] = {}  # by order: whose word about consent counts, a silent one's where all are
        self.divided: set[Key] = set()  # orders of which these bodies do not all say the same about consent

    def take(self, raw: Raw) -> Delivered:
        """Understand one raw event and merge what it says. Never raises for what a body holds."""
        ((_, understood),) = self.understand([raw])
        return self.add(raw, understood)

    def add(self, raw: Raw, understood: Understood) -> Delivered:
        """Merge what one raw event was understood as."""
        delivered = Delivered(raw.landed_week, raw.raw_id, raw.received_at, raw.site_id, understood)
        self.delivered.append(delivered)
        # Of no use by itself, and still news of a refund: one that failed.
        if understood.outcome is Outcome.UNDERSTOOD or understood.refunds:
            self._merge(raw, understood, delivered)
        return delivered

    def _collect_consent(self, site_id: int, order_id: str, event: CommerceEvent) -> None:
        """What a body says of an order's consent, silence included. A refusal counts, else the newest that says something."""
        key = site_id, order_id
        known = self.consents.setdefault(key, event)
        if known is not event and known.consent != event.consent:
            self.divided.add(key)
            self.consents[key] = max(known, event, key=_consent_rank)
        elif event.evidence_at > known.evidence_at:
            self.consents[key] = event

    def _collect_silence(self, site_id: int, event: CommerceEvent) -> None:
        """A body without the order itself, as that of a refund. Where it names a person its conversion goes by the order's consent."""
        order_id = event.order_id
        if order_id is not None and (event.customer is not None or event.clicks):
            self._collect_consent(site_id, order_id, event)

    def understand(self, raws: Iterable[Raw]) -> list[tuple[Raw, Understood]]:
        """What each of some raw events says. Never raises for what a body holds. In two passes, each of which has its own code and data in
        the processor's cache: an eighth less time than body by body."""
        return [(raw, self._reduced(raw, whole)) for raw, whole in [(raw, self._read(raw)) for raw in raws]]

    def _read(self, raw: Raw) -> Understood:
        """All that a raw event says."""
        site = self._sites.get(raw.site_id)
        if site is None:
            return parked(UNKNOWN_SITE, f"No site {raw.site_id}")
        try:
            if is_redacted_delivery(raw.headers, raw.body_bytes):
                return ignored(REDACTED)
            delivery = RawDelivery(topic=raw.topic, body=raw.decompressed(), headers=_HEADERS.decode(raw.headers))
            if MECHANISM in delivery.headers:
                return beacons.understand(delivery)
            return self._platforms[site.platform].understand(delivery, site)
        except Exception as error:  # noqa: BLE001  one raw event must not stop the others; it is parked, and counted
            return _failed(raw, error)

    def _reduced(self, raw: Raw, understood: Understood) -> Understood:
        """The same without what is not kept, and with what the site's state says of it."""
        site = self._sites.get(raw.site_id)
        if site is None or beacon_of(understood) is not None:
            return understood
        try:
            if self._kept is not None:
                understood = self._kept.of_understood(understood, site.default_country)
        except Exception as error:  # noqa: BLE001  as above
            return _failed(raw, error)
        if not site.is_active and understood.outcome is Outcome.UNDERSTOOD:
            return msgspec.structs.replace(understood, reason=SITE_PAUSED)
        return understood

    def _merge(self, raw: Raw, understood: Understood, delivered: Delivered) -> None:
        site_id = raw.site_id
        customer_key = None
        customer, seen_at = None, raw.received_at
        is_test = False
        sent_at = understood.shown_at or raw.triggered_at or raw.received_at
        evidence_at = sent_at
        first: CandidateEvent | None = None
        for event in understood.events:
            evidence_at, is_test = event.evidence_at, event.is_test
            candidate = CandidateEvent(site_id, event, delivered, first)
            if first is None:
                first = candidate
            known = self.events.setdefault((site_id, event.key), candidate)
            if known is not candidate:
                self.events[site_id, event.key] = known.merged(candidate)
            if event.customer is customer and event.occurred_at >= seen_at:
                continue  # all events of a body have the same one: nothing new about it
            customer, seen_at = event.customer, event.occurred_at
            if customer is not None and customer.key is not None:
                customer_key = customer.key
                seen = state.customer_state(customer, seen_at)
                _merge_into(self.customers, (site_id, customer_key), seen, state.merge_customers)
        if understood.order is not None:
            consent = None
            if understood.events:
                consent = understood.events[-1].consent
                self._collect_consent(site_id, understood.order.id, understood.events[-1])
            shown_at = sent_at if understood.is_snapshot else None
            delivered.shows = order = state.order_state(
                understood.order, customer_key, is_test=is_test, shown_at=shown_at, consent=consent
            )
            _merge_into(self.orders, (site_id, understood.order.id), order, state.merge_orders)
        elif understood.deleted_order_id is None and understood.events:
            self._collect_silence(site_id, understood.events[-1])
        if (
            understood.order is None and understood.deleted_order_id is not None
        ):  # a trashed order's body says it by its status
            stub = OrderState(deleted_at=sent_at)
            _merge_into(self.orders, (site_id, understood.deleted_order_id), stub, state.merge_orders)
        for refund in understood.refunds:
            self.orders.setdefault((site_id, refund.order_id), OrderState())
            refund_state = state.refund_state(refund, evidence_at)
            _merge_into(self.refunds, (site_id, refund.order_id, refund.id), refund_state, state.merge_refunds)
        if understood.subscription is not None:
            contract = state.subscription_state(
                understood.subscription, understood.subscription_at or evidence_at, customer_key
            )
            _merge_into(self.subscriptions, (site_id, understood.subscription.id), contract, state.merge_subscriptions)


def _consent_rank(event: CommerceEvent) -> tuple[Any, ...]:
    """Whose word about consent counts: a refusal, else a yes, else silence; of equal ones the newest, by the store's clock."""
    consent = event.consent
    said = ConsentStatus.UNKNOWN if consent is None else consent.ad_user_data
    about_ads = ConsentStatus.UNKNOWN if consent is None else consent.ad_personalization
    return (
        said is ConsentStatus.DENIED,
        said is ConsentStatus.GRANTED,
        about_ads is ConsentStatus.DENIED,
        event.evidence_at,
    )


def _failed(raw: Raw, error: Exception) -> Understood:
    structlog.get_logger().warning("understanding_failed", raw_id=raw.raw_id, error=type(error).__name__)
    return internal_error(error)


def internal_error(error: Exception) -> Understood:
    """Parked by our own fault: the error's class and nothing of the data."""
    return parked(INTERNAL_ERROR, type(error).__name__)


def _merge_into(rows: dict[Any, Row], key: Any, row: Row, merge: Callable[[Row, Row], Row]) -> None:
    known = rows.get(key)
    rows[key] = row if known is None else merge(known, row)
