"""Reports that people saved."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from custom_events.tables.reports import report_schedules, report_specifications

Row = sa.Row[*tuple[Any, ...]]
_TABLE: Final = report_specifications
_SITES: Final = pg.ARRAY(sa.BigInteger)


def by_key(connection: sa.Connection, key: str, *, lock: bool = False) -> Row | None:
    """One report; `lock` holds it until the end of the transaction."""
    statement = sa.select(_TABLE).where(_TABLE.c.key == key)
    return connection.execute(statement.with_for_update() if lock else statement).one_or_none()


def page(connection: sa.Connection, *, only: Collection[int] | None, after: str | None, limit: int) -> Sequence[Row]:
    """Reports by key, after this one, whose sites are all among `only` (None: whatever they are)."""
    c = _TABLE.c
    statement = sa.select(_TABLE).where(within(c.site_ids, only))
    if after is not None:
        statement = statement.where(c.key > after)
    return connection.execute(statement.order_by(c.key).limit(limit)).all()


def add(connection: sa.Connection, values: Mapping[str, Any]) -> bool:
    """A new report. False: there is one of this key."""
    statement = pg.insert(_TABLE).values(dict(values)).on_conflict_do_nothing().returning(_TABLE.c.id)
    return connection.execute(statement).one_or_none() is not None


def change(connection: sa.Connection, key: str, values: Mapping[str, Any]) -> None:
    """Other values for a report."""
    changed = {**values, "updated_at": sa.func.now()}
    connection.execute(sa.update(_TABLE).where(_TABLE.c.key == key).values(changed))


def remove(connection: sa.Connection, key: str) -> None:
    """Remove a report."""
    connection.execute(sa.delete(_TABLE).where(_TABLE.c.key == key))


def schedules_of(connection: sa.Connection, key: str) -> Sequence[Row]:
    """The first ten schedules that send a report."""
    c = report_schedules.c
    return connection.execute(sa.select(c.id, c.name).where(c.report_key == key).order_by(c.id).limit(10)).all()


def within(column: sa.ColumnElement[Any], only: Collection[int] | None) -> sa.ColumnElement[bool]:
    """Whether all sites of a row may be seen; null, all sites, by whoever may see all (`only` None)."""
    return sa.true() if only is None else column.contained_by(sa.literal(sorted(only), _SITES))
