"""Reports that people save, beside the built-in ones: what each holds, its first rows, a run by hand."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
from fastapi import Path

from console.api import problems
from console.api.calls import Answer, Call, forbidden
from console.api.operations import PREFIX, Routes
from console.api.pages import LIMIT, After, Limit, Page, page_of, read_after
from console.api.problems import FieldError
from console.api.rights import of_some_site
from console.api.routes.report_runs import EXAMPLE as RUN
from console.api.routes.report_runs import ReportRun, shown_run
from custom_events.access.roles import Role
from custom_events.catalog.configurations import refuse
from custom_events.report_files.table import FileFormat
from custom_events.reports import content as contents
from custom_events.reports import preview, runs, specifications
from custom_events.reports.built_in import BUILT_IN
from custom_events.reports.content import ReportContent
from custom_events.reports.preview import ReportPreview
from custom_events.reports.report import Report
from custom_events.values.marts import MARTS
from custom_events.values.times import FIRST_YEAR, LAST_YEAR

ROUTES: Final = Routes(
    "report specifications",
    "What a report holds: a mart with its columns and filters, a period relative to the run, a format. Some are built in, others saved.",
)
READ: Final = of_some_site(Role.VIEWER)
EDIT: Final = of_some_site(Role.EDITOR)

ReportKey = Annotated[str, Path(max_length=63, description="A report's key.", examples=["daily_accuracy"])]


class MartColumnKind(msgspec.Struct, frozen=True, kw_only=True):
    """A column that a report may name. `operators`: how it may be filtered by; none: it may not."""

    name: str
    title: str
    kind: str
    operators: tuple[str, ...]


class ReportMart(msgspec.Struct, frozen=True, kw_only=True):
    """A mart of which reports are made. `has_sites`: whoever sees some sites sees its rows of those; one without needs the right over all."""

    name: str
    title: str
    grain: str
    period_column: str | None
    has_sites: bool
    columns: tuple[MartColumnKind, ...]


class ReportSpecification(msgspec.Struct, frozen=True, kw_only=True):
    """A report. `site_ids`: the sites whose rows it reads, null: all; of a built-in one whoever runs it says which."""

    key: str
    name: str
    content: ReportContent
    site_ids: tuple[int, ...] | None
    is_built_in: bool
    author: str | None
    created_at: datetime | None
    updated_at: datetime | None


class ReportReplacement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """All that can be changed of a report. `site_ids` null: all sites, which needs the right over all."""

    name: str
    content: ReportContent
    site_ids: tuple[int, ...] | None = None


class NewReportSpecification(
    ReportReplacement, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A report to be saved under a key."""

    key: str


