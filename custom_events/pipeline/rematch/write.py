"""Writes what matching again changes, within the transaction that is open."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from custom_events.pipeline.bulk_rows import Connection, columns_of, copy, reserve_ids
from custom_events.pipeline.rematch.changes import Changes, Corrected
from custom_events.pipeline.rematch.stored import StoredUpload
from custom_events.pipeline.uploads import (
    CUSTOM_EVENT_KEY_COLUMNS,
    Occurrence,
    data_of,
    stored_columns_of,
)
from custom_events.pipeline.uploads import write as write_new
from custom_events.queries import rematch as sql
from custom_events.queries import understanding
from custom_events.values.conversions import UploadState
from custom_events.values.reasons import SAME_TRANSACTION, WAITING_REASONS, WITHHELD, WORTH_NOTHING


async def write(connection: Connection, changes: Changes, now: datetime) -> None:
    """Write all of it, within the transaction that is open: what gives up a key first, then what takes one."""
    if changes.reattributed:
        rows = [(change.row.occurred_at, change.row.id, *change.revisions) for change in changes.reattributed]
        await connection.executemany(sql.REATTRIBUTE, rows)
    if not changes.any:
        return
    await _withdraw(connection, changes, now)
    await _correct(connection, changes.corrected, now)
    event_ids = await reserve_ids(connection, "app.custom_events", len(changes.added))
    upload_ids = await reserve_ids(connection, "app.conversion_uploads", len(changes.added))
    parts = zip(event_ids, upload_ids, changes.added, strict=True)
    occurrences = [
        Occurrence(event_id, upload_id, *change.matched, change.draft) for event_id, upload_id, change in parts
    ]
    await write_new(connection, occurrences, now)
    await _mark(connection, changes)


async def _withdraw(connection: Connection, changes: Changes, now: datetime) -> None:
    """Withdraw, withhold, and free every key and transaction that is held no longer."""
    gone = changes.withdrawn
    withdrawals = [
        (
            withdrawn.row.occurred_at,
            withdrawn.row.id,
            now,
            withdrawn.cause.reason,
            withdrawn.cause.by,
            *(withdrawn.revisions or (None, None)),
        )
        for withdrawn in gone
    ]
    await connection.executemany(sql.WITHDRAW, withdrawals)
    rows = [change.row for change in (*gone, *changes.corrected)]
    await connection.executemany(
        sql.DROP_CUSTOM_EVENT_KEY, [(row.assignment_id, row.dedup_key, row.id) for row in rows]
    )
    freed = [(*displaced.transaction, displaced.created_at, displaced.upload_id) for displaced in changes.displaced]
    freed += [(*key, held.created_at, held.id) for row in rows if (held := row.upload) and (key := held.transaction)]
    freed.sort(key=lambda key: key[2:])  # in one order, so that no two workers wait for each other in a circle
    await connection.executemany(sql.DROP_UPLOAD_KEY, freed)
    withheld = [
        (displaced.created_at, displaced.upload_id, SAME_TRANSACTION, WITHHELD[SAME_TRANSACTION])
        for displaced in changes.displaced
    ]
    withheld += [
        (held.created_at, held.id, withdrawn.cause.reason, f"{WITHHELD[withdrawn.cause.reason]} ({withdrawn.cause.by})")
        for withdrawn in gone
        if (held := withdrawn.row.upload)
    ]
    withheld += [
        (held.created_at, held.id, corrected.draft.reason, corrected.draft.sentence)
        for corrected in changes.corrected
        if corrected.redecided and corrected.draft.state is UploadState.WITHHELD and (held := corrected.row.upload)
    ]
    await connection.executemany(sql.WITHHOLD_UPLOAD, [(*change, now) for change in withheld])
    # Those that were worth nothing are withheld already.
    renamed = [(*change, now) for change in withheld[: len(changes.displaced)]]
    await connection.executemany(sql.RENAME_REASON, renamed)
    names = [(displaced.occurred_at, displaced.custom_event_id, SAME_TRANSACTION) for displaced in changes.displaced]
    await connection.executemany(sql.NAME_WITHHELD, names)


async def _correct(connection: Connection, corrected: Sequence[Corrected], now: datetime) -> None:
    """Custom events as they stand now, their conversions as far as nobody has tried to send them, and their keys."""
    keys: list[tuple[Any, ...]] = []
    for change in corrected:
        match, site_event = change.matched
        if change.row.upload is not None and change.row.upload.is_ours:
            await _correct_upload(connection, change, change.row.upload, now)
            action_id = match.assignment.ads_action_id
            if change.draft.state is not UploadState.WITHHELD and action_id is not None:
                keys.append(
                    (action_id, change.draft.transaction_id, change.row.upload.id, change.row.upload.created_at)
                )
        standing = stored_columns_of(match, site_event, change.draft)
        await connection.execute(sql.CORRECT, change.row.occurred_at, change.row.id, match.occurred_at, *standing)
    if keys:
        await connection.execute(sql.ADD_UPLOAD_KEYS, *columns_of(keys))
    keyed = [(change.matched.match, change.row.id) for change in corrected]
    held = [(match.assignment.assignment_id, match.dedup_key, row, match.occurred_at) for match, row in keyed]
    if held:
        await copy(connection, "app.custom_event_keys", CUSTOM_EVENT_KEY_COLUMNS, held)


async def _correct_upload(connection: Connection, change: Corrected, upload: StoredUpload, now: datetime) -> None:
    """A conversion that nobody has tried to send."""
    where, drafted = (upload.created_at, upload.id), change.draft
    await connection.execute(sql.CORRECT_UPLOAD, *where, *data_of(*change.matched, drafted), now)
    if change.redecided and drafted.state is UploadState.WITHHELD:
        await connection.execute(sql.RENAME_REASON, *where, drafted.reason, drafted.sentence, now)
    elif change.redecided:
        decided = (drafted.state, drafted.reason, drafted.sentence, drafted.not_before)
        await connection.execute(sql.RELEASE_UPLOAD, *where, *decided, now)
    elif drafted.state is not UploadState.WITHHELD and upload.reason in WORTH_NOTHING:
        hold = (
            (drafted.reason, drafted.sentence, drafted.not_before) if drafted.state is UploadState.HELD else (None,) * 3
        )
        await connection.execute(sql.REDECIDE_HOLD, *where, *hold, now, sorted(WAITING_REASONS))


async def _mark(connection: Connection, changes: Changes) -> None:
    """Have the adjuster look at every conversion that may need another value now."""
    rows = [change.row for change in (*changes.withdrawn, *changes.corrected)]
    orders = {(row.site_id, row.order_id) for row in rows if row.order_id is not None}
    orders |= {
        (change.matched.site_event.site_id, change.matched.match.order_id)
        for change in (*changes.added, *changes.corrected)
        if change.matched.match.order_id is not None
    }
    if orders:
        await connection.execute(understanding.MARK_VALUE_CHANGES, *columns_of(sorted(orders)))
    alone = {row.id: row.occurred_at for row in rows if row.order_id is None}
    alone |= {change.row.id: change.matched.match.occurred_at for change in changes.corrected if change.row.id in alone}
    if alone:
        await connection.execute(sql.MARK_WITHDRAWN_WITHOUT_ORDER, *columns_of(sorted(alone.items())))
