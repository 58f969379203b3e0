"""What several bodies say of one event, together. Pure.

An event may be told of by bodies that know different things: the order of a renewal and its billing attempt, a refund and the order
around it, a checkout and its update. The event is made of parts, and of each part the oldest body that has it is nearest to the
truth; of bodies of one second the one at the earlier station of the order's life. The event happened when the earliest of its bodies
says so, and is a test when any of them says so.

`merge` is commutative, associative and idempotent, also of what was merged before: an event keeps, in `sources`, which parts came from
which body, and where those stand among each other. So any order of arrival and any batching of the same bodies gives the same event.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from custom_events.pipeline.state import stations
from custom_events.platforms.natural_keys import is_subscription_of_order
from custom_events.values.clicks import ConsentStatus
from custom_events.values.events import CommerceEvent, Customer, Refund, Source, Subscription, to_json

_DIGEST_CHARACTERS: Final = 16  # 64 bits: enough to tell bodies of one second and one station apart


class Evidence(NamedTuple):
    """An event as one body shows it, or several together: then the raw event is the oldest's. `raw_id` 0: not known any more."""

    event: CommerceEvent
    raw_id: int
    landed_week: date


class _Body(NamedTuple):
    """What told of a part. The smaller of two is nearer to the truth."""

    evidence_at: datetime
    tie: str  # stations of the order, then a digest
    raw_id: int
    landed_week: date


class _Part(NamedTuple):
    """A part and the body that tells of it."""

    value: Any
    body: _Body


_Parts = dict[str, _Part]

# Parts of parts: what one body knows of the same customer, refund or subscription, another may leave out. What is listed together
# comes from one body, as the one is nothing without the other. All that is not listed is the part itself, and comes as a whole.
_FILLED: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "customer": {
        "customer.key": ("key", "id"),
        "customer.email_sha256": ("email_sha256",),
        "customer.phone_sha256": ("phone_sha256",),
    },
    "refund": {
        "refund.currency": ("currency",),
        "refund.reason": ("reason",),
        "refund.items": ("items",),
        "refund.created_at": ("created_at",),
    },
    "subscription": {
        "subscription.id": ("id",),
        "subscription.status": ("status", "cancelled_at"),
        "subscription.order_id": ("order_id",),
        "subscription.origin_order_id": ("origin_order_id",),
        "subscription.interval": ("interval",),
        "subscription.interval_count": ("interval_count",),
        "subscription.created_at": ("created_at",),
        "subscription.amount": ("amount",),
        "subscription.currency": ("currency",),
        "subscription.error_code": ("error_code",),
    },
}
_EMPTY: Final[Mapping[str, Any]] = {
    "customer": Customer(),
    "refund": Refund(id="", order_id="", amount=Decimal(0)),
    "subscription": Subscription(id=""),
}
_WHOLE: Final = ("order", "cart", "clicks", "consent", "utm", "note_attributes", "meta", "properties")
_OCCURRED: Final = "occurred_at"
_TEST: Final = "is_test"
_ID: Final = "subscription.id"  # what only stands for one is none, and stays with the part
_BODY: Final = "body"  # that there is one: the oldest names the event's evidence

# The parts of an event as bits: which it has, and which it has in the form that no other body can better. A stored event whose bits
# include those of a younger body learns nothing from it.
_BITS: Final = {
    name: 1 << place
    for place, name in enumerate([*_WHOLE, *_FILLED, *(name for parts in _FILLED.values() for name in parts), _TEST])
}
_CONSENT_SAYS: Final = _BITS["consent"] | 1 << len(_BITS)
MERGED: Final = 1 << len(_BITS) + 1  # several bodies tell of it: any other may stand between them
(_ORDER, _CART, _CLICKS, _CONSENT, _UTM, _ATTRIBUTES, _META, _PROPERTIES, _CUSTOMER) = (
    _BITS[name] for name in (*_WHOLE, "customer")
)
_KEY, _EMAIL, _PHONE = (_BITS[name] for name in _FILLED["customer"])
_IS_TEST: Final = _BITS[_TEST]
_UNKNOWN: Final = ConsentStatus.UNKNOWN


def parts_of(event: CommerceEvent) -> int:  # noqa: C901, PLR0912  asked of every event: written out, it takes a third
    """Which parts the event has, as bits."""
    bits = 0 if event.order is None else _ORDER
    if (customer := event.customer) is not None:
        bits |= _CUSTOMER
        if customer.key is not None:
            bits |= _KEY
        if customer.email_sha256 is not None:
            bits |= _EMAIL
        if customer.phone_sha256 is not None:
            bits |= _PHONE
    if event.clicks:
        bits |= _CLICKS
    if (consent := event.consent) is not None:
        bits |= _CONSENT if consent.ad_user_data is _UNKNOWN else _CONSENT_SAYS
    if event.utm:
        bits |= _UTM
    if event.note_attributes:
        bits |= _ATTRIBUTES
    if event.meta:
        bits |= _META
    if event.properties:
        bits |= _PROPERTIES
    if event.cart is not None:
        bits |= _CART
    if event.is_test:
        bits |= _IS_TEST
    if event.sources:
        bits |= MERGED
    if event.refund is not None or event.subscription is not None:
        bits |= _rarer_parts(event)
    return bits


def _rarer_parts(event: CommerceEvent) -> int:
    bits = 0
    for name in ("refund", "subscription"):
        part = getattr(event, name)
        if part is not None:
            bits |= _BITS[name]
            for filled, fields in _FILLED[name].items():
                if _has(part, filled, fields):
                    bits |= _BITS[filled]
    return bits


