"""A run from its claim to its end: its file is written once and delivered to each target once, whatever is killed in between.

Written: the file is made beside, and moved into its place while the run's row is held by the attempt that made it. Delivered: the row is held
while the file goes out and until the receipt stands in it, so nobody claims the run meanwhile, and a worker that was taken for dead finds that
the run is not its own. Killed in between the file goes out again under the same key, which targets know.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import sqlalchemy as sa
import structlog

from custom_events.catalog.configurations import refuse
from custom_events.errors import CustomEventsError, NeedsAction, Permanent, Transient
from custom_events.logs import frames_of
from custom_events.postgres import replica
from custom_events.queries import report_runs as queries
from custom_events.queries import report_schedules
from custom_events.report_delivery.delivering import deliver
from custom_events.report_delivery.targets import DeliveryMessage, DeliverySecrets
from custom_events.report_files.table import FileLimits, WrittenFile
from custom_events.report_files.writing import write
from custom_events.reports import content as contents
from custom_events.reports import reading, runs, schedules
from custom_events.reports.planning import plan
from custom_events.reports.runs import ReportReceipt, Run, RunState
from custom_events.reports.schedules import Schedule
from custom_events.settings import Settings

FIRST_RETRY_S: Final = 60.0  # then twice as long each time
LONGEST_RETRY_S: Final = 3_600.0
_RENEW_S: Final = 10.0  # between two renewals of the lease while rows are read

Clock = Callable[[], datetime]
Deliver = Callable[..., Any]
_LOG = structlog.get_logger(__name__)


class LostError(Exception):
    """The run is another worker's: what this one did since does not count."""


