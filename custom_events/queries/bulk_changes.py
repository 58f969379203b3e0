"""Bulk changes, and what became of their rows."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from custom_events.tables.operations import bulk_change_rows, bulk_changes, operations

FORGET_AT_ONCE: Final = 5  # bulk changes, so that nobody waits for long: each may have thousands of rows

Row = sa.Row[*tuple[Any, ...]]

_TABLE, _ROWS = bulk_changes, bulk_change_rows
_SITES: Final = pg.ARRAY(sa.BigInteger)
_FORGET: Final = sa.text("""
DELETE FROM app.bulk_changes WHERE id IN (SELECT id FROM app.bulk_changes
  WHERE created_at < now() - :age LIMIT :rows FOR UPDATE SKIP LOCKED)
""")


def add(connection: sa.Connection, values: Mapping[str, Any]) -> int:
    """Id of a new bulk change."""
    return connection.execute(sa.insert(_TABLE).values(values).returning(_TABLE.c.id)).scalar_one()


def belongs_to(connection: sa.Connection, bulk_change_id: int, operation_id: int) -> None:
    """This operation does it."""
    connection.execute(sa.update(_TABLE).where(_TABLE.c.id == bulk_change_id).values(operation_id=operation_id))


def end(connection: sa.Connection, bulk_change_id: int) -> None:
    """Its last row is done."""
    connection.execute(sa.update(_TABLE).where(_TABLE.c.id == bulk_change_id).values(ended_at=sa.func.now()))


def remove(connection: sa.Connection, bulk_change_id: int) -> None:
    """Of one that changed nothing there is nothing to undo."""
    connection.execute(sa.delete(_TABLE).where(_TABLE.c.id == bulk_change_id))


def by_id(connection: sa.Connection, bulk_change_id: int) -> Row | None:
    """One bulk change, with the one that undoes it."""
    return connection.execute(_changes().where(_TABLE.c.id == bulk_change_id)).one_or_none()


def search(
    connection: sa.Connection, *, only: Collection[int] | None, text: str | None, before_id: int | None, limit: int
) -> Sequence[Row]:
    """Bulk changes of these sites alone (None: all) with `text` in the reason or in who asked, newest first, older than `before_id`."""
    statement = _changes().order_by(_TABLE.c.id.desc()).limit(limit)
    if only is not None:
        within = _TABLE.c.site_ids.contained_by(sa.literal(sorted(only), _SITES))
        statement = statement.where(within, sa.func.cardinality(_TABLE.c.site_ids) > 0)
    if text is not None:
        reason, asked_by = (column.icontains(text, autoescape=True) for column in (_TABLE.c.reason, _TABLE.c.asked_by))
        statement = statement.where(reason | asked_by)
    if before_id is not None:
        statement = statement.where(_TABLE.c.id < before_id)
    return connection.execute(statement).all()


def add_rows(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """What became of some rows."""
    if rows:
        connection.execute(sa.insert(_ROWS), list(rows))


def rows(connection: sa.Connection, bulk_change_id: int, *, after: int, limit: int) -> Sequence[Row]:
    """What became of rows behind the number `after`, in their order."""
    c = _ROWS.c
    statement = sa.select(_ROWS).where(c.bulk_change_id == bulk_change_id, c.number > after)
    return connection.execute(statement.order_by(c.number).limit(limit)).all()


def done(connection: sa.Connection, bulk_change_id: int) -> int:
    """How many rows are done: those that are follow each other from the first."""
    statement = sa.select(sa.func.count()).select_from(_ROWS).where(_ROWS.c.bulk_change_id == bulk_change_id)
    return connection.execute(statement).scalar_one()


def touched(connection: sa.Connection, bulk_change_id: int, number: int) -> Any:
    """The assignments that a row touched, as JSON."""
    c = _ROWS.c
    statement = sa.select(c.touched).where(c.bulk_change_id == bulk_change_id, c.number == number)
    return connection.execute(statement).scalar_one()


def to_undo(connection: sa.Connection, bulk_change_id: int) -> Sequence[Row]:
    """The rows that changed something, the last first: number and detail."""
    c = _ROWS.c
    changed = c.outcome.in_(("made", "changed"))
    statement = sa.select(c.number, c.detail).where(c.bulk_change_id == bulk_change_id, changed)
    return connection.execute(statement.order_by(c.number.desc())).all()


def forget_old(connection: sa.Connection, age: timedelta) -> None:
    """Remove some that are older than they are kept."""
    connection.execute(_FORGET, {"age": age, "rows": FORGET_AT_ONCE})


def _changes() -> sa.Select[*tuple[Any, ...]]:
    later = _TABLE.alias("later")
    undone_by = (
        sa.select(sa.func.max(later.c.id))
        .where(later.c.undoes == _TABLE.c.id, later.c.ended_at.is_not(None))
        .scalar_subquery()
    )
    is_under_way = sa.exists().where(
        operations.c.id == _TABLE.c.operation_id, operations.c.state.in_(("waiting", "running"))
    )
    return sa.select(_TABLE, undone_by.label("undone_by"), is_under_way.label("is_under_way"))
