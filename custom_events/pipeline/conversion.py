"""From a match to its row in the ledger: queued, held until when, or withheld and why. Pure.

Consent, identifiers, value and what the ads action takes are decided in one place, `matching/release.py`; what Google asks of a
single row is checked again when it is sent (`destinations/conversion_rules.py`, whose limits these are). Here the clock has its
say: when the conversion may go first and when it is too late.
"""

import hashlib
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
from custom_events.matching.match import Match
from custom_events.matching.reasons import SENTENCES
from custom_events.matching.release import action_reason, click_for
from custom_events.values.clicks import Click
from custom_events.values.conversions import AdsAction, UploadState
from custom_events.values.events import CommerceEvent, EventType

DIGEST_CHARACTERS: Final = 24  # 96 bits of SHA-256: no two events of an installation will meet

# Why nothing is sent, beside the matching's own reasons.
TOO_LATE: Final = "too_late"
SAME_TRANSACTION_SENTENCE: Final = (
    "Another assignment sends this transaction to the same ads action: Google counts it once"
)

# What a held conversion waits for.
DELAY: Final = "delay"
CLICK_TOO_RECENT: Final = "click_too_recent"
ACTION_TOO_RECENT: Final = "action_too_recent"
TIME_IN_FUTURE: Final = "time_in_future"
CONSENT_UNKNOWN_IN_EUROPE: Final = "consent_unknown_in_europe"
_DELAY_ENDS: Final = "The assignment's delay ends"
_CONSENT_SENTENCE: Final = (
    "Nobody said whether this customer, who may be in the EEA, the UK or Switzerland, allows the use of their data for ads: held "
    "by the assignment's policy until somebody says, or lets it go"
)

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


def draft(match: Match, event: CommerceEvent, action: AdsAction | None, now: datetime) -> Draft:
    """The ledger's row for a match; `action` is the one its assignment names, None when there is none."""
    click = click_for(match.click, event, match.assignment.config.click_window_days, action)
    deadline_at = deadline(event.occurred_at, click)
    transaction = transaction_id(match.assignment.site_id, event)
    reason = match.withheld or action_reason(action, event, click, match.value, match.currency)
    against: tuple[str, str] | None = None if reason is None else (reason, SENTENCES[reason])
    if against is None and deadline_at <= now:
        against = TOO_LATE, f"Google took this conversion until {deadline_at:%Y-%m-%d %H:%M} UTC"
    if against is not None:
        return Draft(UploadState.WITHHELD, *against, transaction, click, now, deadline_at)
    if match.waits_for_consent:
        held = CONSENT_UNKNOWN_IN_EUROPE, _CONSENT_SENTENCE
        return Draft(UploadState.HELD, *held, transaction, click, deadline_at, deadline_at)
    until, reason, sentence = earliest_moment(match, click, action, now)
    state = UploadState.QUEUED if reason is None else UploadState.HELD
    return Draft(state, reason, sentence, transaction, click, until, deadline_at)


def deadline(at: datetime, click: Click | None) -> datetime:
    """After this Google refuses it: 90 days from the click (from the conversion, where the click's time is unknown: it was not
    later), 63 days for hashed user data alone (google-ads 2.2)."""
    if click is None:
        return at + OLDEST_USER_DATA
    return (click.clicked_at or at) + OLDEST_CLICK


def earliest_moment(
    match: Match, click: Click | None, action: AdsAction | None, now: datetime
) -> tuple[datetime, str | None, str | None]:
    """When it may be sent first, and what it waits for until then (reason and sentence; None: it may go now)."""
    waits: list[tuple[datetime, str, str]] = []  # in the ordinary case it stays empty
    if match.not_before > match.occurred_at:
        waits.append((match.not_before, DELAY, _DELAY_ENDS))
    if click is not None and click.clicked_at is not None:
        settled = click.clicked_at + SETTLING
        waits.append((settled, CLICK_TOO_RECENT, "Google accepts this click 6 hours after it happened"))
    if action is not None and action.created_at is not None:
        settled = action.created_at + SETTLING
        waits.append((settled, ACTION_TOO_RECENT, "Google takes conversions for an action 6 hours after it was made"))
    if match.occurred_at > now + CLOCK_TOLERANCE:
        waits.append((match.occurred_at, TIME_IN_FUTURE, "The store's clock says this is still to come"))
    if not waits:
        return now, None, None
    until, reason, sentence = max(waits)
    if until <= now:
        return now, None, None
    return until, reason, _until(sentence, until)


def delay_sentence(until: datetime) -> str:
    """What a conversion says that waits for the end of its assignment's delay."""
    return _until(_DELAY_ENDS, until)


def _until(sentence: str, until: datetime) -> str:
    return f"{sentence}: {until:%Y-%m-%d %H:%M} UTC"


def transaction_id(site_id: int, event: CommerceEvent) -> str:
    """The idempotency key at Google, never the same for two orders, whichever sites feed an action (decision 0015): site and order
    id; a digest of site and natural key for events that are not one per order, or where the id is none that Google would take
    (too long, or an address). Only for new conversions: what is in the ledger keeps the key it has."""
    order_id = event.order_id
    if (
        order_id
        and event.type not in _MANY_PER_ORDER
        and order_id.isprintable()
        and "@" not in order_id
        and order_id[0] != "+"
    ):
        key = f"{site_id}-{order_id}"
        if len(key) <= MAX_TRANSACTION_ID_CHARACTERS:
            return key
    digest = hashlib.sha256(f"{site_id}:{event.key}".encode()).hexdigest()
    return f"ce-{digest[:DIGEST_CHARACTERS]}"
