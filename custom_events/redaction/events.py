"""Commerce events of people who are forgotten, and all that hangs on them: orders, custom events, rows of the ledger, clicks, keys.

The rows stay, with what was bought, for how much and when, so that every sum stays right; ids become pseudonyms.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.platforms.natural_keys import is_subscription_of_order
from custom_events.queries import redaction as sql
from custom_events.values import events as commerce_events
from custom_events.values import reasons
from custom_events.values.conversions import UploadState
from custom_events.values.events import CommerceEvent, LineItem
from custom_events.values.forgotten import SubjectKind, Subjects
from custom_events.values.redacted import redacted, redacted_items

# A worker has sent it, or is about to: it can be blanked when Google has answered.
_AT_GOOGLE: Final = frozenset((UploadState.CLAIMED, UploadState.SENT))
_ITEMS: Final = msgspec.json.Decoder(tuple[LineItem, ...])
_ENCODER: Final = msgspec.json.Encoder(decimal_format="string")

Rows = Sequence[Any]
Load = Callable[[datetime, int], Rows]


class Page(msgspec.Struct, frozen=True):
    """Stored events that are redacted together: whole orders, and the carts and subscriptions they belong to. `waiting` are left until Google has answered."""

    events: dict[tuple[datetime, int], tuple[Any, CommerceEvent]]
    custom_events: Rows
    uploads: Rows
    waiting: int


def page(connection: sa.Connection, site_id: int, rows: Rows) -> Page:
    """These events and all others of the same orders, carts and subscriptions, without those of which something is at Google."""
    values = {"site": site_id, "redacted": sql.REDACTED_KEY}
    by_place = {(row.occurred_at, row.id): row for row in rows}
    orders = sorted({row.order_id for row in rows} - {None})
    for row in connection.execute(sql.EVENTS_OF_ORDERS, values | {"orders": orders}):
        by_place[row.occurred_at, row.id] = row
    events = {place: (row, _read(row)) for place, row in by_place.items()}
    tokens = sorted({token for _, event in events.values() for token in _tokens(event)})
    subscriptions = sorted(
        {subscription_id for _, event in events.values() for subscription_id in _subscriptions(event)}
    )
    if tokens or subscriptions:
        parts = {"tokens": tokens, "subscriptions": subscriptions}
        for row in connection.execute(sql.EVENTS_OF_PARTS, values | parts):
            events.setdefault((row.occurred_at, row.id), (row, _read(row)))
    custom_events = connection.execute(sql.CUSTOM_EVENTS, {"ids": [event_id for _, event_id in events]}).all()
    connection.execute(sql.LOCK_UPLOADS, {"ids": [row.id for row in custom_events]})
    uploads = connection.execute(sql.UPLOADS, {"ids": [row.id for row in custom_events]}).all()
    busy = {row.custom_event_id for row in uploads if row.state in _AT_GOOGLE}
    if not busy:
        return Page(events, custom_events, uploads, 0)
    return _without(events, custom_events, uploads, busy)


def _without(
    events: dict[tuple[datetime, int], tuple[Any, CommerceEvent]], custom_events: Rows, uploads: Rows, busy: set[int]
) -> Page:
    """The page without what is at Google: an order waits as a whole."""
    event_ids = {row.commerce_event_id for row in custom_events if row.id in busy}
    orders = {row.order_id for row, _ in events.values() if row.id in event_ids} - {None}
    left = {
        place: pair for place, pair in events.items() if pair[0].id not in event_ids and pair[0].order_id not in orders
    }
    kept = {event_id for _, event_id in left}
    ready = [row for row in custom_events if row.commerce_event_id in kept]
    ids = {row.id for row in ready}
    return Page(left, ready, [row for row in uploads if row.custom_event_id in ids], len(events) - len(left))


def redact(connection: sa.Connection, site_id: int, subjects: Subjects, chosen: Page, now: datetime) -> Counter[str]:
    """Blank a page of events and what hangs on them. How many rows of which table."""
    counts: Counter[str] = Counter()
    if not chosen.events:
        return counts
    done = {place: redacted(event, subjects) for place, (_, event) in chosen.events.items()}
    renamed = {"old": [row.key for row, _ in chosen.events.values()], "new": [event.key for event in done.values()]}
    at_site = {"site": site_id}
    counts["commerce_events"] = connection.execute(
        sql.REDACT_EVENTS,
        {
            "ats": [at for at, _ in done],
            "ids": [event_id for _, event_id in done],
            "keys": renamed["new"],
            "orders": [event.order_id for event in done.values()],
            "facts": [commerce_events.to_json(event).decode() for event in done.values()],
        },
    ).rowcount
    counts["event_keys"] = connection.execute(sql.REDACT_EVENT_KEYS, at_site | renamed).rowcount
    customers = {event.customer_key for _, event in chosen.events.values() if event.customer_key is not None}
    connection.execute(sql.DELETE_CUSTOMER_COUNTERS, at_site | {"keys": sorted(customers), "everybody": False})
    counts["counted_events"] = connection.execute(sql.REDACT_COUNTED, at_site | renamed).rowcount
    carriers = at_site | _carriers(chosen)
    counts["clicks"] = connection.execute(sql.DELETE_CLICKS, carriers).rowcount
    counts["beacons"] = connection.execute(sql.DELETE_BEACONS, carriers).rowcount
    counts.update(_custom_events(connection, subjects, chosen.custom_events))
    connection.execute(sql.REDACT_WITHDRAWN_BY, at_site | renamed)
    counts.update(_uploads(connection, subjects, chosen.uploads, now))
    orders = sorted({order for _, event in chosen.events.values() if (order := event.order_id) is not None})
    counts.update(redact_orders(connection, site_id, subjects, orders))
    return counts


def mentioned(chosen: Page) -> set[tuple[SubjectKind, str]]:
    """The orders, carts and subscriptions of a page: nothing that is delivered of them is taken in again."""
    orders = {
        (SubjectKind.ORDER, order) for _, event in chosen.events.values() if (order := event.order_id) is not None
    }
    carts = {(SubjectKind.CART, token) for _, event in chosen.events.values() for token in _tokens(event)}
    return (
        orders
        | carts
        | {
            (SubjectKind.SUBSCRIPTION, subscription_id)
            for _, event in chosen.events.values()
            for subscription_id in _subscriptions(event)
        }
    )


def redact_orders(connection: sa.Connection, site_id: int, subjects: Subjects, orders: Collection[str]) -> Counter[str]:
    """Blank the state of orders. How many rows of which table."""
    counts: Counter[str] = Counter()
    if not orders:
        return counts
    values = {"site": site_id, "orders": sorted(orders)}
    refunds = connection.execute(sql.REFUNDS, values).all()
    counts["order_refunds"] = connection.execute(
        sql.REDACT_REFUNDS,
        {
            "site": site_id,
            "old_orders": [row.order_id for row in refunds],
            "old_refunds": [row.refund_id for row in refunds],
            "new_orders": [subjects.pseudonym("order", row.order_id) for row in refunds],
            "new_refunds": [subjects.pseudonym("refund", row.refund_id) for row in refunds],
            "items": [_items(row.items) for row in refunds],
        },
    ).rowcount
    counts["order_consents"] = connection.execute(sql.DELETE_CONSENTS, values).rowcount
    counts["value_changes"] = connection.execute(sql.DELETE_VALUE_CHANGES, values).rowcount
    old = sorted(orders)
    renamed = {"old": old, "new": [subjects.pseudonym("order", order) for order in old]}
    counts["orders"] = connection.execute(sql.REDACT_ORDERS, {"site": site_id} | renamed).rowcount
    return counts


def _custom_events(connection: sa.Connection, subjects: Subjects, rows: Rows) -> Counter[str]:
    counts: Counter[str] = Counter()
    if not rows:
        return counts
    ids = [row.id for row in rows]
    new = [subjects.pseudonym("dedup", row.dedup_key) for row in rows]
    counts["custom_events"] = connection.execute(
        sql.REDACT_CUSTOM_EVENTS,
        {
            "ats": [row.occurred_at for row in rows],
            "ids": ids,
            "keys": new,
            "orders": [_pseudonym(subjects, row.order_id) for row in rows],
        },
    ).rowcount
    counts["custom_event_keys"] = connection.execute(
        sql.REDACT_CUSTOM_EVENT_KEYS,
        {
            "assignments": [row.assignment_id for row in rows],
            "old": [row.dedup_key for row in rows],
            "new": new,
            "ids": ids,
        },
    ).rowcount
    withdrawn = connection.execute(sql.DELETE_WITHDRAWN_WITHOUT_ORDER, {"ids": ids})
    counts["withdrawn_without_order"] = withdrawn.rowcount
    return counts


def _uploads(connection: sa.Connection, subjects: Subjects, rows: Rows, now: datetime) -> Counter[str]:
    counts: Counter[str] = Counter()
    if not rows:
        return counts
    new = [subjects.pseudonym("transaction", row.transaction_id) for row in rows]
    ids = [row.id for row in rows]
    counts["conversion_uploads"] = connection.execute(
        sql.REDACT_UPLOADS,
        {
            "ats": [row.created_at for row in rows],
            "ids": ids,
            "transactions": new,
            "orders": [_pseudonym(subjects, row.order_id) for row in rows],
            "reason": reasons.PERSON_FORGOTTEN,
            "unsent": reasons.WITHHELD[reasons.PERSON_FORGOTTEN],
            "unsure": reasons.EXPIRED[reasons.PERSON_FORGOTTEN],
            "now": now,
        },
    ).rowcount
    counts["upload_keys"] = connection.execute(
        sql.REDACT_UPLOAD_KEYS,
        {
            "actions": [row.ads_action_id for row in rows],
            "old": [row.transaction_id for row in rows],
            "sequences": [row.sequence for row in rows],
            "ids": ids,
            "new": new,
        },
    ).rowcount
    return counts


def _pseudonym(subjects: Subjects, order_id: str | None) -> str | None:
    return None if order_id is None else subjects.pseudonym("order", order_id)


def _read(row: Any) -> CommerceEvent:
    return commerce_events.from_json(row.facts, is_undone=row.is_undone)


def _tokens(event: CommerceEvent) -> set[str]:
    """The carts and checkouts that an event came from."""
    order, cart = event.order, event.cart
    tokens = {None if cart is None else cart.token}
    if order is not None:
        tokens |= {order.cart_token, order.checkout_token}
    return {token for token in tokens if token is not None}


def _subscriptions(event: CommerceEvent) -> set[str]:
    subscription = event.subscription
    return set() if subscription is None or is_subscription_of_order(subscription.id) else {subscription.id}


def _carriers(chosen: Page) -> dict[str, Any]:
    """What may have carried the clicks of these events, and when (as `pipeline.merging` writes them)."""
    subjects: set[str] = set()
    moments: set[datetime] = set()
    for _, event in chosen.events.values():
        order, cart = event.order, event.cart
        moments |= {event.occurred_at, *([order.created_at] if order is not None else [])}
        if cart is not None and cart.created_at is not None:
            moments.add(cart.created_at)
        subjects.add(event.key)
        if event.order_id is not None:
            subjects.add(f"order:{event.order_id}")
        subjects |= {f"cart:{token}" for token in _tokens(event)}
    return {"subjects": sorted(subjects), "since": min(moments), "until": max(moments)}


def _items(text: str | None) -> str | None:
    return None if text is None else _ENCODER.encode(redacted_items(_ITEMS.decode(text))).decode()
