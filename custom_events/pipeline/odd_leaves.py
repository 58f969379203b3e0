"""Counts the leaves of an odd type that a batch met; nothing is asked of the database when there are none."""

from collections.abc import Iterable
from typing import Any

from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.pipeline.understanding import Delivered
from custom_events.queries import odd_leaves as sql


async def count(connection: Connection, delivered: Iterable[Delivered]) -> None:
    """One row for each site and path, with the last body that had it."""
    rows: dict[tuple[int, str], tuple[Any, ...]] = {}
    for row in delivered:
        for path in row.understood.odd_leaves:
            key = row.site_id, path
            bodies = rows[key][2] if key in rows else 0
            rows[key] = (*key, bodies + 1, row.raw_id, row.landed_week)
    if rows:
        await connection.execute(sql.COUNT, *columns_of(list(rows.values())))
