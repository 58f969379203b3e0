"""Runs of reports as people see them: asked for by hand, listed, done again, downloaded. Who does them: `running.py`."""

import secrets as tokens
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.catalog import audit
from custom_events.catalog.configurations import refuse
from custom_events.errors import NeedsAction, NotFound
from custom_events.queries import report_runs as queries
from custom_events.queries.keyset import After
from custom_events.reports import specifications
from custom_events.reports.content import ReportContent
from custom_events.reports.periods import Period, period_of
from custom_events.reports.report import Report
from custom_events.reports.schedules import Schedule, Sites
from custom_events.settings import Settings
from custom_events.values.time_order import TimeOrder

FOLDER: Final = "reports"  # in the local directory
_KEY_BYTES: Final = 16
_CHUNK_BYTES: Final = 256 * 1024


class RunState(StrEnum):
    """Where a run stands. The first three go on by themselves; the others have ended."""

    QUEUED = "queued"
    WRITING = "writing"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it changes any more by itself."""
        return self in (RunState.DELIVERED, RunState.FAILED, RunState.SKIPPED)


class ReportReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run's file was delivered, and its digest there (SHA-256, hex)."""

    where: str
    digest: str
    at: datetime


class ReportRunError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run failed, is tried again, or was skipped: the kind of the error, and what happened and what to do."""

    kind: str
    sentence: str


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run. `receipts`: by target; `file_name` None: nothing was written yet, or it was removed at the end of its retention."""

    id: int
    schedule_id: int | None
    report_key: str
    name: str
    site_ids: tuple[int, ...] | None
    content: ReportContent
    period: str
    first_day: date
    last_day: date
    time_zone: str
    due_at: datetime
    asked_by: str | None
    state: RunState
    attempt: int
    retries: int
    not_before: datetime
    delivery_key: str
    rows: int | None
    bytes: int | None
    sha256: str | None
    file_name: str | None
    media_type: str | None
    retention_days: int | None
    receipts: dict[str, ReportReceipt]
    warnings: tuple[str, ...]
    error: ReportRunError | None
    started_at: datetime | None
    ended_at: datetime | None
    created_at: datetime

    @property
    def days(self) -> Period:
        """The days that it is about."""
        return Period(first=self.first_day, last=self.last_day, zone=self.time_zone)

    @property
    def is_without_schedule(self) -> bool:
        """Whether its schedule was removed, which says where its file goes. One that was asked for by hand has none."""
        was_removed = self.error is not None and self.error.kind == queries.REMOVED
        return was_removed or (self.schedule_id is None and self.asked_by is None)

    @property
    def owner(self) -> queries.Owner:
        """Which attempt at it this is."""
        return self.id, self.attempt


def get(connection: sa.Connection, run_id: int, *, only: Sites = None, lock: bool = False) -> Run:
    """A run; `only`: the sites that may be seen. Raises NotFound."""
    row = queries.by_id(connection, run_id, lock=lock)
    if row is None or not specifications.is_within(row.site_ids, only):
        raise NotFound(f"There is no report run {run_id}: `custom-events report runs` lists them.", what="report run")
    return run_of(row)


def search(
    connection: sa.Connection,
    *,
    only: Sites = None,
    schedule_id: int | None = None,
    report_key: str | None = None,
    state: RunState | None = None,
    order: TimeOrder = TimeOrder.NEWEST,
    after: After | None = None,
    limit: int,
) -> list[Run]:
    """Runs whose sites may all be seen; the next page begins after the last id of this one."""
    rows = queries.page(
        connection,
        only=only,
        schedule_id=schedule_id,
        report_key=report_key,
        state=state,
        order=order,
        after=after,
        limit=limit,
    )
    return [run_of(row) for row in rows]


def ask(
    connection: sa.Connection,
    report: Report,
    *,
    site_ids: Sequence[int] | None,
    actor: str,
    now: datetime,
    as_of: datetime | None = None,
    allowed: Sites = None,
) -> Run:
    """A run by hand, without targets: its file is there to be downloaded. `site_ids`: of which sites, None: all of the report's; `as_of`: the
    moment that its period is relative to, now unless given. Raises InvalidConfiguration."""
    sites = site_ids if site_ids is not None else report.site_ids
    refuse(
        [
            *specifications.site_problems(connection, sites, allowed),
            *specifications.mart_problems(report.content, sites),
        ]
    )
    if site_ids is not None and not specifications.is_within(site_ids, report.site_ids):
        raise NeedsAction(f'The report "{report.key}" does not read all of these sites.')
    content = report.content
    values = _values(report, content, sites, period_of(content.period, as_of or now, content.time_zone), now)
    run = run_of(queries.add(connection, {**values, "asked_by": actor, "retries": 0, "due_at": now}))
    _record(connection, "ask", run, actor)
    return run


