"""Reports over days: how far what came got, what became of orders, conversions and their worth, and which configuration is used."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path as FilePath
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final

from fastapi import Path, Query

from console.api import problems
from console.api.calls import Answer, Call, content_digest
from console.api.lists import as_query, asked_site
from console.api.operations import Routes
from console.api.parameters import OfSite
from console.api.rights import of_some_site
from custom_events import private_files
from custom_events.access.roles import Role
from custom_events.browse import reports
from custom_events.browse.reports import (
    AccuracyDay,
    ConversionGroup,
    DefinitionUse,
    FunnelDay,
    Report,
    ReportFilter,
)
from custom_events.operations import exports
from custom_events.report_files.table import MEDIA_TYPES, FileFormat, FileLimits
from custom_events.report_files.writing import write
from custom_events.reports import runs

ROUTES: Final = Routes(
    "reports",
    "Reports over days, of the marts that dbt builds every hour; `built_at` says when. Of days that ended, they change with what comes late.",
)

READ: Final = of_some_site(Role.VIEWER)
CSV: Final = "text/csv"
MOST_ROWS: Final = 100_000  # of a file that is made while somebody waits for it: some ten seconds as XLSX

ReportName = Annotated[
    str, Path(description=f"A report: {', '.join(reports.SOURCES)}.", max_length=40, examples=["funnel"])
]
SinceDay = Annotated[date | None, Query(description="The first day; thirty days back unless told otherwise.")]
UntilDay = Annotated[date | None, Query(description="The last day; today unless told otherwise.")]
Currency = Annotated[str | None, Query(pattern="^[A-Z]{3}$", description="Only amounts in this currency (ISO 4217).")]
By = Annotated[str, Query(max_length=20, description=f"By what they are added up: {', '.join(reports.GROUPS)}.")]

_DAY: Final = date(2026, 11, 29)
_STAGES: Final[dict[str, Any]] = {
    **dict.fromkeys(FunnelDay.__struct_fields__, 0),
    "day": _DAY,
    "received": 60,
    "landed": 60,
    "understood": 58,
    "matched": 41,
}
_FUNNEL: Final = FunnelDay(**_STAGES)
_ACCURACY: Final = AccuracyDay(day=_DAY, orders=42, sent=38, withheld=3, waiting=1, expired=0, no_match=0)
_GROUP: Final = ConversionGroup(
    key="purchase",
    name="Purchase",
    site_id=None,
    day=None,
    currency="EUR",
    matched=41,
    withdrawn=1,
    withheld=2,
    accepted=38,
    unmatched=0,
    lost=0,
    open=1,
    value_matched=Decimal("2046.10"),
    value_at_google=Decimal("1890.40"),
)
_USE: Final = DefinitionUse(
    key="purchase",
    name="Purchase",
    assignments=12,
    active=11,
    used=9,
    unused=2,
    matched=410,
    accepted=380,
    last_day=_DAY,
)


def _report(row: Any) -> Report[Any]:
    built_at = datetime(2026, 11, 30, 12, tzinfo=UTC)
    return Report(is_built=True, built_at=built_at, since=date(2026, 11, 1), until=date(2026, 11, 30), rows=(row,))


@ROUTES.get("/reports/funnel", right=READ, answer=Report[FunnelDay], example=_report(_FUNNEL))
def read_funnel(
    call: Call, site_id: OfSite = None, since: SinceDay = None, until: UntilDay = None
) -> Report[FunnelDay]:
    """How far what came on each day got, from the store to Google. Whoever may see some sites and not all names one."""
    return reports.read(call.connection, "funnel", _asked(call, site_id, since, until), reports.LONGEST.days + 1)


@ROUTES.get("/reports/accuracy", right=READ, answer=Report[AccuracyDay], example=_report(_ACCURACY))
def read_accuracy(
    call: Call, site_id: OfSite = None, since: SinceDay = None, until: UntilDay = None
) -> Report[AccuracyDay]:
    """What became of the orders that were paid on each day: accuracy is what was sent or withheld with a reason, of all of them. Whoever may see some sites
    and not all names one."""
    return reports.read(call.connection, "accuracy", _asked(call, site_id, since, until), reports.LONGEST.days + 1)


@ROUTES.get("/reports/accuracy-by-site", right=READ, answer=Report[AccuracyDay], example=_report(_ACCURACY))
def read_accuracy_by_site(
    call: Call, site_id: OfSite = None, since: SinceDay = None, until: UntilDay = None
) -> Report[AccuracyDay]:
    """The same by site and day, the least accurate first, 200 of them at most. Whoever may see some sites and not all names one."""
    return reports.read(call.connection, "accuracy-by-site", _asked(call, site_id, since, until))


@ROUTES.get("/reports/conversions", right=READ, answer=Report[ConversionGroup], example=_report(_GROUP))
def read_conversions(
    call: Call,
    *,
    site_id: OfSite = None,
    since: SinceDay = None,
    until: UntilDay = None,
    currency: Currency = None,
    by: By = "definition",
) -> Report[ConversionGroup]:
    """Conversions and what they are worth, by definition, site, day, assignment or campaign and by currency; the 200 greatest groups, of days all. Whoever may see some
    sites and not all names one."""
    asked = _asked(call, site_id, since, until, currency, by)
    return reports.read(call.connection, "conversions", asked, reports.EVERY if by == "day" else reports.SHOWN)


@ROUTES.get("/reports/configuration", right=READ, answer=Report[DefinitionUse], example=_report(_USE))
def read_configuration_use(
    call: Call, site_id: OfSite = None, since: SinceDay = None, until: UntilDay = None
) -> Report[DefinitionUse]:
    """Each definition with how many of its assignments made a conversion within the days, and how many did not. Whoever may see some sites and not all names
    one."""
    return reports.read(call.connection, "configuration", _asked(call, site_id, since, until))


@ROUTES.get(
    "/reports/{report_name}/csv",
    right=READ,
    answer=str,
    media_type=CSV,
    example="day,received,refused\r\n2026-11-29,60,0\r\n",
    raises=(problems.CONFLICT,),
)
def export_report(
    call: Call,
    report_name: ReportName,
    *,
    site_id: OfSite = None,
    since: SinceDay = None,
    until: UntilDay = None,
    currency: Currency = None,
    by: By = "definition",
) -> Answer:
    """A report whole, as CSV; what a spreadsheet would take for a formula begins with an apostrophe. Whoever may see some sites and not all names one."""
    if report_name not in reports.SOURCES:
        raise problems.not_found("report", report_name)
    asked = _asked(call, site_id, since, until, currency, by)
    reports.refuse_unbuilt(call.connection, report_name)
    name = f'attachment; filename="{report_name}-{asked.since}-{asked.until}.csv"'
    return Answer(
        stream=reports.lines(call.engine, report_name, asked), headers={"Content-Disposition": name}, media_type=CSV
    )


@ROUTES.get(
    "/reports/{report_name}/xlsx",
    right=READ,
    answer=bytes,
    media_type=MEDIA_TYPES["xlsx"],
    example="the bytes of the file",
    raises=(problems.CONFLICT,),
)
def export_report_as_xlsx(
    call: Call,
    report_name: ReportName,
    *,
    site_id: OfSite = None,
    since: SinceDay = None,
    until: UntilDay = None,
    currency: Currency = None,
    by: By = "definition",
) -> Answer:
    """A report whole, as XLSX with a sheet that says what it is about. Whoever may see some sites and not all names one."""
    return _file(call, report_name, _asked(call, site_id, since, until, currency, by), "xlsx")


@ROUTES.get(
    "/reports/{report_name}/parquet",
    right=READ,
    answer=bytes,
    media_type=MEDIA_TYPES["parquet"],
    example="the bytes of the file",
    raises=(problems.CONFLICT,),
)
def export_report_as_parquet(
    call: Call,
    report_name: ReportName,
    *,
    site_id: OfSite = None,
    since: SinceDay = None,
    until: UntilDay = None,
    currency: Currency = None,
    by: By = "definition",
) -> Answer:
    """A report whole, as Parquet. Whoever may see some sites and not all names one."""
    return _file(call, report_name, _asked(call, site_id, since, until, currency, by), "parquet")


def _file(call: Call, report_name: str, asked: ReportFilter, file_format: FileFormat) -> Answer:
    """The file, made on disk and sent with its digest. A report is days by sites at most: what is larger is an export's."""
    if report_name not in reports.SOURCES:
        raise problems.not_found("report", report_name)
    reports.refuse_unbuilt(call.connection, report_name)
    folder = call.settings.local_directory / exports.FOLDER
    private_files.make_directory(folder)
    place = TemporaryDirectory(dir=folder, prefix="report-")
    try:
        path = FilePath(place.name) / report_name
        written = write(reports.table(call.engine, report_name, asked), file_format, path, FileLimits(rows=MOST_ROWS))
    except BaseException:
        place.cleanup()
        raise
    headers = {
        "Content-Disposition": f'attachment; filename="{report_name}-{asked.since}-{asked.until}.{file_format}"',
        "Content-Digest": content_digest(bytes.fromhex(written.sha256)),
    }
    return Answer(stream=_parts(place, written.path), headers=headers)


def _parts(place: TemporaryDirectory[str], path: FilePath) -> Iterator[bytes]:
    """The file part by part; it is removed behind the last one, or where nobody takes it any more."""
    with place:
        yield from runs.parts(path)


def list_currencies(call: Call, site_id: int | None) -> tuple[str, ...]:
    """Currencies to choose from."""
    return reports.currencies(call.connection, asked_site(call, site_id))


def _asked(
    call: Call,
    site_id: int | None,
    since: date | None,
    until: date | None,
    currency: str | None = None,
    by: str = "definition",
) -> ReportFilter:
    today = datetime.now(UTC).date()
    site = asked_site(call, site_id)
    return as_query(lambda: reports.wanted(today, since=since, until=until, site_id=site, currency=currency, by=by))
