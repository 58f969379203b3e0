"""Lists as files, whole: written part by part into the operation's result, so that their length costs no memory and no request's time."""

import shutil
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events import private_files
from custom_events.operations.export_lists import LISTS, ExportList, ExportRequest, Rows
from custom_events.operations.operation import KEPT
from custom_events.operations.work import Ending, Work
from custom_events.postgres import replica
from custom_events.report_files.table import MEDIA_TYPES, FileLimits, ReportTable
from custom_events.report_files.writing import write
from custom_events.values import csv_lines

EXPORT: Final = "export"
UNIT: Final = "rows"
FOLDER: Final = "exports"  # in the local directory: files while they are made
MOST_BYTES: Final = 2 * 1024**3  # of a file; its parts are rows of the database for a day
_PART_BYTES: Final = 1024 * 1024


def run_export(work: Work) -> Ending:
    """Write the list, from the replica where there is one. Taken up again after its worker died it begins at the first row."""
    return replica.read(work.engine, work.settings, partial(_export, work), name="custom-events exports")


def _export(work: Work, engine: sa.Engine) -> Ending:
    work.begin_anew()
    request = msgspec.convert(work.operation.request, ExportRequest)
    chosen = LISTS[request.name]
    batches = _followed(work, chosen.rows(engine, request))
    if request.format == "csv":
        work.part(csv_lines.encode([[column.name for column in chosen.columns]]))
        for rows in batches:
            work.part(csv_lines.encode(rows))
    else:
        _write_file(work, request, chosen, batches)
    work.progress(work.done, work.done, UNIT)
    return Ending(result_type=MEDIA_TYPES[request.format])


def _followed(work: Work, batches: Rows) -> Rows:
    """The rows; meanwhile it is said how many there were, and the work ends where it is to end."""
    written = 0
    work.progress(0, None, UNIT)
    for rows in batches:
        work.check()
        yield rows
        written += len(rows)
        work.progress(written, None, UNIT)


def _write_file(work: Work, request: ExportRequest, chosen: ExportList, batches: Rows) -> None:
    """Make the file on disk, as its format needs it, and put it into the result."""
    table = ReportTable(
        title=request.name.replace("_", " ").capitalize(),
        columns=chosen.columns,
        batches=batches,
        period=_period(request),
        notes=tuple(_notes(request, chosen)),
    )
    folder = work.settings.local_directory / FOLDER
    private_files.make_directory(folder)
    _sweep(folder)
    with TemporaryDirectory(dir=folder, prefix=f"{work.operation.id}-") as place:
        written = write(table, request.format, Path(place) / "export", FileLimits(bytes=MOST_BYTES))
        with written.path.open("rb") as file:
            while part := file.read(_PART_BYTES):
                work.check()
                work.part(part)


def _period(request: ExportRequest) -> str:
    """From when until when, in words; "" for all there is."""
    words = [("since", request.since), ("until", request.until)]
    return " ".join(f"{word} {moment.isoformat()}" for word, moment in words if moment is not None)


def _notes(request: ExportRequest, chosen: ExportList) -> Iterator[str]:
    """What narrows the list, one sentence each."""
    names = ("site_id", *(name for name in chosen.filters if name not in ("since", "until")))
    for name in names:
        value: Any = getattr(request, name)
        if value is not None:
            yield f"Only with {name.replace('_', ' ')} {value}."


def _sweep(folder: Path) -> None:
    """Remove what attempts left whose process was killed."""
    oldest = time.time() - KEPT.total_seconds()
    for place in folder.iterdir():
        if place.stat().st_mtime < oldest:
            shutil.rmtree(place, ignore_errors=True)
