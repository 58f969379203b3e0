"""Runs of reports: made once for each schedule and period, claimed with a lease, ended once, forgotten."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from custom_events.queries import keyset
from custom_events.queries.keyset import After
from custom_events.queries.report_specifications import within
from custom_events.tables.reports import report_runs
from custom_events.values.time_order import TimeOrder

Row = sa.Row[*tuple[Any, ...]]
Owner = tuple[int, int]  # a run's id, and which attempt at it this is
_TABLE: Final = report_runs
REMOVED: Final = "Removed"  # kind of the error of runs whose schedule was removed before they ended

# The one that has waited longest, or this one (:id); or whose worker has not said for the length of its lease that it works on it. What has a
# digest was written before, and is to be delivered.
_CLAIM: Final = sa.text("""
UPDATE app.report_runs SET state = CASE WHEN sha256 IS NULL THEN 'writing' ELSE 'delivering' END, attempt = attempt + 1,
  lease_until = :now + :lease, started_at = coalesce(started_at, :now)
WHERE id = (
  SELECT id FROM app.report_runs
  WHERE state IN ('queued', 'writing', 'delivering')
    AND CASE WHEN state = 'queued' THEN not_before <= :now OR id = :id ELSE lease_until < :now END
    AND (CAST(:id AS bigint) IS NULL OR id = :id)
  ORDER BY not_before, id LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING *
""")
# Whether one could be claimed.
_CLAIMABLE: Final = sa.text("""
SELECT EXISTS (SELECT FROM app.report_runs WHERE state IN ('queued', 'writing', 'delivering')
  AND CASE WHEN state = 'queued' THEN not_before <= :now ELSE lease_until < :now END)
""")
# Rows of the delivered run before this one: of its schedule, or of the same report of the same sites by hand.
_ROWS_BEFORE: Final = sa.text("""
SELECT r.rows FROM app.report_runs r, app.report_runs this
WHERE this.id = :id AND r.id < this.id AND r.state = 'delivered' AND r.report_key = this.report_key
  AND r.schedule_id IS NOT DISTINCT FROM this.schedule_id AND r.site_ids IS NOT DISTINCT FROM this.site_ids
ORDER BY r.id DESC LIMIT 1
""")
# Files whose retention is over.
_EXPIRED_FILES: Final = sa.text("""
SELECT id FROM app.report_runs
WHERE file_name IS NOT NULL AND ended_at < CAST(:now AS timestamptz) - make_interval(days => coalesce(retention_days, CAST(:days AS int)))
ORDER BY id FOR UPDATE SKIP LOCKED
""")
# By schedule: whether its newest run that ended has failed, and since when the oldest that has not ended is due.
STANDING: Final = sa.text("""
SELECT s.id, s.report_key,
  coalesce((SELECT r.state = 'failed' FROM app.report_runs r WHERE r.schedule_id = s.id AND r.state IN ('delivered', 'failed')
    ORDER BY r.id DESC LIMIT 1), false) AS has_failed,
  least(CASE WHEN s.is_active THEN s.next_due_at END,
    (SELECT min(r.due_at) FROM app.report_runs r WHERE r.schedule_id = s.id AND r.state IN ('queued', 'writing', 'delivering'))) AS due_since
FROM app.report_schedules s ORDER BY s.id
""")


def add_scheduled(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Runs of schedules; one that is there for its schedule and period stays. How many are new."""
    if not rows:
        return 0
    statement = pg.insert(_TABLE).values([dict(row) for row in rows])
    once = statement.on_conflict_do_nothing(
        index_elements=["schedule_id", "period"], index_where=sa.text("asked_by IS NULL")
    )
    return len(connection.execute(once.returning(_TABLE.c.id)).all())


def add(connection: sa.Connection, values: Mapping[str, Any]) -> Row:
    """A run that somebody asks for."""
    return connection.execute(sa.insert(_TABLE).values(dict(values)).returning(_TABLE)).one()


def by_id(connection: sa.Connection, run_id: int, *, lock: bool = False) -> Row | None:
    """One run; `lock` holds it until the end of the transaction."""
    statement = sa.select(_TABLE).where(_TABLE.c.id == run_id)
    return connection.execute(statement.with_for_update() if lock else statement).one_or_none()


def page(
    connection: sa.Connection,
    *,
    only: Collection[int] | None,
    schedule_id: int | None,
    report_key: str | None,
    state: str | None,
    order: TimeOrder,
    after: After | None,
    limit: int,
) -> Sequence[Row]:
    """Runs whose sites are all among `only` (None: whatever they are), a page of them."""
    c = _TABLE.c
    filters = ((c.schedule_id, schedule_id), (c.report_key, report_key), (c.state, state))
    conditions = [within(c.site_ids, only), *(column == value for column, value in filters if value is not None)]
    statement = sa.select(_TABLE).where(*conditions)
    return connection.execute(keyset.page(statement, keyset.by_number(c.id, order), after, limit)).all()


def claim(connection: sa.Connection, *, now: datetime, lease: timedelta, run_id: int | None = None) -> Row | None:
    """The run that this worker has from now on; None: none waits, or not this one."""
    return connection.execute(_CLAIM, {"now": now, "lease": lease, "id": run_id}).one_or_none()


def is_claimable(connection: sa.Connection, now: datetime) -> bool:
    """Whether a run waits for a worker."""
    return connection.execute(_CLAIMABLE, {"now": now}).scalar_one()


def hold(connection: sa.Connection, owner: Owner) -> Row | None:
    """Hold the run until the end of the transaction: nobody else claims it meanwhile. None: it is not this worker's any more."""
    return connection.execute(sa.select(_TABLE).where(_is_own(owner)).with_for_update()).one_or_none()


def change(connection: sa.Connection, owner: Owner, values: Mapping[str, Any]) -> bool:
    """Other values for a run. False: it is not this worker's any more."""
    statement = sa.update(_TABLE).where(_is_own(owner)).values(dict(values)).returning(_TABLE.c.id)
    return connection.execute(statement).one_or_none() is not None


def requeue(connection: sa.Connection, run_id: int, values: Mapping[str, Any]) -> Row:
    """A run that has ended is to be done again."""
    return connection.execute(
        sa.update(_TABLE).where(_TABLE.c.id == run_id).values(dict(values)).returning(_TABLE)
    ).one()


def rows_before(connection: sa.Connection, run_id: int) -> int | None:
    """Rows of the run before this one; None: there was none."""
    return connection.execute(_ROWS_BEFORE, {"id": run_id}).scalar_one_or_none()


def expired_files(connection: sa.Connection, *, now: datetime, days: int) -> Sequence[int]:
    """Runs whose files have been kept long enough, held until the end of the transaction."""
    return connection.execute(_EXPIRED_FILES, {"now": now, "days": days}).scalars().all()


def files_removed(connection: sa.Connection, run_ids: Sequence[int]) -> None:
    """These runs have no file any more."""
    connection.execute(sa.update(_TABLE).where(_TABLE.c.id.in_(run_ids)).values(file_name=None))


def known(connection: sa.Connection, run_ids: Sequence[int]) -> set[int]:
    """Those of these runs that are in the log."""
    return set(connection.execute(sa.select(_TABLE.c.id).where(_TABLE.c.id.in_(run_ids))).scalars())


def forget(connection: sa.Connection, before: datetime) -> int:
    """Remove runs without a file that ended before. How many."""
    c = _TABLE.c
    return connection.execute(sa.delete(_TABLE).where(c.ended_at < before, c.file_name.is_(None))).rowcount


def _is_own(owner: Owner) -> sa.ColumnElement[bool]:
    c = _TABLE.c
    return sa.and_(c.id == owner[0], c.attempt == owner[1], c.state.in_(("writing", "delivering")))