def _has(part: Any, filled: str, fields: Iterable[str]) -> bool:
    if filled == _ID:
        return not is_subscription_of_order(part.id)
    return any((value := getattr(part, field)) is not None and value != () for field in fields)


def is_older(event: CommerceEvent, other: CommerceEvent) -> bool | None:
    """Whether the first event's body is the older; None: only their digests can tell."""
    if event.evidence_at != other.evidence_at:
        return event.evidence_at < other.evidence_at
    here, there = _stations(event), _stations(other)
    return None if here == there else here < there


def has_all(older: CommerceEvent, older_parts: int, younger: CommerceEvent, younger_parts: int) -> bool:
    """Whether the older of two evidences certainly is what both say together. This is the ordinary case: two bodies of a kind."""
    return older.occurred_at <= younger.occurred_at and not younger_parts & ~older_parts and not older_parts & MERGED


def _stations(event: CommerceEvent) -> tuple[int, int]:
    return stations(event.order) if event.order is not None else (0, 0)


def _body(evidence: Evidence) -> _Body:
    """Of an event that no other body was merged into."""
    event = evidence.event
    payment, status = _stations(event)
    digest = hashlib.sha256(to_json(event)).hexdigest()[:_DIGEST_CHARACTERS]
    return _Body(event.evidence_at, f"{payment:02}{status:02}{digest}", evidence.raw_id, evidence.landed_week)


def merge(evidence: Evidence, other: Evidence) -> Evidence:
    """What two evidences of the same event say together."""
    return _event(_merged(_parts(evidence), _parts(other)), evidence.event)


def replace(stored: Evidence, today: Evidence, raw_ids: Collection[int]) -> Evidence:
    """A stored event after raw events that told of it were understood again: what they said before is gone, what they say `today`
    counts. What another body said of a part and one of these outdid is not stored: it comes back when that is understood again."""
    rest = {name: part for name, part in _parts(stored).items() if part.body.raw_id not in raw_ids}
    parts = _merged(rest, _parts(today))
    named = parts.get("subscription")
    if named is not None and not named.value.id and _ID not in parts:  # what named it is gone
        del parts["subscription"]
        if (own := today.event.subscription) is not None:
            parts["subscription"] = named._replace(value=msgspec.structs.replace(named.value, id=own.id))
    for name, fillings in _FILLED.items():
        if name not in parts:  # what is left to fill is nothing without it
            parts = {key: part for key, part in parts.items() if key not in fillings}
    return _event(parts, today.event)


def _merged(parts: _Parts, other: _Parts) -> _Parts:
    result = {**parts, **other}
    for name in parts.keys() & other.keys():
        if _rank(name, parts[name]) < _rank(name, other[name]):
            result[name] = parts[name]
    return result


def _rank(name: str, part: _Part) -> tuple[Any, ...]:
    """Of two tellings of a part the smaller counts."""
    value, body = part
    if name == _OCCURRED:
        return value, body
    if name == _TEST:
        return not value, body
    if name == "consent":
        return value.ad_user_data is _UNKNOWN, body
    return (body,)


def _parts(evidence: Evidence) -> _Parts:
    """The event taken apart."""
    event = evidence.event
    bodies = [_Body(source.evidence_at, source.tie, source.raw_id, source.landed_week) for source in event.sources] or [
        _body(evidence)
    ]
    others = {name: body for source, body in zip(event.sources, bodies, strict=False) for name in source.parts}
    values: dict[str, Any] = {_BODY: None, _OCCURRED: event.occurred_at, _TEST: event.is_test}
    values |= {name: value for name in _WHOLE if (value := getattr(event, name))}
    for name, fillings in _FILLED.items():
        part = getattr(event, name)
        if part is None:
            continue
        for filled, fields in fillings.items():
            if _has(part, filled, fields):
                values[filled] = {field: getattr(part, field) for field in fields}
        known = [field for filled, fields in fillings.items() if filled in values for field in fields]
        values[name] = msgspec.structs.replace(part, **{field: getattr(_EMPTY[name], field) for field in known})
    return {name: _Part(value, others.get(name, bodies[0])) for name, value in values.items()}


def _event(parts: _Parts, like: CommerceEvent) -> Evidence:
    """The event put together again."""
    values: dict[str, Any] = {name: part.value for name, part in parts.items() if name in _WHOLE}
    for name, fillings in _FILLED.items():
        if name in parts:
            known = [parts[filled].value for filled in fillings if filled in parts]
            values[name] = msgspec.structs.replace(
                parts[name].value, **{k: v for fields in known for k, v in fields.items()}
            )
    bodies = sorted({part.body for part in parts.values()})
    oldest = bodies[0]
    event = CommerceEvent(
        type=like.type,
        key=like.key,
        occurred_at=parts[_OCCURRED].value,
        evidence_at=oldest.evidence_at,
        is_test=parts[_TEST].value,
        sources=tuple([_source(body, parts, body is oldest) for body in bodies]) if len(bodies) > 1 else (),
        **values,
    )
    return Evidence(event, oldest.raw_id, oldest.landed_week)


def _source(body: _Body, parts: _Parts, is_oldest: bool) -> Source:
    """What a body gave; of the oldest nothing is named, as all the rest is its own."""
    names = () if is_oldest else tuple(sorted(name for name, part in parts.items() if part.body == body))
    return Source(
        evidence_at=body.evidence_at, tie=body.tie, raw_id=body.raw_id, landed_week=body.landed_week, parts=names
    )
