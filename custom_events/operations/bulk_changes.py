"""Bulk changes as long operations: a dry run, all in one transaction, or row by row.

All or nothing: the rows, what became of them and the operation's end are one transaction, so that whatever ends the worker leaves
nothing, and another attempt begins at the first row. Row by row: some rows at a time are committed with what became of them, so that
another attempt goes on behind them, and no row is done twice.
"""

from typing import Any, Final

import msgspec

from custom_events.catalog.bulk import changes
from custom_events.catalog.bulk.outcomes import BulkResult, DoneRow, RowOutcome, RowsFailedError
from custom_events.catalog.bulk.requests import Allowed, PreparedChange
from custom_events.catalog.bulk.rows import RowWorker
from custom_events.operations.operation import JSON, State
from custom_events.operations.work import Ending, StoppedError, Work, problem_of
from custom_events.queries import bulk_changes as queries

BULK_CHANGE: Final = "bulk_change"
UNIT: Final = "rows"
COMMITTED_AT_ONCE: Final = 20  # rows: a second's work at most that a death undoes
SHOWN_ERRORS: Final = 100  # in the problem; the result has those of all rows


class BulkRequest(msgspec.Struct, frozen=True, kw_only=True):
    """As the API asks for it. `bulk_change_id` None: a dry run."""

    prepared: PreparedChange = msgspec.field(name="plan")  # its name in the requests that are stored
    allowed: Allowed
    bulk_change_id: int | None


def request_of(prepared: PreparedChange, allowed: Allowed, bulk_change_id: int | None) -> dict[str, Any]:
    """The request as the operation keeps it."""
    asked = BulkRequest(prepared=prepared, allowed=allowed, bulk_change_id=bulk_change_id)
    return msgspec.json.decode(msgspec.json.encode(asked))


def run_bulk_change(work: Work) -> Ending | None:
    """Do it, or as much of it as can be done until it is to stop."""
    asked = msgspec.convert(work.operation.request, BulkRequest)
    if asked.bulk_change_id is None:
        return _dry_run(work, asked)
    if asked.prepared.all_or_nothing:
        return _all_or_nothing(work, asked, asked.bulk_change_id)
    return _row_by_row(work, asked, asked.bulk_change_id)


def _dry_run(work: Work, asked: BulkRequest) -> Ending:
    rows: list[RowOutcome] = []
    with work.engine.connect() as connection:
        for row in changes.dry_run(connection, asked.prepared, asked.allowed, work.operation.asked_by):
            rows.append(row.outcome)
            _tell(work, asked, len(rows))
            work.check()
    return _ending(changes.result_of(asked.prepared, None, rows))


def _all_or_nothing(work: Work, asked: BulkRequest, bulk_change_id: int) -> Ending | None:
    done: list[DoneRow] = []
    try:
        with work.engine.begin() as connection:
            worker = RowWorker(connection, asked.prepared, asked.allowed, work.operation.asked_by)
            for number in range(len(asked.prepared.rows)):
                done.append(worker.do(number))
                _tell(work, asked, len(done))
                work.check()
            rows = [row.outcome for row in done]
            changes.check_whole(asked.prepared, rows)
            changes.keep_rows(connection, bulk_change_id, done)
            changes.end(connection, bulk_change_id, asked.prepared, work.operation.asked_by, rows)
            work.end(connection, _ending(changes.result_of(asked.prepared, bulk_change_id, rows)))
    except RowsFailedError as error:
        return _nothing_done(work, asked, bulk_change_id, error)
    except StoppedError:
        if work.is_cancelled:
            _forget(work, bulk_change_id)
        raise
    return None


def _nothing_done(work: Work, asked: BulkRequest, bulk_change_id: int, error: RowsFailedError) -> Ending:
    """Rows failed and all is rolled back: the result says what became of each."""
    _forget(work, bulk_change_id)
    result = changes.result_of(asked.prepared, None, error.rows, is_applied=False)
    problem = problem_of(error)
    problem["errors"] = problem["errors"][:SHOWN_ERRORS]
    return msgspec.structs.replace(_ending(result), state=State.FAILED, problem=problem)


def _forget(work: Work, bulk_change_id: int) -> None:
    with work.engine.begin() as connection:
        work.hold(connection)
        queries.remove(connection, bulk_change_id)


def _row_by_row(work: Work, asked: BulkRequest, bulk_change_id: int) -> Ending:
    with work.engine.connect() as connection:
        first = queries.done(connection, bulk_change_id)
    for start in range(first, len(asked.prepared.rows), COMMITTED_AT_ONCE):
        if work.stops():
            break
        with work.engine.begin() as connection:
            worker = RowWorker(connection, asked.prepared, asked.allowed, work.operation.asked_by)
            end = min(start + COMMITTED_AT_ONCE, len(asked.prepared.rows))
            changes.keep_rows(connection, bulk_change_id, [worker.do(number) for number in range(start, end)])
            work.hold(connection)  # at the end: signs of life and a cancel do not wait for the rows
        _tell(work, asked, end)
    if work.stops() and not work.is_cancelled:
        work.check()
    return _ended(work, asked, bulk_change_id)


def _ended(work: Work, asked: BulkRequest, bulk_change_id: int) -> Ending:
    with work.engine.begin() as connection:
        work.hold(connection)
        rows = changes.all_rows_of(connection, bulk_change_id)
        changes.end(connection, bulk_change_id, asked.prepared, work.operation.asked_by, rows)
    is_whole = len(rows) == len(asked.prepared.rows)
    ending = _ending(changes.result_of(asked.prepared, bulk_change_id, rows))
    return ending if is_whole else msgspec.structs.replace(ending, state=State.CANCELLED)


def _ending(result: BulkResult) -> Ending:
    return Ending(result_type=JSON, parts=(msgspec.json.encode(result),))


def _tell(work: Work, asked: BulkRequest, done: int) -> None:
    work.progress(done, len(asked.prepared.rows), UNIT)
