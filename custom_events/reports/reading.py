"""The rows of a report: one consistent reading of its mart, in batches, so that their number costs no memory."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, ProgrammingError

from custom_events.errors import NeedsAction, Transient
from custom_events.queries import report_rows as queries
from custom_events.report_files.table import AMOUNT_SCALE, PlotSpec, ReportColumn, ReportTable
from custom_events.reports.content import ReportContent, conditions_of
from custom_events.reports.periods import Period
from custom_events.values.marts import MARTS, Kind, Mart, MartColumn

EXACT_SCALE: Final = 6  # digits of amounts in marts: they keep factors and three-decimal currencies
AT_ONCE: Final = 2_000  # rows that are read at once: a megabyte or so
NOT_BUILT_S: Final = 900.0  # dbt builds every hour
_NO_TABLE, _NO_COLUMN, _LOCKED = "42P01", "42703", "55P03"
Rows = Sequence[tuple[Any, ...]]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Rows in batches, read as they are asked for; when the marts were built last, None: never to the end; zones of the sites."""

    batches: Iterator[Rows]
    built_at: datetime | None
    zones: tuple[str, ...]


@contextmanager
def opened(
    engine: sa.Engine,
    content: ReportContent,
    period: Period,
    site_ids: Sequence[int] | None,
    *,
    limit: int | None = None,
) -> Generator[Source]:
    """The rows of a report, in one REPEATABLE READ transaction that begins with a lock on the mart, so that no rebuild comes between.
    Raises Transient where the mart is not built, or locked for long; NeedsAction where it has no sites and rows of some are wanted."""
    mart = MARTS[content.mart]
    if site_ids is not None and not mart.has_sites:
        # The report was another one when its schedule was made for these sites.
        raise NeedsAction(
            f"{mart.name} has no sites, and this is a report of some sites alone: all of its rows would go out. "
            "Remove the schedule, and make one for the report as it is now."
        )
    with engine.connect() as plain:
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        connection = plain.execution_options(**options)
        with _understood(mart), connection.begin():
            queries.lock(connection, mart)
            built_at = connection.execute(queries.BUILT_AT).scalar_one_or_none()
            sites = None if site_ids is None else list(site_ids)
            zones = tuple(connection.execute(queries.SITE_ZONES, {"sites": sites}).scalars())
            statement = _statement(mart, content, period, site_ids)
            if limit is not None:
                statement = statement.limit(limit)
            result = connection.execute(statement, execution_options={"yield_per": AT_ONCE})
            try:
                yield Source(batches=_batches(result), built_at=built_at, zones=zones)
            finally:
                result.close()


def table_of(content: ReportContent, title: str, period: Period, source: Source) -> ReportTable:
    """The rows as files take them, with what people need to know beside them."""
    mart = MARTS[content.mart]
    columns = tuple(_column(mart.columns[name], content) for name in content.columns)
    return ReportTable(
        title=title,
        columns=columns,
        batches=source.batches,
        zone=period.zone,
        period=str(period) if mart.period else "",
        days_of=_days_of(mart, source) if any(column.kind == "day" for column in columns) else None,
        notes=tuple(_notes(mart, period, source)),
        plot=plot_of(content),
    )


def scale_of(content: ReportContent) -> int:
    """Digits of amounts after the point: as exact as marts have them for programs, cents for people."""
    return EXACT_SCALE if content.format in ("csv", "parquet") else AMOUNT_SCALE


def _column(column: MartColumn, content: ReportContent) -> ReportColumn:
    scale = scale_of(content) if column.kind is Kind.AMOUNT else None
    return ReportColumn(name=column.name, title=column.title, kind=column.kind.value, scale=scale)


def plot_of(content: ReportContent) -> PlotSpec | None:
    """What is drawn: lines over days where the report has a column of days, else bars over its first column."""
    if not content.plot:
        return None
    columns = MARTS[content.mart].columns
    day = next((name for name in content.columns if columns[name].kind is Kind.DAY), None)
    return PlotSpec(kind="line" if day else "bar", x=day or content.columns[0], y=content.plot)


def _statement(mart: Mart, content: ReportContent, period: Period, site_ids: Sequence[int] | None) -> sa.Select[Any]:
    is_of_days = bool(mart.period) and mart.columns[mart.period].kind is Kind.DAY
    since = None if not mart.period else period.first if is_of_days else period.begins_at
    until = None if not mart.period else period.last if is_of_days else period.ends_at
    return queries.select(
        mart,
        content.columns,
        is_summed=content.added_up,
        scale=scale_of(content),
        conditions=conditions_of(content),
        order=[(order.column, order.descending) for order in content.order],
        since=since,
        until=until,
        site_ids=site_ids,
    )


def _days_of(mart: Mart, source: Source) -> str:
    """Whose days the mart is cut by: never those of the run, by which times are written."""
    if not mart.has_sites:
        return "each account's own zone"
    return source.zones[0] if len(source.zones) == 1 else "each site's own zone"


def _notes(mart: Mart, period: Period, source: Source) -> Iterator[str]:
    if mart.period and mart.columns[mart.period].kind is Kind.DAY:
        zones = ", ".join(source.zones[:5]) + (" and others" if len(source.zones) > 5 else "")  # noqa: PLR2004
        yield (
            f"Days are those of each site's own time zone ({zones})."
            if zones and mart.has_sites
            else ("Days are those of each account's own time zone.")
        )
    yield f"Times are in {period.zone}."
    if source.built_at is None:
        yield "The marts have not been built to the end yet."
    else:
        yield f"The marts were built last at {source.built_at:%Y-%m-%d %H:%M} UTC."


def _batches(result: sa.CursorResult[Any]) -> Iterator[Rows]:
    for rows in result.partitions():
        yield [tuple(row) for row in rows]


@contextmanager
def _understood(mart: Mart) -> Generator[None]:
    """Errors of the database that pass by themselves, as such."""
    try:
        yield
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) not in (_NO_TABLE, _NO_COLUMN):
            raise
        raise Transient(
            f"The mart {mart.name} is not built as this version needs it: Dagster's job build_reports makes it every hour.",
            retry_after_s=NOT_BUILT_S,
        ) from error
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCKED:
            raise
        raise Transient(f"The mart {mart.name} is being made anew: it was locked for too long.") from error