class NewReportPreview(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Of what the first rows are wanted. `site_ids` left out: all that you may see."""

    content: ReportContent
    site_ids: tuple[int, ...] | None = None


class NewReportRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A run by hand. `site_ids` left out: all of the report's, of a built-in one all that you may see; `as_of`: to what its period is
    relative, now unless given; `format` and `time_zone` in the place of the report's."""

    site_ids: tuple[int, ...] | None = None
    as_of: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    format: FileFormat | None = None
    time_zone: str | None = None


_NOON: Final = datetime(2026, 11, 30, 12, tzinfo=UTC)
_CONTENT: Final = ReportContent(mart="fct_accuracy_daily", columns=("day", "site_name", "orders", "accuracy"))
_EXAMPLE: Final = ReportSpecification(
    key="accuracy_of_berlin",
    name="Accuracy of Berlin",
    content=_CONTENT,
    site_ids=(3,),
    is_built_in=False,
    author="ana@example.org",
    created_at=_NOON,
    updated_at=_NOON,
)
_REPLACEMENT: Final = ReportReplacement(name="Accuracy of Berlin", content=_CONTENT)


@ROUTES.get(
    "/report-marts",
    right=READ,
    answer=Page[ReportMart],
    example=Page(
        items=(
            ReportMart(
                name="fct_accuracy_daily",
                title="Accuracy by site and day",
                grain="One row per site and day of payment.",
                period_column="day",
                has_sites=True,
                columns=(MartColumnKind(name="orders", title="Orders", kind="count", operators=("is", "at_least")),),
            ),
        ),
        next=None,
    ),
)
def list_report_marts(call: Call) -> Page[ReportMart]:  # noqa: ARG001  (the list is ours)
    """The marts that a report may be made of, with their columns."""
    return Page(items=tuple(_mart(name) for name in MARTS), next=None)


@ROUTES.get(
    "/report-specifications",
    right=READ,
    answer=Page[ReportSpecification],
    example=Page(items=(_EXAMPLE,), next=None),
)
def list_report_specifications(call: Call, *, limit: Limit = LIMIT, after: After = None) -> Page[ReportSpecification]:
    """Built-in reports, and those whose sites you may all see, by key."""
    behind = read_after(after, "key", (str,))
    key = "" if behind is None else behind[0]
    saved = specifications.search(call.connection, only=call.caller.sites(), after=key, limit=limit + 1)
    listed = sorted(
        [*saved, *(report for report in BUILT_IN.values() if report.key > key)], key=lambda report: report.key
    )
    return page_of(listed[: limit + 1], limit, "key", lambda report: (report.key,), shown)


@ROUTES.post(
    "/report-specifications",
    right=EDIT,
    status=201,
    answer=ReportSpecification,
    example=_EXAMPLE,
    body_example=NewReportSpecification(key="accuracy_of_berlin", name="Accuracy of Berlin", content=_CONTENT),
    tagged=True,
    raises=(problems.CONFLICT,),
)
def create_report_specification(call: Call, body: NewReportSpecification) -> Answer:
    """Save a report. Needs the role editor on all of its sites."""
    report = specifications.create(
        call.connection,
        key=body.key,
        name=body.name,
        content=body.content,
        site_ids=edited_sites(call, body.site_ids),
        actor=call.actor,
        allowed=call.caller.sites(),
    )
    return Answer(content=shown(report), of=report, location=f"{PREFIX}/report-specifications/{report.key}")


@ROUTES.post(
    "/report-specifications/preview",
    right=READ,
    answer=ReportPreview,
    example=ReportPreview(period="2026-11-29", zone="UTC", columns=("Day", "Orders"), rows=(("2026-11-29", "42"),)),
    body_example=NewReportPreview(content=_CONTENT),
    idempotent=False,
    transaction=False,
)
def preview_report(call: Call, body: NewReportPreview) -> ReportPreview:
    """The first rows of a report as it would be now, of the sites that you may see; nothing is kept."""
    refuse(contents.problems(body.content), "content")
    sites = seen_sites(call, body.content, body.site_ids, None)
    return preview.read(call.engine, body.content, sites, datetime.now(UTC))


@ROUTES.get(
    "/report-specifications/{report_key}", right=READ, answer=ReportSpecification, example=_EXAMPLE, tagged=True
)
def read_report_specification(call: Call, report_key: ReportKey) -> Answer:
    """One report."""
    report = specifications.get(call.connection, report_key, only=call.caller.sites())
    return Answer(content=shown(report), of=report)


@ROUTES.put(
    "/report-specifications/{report_key}",
    right=EDIT,
    answer=ReportSpecification,
    example=_EXAMPLE,
    body_example=_REPLACEMENT,
    tagged=True,
    raises=(problems.CONFLICT,),
)
def replace_report_specification(call: Call, report_key: ReportKey, body: ReportReplacement) -> Answer:
    """Change a report. Runs that were made keep what they were made with."""
    before = _editable(call, report_key)
    call.check_precondition(before, shown(before), yours=body)
    report = specifications.replace(
        call.connection,
        report_key,
        name=body.name,
        content=body.content,
        site_ids=edited_sites(call, body.site_ids),
        actor=call.actor,
        allowed=call.caller.sites(),
    )
    return Answer(content=shown(report), of=report)


@ROUTES.delete("/report-specifications/{report_key}", right=EDIT, raises=(problems.CONFLICT, problems.IN_USE))
def delete_report_specification(call: Call, report_key: ReportKey) -> None:
    """Remove a report that no schedule sends; the log of its runs stays."""
    _editable(call, report_key)
    specifications.remove(call.connection, report_key, actor=call.actor)


@ROUTES.post(
    "/report-specifications/{report_key}/runs",
    right=READ,
    status=201,
    answer=ReportRun,
    example=RUN,
    body_example=NewReportRun(),
    raises=(problems.CONFLICT,),
)
def run_report(call: Call, report_key: ReportKey, body: NewReportRun) -> Answer:
    """Have a report made now, by Dagster within a minute; its file is the run's, and goes nowhere else."""
    report = specifications.get(call.connection, report_key, only=call.caller.sites())
    if body.as_of is not None and not FIRST_YEAR <= body.as_of.year <= LAST_YEAR:
        right = f"a moment of the years {FIRST_YEAR} to {LAST_YEAR}"
        raise problems.invalid(FieldError(field="as_of", problem="it is out of reach", remedy=right))
    changes: dict[str, Any] = {
        name: getattr(body, name) for name in ("format", "time_zone") if getattr(body, name) is not None
    }
    content = msgspec.structs.replace(report.content, **changes)
    refuse(contents.problems(content))
    run = runs.ask(
        call.connection,
        msgspec.structs.replace(report, content=content),
        site_ids=seen_sites(call, content, body.site_ids, report),
        actor=call.actor,
        now=datetime.now(UTC),
        as_of=body.as_of,
        allowed=call.caller.sites(),
    )
    return Answer(content=shown_run(run), location=f"{PREFIX}/report-runs/{run.id}")


def edited_sites(call: Call, site_ids: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """The sites of what is saved. Raises 403 unless the caller is editor on all of them; those that they do not see are left to the service,
    which answers as for sites that are not there."""
    if site_ids is None:
        call.require(Role.EDITOR, None)
        return None
    for site_id in site_ids:
        if call.caller.may(Role.VIEWER, site_id):
            call.require(Role.EDITOR, site_id)
    return site_ids


def seen_sites(
    call: Call, content: ReportContent, site_ids: tuple[int, ...] | None, report: Report | None
) -> tuple[int, ...] | None:
    """The sites of what is read: these; else the report's, or all that the caller may see. Raises 403 for a mart without sites where the
    caller may not see all, 422 for a site that is none of theirs."""
    visible = call.caller.sites()
    if not MARTS[content.mart].has_sites and visible is not None:
        raise forbidden(Role.VIEWER, "all sites")
    if site_ids is not None:
        refuse(
            [
                *specifications.site_problems(call.connection, site_ids, visible),
                *specifications.mart_problems(content, site_ids),
            ]
        )
        return site_ids
    if report is not None and report.site_ids is not None:
        return report.site_ids
    return None if visible is None else tuple(sorted(visible))


def shown(report: Report) -> ReportSpecification:
    """A report as the API shows it."""
    return ReportSpecification(**{name: getattr(report, name) for name in ReportSpecification.__struct_fields__})


def _editable(call: Call, report_key: str) -> Report:
    """The report under a lock. Raises 404, and 403 where the caller may not edit all of its sites."""
    report = specifications.get(call.connection, report_key, only=call.caller.sites(), lock=True)
    if not report.is_built_in:
        edited_sites(call, report.site_ids)
    return report


def _mart(name: str) -> ReportMart:
    mart = MARTS[name]
    return ReportMart(
        name=mart.name,
        title=mart.title,
        grain=mart.grain,
        period_column=mart.period or None,
        has_sites=mart.has_sites,
        columns=tuple(
            MartColumnKind(
                name=column.name, title=column.title, kind=column.kind.value, operators=contents.operators_of(column)
            )
            for column in mart.columns.values()
        ),
    )
