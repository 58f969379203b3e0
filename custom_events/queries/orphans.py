"""Rows that refer to nothing, where no foreign key watches (decision 0005): all of them for tests, the newest for the doctor."""

import sqlalchemy as sa

from custom_events.tables.references import UNENFORCED, Reference
from custom_events.tables.registry import PARTITIONED

_PARTITIONED = {kind.table for kind in PARTITIONED}


def orphans(connection: sa.Connection, *, newest: int | None = None) -> dict[str, int]:
    """Number of rows by `schema.table.column`, only where there are any.

    Without `newest` whole tables are read, and a row whose target expired by retention counts as well: on old data this says
    nothing. With it, so many rows of each table are looked at, the last by primary key, and only references to what an index
    finds and no retention drops (a row of a partitioned table is found by its time and id, not by the id alone).
    """
    by_table: dict[str, int] = {}
    for reference in UNENFORCED:
        if newest is not None and reference.target in _PARTITIONED:
            continue
        if count := connection.execute(_count(reference, newest)).scalar_one():
            by_table[f"{reference.table.fullname}.{reference.column}"] = count
    return by_table


def _count(reference: Reference, newest: int | None) -> sa.Select[int]:
    table = reference.table
    referring = sa.select(table).where(table.c[reference.column].is_not(None))
    if newest is not None:
        referring = referring.order_by(*(column.desc() for column in table.primary_key.columns)).limit(newest)
    rows, target = referring.subquery("rows"), reference.target.alias("target")
    same = target.c[reference.target_column] == rows.c[reference.column]
    if reference.target_column != "id":  # ids of a store are unique within its site only
        same &= target.c.site_id == rows.c.site_id
    return sa.select(sa.func.count()).where(~sa.exists().where(same)).select_from(rows)
