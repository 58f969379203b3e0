"""Runs of reports: the log with digests, files to download, and what failed done again."""

from datetime import UTC, date, datetime
from typing import Annotated, Final

import msgspec
from fastapi import Path, Query

from console.api import problems
from console.api.calls import Answer, Call
from console.api.operations import PREFIX, Routes
from console.api.pages import LIMIT, After, Limit, Page, by_number, page_of, read_after
from console.api.parameters import ByTime
from console.api.rights import of_some_site
from custom_events.access.roles import Role
from custom_events.reports import runs
from custom_events.reports.content import ReportContent
from custom_events.reports.runs import ReportReceipt, ReportRunError, RunState
from custom_events.values.numbers import MAX_ID
from custom_events.values.time_order import TimeOrder

ROUTES: Final = Routes(
    "report runs",
    "One run for each schedule and period, and those asked for by hand: state, rows, digest, where its file went.",
)
READ: Final = of_some_site(Role.VIEWER)
BYTES: Final = "application/octet-stream"

ReportRunId = Annotated[int, Path(ge=1, le=MAX_ID, description="A report run's id.")]


class ReportRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run. Queued, writing, delivering: it goes on by itself; delivered, failed, skipped: it has ended. `error`: why it failed, was skipped
    or is tried again at `not_before`; `sha256` stays in the log when its file is removed; `file`: its address while it is there."""

    id: int
    report_key: str
    name: str
    schedule_id: int | None
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
    not_before: datetime
    rows: int | None
    bytes: int | None
    sha256: str | None
    file: str | None
    file_name: str | None
    media_type: str | None
    receipts: tuple[ReportReceipt, ...]
    warnings: tuple[str, ...]
    error: ReportRunError | None
    started_at: datetime | None
    ended_at: datetime | None
    created_at: datetime


_NOON: Final = datetime(2026, 11, 30, 12, tzinfo=UTC)
EXAMPLE: Final = ReportRun(
    id=12,
    report_key="daily_accuracy",
    name="Accuracy by site and day",
    schedule_id=4,
    site_ids=None,
    content=ReportContent(mart="fct_accuracy_daily", columns=("day", "site_name", "orders", "accuracy")),
    period="2026-11-29",
    first_day=date(2026, 11, 29),
    last_day=date(2026, 11, 29),
    time_zone="Europe/Berlin",
    due_at=_NOON,
    asked_by=None,
    state=RunState.DELIVERED,
    attempt=1,
    not_before=_NOON,
    rows=14,
    bytes=6210,
    sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    file="/api/v1/report-runs/12/file",
    file_name="daily_accuracy_2026-11-29.xlsx",
    media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    receipts=(ReportReceipt(where="e-mail to ana@example.org", digest="9f86d081", at=_NOON),),
    warnings=(),
    error=None,
    started_at=_NOON,
    ended_at=_NOON,
    created_at=_NOON,
)


@ROUTES.get("/report-runs", right=READ, answer=Page[ReportRun], example=Page(items=(EXAMPLE,), next=None))
def list_report_runs(
    call: Call,
    schedule_id: Annotated[int | None, Query(ge=1, le=MAX_ID, description="Only those of this schedule.")] = None,
    report_key: Annotated[
        str | None, Query(pattern=r"^[a-z][a-z0-9_]{1,62}$", description="Only those of the report of this key.")
    ] = None,
    state: Annotated[RunState | None, Query(description="Only those in this state.")] = None,
    order: ByTime = TimeOrder.NEWEST,
    limit: Limit = LIMIT,
    after: After = None,
) -> Page[ReportRun]:
    """The runs whose sites you may all see."""
    listed = runs.search(
        call.connection,
        only=call.caller.sites(),
        schedule_id=schedule_id,
        report_key=report_key,
        state=state,
        order=order,
        after=read_after(after, by_number(order), (int,)),
        limit=limit + 1,
    )
    return page_of(listed, limit, by_number(order), lambda run: (run.id,), shown_run)


@ROUTES.get("/report-runs/{report_run_id}", right=READ, answer=ReportRun, example=EXAMPLE)
def read_report_run(call: Call, report_run_id: ReportRunId) -> ReportRun:
    """One run."""
    return shown_run(runs.get(call.connection, report_run_id, only=call.caller.sites()))


@ROUTES.get(
    "/report-runs/{report_run_id}/file",
    right=READ,
    answer=str,
    media_type=BYTES,
    example="day,orders\r\n2026-11-29,42\r\n",
)
def download_report_run(call: Call, report_run_id: ReportRunId) -> Answer:
    """Its file, as it was delivered; 404 where none was written, or its retention is over."""
    run = runs.get(call.connection, report_run_id, only=call.caller.sites())
    path = runs.path_of(call.settings, run)
    headers = {"Content-Disposition": f'attachment; filename="{path.name}"', "Content-Length": str(path.stat().st_size)}
    return Answer(stream=runs.parts(path), headers=headers, media_type=BYTES)


@ROUTES.post(
    "/report-runs/{report_run_id}/rerun",
    right=of_some_site(Role.EDITOR),
    answer=ReportRun,
    example=msgspec.structs.replace(EXAMPLE, state=RunState.QUEUED, attempt=0, ended_at=None),
    raises=(problems.CONFLICT,),
)
def rerun_report(call: Call, report_run_id: ReportRunId) -> ReportRun:
    """Do a run that failed or was skipped again: where its file was delivered already it does not go twice."""
    run = runs.get(call.connection, report_run_id, only=call.caller.sites(), lock=True)
    for site_id in run.site_ids if run.site_ids is not None else (None,):
        call.require(Role.EDITOR, site_id)
    return shown_run(runs.rerun(call.connection, run.id, actor=call.actor, now=datetime.now(UTC)))


def shown_run(run: runs.Run) -> ReportRun:
    """A run as the API shows it."""
    computed = ("file", "receipts")
    fields = {name: getattr(run, name) for name in ReportRun.__struct_fields__ if name not in computed}
    file = None if run.file_name is None else f"{PREFIX}/report-runs/{run.id}/file"
    return ReportRun(**fields, file=file, receipts=tuple(run.receipts.values()))
