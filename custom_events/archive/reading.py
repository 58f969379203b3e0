"""What is in the archive: its weeks, whether their files are as they were written, and their rows."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import msgspec
import sqlalchemy as sa

from custom_events.archive import files
from custom_events.archive.manifest import MANIFEST, ArchivedFile, Manifest
from custom_events.archive.rows import ArchivedRow, digest, rows_of, schema
from custom_events.archive.storage import ArchiveStorage, opened
from custom_events.errors import CustomEventsError, NotFound
from custom_events.queries import archives as sql
from custom_events.settings import Settings


class ArchivedWeek(msgspec.Struct, frozen=True, kw_only=True):
    """A week of the archive: what its manifest says (None: the week is not in the archive), what the database knows of it."""

    week: date
    manifest: Manifest | None = None
    problem: str | None = None
    problem_since: datetime | None = None
    restored_until: datetime | None = None


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What looking through a week gave: rows and files that are as they were written, and what is wrong."""

    week: date
    files: int
    rows: int
    problems: tuple[str, ...] = ()


def weeks(connection: sa.Connection, settings: Settings) -> list[ArchivedWeek]:
    """All weeks that are archived or should be, oldest first. Raises InvalidConfiguration where the settings name no archive."""
    states = {row.landed_week: row for row in connection.execute(sql.STATES)}
    with opened(settings) as storage:
        manifests = {week: storage.manifest(week) for week in storage.weeks()}
    answer: list[ArchivedWeek] = []
    for week in sorted(states.keys() | manifests.keys()):
        state, manifest = states.get(week), manifests.get(week)
        problem = None if state is None else state.problem
        if manifest is None and state is not None and state.written_at is not None:
            problem = "it was archived and is not there any more: restore its files from a copy"
        answer.append(
            ArchivedWeek(
                week=week,
                manifest=manifest,
                problem=problem,
                problem_since=None if state is None else state.problem_since,
                restored_until=None if state is None else state.restored_until,
            )
        )
    return answer


def verify(settings: Settings, week: date) -> Verified:
    """Read a week's files and compare them with its manifest. Raises NotFound for a week that is not in the archive, Transient and
    NeedsAction for storage that does not answer."""
    problems: list[str] = []
    rows = sound_files = 0
    with opened(settings) as storage, files.work_folder(settings) as folder:
        manifest = manifest_of(storage, week)
        listed = {MANIFEST, *(file.name for file in manifest.files)}
        there = storage.names(week)
        problems += [f"{name} is named by no manifest" for name in sorted(there - listed)]
        for file in manifest.files:
            if file.name not in there:
                problems.append(f"{file.name} is missing")
                continue
            path = folder / file.name
            storage.get(week, file.name, path)
            wrong = _wrong(path, file)
            path.unlink()
            if wrong is None:
                sound_files, rows = sound_files + 1, rows + file.rows
            else:
                problems.append(f"{file.name} {wrong}")
    if rows != manifest.rows and not problems:
        problems.append(f"its files have {rows} rows, its manifest says {manifest.rows}")
    return Verified(week=week, files=sound_files, rows=rows, problems=tuple(problems))


def manifest_of(storage: ArchiveStorage, week: date) -> Manifest:
    """What is archived of a week. Raises NotFound."""
    manifest = storage.manifest(week)
    if manifest is None:
        raise NotFound(
            f"The week {week} is not in the archive: `custom-events archive list` shows what is.", what="week"
        )
    return manifest


def rows_of_site(settings: Settings, site_id: int, without: set[date]) -> Iterator[ArchivedRow]:
    """A site's rows in all weeks of the archive but these, oldest week first; none where the settings name no archive."""
    if settings.archive_url is None:
        return
    with opened(settings) as storage, files.work_folder(settings) as folder:
        for week in storage.weeks():
            manifest = None if week in without else storage.manifest(week)
            for file in () if manifest is None else manifest.files:
                assert manifest is not None  # noqa: S101  for types: files are of a manifest
                with files.fetched(storage, manifest, file, folder) as path:
                    for rows in rows_of(path, (site_id,)):
                        yield from rows


def _wrong(path: Path, file: ArchivedFile) -> str | None:
    """What is wrong with a file; None: it is as it was written."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if digest(path) != file.sha256:
        return "has another SHA-256 than its manifest says"
    try:
        metadata = pq.read_metadata(path)
        if not pq.read_schema(path).equals(schema()):
            return "has other columns"
    except (pa.ArrowException, CustomEventsError, OSError) as error:
        return f"cannot be read ({type(error).__name__})"
    return None if metadata.num_rows == file.rows else f"has {metadata.num_rows} rows, its manifest says {file.rows}"
