"""What a row of a bulk change did is undone, by revisions: what applied before applies again, as a new revision of it.

An assignment that the row made is removed where nothing of it ever applied; else nothing of it applies any more. What was changed
since is left alone, and said.
"""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from custom_events.catalog import assignments
from custom_events.catalog.assignments import SiteAssignment
from custom_events.catalog.bulk.outcomes import AssignmentState, Touched
from custom_events.catalog.bulk.states import state_of
from custom_events.errors import NeedsAction
from custom_events.queries import bulk_changes as queries


def touched_by(connection: sa.Connection, bulk_change_id: int, number: int) -> Sequence[Touched]:
    """The assignments that this row touched, in their order."""
    return msgspec.convert(queries.touched(connection, bulk_change_id, number), tuple[Touched, ...])


def restore(connection: sa.Connection, touched: Touched, by: str, reason: str) -> SiteAssignment | None:
    """The assignment as it was before; None: it is removed. Raises NeedsAction where it was changed since."""
    number, before = touched.assignment_id, touched.before
    now = state_of(connection, number)
    if now is None or not now.means(touched.after):
        problem = "is not there any more" if now is None else "was changed since"
        raise NeedsAction(f"Assignment {number} {problem}: look at its revisions, and change it by hand")
    if before is None:
        return _unmake(connection, number, now, by, reason)
    if before.published != now.published:
        if before.published_number is None:
            assignments.retire(connection, number, by=by, reason=reason)
        else:
            assignments.rollback(connection, number, before.published_number, by=by, reason=reason)
    _restore_draft(connection, number, before, by, reason)
    if before.is_active != now.is_active:
        switch = assignments.resume if before.is_active else assignments.pause
        switch(connection, number, actor=by, reason=reason)
    return assignments.get(connection, number)


def _restore_draft(connection: sa.Connection, number: int, before: AssignmentState, by: str, reason: str) -> None:
    """What was drafted is drafted again; a draft that came since says no more than what applies."""
    now = state_of(connection, number)
    assert now is not None  # noqa: S101  (it was there a moment ago, and is held)
    if now.pending == before.pending:
        return
    wanted = before.pending if before.pending is not None else before.newest
    assignments.override(connection, number, wanted, expected=now.newest_number, author=by, reason=reason)


def _unmake(
    connection: sa.Connection, number: int, now: AssignmentState, by: str, reason: str
) -> SiteAssignment | None:
    if now.published_number is None:
        assignments.delete(connection, number, by=by)
        return None
    assignments.retire(connection, number, by=by, reason=reason)
    return assignments.get(connection, number)
