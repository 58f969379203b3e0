"""What Dagster keeps of the newest run that failed, read beside its database: for who asks at a terminal."""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa

from custom_events.postgres.connect import engine
from custom_events.tables.base import DAGSTER
from orchestration import instance

if TYPE_CHECKING:
    import dagster as dg


class FailedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that failed: its job, the step that ended it ("": it failed before its first step), and every sentence that says why."""

    run_id: str
    job: str
    step: str
    sentences: tuple[str, ...]


def newest(url: str) -> FailedRun | None:
    """The newest failed run of the Dagster whose tables are in this database; None: none failed, or Dagster never ran."""
    if not _has_tables(url):
        return None
    import dagster as dg

    with tempfile.TemporaryDirectory() as directory:
        os.environ[instance.STORAGE_VARIABLE] = instance.prepare(Path(directory), url)[instance.STORAGE_VARIABLE]
        with dg.DagsterInstance.from_config(directory) as dagster:
            failed = dagster.get_runs(filters=dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]), limit=1)
            return _read(dagster, failed[0]) if failed else None


def _read(dagster: "dg.DagsterInstance", run: "dg.DagsterRun") -> FailedRun:
    import dagster as dg

    step, sentences = "", []
    for entry in dagster.all_logs(
        run.run_id, of_type={dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
    ):
        event = entry.dagster_event
        if event is None:
            continue
        step = step or event.step_key or ""
        sentences.append(event.message or "")
        data = event.step_failure_data if event.is_step_failure else None
        if data is None:
            continue
        if data.user_failure_data is not None:
            sentences.append(data.user_failure_data.description or "")
        error = data.error
        while error is not None:
            sentences.append(error.message)
            error = error.cause
    return FailedRun(run_id=run.run_id, job=run.job_name, step=step, sentences=tuple(filter(None, sentences)))


def _has_tables(url: str) -> bool:
    asking = engine(url, name="custom-events training")
    try:
        with asking.connect() as connection:
            return bool(connection.execute(sa.text(f"SELECT to_regclass('{DAGSTER}.runs') IS NOT NULL")).scalar_one())
    finally:
        asking.dispose()
