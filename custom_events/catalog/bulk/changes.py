"""Bulk changes done and kept: at once in the caller's transaction, or by a long operation; looked at afterwards, and undone."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
import sqlalchemy as sa

from custom_events.catalog import audit
from custom_events.catalog.bulk.choosing import refuse, text_errors
from custom_events.catalog.bulk.outcomes import (
    BulkResult,
    DoneRow,
    RowOutcome,
    RowsFailedError,
    Word,
    count_of,
)
from custom_events.catalog.bulk.requests import Allowed, PreparedChange, PreparedRow, RowSettings
from custom_events.catalog.bulk.rows import RowWorker
from custom_events.errors import NeedsAction, NotFound
from custom_events.queries import bulk_changes as queries

KEPT: Final = timedelta(days=30)  # a month's mistake is undone by hand
ROWS_READ: Final = 1_000  # rows read at once


class BulkChange(msgspec.Struct, frozen=True, kw_only=True):
    """A bulk change that was done, or is under way. `ended_at` None: it is, or ended before its last row. `undoes` and `undone_by`: other
    bulk changes."""

    id: int
    undoes: int | None
    undone_by: int | None
    all_or_nothing: bool
    asked_by: str
    reason: str
    site_ids: tuple[int, ...]
    rows: int
    operation_id: int | None
    is_under_way: bool
    ended_at: datetime | None
    created_at: datetime


def do_now(
    connection: sa.Connection,
    prepared: PreparedChange,
    allowed: Allowed,
    actor: str,
    tell: Callable[[int, int], None] = lambda _done, _total: None,
) -> BulkResult:
    """Do a bulk change within the caller's transaction. A dry run does it, too, and rolls it back. `tell` hears how many rows of how many
    are done.

    Raises RowsFailedError where all or nothing was asked for and rows failed: the caller rolls back.
    """
    if prepared.is_dry_run:
        tried = _told(dry_run(connection, prepared, allowed, actor), len(prepared.rows), tell)
        return result_of(prepared, None, [row.outcome for row in tried])
    bulk_change_id = begin(connection, prepared, actor)
    worker = RowWorker(connection, prepared, allowed, actor)
    done = list(_told(map(worker.do, range(len(prepared.rows))), len(prepared.rows), tell))
    check_whole(prepared, [row.outcome for row in done])
    keep_rows(connection, bulk_change_id, done)
    end(connection, bulk_change_id, prepared, actor, [row.outcome for row in done])
    return result_of(prepared, bulk_change_id, [row.outcome for row in done])


def dry_run(connection: sa.Connection, prepared: PreparedChange, allowed: Allowed, actor: str) -> Iterator[DoneRow]:
    """Rows as they would be done, one after the other: what those before did counts. All of it is rolled back at the end."""
    savepoint = connection.begin_nested()
    try:
        worker = RowWorker(connection, prepared, allowed, actor)
        for number in range(len(prepared.rows)):
            yield worker.do(number)
    finally:
        savepoint.rollback()


def check_whole(prepared: PreparedChange, rows: Sequence[RowOutcome]) -> None:
    """Raise RowsFailedError where all or nothing was asked for and rows failed."""
    if prepared.all_or_nothing and any(row.outcome is Word.FAILED for row in rows):
        raise RowsFailedError(rows)


def begin(connection: sa.Connection, prepared: PreparedChange, actor: str) -> int:
    """Id of a new bulk change; some that are older than they are kept are forgotten."""
    queries.forget_old(connection, KEPT)
    values = {
        "undoes": prepared.undoes,
        "all_or_nothing": prepared.all_or_nothing,
        "asked_by": actor,
        "reason": prepared.reason,
        "site_ids": list(prepared.site_ids),
        "rows": len(prepared.rows),
    }
    return queries.add(connection, values)


def belongs_to(connection: sa.Connection, bulk_change_id: int, operation_id: int) -> None:
    """This operation does it."""
    queries.belongs_to(connection, bulk_change_id, operation_id)


def keep_rows(connection: sa.Connection, bulk_change_id: int, rows: Iterable[DoneRow]) -> None:
    """Keep what became of rows, in the transaction of what they changed."""
    values = [
        {
            "bulk_change_id": bulk_change_id,
            "number": row.outcome.number,
            "outcome": row.outcome.outcome.value,
            "detail": msgspec.to_builtins(row.outcome),
            "touched": msgspec.to_builtins(row.touched),
        }
        for row in rows
    ]
    queries.add_rows(connection, values)


def end(
    connection: sa.Connection, bulk_change_id: int, prepared: PreparedChange, actor: str, rows: Sequence[RowOutcome]
) -> None:
    """It is done, or as much of it as will be: noted in the audit trail, beside the entries of what its rows did."""
    queries.end(connection, bulk_change_id)
    detail = {
        "rows": len(prepared.rows),
        "counts": msgspec.to_builtins(count_of(rows)),
        "reason": prepared.reason,
        "undoes": prepared.undoes,
    }
    audit.record(
        connection,
        actor=actor,
        action="bulk_change.undo" if prepared.undoes is not None else "bulk_change.run",
        subject=f"bulk_change:{bulk_change_id}",
        detail={name: value for name, value in detail.items() if value not in (None, "")},
    )


def result_of(
    prepared: PreparedChange, bulk_change_id: int | None, rows: Sequence[RowOutcome], *, is_applied: bool | None = None
) -> BulkResult:
    """The rows as people are told. `is_applied` None: unless it is a dry run."""
    return BulkResult(
        bulk_change_id=bulk_change_id,
        is_dry_run=prepared.is_dry_run,
        is_applied=not prepared.is_dry_run if is_applied is None else is_applied,
        all_or_nothing=prepared.all_or_nothing,
        rows_asked=len(prepared.rows),
        counts=count_of(rows),
        rows=tuple(rows),
    )


def get(connection: sa.Connection, bulk_change_id: int, *, only: Collection[int] | None = None) -> BulkChange:
    """The bulk change of this id. Raises NotFound, also for one that is about other sites than `only` (None: all may be seen)."""
    row = queries.by_id(connection, bulk_change_id)
    change = msgspec.convert(row, BulkChange, from_attributes=True) if row is not None else None
    hidden = change is not None and only is not None and not (change.site_ids and set(change.site_ids) <= set(only))
    if change is None or hidden:
        raise NotFound(f"There is no bulk change {bulk_change_id}.", what="bulk change")
    return change


def search(
    connection: sa.Connection,
    *,
    only: Collection[int] | None,
    text: str | None = None,
    before_id: int | None = None,
    limit: int,
) -> list[BulkChange]:
    """Bulk changes about these sites alone (None: all), with `text` in the reason or in who asked, newest first; the next page begins before
    the last id of this one."""
    rows = queries.search(connection, only=only, text=text, before_id=before_id, limit=limit)
    return [msgspec.convert(row, BulkChange, from_attributes=True) for row in rows]


def rows_of(connection: sa.Connection, bulk_change_id: int, *, after: int = -1, limit: int) -> list[RowOutcome]:
    """What became of the rows behind the number `after`, in their order."""
    rows = queries.rows(connection, bulk_change_id, after=after, limit=limit)
    return [msgspec.convert(row.detail, RowOutcome) for row in rows]


def all_rows_of(connection: sa.Connection, bulk_change_id: int) -> list[RowOutcome]:
    """What became of all rows that are done."""
    outcomes: list[RowOutcome] = []
    while page := rows_of(connection, bulk_change_id, after=len(outcomes) - 1, limit=ROWS_READ):
        outcomes += page
    return outcomes


def prepare_undo(
    connection: sa.Connection, change: BulkChange, *, all_or_nothing: bool, is_dry_run: bool, reason: str
) -> PreparedChange:
    """What undoes a bulk change, the last row first. Raises NeedsAction where it is under way or changed nothing."""
    refuse(list(text_errors("reason", reason)))
    if change.is_under_way:
        raise NeedsAction(
            f"Bulk change {change.id} is under way: cancel operation {change.operation_id}, or wait for it"
        )
    rows = [
        _undone(row.number, msgspec.convert(row.detail, RowOutcome)) for row in queries.to_undo(connection, change.id)
    ]
    if not rows:
        raise NeedsAction(f"Bulk change {change.id} changed nothing: there is nothing to undo")
    return PreparedChange(
        settings=(RowSettings(action="undo", place="rows"),),
        rows=tuple(rows),
        all_or_nothing=all_or_nothing,
        is_dry_run=is_dry_run,
        reason=reason or f"undo of bulk change {change.id}",
        site_ids=change.site_ids,
        undoes=change.id,
    )


def _told(rows: Iterable[DoneRow], total: int, tell: Callable[[int, int], None]) -> Iterator[DoneRow]:
    for done, row in enumerate(rows, start=1):
        yield row
        tell(done, total)


def _undone(number: int, outcome: RowOutcome) -> PreparedRow:
    return PreparedRow(
        place=f"rows[{number}]",
        settings=0,
        site_id=outcome.site_id,
        assignment_id=outcome.assignment_id,
        undone=number,
    )
