"""Reports over days: the marts that dbt builds, as they stand. Where they are not built yet, a report says so and has no rows."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec
import sqlalchemy as sa

from custom_events.errors import InvalidConfiguration, NeedsAction
from custom_events.queries import reports as sql
from custom_events.report_files.columns import columns_of
from custom_events.report_files.table import ReportTable
from custom_events.values import csv_lines

USUAL: Final = timedelta(days=29)  # back from the last day: thirty days
LONGEST: Final = timedelta(days=400)  # a year, and a month to compare it with
SHOWN: Final = 200  # rows of a page; an export has all of them
EVERY: Final = 1_000_000  # of an export: more than sites by days of a year
_AT_ONCE: Final = 500  # rows read at once for an export

_Row = TypeVar("_Row")


class ReportFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What of a report: days from `since` to `until`, both included; one site; one currency (conversions alone have one); `by` what conversions are added up."""

    since: date
    until: date
    site_id: int | None = None
    currency: str | None = None
    by: str = "definition"


class FunnelDay(msgspec.Struct, frozen=True, kw_only=True):
    """What came on a day, stage by stage, each counted on the day it was made (docs/glossary.md)."""

    day: date
    received: int
    refused: int
    landed: int
    understood: int
    parked: int
    ignored: int
    commerce_events: int
    matched: int
    queued: int
    withheld: int
    sent: int
    accepted: int
    unmatched: int
    rejected: int
    waiting: int
    expired: int
    unknown: int


class AccuracyDay(msgspec.Struct, frozen=True, kw_only=True):
    """Orders that were paid on a day, by what became of them. `site_id` is None where all sites are added up."""

    day: date
    orders: int
    sent: int
    withheld: int
    waiting: int
    expired: int
    no_match: int
    site_id: int | None = None
    site_name: str | None = None

    @property
    def accuracy(self) -> float | None:
        """The part that was sent, or withheld with a reason; None: there were no orders."""
        return (self.sent + self.withheld) / self.orders if self.orders else None


class ConversionGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Conversions of one definition, site, day, assignment or campaign ("": none) in one currency ("": none). `lost`: refused for good or expired; `value_matched`: of those that
    stand, before refunds; `value_at_google`: what stands there now, refunds taken off."""

    key: str
    name: str
    site_id: int | None
    day: date | None
    currency: str
    matched: int
    withdrawn: int
    withheld: int
    accepted: int
    unmatched: int
    lost: int
    open: int
    value_matched: Decimal | None
    value_at_google: Decimal | None


class DefinitionUse(msgspec.Struct, frozen=True, kw_only=True):
    """A definition with its assignments. `used`: those that made a conversion within the days; `unused`: those that may match and made none."""

    key: str
    name: str
    assignments: int
    active: int
    used: int
    unused: int
    matched: int
    accepted: int
    last_day: date | None


class Report(msgspec.Struct, Generic[_Row], frozen=True, kw_only=True):
    """A report's rows. `is_built` false: the marts are not there yet; `built_at`: when they were built last, null: never to the end."""

    is_built: bool
    built_at: datetime | None
    since: date
    until: date
    rows: tuple[_Row, ...]


class _Source(NamedTuple):
    """Of which mart a report is read, and what its rows are."""

    table: str
    statement: sa.TextClause | None
    row: type[msgspec.Struct]


SOURCES: Final[Mapping[str, _Source]] = {
    "funnel": _Source("fct_funnel_daily", sql.FUNNEL, FunnelDay),
    "accuracy": _Source("fct_accuracy_daily", sql.ACCURACY_BY_DAY, AccuracyDay),
    "accuracy-by-site": _Source("fct_accuracy_daily", sql.ACCURACY_BY_SITE, AccuracyDay),
    "conversions": _Source("fct_conversions_by_definition", None, ConversionGroup),
    "configuration": _Source("fct_conversions_by_definition", sql.CONFIGURATION, DefinitionUse),
}
GROUPS: Final = tuple(sql.GROUPS)


