"""What Dagster keeps of the newest run that failed, read beside its database: for who asks at a terminal."""

import os
import tempfile
from collections.abc import Iterator
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

    ends = [
        entry.dagster_event
        for kind in (dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE)
        for entry in dagster.all_logs(run.run_id, of_type=kind)
        if entry.dagster_event is not None
    ]
    first = next(iter(ends), None)
    sentences = () if first is None else tuple(_sentences(first))
    return FailedRun(run_id=run.run_id, job=run.job_name, step=(first and first.step_key) or "", sentences=sentences)


def _sentences(event: "dg.DagsterEvent") -> Iterator[str]:
    """What the step raised, and what it says for people; of a run that failed before its first step, Dagster's own message."""
    if not event.is_step_failure:
        yield event.message or ""
        return
    data = event.step_failure_data
    if data.user_failure_data is not None and data.user_failure_data.description:
        yield data.user_failure_data.description
    error = data.error
    while error is not None:
        if error.cause is None:  # what stands above it says only in which step it was raised
            yield error.message
        error = error.cause


def _has_tables(url: str) -> bool:
    reader = engine(url, name="custom-events training")
    try:
        with reader.connect() as connection:
            return bool(connection.execute(sa.text(f"SELECT to_regclass('{DAGSTER}.runs') IS NOT NULL")).scalar_one())
    finally:
        reader.dispose()
