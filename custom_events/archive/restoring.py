"""Weeks of the archive brought back into landing.raw_events, with their numbers and times, so that what reads stored deliveries reads them.

What nothing in the database says the outcome of waits in the queue again, as after landing, and is drained. Restored rows are kept for some
days, and dropped by retention then; the archive keeps them.
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.archive import files
from custom_events.archive.manifest import Manifest
from custom_events.archive.reading import manifest_of
from custom_events.archive.rows import ArchivedRow, rows_of
from custom_events.archive.storage import opened
from custom_events.archive.writing import IsForgotten
from custom_events.postgres import partitions
from custom_events.queries import archives as sql
from custom_events.settings import Settings
from custom_events.tables.landing import raw_events

RESTORED_AT_ONCE: Final = 500  # rows in one statement: about 1.5 MB


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: `landed` rows that were not there, `waiting` of them in the queue; `blanked` tell of people who were forgotten, and came
    back without what they said."""

    week: date
    rows: int
    landed: int
    waiting: int
    blanked: int
    until: datetime


def restore(
    engine: sa.Engine,
    settings: Settings,
    week: date,
    now: datetime,
    is_forgotten: IsForgotten,
    *,
    days: int,
    only: Collection[int] | None = None,
) -> Restored:
    """Bring a week back for `days`, or `only` these raw events of it. May be interrupted and run again: what is there stays as it is. Raises NotFound for a week that is not in the
    archive, NeedsAction for a file that has changed."""
    until = now + timedelta(days=days)
    landed = waiting = blanked = 0
    with opened(settings) as storage, files.holding(engine), files.work_folder(settings) as folder:
        manifest = manifest_of(storage, week)
        with engine.begin() as connection:
            partitions.ensure_span(connection, raw_events, week)
            connection.execute(sql.RESTORED, _known(manifest, until))
        for file in manifest.files:
            with files.fetched(storage, manifest, file, folder) as path:
                for group in rows_of(path):
                    chosen = group if only is None else [row for row in group if row.id in only]
                    rows = [row.blanked() if row.body_bytes and is_forgotten(row) else row for row in chosen]
                    blanked += sum(row is not before for row, before in zip(rows, chosen, strict=True))
                    for first in range(0, len(rows), RESTORED_AT_ONCE):
                        with engine.begin() as connection:
                            values = _columns(week, rows[first : first + RESTORED_AT_ONCE])
                            counts = connection.execute(sql.RESTORE, values).one()
                        landed, waiting = landed + counts.landed, waiting + counts.queued
    return Restored(week=week, rows=manifest.rows, landed=landed, waiting=waiting, blanked=blanked, until=until)


def _known(manifest: Manifest, until: datetime) -> dict[str, Any]:
    return {
        "week": manifest.landed_week,
        "written_at": manifest.written_at,
        "rows": manifest.rows,
        "bytes": manifest.bytes,
        "until": until,
    }


def _columns(week: date, rows: list[ArchivedRow]) -> dict[str, Any]:
    names = ArchivedRow._fields[1:]
    return {"week": week} | {name: [getattr(row, name) for row in rows] for name in names}
