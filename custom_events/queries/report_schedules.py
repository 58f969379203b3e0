"""Schedules of reports: which are due, and what people set of them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from custom_events.queries.report_runs import REMOVED
from custom_events.queries.report_specifications import within
from custom_events.tables.reports import report_schedules

Row = sa.Row[*tuple[Any, ...]]
_TABLE: Final = report_schedules

# Runs of a schedule that is removed and that have not ended: nobody would deliver them.
_SKIP: Final = sa.text(f"""
UPDATE app.report_runs SET state = 'skipped', lease_until = NULL, ended_at = now(),
  error = jsonb_build_object('kind', '{REMOVED}', 'sentence', 'Its schedule was removed.')
WHERE schedule_id = :id AND state IN ('queued', 'writing', 'delivering')
""")


def by_id(connection: sa.Connection, schedule_id: int, *, lock: bool = False) -> Row | None:
    """One schedule; `lock` holds it until the end of the transaction."""
    statement = sa.select(_TABLE).where(_TABLE.c.id == schedule_id)
    return connection.execute(statement.with_for_update() if lock else statement).one_or_none()


def page(
    connection: sa.Connection, *, only: Collection[int] | None, report_key: str | None, after: int, limit: int
) -> Sequence[Row]:
    """Schedules by id, after this one, whose sites are all among `only` (None: whatever they are)."""
    c = _TABLE.c
    statement = sa.select(_TABLE).where(c.id > after, within(c.site_ids, only))
    if report_key is not None:
        statement = statement.where(c.report_key == report_key)
    return connection.execute(statement.order_by(c.id).limit(limit)).all()


def add(connection: sa.Connection, values: Mapping[str, Any]) -> Row:
    """A new schedule."""
    return connection.execute(sa.insert(_TABLE).values(dict(values)).returning(_TABLE)).one()


def change(connection: sa.Connection, schedule_id: int, values: Mapping[str, Any]) -> Row:
    """Other values for a schedule."""
    changed = {**values, "updated_at": sa.func.now()}
    return connection.execute(
        sa.update(_TABLE).where(_TABLE.c.id == schedule_id).values(changed).returning(_TABLE)
    ).one()


def remove(connection: sa.Connection, schedule_id: int) -> None:
    """Remove a schedule; what it has begun and not ended is skipped."""
    connection.execute(_SKIP, {"id": schedule_id})
    connection.execute(sa.delete(_TABLE).where(_TABLE.c.id == schedule_id))


def secrets(connection: sa.Connection, schedule_id: int) -> bytes | None:
    """The encrypted secrets of its targets; None: it has none."""
    statement = sa.select(_TABLE.c.secrets_encrypted).where(_TABLE.c.id == schedule_id)
    token = connection.execute(statement).scalar_one_or_none()
    return None if token is None else bytes(token)


def due(connection: sa.Connection, now: datetime, *, but: Collection[int] = ()) -> Row | None:
    """A schedule that is due, held until the end of the transaction; None: none is but these, or others have them."""
    c = _TABLE.c
    statement = (
        sa.select(_TABLE)
        .where(c.is_active, c.next_due_at <= now, c.id.not_in(but))
        .order_by(c.next_due_at, c.id)
        .limit(1)
    )
    return connection.execute(statement.with_for_update(skip_locked=True)).one_or_none()


def all_due(connection: sa.Connection, now: datetime) -> Sequence[Row]:
    """Every schedule that is due, the longest due first; none is held."""
    c = _TABLE.c
    return connection.execute(
        sa.select(_TABLE).where(c.is_active, c.next_due_at <= now).order_by(c.next_due_at, c.id)
    ).all()


def to_come(connection: sa.Connection, now: datetime) -> Sequence[Row]:
    """Active schedules that are due later, held until the end of the transaction."""
    c = _TABLE.c
    statement = sa.select(_TABLE).where(c.is_active, c.next_due_at > now).order_by(c.id).with_for_update()
    return connection.execute(statement).all()


def move(connection: sa.Connection, schedule_id: int, due_at: datetime) -> None:
    """The next moment at which it is due."""
    connection.execute(sa.update(_TABLE).where(_TABLE.c.id == schedule_id).values(next_due_at=due_at))
