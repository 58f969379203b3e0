"""What stands, compared with what is stored: which custom events are to be added, corrected or withdrawn. Pure.

Matching says which events satisfy which assignments. Of those with the same deduplication key the first by the store's time
stands. A stored custom event that no longer stands is withdrawn; one whose event says something else now, or whose key went
to another event of the same transaction, is corrected in place and keeps its row of the ledger.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec

from custom_events.matching.reasons import Reason
from custom_events.pipeline.conversion import transaction_id
from custom_events.pipeline.matching import Matched
from custom_events.pipeline.uploads import UploadData
from custom_events.values.conversions import UploadState

UNSENT = frozenset((UploadState.NEW, UploadState.HELD, UploadState.QUEUED))

Rank = tuple[datetime, str]


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

    @property
    def rank(self) -> Rank:
        """Its place in the order of the store's time."""
        return self.occurred_at, self.event_key


class Kept(NamedTuple):
    """A custom event that stands and was there before; `differs`: something about it has to be written."""

    row: StoredCustomEvent
    matched: Matched
    differs: bool


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What stands beside what is stored."""

    added: list[Matched]
    kept: list[Kept]
    withdrawn: list[StoredCustomEvent]


def rank_of(matched: Matched) -> Rank:
    """The place of a match in the order of the store's time."""
    return matched.match.occurred_at, matched.match.event_key


def compare(
    matched: Iterable[Matched],
    rows: Iterable[StoredCustomEvent],
    judged: Mapping[int, Collection[int]],
) -> Comparison:
    """What has to change so that `rows` say what `matched` says.

    `judged`: by id of each event that was matched again, the assignments that it was matched against. `rows`: every custom
    event of those events, and every other one that holds a key of `matched`.
    """
    stored = {row.id: row for row in rows}
    own = {(row.assignment_id, row.commerce_event_id): row for row in stored.values()}
    holders = {(row.assignment_id, row.dedup_key): row for row in stored.values() if not row.is_withdrawn}
    best = _first_of_each(matched)
    for key, holder in holders.items():
        theirs = best.get(key)
        if theirs is not None and not _is_judged(holder, judged) and holder.rank < rank_of(theirs):
            del best[key]
    winners = {(one.match.assignment.assignment_id, one.proposal.event_id) for one in best.values()}
    added: list[Matched] = []
    kept: dict[int, Kept] = {}
    for key, one in best.items():
        row = own.get((key[0], one.proposal.event_id))
        if row is None:
            holder = holders.get(key)
            if holder is not None and (key[0], holder.commerce_event_id) not in winners and _is_same(holder, one):
                row = holder
        if row is None:
            added.append(one)
        else:
            kept[row.id] = Kept(row, one, _differs(row, one))
    withdrawn = [
        row
        for row in holders.values()
        if row.id not in kept and (_is_judged(row, judged) or (row.assignment_id, row.dedup_key) in best)
    ]
    return Comparison(added=added, kept=list(kept.values()), withdrawn=withdrawn)


def _first_of_each(matched: Iterable[Matched]) -> dict[tuple[int, str], Matched]:
    best: dict[tuple[int, str], Matched] = {}
    for one in matched:
        key = one.match.assignment.assignment_id, one.match.dedup_key
        if key not in best or rank_of(one) < rank_of(best[key]):
            best[key] = one
    return best


def _is_judged(row: StoredCustomEvent, judged: Mapping[int, Collection[int]]) -> bool:
    return row.assignment_id in judged.get(row.commerce_event_id, ())


def _is_same(holder: StoredCustomEvent, one: Matched) -> bool:
    """Whether the holder's conversion is the one that this match would send: Google knows it by its transaction."""
    upload = holder.upload
    return upload is not None and upload.data.transaction_id == transaction_id(holder.site_id, one.proposal.event)


def _differs(row: StoredCustomEvent, one: Matched) -> bool:
    found = one.match
    return row.is_withdrawn or (
        row.commerce_event_id,
        row.occurred_at,
        row.dedup_key,
        row.order_id,
        row.customer_key,
        row.value,
        row.currency,
    ) != (
        one.proposal.event_id,
        found.occurred_at,
        found.dedup_key,
        found.order_id,
        found.customer_key,
        found.value,
        found.currency,
    )
