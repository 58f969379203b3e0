"""Weeks of raw events written to the archive, before retention drops them from the database.

A week is read in one snapshot, row by row; its files come first, each read back, then the manifest, then the row of app.raw_archives
without which its partition is not dropped. Interrupted anywhere, the next writing begins the week again.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import sqlalchemy as sa
import structlog

from custom_events.archive import files
from custom_events.archive.manifest import SCHEMA_VERSION, ArchivedFile, Manifest
from custom_events.archive.rows import ArchivedRow, FileWriter, archived_row
from custom_events.archive.storage import UNSET, ArchiveStorage, opened
from custom_events.errors import InvalidConfiguration, NeedsAction, Transient
from custom_events.postgres.partitions import STUCK_ROWS
from custom_events.queries import archives as sql
from custom_events.settings import Settings, variable_of

FILE_BYTES: Final = 128 * 1024 * 1024  # of a file, after which the next begins; redaction writes a whole one anew
FETCHED_ROWS: Final = 100  # of the database at once; a body has up to 2 MiB
SETTLED: Final = timedelta(days=1)  # after a week's end, whatever clocks differ by: nothing lands in it any more

# Whether a raw event tells of somebody who was forgotten.
IsForgotten = Callable[[ArchivedRow], bool]


class Archived(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a week: its manifest, or why it could not be archived."""

    week: date
    manifest: Manifest | None = None
    problem: str | None = None


def write_due(engine: sa.Engine, settings: Settings, now: datetime, is_forgotten: IsForgotten) -> list[Archived]:
    """Archive the weeks that retention would drop now and that are not in the archive; none where the settings name no archive. The first
    that cannot be archived is the last that is tried: the next run goes on there."""
    until = now.date() - timedelta(days=settings.raw_retention_days)
    if settings.archive_url is None or not _due(engine, until, now):
        return []
    return write(engine, settings, now, is_forgotten, until=until)


def write(
    engine: sa.Engine, settings: Settings, now: datetime, is_forgotten: IsForgotten, *, until: date
) -> list[Archived]:
    """Archive the weeks that ended on or before a day, and a day ago at least. Raises InvalidConfiguration for a day of the future, and where the settings name no
    archive."""
    if until > now.astimezone(UTC).date():
        raise InvalidConfiguration(f"{until} is in the future: only weeks that have ended are archived", path="until")
    if settings.archive_url is None:
        raise InvalidConfiguration(UNSET, path=variable_of("archive_url"))
    done: list[Archived] = []
    try:
        with opened(settings) as storage, files.holding(engine):
            for week in _due(engine, until, now):
                manifest = _write_week(engine, settings, storage, week, now, is_forgotten)
                if manifest is not None:
                    done.append(Archived(week=week, manifest=manifest))
                    structlog.get_logger().info("week_archived", week=str(week), rows=manifest.rows)
    except (Transient, NeedsAction) as error:
        due = _due(engine, until, now)
        if not due:  # nothing is late for it
            raise
        done.append(Archived(week=due[0], problem=str(error)))
        with engine.begin() as connection:
            connection.execute(sql.FAILED, {"week": due[0], "problem": str(error), "now": now})
        structlog.get_logger().error("archiving_failed", week=str(due[0]), error=str(error))
    return done


def _due(engine: sa.Engine, until: date, now: datetime) -> Sequence[date]:
    """The weeks that are to be archived, oldest first."""
    ended = min(until, (now.astimezone(UTC) - SETTLED).date())
    with engine.connect() as connection:
        return connection.execute(sql.UNARCHIVED, {"until": ended}).scalars().all()


def _write_week(
    engine: sa.Engine,
    settings: Settings,
    storage: ArchiveStorage,
    week: date,
    now: datetime,
    is_forgotten: IsForgotten,
) -> Manifest | None:
    """The manifest of the week, which is in the archive; None: it has no rows any more, and what is in the archive of it stays."""
    manifest = Manifest(
        landed_week=week,
        schema_version=SCHEMA_VERSION,
        rows=0,
        bytes=0,
        first_received_at=datetime.max.replace(tzinfo=UTC),
        last_received_at=datetime.min.replace(tzinfo=UTC),
        written_at=now,
        files=(),
    )
    storage.remove_unlisted(week)  # of a writing that was interrupted
    with files.work_folder(settings) as folder:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            waiting = connection.execute(sql.WAITING, {"week": week}).scalar_one()
            if waiting > STUCK_ROWS:
                raise NeedsAction(f"{waiting} rows wait in landing.raw_queue: they are understood first.")
            streamed = connection.execution_options(stream_results=True, yield_per=FETCHED_ROWS)
            with streamed.execute(sql.WEEK, {"week": week}) as result:
                rows = (_kept(row, is_forgotten) for row in result)
                for file, first, last in _written(storage, manifest, rows, folder):
                    manifest = msgspec.structs.replace(
                        manifest,
                        rows=manifest.rows + file.rows,
                        bytes=manifest.bytes + file.bytes,
                        first_received_at=min(manifest.first_received_at, first),
                        last_received_at=max(manifest.last_received_at, last),
                        files=(*manifest.files, file),
                    )
        if not manifest.files:
            return None
        storage.put_manifest(manifest, folder)
    with engine.begin() as connection:
        values = {"week": week, "now": now, "rows": manifest.rows, "bytes": manifest.bytes}
        connection.execute(sql.WRITTEN, values)
    return manifest


def _kept(row: Any, is_forgotten: IsForgotten) -> ArchivedRow:
    """The row as it is archived. Of what was understood nobody forgotten is left; what never was is looked at here."""
    archived = archived_row(row)
    return archived.blanked() if row.waits and is_forgotten(archived) else archived


def _written(
    storage: ArchiveStorage, manifest: Manifest, rows: Iterator[ArchivedRow], folder: Path
) -> Iterator[tuple[ArchivedFile, datetime, datetime]]:
    """Each file when it is in the archive, with the first and last moment at which one of its rows was received."""
    path = folder / "writing.parquet"
    row = next(rows, None)
    while row is not None:
        writer = FileWriter(path)
        first = last = row.received_at
        try:
            while row is not None and writer.bytes < FILE_BYTES:
                writer.add(row)
                first, last = min(first, row.received_at), max(last, row.received_at)
                row = next(rows, None)
            file = writer.finish()
        finally:
            writer.close()
        files.put_checked(storage, manifest, file, path)
        yield file, first, last
