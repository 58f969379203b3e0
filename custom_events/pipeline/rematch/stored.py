"""Custom events and conversions as they are stored, and what of them has to be written when they are matched again. Pure."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec

from custom_events.pipeline.comparison import Rank
from custom_events.pipeline.matching import Matched
from custom_events.pipeline.uploads import UploadData
from custom_events.values.conversions import UploadState
from custom_events.values.reasons import Reason

UNSENT = frozenset((UploadState.NEW, UploadState.HELD, UploadState.QUEUED))


class Cause(NamedTuple):
    """Why something is withdrawn, and by what: the natural key of an event, or a replay's name."""

    reason: Reason
    by: str


class StoredUpload(NamedTuple):
    """A conversion of the ledger, as far as comparing needs it."""

    id: int
    created_at: datetime
    state: str
    reason: str | None
    attempts: int
    data: UploadData

    @property
    def is_ours(self) -> bool:
        """Nobody has tried to send it: it may still be changed."""
        return self.attempts == 0 and (self.state in UNSENT or self.state == UploadState.WITHHELD)

    @property
    def transaction(self) -> tuple[int, str] | None:
        """Ads action and transaction id; None without an action."""
        action_id = self.data.ads_action_id
        return None if action_id is None else (action_id, self.data.transaction_id)


class StoredCustomEvent(NamedTuple):
    """A row of `custom_events` with the natural key of its event and its conversion."""

    id: int
    occurred_at: datetime
    site_id: int
    assignment_id: int
    definition_revision_id: int
    assignment_revision_id: int
    commerce_event_id: int
    event_key: str
    dedup_key: str
    order_id: str | None
    customer_key: str | None
    value: Decimal | None
    currency: str | None
    is_withdrawn: bool
    upload: StoredUpload | None
    withheld_reason: str | None = None

    @property
    def rank(self) -> Rank:
        """Its place in the order of the store's time."""
        return self.occurred_at, self.event_key

    @property
    def transaction_id(self) -> str | None:
        """What its conversion has at Google, or would have; None without one."""
        return None if self.upload is None else self.upload.data.transaction_id


def with_what_was_sent(matched: Matched, row: StoredCustomEvent) -> Matched:
    """A match of a custom event whose conversion somebody has tried to send: Google is told of another value of that conversion, not of
    another currency, and not of none. The custom event keeps the value that was sent, then."""
    match, upload = matched.match, row.upload
    if (
        upload is None
        or upload.is_ours
        or row.value is None
        or (match.value is not None and match.currency == row.currency)
    ):
        return matched
    return matched._replace(match=msgspec.structs.replace(match, value=row.value, currency=row.currency))


def differs(row: StoredCustomEvent, matched: Matched) -> bool:
    """Whether something about a custom event that stands has to be written."""
    match = matched.match
    is_sent = row.upload is not None and row.upload.state != UploadState.WITHHELD
    return (
        row.is_withdrawn
        or (is_sent and row.withheld_reason is not None)
        or (
            row.commerce_event_id,
            row.occurred_at,
            row.dedup_key,
            row.order_id,
            row.customer_key,
            row.value,
            row.currency,
        )
        != (
            matched.site_event.event_id,
            match.occurred_at,
            match.dedup_key,
            match.order_id,
            match.customer_key,
            match.value,
            match.currency,
        )
    )