def wanted(
    today: date,
    *,
    since: date | None = None,
    until: date | None = None,
    site_id: int | None = None,
    currency: str | None = None,
    by: str = "definition",
) -> ReportFilter:
    """What is asked for: the thirty days until today unless told otherwise. Raises InvalidConfiguration."""
    until = until if until is not None else max(today, since or today)
    since = since if since is not None else until - USUAL
    if since > until:
        raise InvalidConfiguration(f"{since} is after {until}: a day before it", path="since")
    if until - since > LONGEST:
        raise InvalidConfiguration(f"{(until - since).days} days are asked for: at most {LONGEST.days}", path="since")
    if by not in sql.GROUPS:
        raise InvalidConfiguration(f"{by!r} is none: one of {', '.join(sql.GROUPS)}", path="by")
    return ReportFilter(since=since, until=until, site_id=site_id, currency=currency, by=by)


def read(connection: sa.Connection, name: str, asked: ReportFilter, rows: int = SHOWN) -> Report[Any]:
    """A report of `SOURCES`, at most so many rows of it."""
    source = SOURCES[name]
    built_at, is_built = _built(connection, source)
    rows_read: tuple[Any, ...] = ()
    if is_built:
        result = connection.execute(_statement(source, asked), _given(asked, rows))
        rows_read = tuple(source.row(**row) for row in result.mappings())
    return Report(is_built=is_built, built_at=built_at, since=asked.since, until=asked.until, rows=rows_read)


def refuse_unbuilt(connection: sa.Connection, name: str) -> None:
    """Raise NeedsAction where the mart of a report is not there yet: a file without rows would look like days without orders."""
    if not _built(connection, SOURCES[name])[1]:
        raise NeedsAction(
            "This report was not built yet: Dagster's job build_reports makes it every hour; ask again then."
        )


def currencies(connection: sa.Connection, site_id: int | None) -> tuple[str, ...]:
    """In which there are conversions; none where the marts are not built."""
    if not _built(connection, SOURCES["conversions"])[1]:
        return ()
    return tuple(connection.execute(sql.CURRENCIES, {"site": site_id}).scalars())


def lines(engine: sa.Engine, name: str, asked: ReportFilter) -> Iterator[bytes]:
    """The whole report as lines of CSV with a header, read as it is written."""
    yield csv_lines.encode([SOURCES[name].row.__struct_fields__])
    for rows in _batches(engine, name, asked):
        yield csv_lines.encode(rows)


def table(engine: sa.Engine, name: str, asked: ReportFilter) -> ReportTable:
    """The whole report as a table for files, read as it is written."""
    return ReportTable(
        title=name.replace("-", " ").capitalize(),
        columns=columns_of(SOURCES[name].row),
        batches=_batches(engine, name, asked),
        days_of="each site's own zone",
        period=f"{asked.since} to {asked.until}",
        notes=tuple(_notes(name, asked)),
    )


def _notes(name: str, asked: ReportFilter) -> Iterator[str]:
    """What narrows it, one sentence each."""
    if asked.site_id is not None:
        yield f"Only of site {asked.site_id}."
    if name == "conversions":
        yield f"By {asked.by}, and by currency: amounts of two currencies are never added up."
        if asked.currency is not None:
            yield f"Only in {asked.currency}."


def _batches(engine: sa.Engine, name: str, asked: ReportFilter) -> Iterator[list[tuple[Any, ...]]]:
    source = SOURCES[name]
    columns = source.row.__struct_fields__
    with engine.connect() as connection:
        if not _built(connection, source)[1]:
            return
        streamed = connection.execution_options(yield_per=_AT_ONCE)
        for rows in streamed.execute(_statement(source, asked), _given(asked, EVERY)).mappings().partitions():
            yield [tuple(row.get(column) for column in columns) for row in rows]


def _statement(source: _Source, asked: ReportFilter) -> sa.TextClause:
    return source.statement if source.statement is not None else sql.conversions(asked.by)


def _given(asked: ReportFilter, rows: int) -> dict[str, Any]:
    return {"since": asked.since, "until": asked.until, "site": asked.site_id, "currency": asked.currency, "rows": rows}


def _built(connection: sa.Connection, source: _Source) -> tuple[datetime | None, bool]:
    row = connection.execute(sql.BUILT, {"tables": [source.table]}).one()
    return row.built_at, bool(row.tables)
