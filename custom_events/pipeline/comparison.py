"""The one engine that decides about deduplication keys and transactions: what is stored against what matching wants. Pure.

Everybody who decides asks it: the drain about new events, `rematch` about stored ones (late, corrected, replayed), the backtest, the
plan and the dry replay about a period (`paged_comparison.py`, page by page). They differ in what they give, not in what is decided:

    wanted   matches by the published rules (drain, replay), by those of their time (late events) or by a draft (backtest, plan)
    stored   custom events as far as they are known: the whole row, or no more than who has a key since when
    judged   which stored custom events these matches judge; what was not judged keeps its key against everything later

Of the matches with one deduplication key the first by the store's time has it. A stored custom event that has it no longer is
withdrawn; one whose event says something else now, or whose key went to another event of the same transaction, stays and is
corrected, with its row of the ledger: Google knows the order, not the event.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from custom_events.pipeline.conversion import transaction_id
from custom_events.pipeline.matching import Matched
from custom_events.values.reasons import TOO_LATE, WITHHELD_BY_HAND, WORTH_NOTHING

Key = tuple[int, str]  # assignment and deduplication key
Rank = tuple[datetime, str]  # a place in the order of the store's time: the moment, and the event's natural key
Transaction = tuple[int, str]  # ads action and transaction id
# Who gets a transaction, the smallest first: what was sent, then as a drain over the store's time would: moment, key, assignment.
TransactionRank = tuple[bool, datetime, str, int]

LAST_KEY: Final = "\U0010ffff"  # no event's key comes after it: for a place in time whose event is not known


class StoredRow(Protocol):
    """A stored custom event, as far as deciding about its key needs it."""

    @property
    def id(self) -> int: ...
    @property
    def assignment_id(self) -> int: ...
    @property
    def commerce_event_id(self) -> int: ...
    @property
    def dedup_key(self) -> str: ...
    @property
    def is_withdrawn(self) -> bool: ...
    @property
    def rank(self) -> Rank: ...
    @property
    def transaction_id(self) -> str | None:
        """Of its conversion; None where it has none, or where that is not known."""
        ...


class Contender(Protocol):
    """A conversion that wants its transaction (None: it is not to be sent), or one that has it."""

    @property
    def transaction(self) -> Transaction | None: ...
    @property
    def rank(self) -> TransactionRank: ...
    @property
    def site_id(self) -> int | None:
        """None, of one that has it: the site of those who want it."""
        ...


Row = TypeVar("Row", bound=StoredRow)
Wanting = TypeVar("Wanting", bound=Contender)
Holding = TypeVar("Holding", bound=Contender)


class Kept(NamedTuple, Generic[Row]):
    """A custom event that is stored and wanted (again), and the match that it is of now."""

    row: Row
    matched: Matched


class Comparison(NamedTuple, Generic[Row]):
    """What has to change so that what is stored says what is wanted."""

    added: list[Matched]
    kept: list[Kept[Row]]
    withdrawn: list[Row]


def rank_of(matched: Matched) -> Rank:
    """The place of a match in the order of the store's time."""
    return matched.match.occurred_at, matched.match.event_key


def key_of(matched: Matched) -> Key:
    """The key that a match wants."""
    return matched.match.assignment.assignment_id, matched.match.dedup_key


def key_of_row(row: StoredRow) -> Key:
    """The key that a custom event has, or had before it was withdrawn."""
    return row.assignment_id, row.dedup_key


def compare(wanted: Iterable[Matched], stored: Iterable[Row], judged: Mapping[int, Collection[int]]) -> Comparison[Row]:
    """What has to change so that `stored` says what `wanted` says.

    `judged`: by id of each event that was matched, the assignments that it was matched against. `stored`: every custom event of
    those events, and every other one that has a key of `wanted`.
    """
    rows = {row.id: row for row in stored}
    own = {(row.assignment_id, row.commerce_event_id): row for row in rows.values()}
    holders = {key_of_row(row): row for row in rows.values() if not row.is_withdrawn}
    best = _first_of_each(wanted)
    for key, holder in holders.items():
        first = best.get(key)
        if first is not None and not _is_judged(holder, judged) and holder.rank < rank_of(first):
            del best[key]
    winners = {(key[0], first.site_event.event_id) for key, first in best.items()}
    added: list[Matched] = []
    kept: dict[int, Kept[Row]] = {}
    for key, first in best.items():
        row = own.get((key[0], first.site_event.event_id))
        if row is None:
            holder = holders.get(key)
            if holder is not None and (key[0], holder.commerce_event_id) not in winners and _is_same(holder, first):
                row = holder
        if row is None:
            added.append(first)
        else:
            kept[row.id] = Kept(row, first)
    withdrawn = [row for key, row in holders.items() if row.id not in kept and (_is_judged(row, judged) or key in best)]
    return Comparison(added, list(kept.values()), withdrawn)


def decide_transactions(wanting: Sequence[Wanting], holding: Iterable[Holding]) -> tuple[list[bool], list[Holding]]:
    """Of each conversion that wants a transaction whether it goes, in the order of `wanting`, and which of those that have one give
    theirs up. One that wants none goes nowhere and is in nobody's way: True. Another site's conversion keeps what it has."""
    best: dict[Transaction, Wanting] = {}
    for conversion in wanting:
        transaction = conversion.transaction
        if transaction is not None and (transaction not in best or conversion.rank < best[transaction].rank):
            best[transaction] = conversion
    displaced: list[Holding] = []
    for holder in holding:
        transaction = holder.transaction
        first = None if transaction is None else best.get(transaction)
        if transaction is None or first is None:
            continue
        if holder.site_id not in (None, first.site_id) or holder.rank < first.rank:
            del best[transaction]
        else:
            displaced.append(holder)
    goes = [
        (transaction := conversion.transaction) is None or best.get(transaction) is conversion for conversion in wanting
    ]
    return goes, displaced


def is_redecided(before: str | None, after: str | None) -> bool:
    """Whether a conversion is withheld for another reason than before, or goes and did not, or the other way round (None: it goes).
    That it is too late now is the clock's doing, for the ledger to say; as it is what becomes of one that was worth nothing. What a person
    has withheld is for a person to send."""
    if before == WITHHELD_BY_HAND:
        return False
    if after is None:
        return before is not None and before not in WORTH_NOTHING
    return after not in (TOO_LATE, before)


def _first_of_each(wanted: Iterable[Matched]) -> dict[Key, Matched]:
    best: dict[Key, Matched] = {}
    for matched in wanted:
        key = key_of(matched)
        if key not in best or rank_of(matched) < rank_of(best[key]):
            best[key] = matched
    return best


def _is_judged(row: StoredRow, judged: Mapping[int, Collection[int]]) -> bool:
    return row.assignment_id in judged.get(row.commerce_event_id, ())


def _is_same(holder: StoredRow, matched: Matched) -> bool:
    """Whether the holder's conversion is the one that this match would send: Google knows it by its transaction."""
    site_event = matched.site_event
    return holder.transaction_id is not None and holder.transaction_id == transaction_id(
        site_event.site_id, site_event.event
    )