class Exporter:
    """Does runs of reports on one database."""

    def __init__(
        self,
        engine: sa.Engine,
        settings: Settings,
        *,
        clock: Clock = lambda: datetime.now(UTC),
        deliver: Deliver = deliver,
    ) -> None:
        self._engine, self._settings, self._clock, self._deliver = engine, settings, clock, deliver
        self._lease = timedelta(seconds=settings.report_lease_s)

    def run_due(self, *, until: datetime | None = None) -> Iterator[Run]:
        """Plan what is due, then do runs until none waits, or no more are begun after `until`; each as it ended, or waits again."""
        plan(self._engine, self._clock())
        while until is None or self._clock() < until:
            run = self.run_next()
            if run is None:
                return
            yield run

    def run_next(self, run_id: int | None = None) -> Run | None:
        """Do the run that waits longest, or this one. None: none waits. The run as it is afterwards."""
        with self._engine.begin() as connection:
            row = queries.claim(connection, now=self._clock(), lease=self._lease, run_id=run_id)
        if row is None:
            return None
        run = runs.run_of(row)
        _LOG.info("report_run_begins", run=run.id, report=run.report_key, attempt=run.attempt)
        try:
            self._do(run)
        except LostError:
            _LOG.warning("report_run_lost", run=run.id)
        with self._engine.connect() as connection:
            return runs.get(connection, run.id)

    def _do(self, run: Run) -> None:
        try:
            if run.attempt > run.retries + 1:
                raise NeedsAction(f"Whatever worked on it ended {run.attempt - 1} times before it was done.")  # noqa: TRY301
            schedule = self._schedule(run)
            file = self._written(run)
            self._deliver_all(run, schedule, file)
            self._end(run, RunState.DELIVERED)
        except LostError:
            raise
        except (NeedsAction, Permanent) as error:
            self._fail(run, error)
        except Transient as error:
            self._retry(run, error, error.retry_after_s)
        except Exception as error:  # noqa: BLE001  (whatever it is: the run is tried again, and has an end)
            _LOG.error("report_run_broke", run=run.id, error=type(error).__name__, where=frames_of(error))
            self._retry(run, error, 0.0)

    def _schedule(self, run: Run) -> Schedule | None:
        if run.schedule_id is None:
            return None
        with self._engine.connect() as connection:
            row = report_schedules.by_id(connection, run.schedule_id)
            return None if row is None else schedules.schedule_of(row)

    def _written(self, run: Run) -> WrittenFile:
        """The run's file: the one that an attempt before has left whole, or a new one."""
        folder = runs.folder_of(self._settings, run.id)
        left = _left(run, folder)
        if left is not None:
            return left
        refuse(contents.problems(run.content), "content")  # which a version before this one may have taken
        unfinished = folder / f"attempt-{run.attempt}"
        name = f"{run.report_key}_{run.days.key}.{run.content.format}"
        try:
            write_from = partial(self._write, run, unfinished / name)
            written = replica.read(self._engine, self._settings, write_from, name="custom-events reports")
            return self._keep(run, written, folder / name)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _write(self, run: Run, path: Path, engine: sa.Engine) -> WrittenFile:
        limits = FileLimits(rows=self._settings.report_rows_limit, bytes=self._settings.report_bytes_limit)
        with reading.opened(engine, run.content, run.days, run.site_ids) as source:
            table = reading.table_of(run.content, run.name, run.days, source)
            table = msgspec.structs.replace(table, batches=self._renewing(run, source.batches))
            return write(table, run.content.format, path, limits)

    def _keep(self, run: Run, written: WrittenFile, path: Path) -> WrittenFile:
        """Move the file into its place and note it, while nobody else can claim the run. Raises LostError."""
        with self._engine.begin() as connection:
            if queries.hold(connection, run.owner) is None:
                raise LostError
            before = queries.rows_before(connection, run.id)
            warnings = (
                []
                if written.rows or not before
                else [f"It has no rows; the run before had {before:,}. Look at the newest run of build_reports."]
            )
            written.path.replace(path)
            values = {
                "state": "delivering",
                "rows": written.rows,
                "bytes": written.bytes,
                "sha256": written.sha256,
                "file_name": path.name,
                "media_type": written.media_type,
                "warnings": warnings,
                "lease_until": self._clock() + self._lease,
            }
            queries.change(connection, run.owner, values)
        return msgspec.structs.replace(written, path=path)

    def _renewing(self, run: Run, batches: Iterator[reading.Rows]) -> Iterator[reading.Rows]:
        """The batches; meanwhile the lease of this worker is renewed. Raises LostError."""
        renewed_at = self._clock()
        for batch in batches:
            if (now := self._clock()) - renewed_at >= timedelta(seconds=_RENEW_S):
                renewed_at = now
                with self._engine.begin() as connection:
                    if not queries.change(connection, run.owner, {"lease_until": now + self._lease}):
                        raise LostError
            yield batch

    def _deliver_all(self, run: Run, schedule: Schedule | None, file: WrittenFile) -> None:
        """To each target that has no receipt; one that fails keeps no other from its own. Raises what the first of them raised, what passes
        by itself before what does not."""
        if schedule is None:
            return
        with self._engine.connect() as connection:
            target_secrets = schedules.secrets_of(connection, schedule, self._settings)
        errors: list[CustomEventsError] = []
        for target, secrets in zip(schedule.targets, target_secrets, strict=True):
            try:
                self._deliver_to(run, schedule, file, target, secrets)
            except CustomEventsError as error:
                errors.append(error)
        if errors:
            raise next((error for error in errors if isinstance(error, Transient)), errors[0])

    def _deliver_to(
        self,
        run: Run,
        schedule: Schedule,
        file: WrittenFile,
        target: schedules.DeliveryTarget,
        secrets: DeliverySecrets | None,
    ) -> None:
        key = schedules.target_key(target)
        with self._engine.begin() as connection:
            row = queries.hold(connection, run.owner)
            if row is None:
                raise LostError
            if key in row.receipts:
                return
            message = DeliveryMessage(
                report=schedule.name,
                period=str(run.days),
                key=f"{run.delivery_key}-{key}",
                zone=run.time_zone,
                title=schedule.name,
                address=f"{self._settings.console_url.rstrip('/')}/report-runs/{run.id}",
            )
            receipt = self._deliver(target, file, message, secrets or DeliverySecrets(), self._settings)
            now = self._clock()
            noted = ReportReceipt(where=receipt.where, digest=receipt.digest, at=now)
            values = {"receipts": {**row.receipts, key: msgspec.to_builtins(noted)}, "lease_until": now + self._lease}
            queries.change(connection, run.owner, values)

    def _end(self, run: Run, state: RunState, error: dict[str, str] | None = None) -> None:
        values = {"state": state.value, "ended_at": self._clock(), "lease_until": None, "error": error}
        with self._engine.begin() as connection:
            if not queries.change(connection, run.owner, values):
                raise LostError
        _LOG.info("report_run_ended", run=run.id, state=state.value)

    def _fail(self, run: Run, error: Exception) -> None:
        self._end(run, RunState.FAILED, _error_of(error))

    def _retry(self, run: Run, error: Exception, after_s: float) -> None:
        """Let it wait, or fail where it was tried often enough."""
        if run.attempt > run.retries:
            self._fail(run, error)
            return
        wait_s = max(after_s, min(FIRST_RETRY_S * 2 ** (run.attempt - 1), LONGEST_RETRY_S))
        values = {
            "state": "queued",
            "not_before": self._clock() + timedelta(seconds=wait_s),
            "lease_until": None,
            "error": _error_of(error),
        }
        with self._engine.begin() as connection:
            if not queries.change(connection, run.owner, values):
                raise LostError


def _left(run: Run, folder: Path) -> WrittenFile | None:
    """The file of an attempt before, if it is there as it was noted."""
    path = folder / (run.file_name or "")
    if run.sha256 is None or run.file_name is None or run.media_type is None or not path.is_file():
        return None
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != run.sha256:
            return None
    return WrittenFile(
        path=path,
        file_format=run.content.format,
        rows=run.rows or 0,
        bytes=path.stat().st_size,
        sha256=run.sha256,
        media_type=run.media_type,
    )


def _error_of(error: Exception) -> dict[str, str]:
    is_for_people = isinstance(error, CustomEventsError)
    sentence = str(error) if is_for_people else "An error of our own: the log has it by the run's number."
    return {"kind": type(error).__name__, "sentence": sentence}
