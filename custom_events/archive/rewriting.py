"""Rows of people who are forgotten are blanked in the archive: files that hold some are written anew, and the old ones removed.

The new file comes first, then the manifest that names it, then the old file goes. What an interruption leaves behind is named by no manifest,
and is removed before the next rewriting.
"""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import msgspec
import sqlalchemy as sa

from custom_events.archive import files
from custom_events.archive.manifest import ArchivedFile, Manifest
from custom_events.archive.rows import ArchivedRow, FileWriter, rows_of
from custom_events.archive.storage import ArchiveStorage, opened
from custom_events.errors import NeedsAction
from custom_events.queries import archives as sql
from custom_events.settings import Settings


def blank(
    engine: sa.Engine, settings: Settings, site_id: int, now: datetime, is_theirs: Callable[[ArchivedRow], bool]
) -> int:
    """Blank the rows of a site for which `is_theirs` holds, in all weeks of the archive. How many. May be interrupted and run again.

    Raises NeedsAction where weeks were archived and the settings name no archive any more, or a file has changed; Transient where storage does
    not answer.
    """
    if settings.archive_url is None:
        with engine.connect() as connection:
            archived = connection.execute(sql.FIGURES).one().weeks
        if archived:
            raise NeedsAction(
                f"{archived} weeks of raw events are in an archive that CUSTOM_EVENTS_ARCHIVE_URL names no more: set it, so that people are forgotten there, too."
            )
        return 0
    count = 0
    with opened(settings) as storage, files.holding(engine), files.work_folder(settings) as folder:
        for week in storage.folders():
            count += _blank_week(storage, week, folder, site_id, now, is_theirs)
    return count


def _blank_week(
    storage: ArchiveStorage,
    week: date,
    folder: Path,
    site_id: int,
    now: datetime,
    is_theirs: Callable[[ArchivedRow], bool],
) -> int:
    storage.remove_unlisted(week)
    manifest = storage.manifest(week)
    count = 0
    for file in () if manifest is None else manifest.files:
        assert manifest is not None  # noqa: S101  for types: files are of a manifest
        with files.fetched(storage, manifest, file, folder) as path:
            theirs = {row.id for rows in rows_of(path, (site_id,)) for row in rows if row.body_bytes and is_theirs(row)}
            if not theirs:
                continue
            manifest = _replace(storage, manifest, file, path, theirs, now)
        count += len(theirs)
    return count


def _replace(
    storage: ArchiveStorage, manifest: Manifest, file: ArchivedFile, path: Path, theirs: set[int], now: datetime
) -> Manifest:
    """The manifest with a file without what these rows say in the place of the old one, which is removed."""
    written = path.with_name("rewritten.parquet")
    writer = FileWriter(written)
    try:
        for rows in rows_of(path):
            for row in rows:
                writer.add(row.blanked() if row.id in theirs else row)
        renewed = writer.finish()
    finally:
        writer.close()
    files.put_checked(storage, manifest, renewed, written)
    manifest_files = tuple(renewed if other is file else other for other in manifest.files)
    manifest = msgspec.structs.replace(
        manifest, files=manifest_files, bytes=sum(other.bytes for other in manifest_files), rewritten_at=now
    )
    storage.put_manifest(manifest, path.parent)
    storage.remove(manifest.landed_week, {file.name})
    return manifest
