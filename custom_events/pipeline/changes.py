"""What matching again changes: worked out whole, so that a dry run can show it, then written.

The ledger's part: a conversion that nobody has tried to send is withheld, corrected or let go here; one that was sent keeps
its row, and the order is marked, so that the adjuster brings Google to the value that is right now (`ledger/desired.py`).
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from custom_events.matching.reasons import SENTENCES
from custom_events.pipeline.configuration import Configuration
from custom_events.pipeline.consents import with_what_was_said
from custom_events.pipeline.conversion import SAME_TRANSACTION_SENTENCE, TOO_LATE, Draft, draft
from custom_events.pipeline.matching import Matched
from custom_events.pipeline.rows import Connection, columns_of, copy, reserve_ids
from custom_events.pipeline.standing import UNSENT, Cause, Comparison, StoredCustomEvent, StoredUpload
from custom_events.pipeline.uploads import CUSTOM_EVENT_KEY_COLUMNS, Occurrence, data_of, same_transaction, standing_of
from custom_events.pipeline.uploads import write as write_occurrences
from custom_events.queries import rematch as sql
from custom_events.queries import understanding
from custom_events.values.conversions import SAME_TRANSACTION, UploadState

Transaction = tuple[int, str]  # ads action and transaction id


class Added(NamedTuple):
    """A custom event that was not there."""

    matched: Matched
    draft: Draft


class Corrected(NamedTuple):
    """A custom event that stands otherwise than it is stored: another value, time, key or click, or it was withdrawn."""

    row: StoredCustomEvent
    matched: Matched
    draft: Draft
    redecided: bool  # its conversion may go now, or no longer


class Withdrawn(NamedTuple):
    """A custom event that no longer stands."""

    row: StoredCustomEvent
    cause: Cause


class Displaced(NamedTuple):
    """A conversion that gives its transaction to an earlier one."""

    upload_id: int
    created_at: datetime
    custom_event_id: int
    occurred_at: datetime
    transaction: Transaction


class Changes(msgspec.Struct, kw_only=True):
    """What differs between what is stored and what stands. `judged`: events that were matched again."""

    judged: int = 0
    unchanged: int = 0
    added: list[Added] = []
    corrected: list[Corrected] = []
    withdrawn: list[Withdrawn] = []
    displaced: list[Displaced] = []

    @property
    def any(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.corrected or self.withdrawn or self.displaced)


class _Contender(NamedTuple):
    """A conversion that stands and wants its transaction."""

    matched: Matched
    row: StoredCustomEvent | None
    draft: Draft
    differs: bool

    @property
    def transaction(self) -> Transaction | None:
        """What it wants; None: it is not sent at all."""
        action_id = self.matched.match.assignment.ads_action_id
        goes = action_id is not None and self.draft.state is not UploadState.WITHHELD
        return (action_id, self.draft.transaction_id) if action_id is not None and goes else None

    @property
    def rank(self) -> tuple[bool, datetime, str, int]:
        """Who gets it: one that was sent, then the first by the store's time, in the drain's order."""
        upload = self.row.upload if self.row is not None else None
        was_sent = upload is not None and not upload.is_ours
        match = self.matched.match
        return not was_sent, match.occurred_at, match.event_key, match.assignment.assignment_id


class _Holder(NamedTuple):
    """A conversion that has a transaction; a row of TRANSACTION_HOLDERS."""

    ads_action_id: int
    transaction_id: str
    upload_id: int
    created_at: datetime
    custom_event_id: int
    occurred_at: datetime
    site_id: int
    assignment_id: int
    state: str
    attempts: int
    event_key: str

    @property
    def transaction(self) -> Transaction:
        """What it has."""
        return self.ads_action_id, self.transaction_id

    @property
    def rank(self) -> tuple[bool, datetime, str, int]:
        """As that of those who want it."""
        is_ours = self.attempts == 0 and self.state in UNSENT
        return is_ours, self.occurred_at, self.event_key, self.assignment_id


async def settle_transactions(
    connection: Connection,
    configuration: Configuration,
    found: Comparison,
    cause_of: Callable[[StoredCustomEvent], Cause],
    now: datetime,
) -> Changes:
    """Decide for every conversion that stands whether it goes, one for each transaction, and say what that changes."""
    kept = [(with_what_was_said(one.matched, one.row.upload), one.row, one.differs) for one in found.kept]
    contenders = [
        _Contender(one, row, _draft(configuration, one, now), differs)
        for one, row, differs in (*((one, None, True) for one in found.added), *kept)
    ]
    withdrawn = [Withdrawn(row, cause_of(row)) for row in found.withdrawn]
    known = {one.row.upload.id for one in contenders if one.row is not None and one.row.upload is not None}
    leaving = {row.upload.id for row in found.withdrawn if row.upload is not None and row.upload.is_ours}
    outside, displaced = await _outside(connection, contenders, known, leaving)
    changes = Changes(withdrawn=withdrawn, displaced=displaced)
    for one in _one_for_each_transaction(contenders, outside):
        if one.row is None:
            changes.added.append(Added(one.matched, one.draft))
            continue
        redecided = _is_redecided(one.row.upload, one.draft)
        if one.differs or redecided or _data_differs(one.row.upload, one):
            changes.corrected.append(Corrected(one.row, one.matched, one.draft, redecided))
        else:
            changes.unchanged += 1
    return changes


def _draft(configuration: Configuration, one: Matched, now: datetime) -> Draft:
    action_id = one.match.assignment.ads_action_id
    action = None if action_id is None else configuration.actions.get(action_id)
    return draft(one.match, one.proposal.event, action, now)


async def _outside(
    connection: Connection, contenders: Sequence[_Contender], known: set[int], leaving: set[int]
) -> tuple[set[Transaction], list[Displaced]]:
    """Transactions that a conversion of another event keeps, and those that it has to give up."""
    best: dict[Transaction, _Contender] = {}
    for one in contenders:
        if (key := one.transaction) is not None and (key not in best or one.rank < best[key].rank):
            best[key] = one
    kept: set[Transaction] = set()
    displaced: list[Displaced] = []
    if best:
        for row in await connection.fetch(sql.TRANSACTION_HOLDERS, *columns_of(list(best))):
            holder = _Holder(*row)
            if holder.upload_id in known or holder.upload_id in leaving:
                continue
            taker = best[holder.transaction]
            if holder.site_id != taker.matched.proposal.site_id or holder.rank < taker.rank:
                kept.add(holder.transaction)
            else:
                displaced.append(
                    Displaced(
                        holder.upload_id,
                        holder.created_at,
                        holder.custom_event_id,
                        holder.occurred_at,
                        holder.transaction,
                    )
                )
    return kept, displaced


def _one_for_each_transaction(contenders: Iterable[_Contender], outside: set[Transaction]) -> list[_Contender]:
    taken = set(outside)
    result: list[_Contender] = []
    for one in sorted(contenders, key=lambda one: one.rank):
        key = one.transaction
        if key is not None and key in taken:
            result.append(one._replace(draft=same_transaction(one.draft)))
            continue
        if key is not None:
            taken.add(key)
        result.append(one)
    return result


def _is_redecided(upload: StoredUpload | None, found: Draft) -> bool:
    """Whether a conversion that is still ours may go now and could not, or the other way round, or has another reason."""
    if upload is None or not upload.is_ours:
        return False
    if found.state is not UploadState.WITHHELD:
        return upload.state == UploadState.WITHHELD
    if found.reason == TOO_LATE:  # the clock's doing, not the event's: the ledger expires it
        return False
    return upload.state != UploadState.WITHHELD or upload.reason != found.reason


def _data_differs(upload: StoredUpload | None, one: _Contender) -> bool:
    """Whether what would be sent is not what the ledger has. Its value follows refunds, and its deadline the click."""
    if upload is None or not upload.is_ours:
        return False
    wanted = data_of(one.matched.match, one.matched.proposal, one.draft)
    same = {"value": None, "deadline_at": upload.data.deadline_at}
    return upload.data._replace(**same) != wanted._replace(**same)


async def write(connection: Connection, changes: Changes, now: datetime) -> None:
    """Write all of it, within the transaction that is open: what gives up a key first, then what takes one."""
    if not changes.any:
        return
    await _let_go(connection, changes, now)
    await _correct(connection, changes.corrected, now)
    event_ids = await reserve_ids(connection, "app.custom_events", len(changes.added))
    upload_ids = await reserve_ids(connection, "app.conversion_uploads", len(changes.added))
    parts = zip(event_ids, upload_ids, changes.added, strict=True)
    occurrences = [Occurrence(event_id, upload_id, *one.matched, one.draft) for event_id, upload_id, one in parts]
    await write_occurrences(connection, occurrences, now)
    await _mark(connection, changes)


async def _let_go(connection: Connection, changes: Changes, now: datetime) -> None:
    """Withdraw, withhold, and free every key and transaction that is held no longer."""
    gone = changes.withdrawn
    withdrawals = [(one.row.occurred_at, one.row.id, now, one.cause.reason, one.cause.by) for one in gone]
    await connection.executemany(sql.WITHDRAW, withdrawals)
    rows = [one.row for one in (*gone, *changes.corrected)]
    await connection.executemany(
        sql.DROP_CUSTOM_EVENT_KEY, [(row.assignment_id, row.dedup_key, row.id) for row in rows]
    )
    freed = [(*one.transaction, one.created_at, one.upload_id) for one in changes.displaced]
    freed += [(*key, held.created_at, held.id) for row in rows if (held := row.upload) and (key := held.transaction)]
    await connection.executemany(sql.DROP_UPLOAD_KEY, freed)
    names = [(one.occurred_at, one.custom_event_id, SAME_TRANSACTION) for one in changes.displaced]
    await connection.executemany(sql.NAME_WITHHELD, names)
    withheld = [
        (one.created_at, one.upload_id, SAME_TRANSACTION, SAME_TRANSACTION_SENTENCE) for one in changes.displaced
    ]
    withheld += [
        (held.created_at, held.id, one.cause.reason, f"{SENTENCES[one.cause.reason]} ({one.cause.by})")
        for one in gone
        if (held := one.row.upload)
    ]
    withheld += [
        (held.created_at, held.id, one.draft.reason, one.draft.sentence)
        for one in changes.corrected
        if one.redecided and one.draft.state is UploadState.WITHHELD and (held := one.row.upload)
    ]
    await connection.executemany(sql.WITHHOLD_UPLOAD, [(*one, now) for one in withheld])


async def _correct(connection: Connection, corrected: Sequence[Corrected], now: datetime) -> None:
    """Custom events as they stand now, their conversions as far as nobody has tried to send them, and their keys."""
    keys: list[tuple[Any, ...]] = []
    for row, (match, proposal), found, redecided in corrected:
        assignment = match.assignment
        is_withheld = found.state is UploadState.WITHHELD
        await connection.execute(
            sql.CORRECT,
            row.occurred_at,
            row.id,
            match.occurred_at,
            *standing_of(match, proposal, found),
        )
        upload = row.upload
        if upload is None or not upload.is_ours:
            continue
        where = upload.created_at, upload.id
        await connection.execute(sql.CORRECT_UPLOAD, *where, *data_of(match, proposal, found), now)
        if redecided and is_withheld:
            await connection.execute(sql.RENAME_REASON, *where, found.reason, found.sentence, now)
        elif redecided:
            decided = found.state, found.reason, found.sentence, found.not_before
            await connection.execute(sql.LET_UPLOAD_GO, *where, *decided, now)
        if not is_withheld and assignment.ads_action_id is not None:
            keys.append((assignment.ads_action_id, found.transaction_id, upload.id, upload.created_at))
    if keys:
        await connection.execute(sql.ADD_UPLOAD_KEYS, *columns_of(keys))
    held = [
        (
            one.matched.match.assignment.assignment_id,
            one.matched.match.dedup_key,
            one.row.id,
            one.matched.match.occurred_at,
        )
        for one in corrected
    ]
    if held:
        await copy(connection, "app.custom_event_keys", CUSTOM_EVENT_KEY_COLUMNS, held)


async def _mark(connection: Connection, changes: Changes) -> None:
    """Have the adjuster look at every conversion that may need another value now."""
    rows = [one.row for one in (*changes.withdrawn, *changes.corrected)]
    orders = {(row.site_id, row.order_id) for row in rows if row.order_id is not None}
    orders |= {
        (one.matched.proposal.site_id, one.matched.match.order_id)
        for one in (*changes.added, *changes.corrected)
        if one.matched.match.order_id is not None
    }
    if orders:
        await connection.execute(understanding.MARK_VALUE_CHANGES, *columns_of(sorted(orders)))
    alone = {row.id: row.occurred_at for row in rows if row.order_id is None}
    alone |= {one.row.id: one.matched.match.occurred_at for one in changes.corrected if one.row.id in alone}
    if alone:
        await connection.execute(sql.MARK_STANDING_CHANGES, *columns_of(sorted(alone.items())))
