"""The end of what reports leave behind: files by their retention, the log of runs much later."""

import shutil
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from custom_events.queries import report_runs as queries
from custom_events.reports import runs, schedules
from custom_events.settings import Settings


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """How many files and how many runs of the log were removed, and how many schedules are due at another moment by new time zones."""

    files: int
    runs: int
    moved: int


def sweep(engine: sa.Engine, settings: Settings, now: datetime) -> Swept:
    """Remove files whose retention is over, and directories of runs that nobody knows; forget old runs; compute next moments again."""
    with engine.begin() as connection:
        expired = queries.expired_files(connection, now=now, days=settings.report_retention_days)
        for run_id in expired:
            shutil.rmtree(runs.folder_of(settings, run_id), ignore_errors=True)
        if expired:
            queries.files_removed(connection, expired)
    with engine.begin() as connection:
        forgotten = queries.forget(connection, now - timedelta(days=settings.report_log_days))
        moved = schedules.recompute(connection, now)
    return Swept(files=len(expired) + _remove_strays(engine, settings), runs=forgotten, moved=moved)


def _remove_strays(engine: sa.Engine, settings: Settings) -> int:
    """Directories whose run is not in the log: it was forgotten while its directory could not be removed."""
    folder = settings.local_directory / runs.FOLDER
    there = {int(path.name): path for path in folder.glob("*") if path.name.isdecimal()} if folder.is_dir() else {}
    if not there:
        return 0
    with engine.connect() as connection:
        known = queries.known(connection, list(there))
    strays = [path for run_id, path in there.items() if run_id not in known]
    for path in strays:
        shutil.rmtree(path, ignore_errors=True)
    return len(strays)
