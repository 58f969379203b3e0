"""From a match to its row in the ledger: queued, held until when, or withheld and why. Pure.

Consent, identifiers, value and what the ads action takes are decided in one place, `matching/eligibility.py`; what Google asks of a
single row is checked again when it is sent (`destinations/conversion_rules.py`, whose limits these are). Here the clock has its
say: when the conversion may go first and when it is too late.
"""

import hashlib
import re
from datetime import datetime
from typing import Final

import msgspec

from custom_events.destinations.conversion_rules import (
    CLOCK_TOLERANCE,
    MAX_TRANSACTION_ID_CHARACTERS,
    OLDEST_CLICK,
    OLDEST_USER_DATA,
    SETTLING,
)
from custom_events.matching.eligibility import action_reason, click_for, other_clicks
from custom_events.matching.match import Match
from custom_events.values.clicks import Click
from custom_events.values.conversions import AdsAction, UploadState
from custom_events.values.deliveries import SiteContext, TransactionIds
from custom_events.values.events import CommerceEvent, EventType
from custom_events.values.reasons import (
    ACTION_TOO_RECENT,
    CLICK_TOO_RECENT,
    CONSENT_UNKNOWN_IN_EUROPE,
    DELAY,
    TIME_IN_FUTURE,
    TOO_LATE,
    WAITS,
    WITHHELD,
    moment,
    waits_until,
)

DIGEST_CHARACTERS: Final = 24  # 96 bits of SHA-256: no two events of an installation will meet

_NAMES_A_SITE: Final = re.compile(r"\d+-|ce-")  # an id of another site of ours may look so

# Events that can happen to an order more than once: the order's id would make their conversions one.
_MANY_PER_ORDER = frozenset(
    (EventType.ORDER_REFUNDED, EventType.SUBSCRIPTION_PAYMENT_FAILED, EventType.CART_ITEM_ADDED)
)


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A conversion as it enters the ledger. `reason` and `sentence` say why it is held or withheld."""

    state: UploadState
    reason: str | None
    sentence: str | None
    transaction_id: str
    click: Click | None
    not_before: datetime
    deadline_at: datetime
    other_clicks: tuple[Click, ...] = ()  # tried when Google refuses `click`, best first


def draft(
    match: Match, event: CommerceEvent, action: AdsAction | None, now: datetime, site: SiteContext | None = None
) -> Draft:
    """The ledger's row for a match; `action` is the one its assignment names, None when there is none. `site` says by what its orders are
    known at Google; without it the row is not to be written."""
    window_days = match.assignment.config.click_window_days
    click = click_for(match.click, event, window_days, action)
    others = other_clicks(click, event, window_days, action)
    deadline_at = deadline(event.occurred_at, click)
    ids = TransactionIds.SITE_AND_ID if site is None else site.transaction_ids_of(_ordered_at(event))
    transaction = transaction_id(match.assignment.site_id, event, ids)
    reason = match.withheld or action_reason(action, event, click, match.value, match.currency)
    against: tuple[str, str] | None = None if reason is None else (reason, WITHHELD[reason])
    if against is None and deadline_at <= now:
        against = TOO_LATE, WITHHELD[TOO_LATE].format(until=moment(deadline_at))
    if against is not None:
        return Draft(UploadState.WITHHELD, *against, transaction, click, now, deadline_at, others)
    if match.waits_for_consent:
        held = CONSENT_UNKNOWN_IN_EUROPE, WAITS[CONSENT_UNKNOWN_IN_EUROPE]
        return Draft(UploadState.HELD, *held, transaction, click, deadline_at, deadline_at, others)
    until, reason, sentence = earliest_moment(
        match.occurred_at, match.not_before, None if click is None else click.clicked_at, action, now
    )
    state = UploadState.QUEUED if reason is None else UploadState.HELD
    return Draft(state, reason, sentence, transaction, click, until, deadline_at, others)


def deadline(at: datetime, click: Click | None) -> datetime:
    """After this Google refuses it: 90 days from the click (from the conversion, where the click's time is unknown: it was not
    later), 63 days for hashed user data alone (docs/reference/google-ads.md 2.2)."""
    if click is None:
        return at + OLDEST_USER_DATA
    return (click.clicked_at or at) + OLDEST_CLICK


def earliest_moment(
    occurred_at: datetime, not_before: datetime, clicked_at: datetime | None, action: AdsAction | None, now: datetime
) -> tuple[datetime, str | None, str | None]:
    """When it may be sent first, and what it waits for until then (reason and sentence; None: it may go now).

    `not_before` is when the assignment's delay ends, `clicked_at` the time of the click that goes with it, where that is known."""
    waits: list[tuple[datetime, str]] = []  # in the ordinary case it stays empty
    if not_before > occurred_at:
        waits.append((not_before, DELAY))
    if clicked_at is not None:
        settled = clicked_at + SETTLING
        waits.append((settled, CLICK_TOO_RECENT))
    if action is not None and action.created_at is not None:
        settled = action.created_at + SETTLING
        waits.append((settled, ACTION_TOO_RECENT))
    if occurred_at > now + CLOCK_TOLERANCE:
        waits.append((occurred_at, TIME_IN_FUTURE))
    if not waits:
        return now, None, None
    until, reason = max(waits)
    if until <= now:
        return now, None, None
    return until, reason, waits_until(reason, until)


def _ordered_at(event: CommerceEvent) -> datetime:
    return event.occurred_at if event.order is None else event.order.created_at


def transaction_id(site_id: int, event: CommerceEvent, ids: TransactionIds = TransactionIds.SITE_AND_ID) -> str:
    """The idempotency key at Google, never the same for two orders (decision 0015): site and order id, or what the site chose of its orders
    (decision 0056); a digest of site and natural key for events that are not one per order, or where the id is none that Google would
    take (too long, or an address). Only for new conversions: what is in the ledger keeps the key it has."""
    order_id = event.order_id
    if order_id and event.type not in _MANY_PER_ORDER and _is_takeable(order_id):
        chosen = _chosen(order_id, event, ids)
        if chosen is not None and _is_takeable(chosen) and not _NAMES_A_SITE.match(chosen):
            return chosen
        key = f"{site_id}-{order_id}"
        if len(key) <= MAX_TRANSACTION_ID_CHARACTERS:
            return key
    digest = hashlib.sha256(f"{site_id}:{event.key}".encode()).hexdigest()
    return f"ce-{digest[:DIGEST_CHARACTERS]}"


def _chosen(order_id: str, event: CommerceEvent, ids: TransactionIds) -> str | None:
    if ids is TransactionIds.BARE_ID:
        return order_id
    if ids is TransactionIds.ORDER_NUMBER and event.order is not None and event.order.number:
        return event.order.number.strip().removeprefix("#") or None
    return None


def _is_takeable(text: str) -> bool:
    """Whether Google would take it: printable, not too long, no address of somebody."""
    return len(text) <= MAX_TRANSACTION_ID_CHARACTERS and text.isprintable() and "@" not in text and text[0] != "+"