def ask_of_schedule(connection: sa.Connection, schedule: Schedule, *, actor: str, now: datetime) -> Run:
    """A run of a schedule by hand: as if it were due now, delivered to its targets. Raises NotFound where its report is gone."""
    values = values_of(schedule, specifications.get(connection, schedule.report_key), now)
    run = run_of(queries.add(connection, {**values, "asked_by": actor, "not_before": now}))
    _record(connection, "ask", run, actor)
    return run


def rerun(connection: sa.Connection, run_id: int, *, actor: str, now: datetime) -> Run:
    """Do a run that failed, or was skipped, again: what was delivered already is not delivered twice. Raises NotFound, and NeedsAction for one
    that did not end so."""
    run = get(connection, run_id, lock=True)
    if run.state not in (RunState.FAILED, RunState.SKIPPED):
        raise NeedsAction(f"Report run {run_id} is {run.state}: only one that failed or was skipped is done again.")
    if run.is_without_schedule:
        raise NeedsAction(
            f"The schedule of report run {run_id} was removed, and with it where its file would go: run the report by hand, or schedule it anew."
        )
    values = {"state": "queued", "attempt": 0, "not_before": now, "error": None, "ended_at": None}
    if run.asked_by is not None:  # else it stays the one run of its schedule and period
        values["asked_by"] = actor
    run = run_of(queries.requeue(connection, run_id, values))
    _record(connection, "rerun", run, actor)
    return run


def values_of(schedule: Schedule, report: Report, due_at: datetime) -> dict[str, Any]:
    """A new run's row of a schedule that is due, and of its report. The period is counted by the zone of the schedule's rule."""
    content = report.content
    if schedule.format is not None:
        content = msgspec.structs.replace(content, format=schedule.format)
    sites = _common(schedule.site_ids, report.site_ids)
    values = _values(report, content, sites, period_of(content.period, due_at, schedule.rule.time_zone), due_at)
    return {
        **values,
        "schedule_id": schedule.id,
        "name": schedule.name,
        "retries": schedule.retries,
        "retention_days": schedule.retention_days,
    }


def path_of(settings: Settings, run: Run) -> Path:
    """Where the run's file is, if it has one. Raises NotFound."""
    path = folder_of(settings, run.id) / (run.file_name or "")
    if run.file_name is None or not path.is_file():
        state = "it has none yet" if not run.state.has_ended else "it was removed, or is on another machine"
        raise NotFound(f"Report run {run.id} has no file here: {state}.", what="report file")
    return path


def folder_of(settings: Settings, run_id: int) -> Path:
    """The directory of a run's file."""
    return settings.local_directory / FOLDER / str(run_id)


def parts(path: Path) -> Iterator[bytes]:
    """A file in parts."""
    with path.open("rb") as file:
        while part := file.read(_CHUNK_BYTES):
            yield part


def run_of(row: queries.Row) -> Run:
    """A row of the table."""
    return msgspec.convert({name: getattr(row, name) for name in Run.__struct_fields__}, Run)


def _common(chosen: tuple[int, ...] | None, of_report: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """The sites of both; None: all of them. A report may have lost some since."""
    if chosen is None or of_report is None:
        return chosen if of_report is None else of_report
    return tuple(sorted(set(chosen) & set(of_report)))


def _values(
    report: Report, content: ReportContent, site_ids: Sequence[int] | None, period: Period, due_at: datetime
) -> dict[str, Any]:
    return {
        "report_key": report.key,
        "name": report.name,
        "site_ids": None if site_ids is None else sorted(set(site_ids)),
        "content": msgspec.to_builtins(content),
        "period": period.key,
        "first_day": period.first,
        "last_day": period.last,
        "time_zone": period.zone,
        "due_at": due_at,
        "not_before": due_at,
        "delivery_key": tokens.token_hex(_KEY_BYTES),
    }


def _record(connection: sa.Connection, verb: str, run: Run, actor: str) -> None:
    detail = {"report": run.report_key, "period": run.period}
    subject = f"report_run:{run.id}"
    site_id = specifications.only_site(run.site_ids)
    audit.record(connection, actor=actor, action=f"report_run.{verb}", subject=subject, detail=detail, site_id=site_id)
