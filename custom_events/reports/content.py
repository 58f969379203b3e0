"""What a report holds: a mart of the allow-list, its columns, filters and order, a period relative to the run, a format."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

import msgspec

from custom_events.catalog.reading import nearest, quoted
from custom_events.conditions.problems import Problem
from custom_events.queries.report_rows import Condition
from custom_events.report_files.cells import GREATEST_COUNT, LEAST_COUNT, PRECISION
from custom_events.report_files.table import FileFormat
from custom_events.reports.periods import PeriodName
from custom_events.values import zones
from custom_events.values.marts import MARTS, ROW_COUNT, Kind, Mart, MartColumn
from custom_events.values.texts import text_problem
from custom_events.values.times import read_day, read_day_or_moment

MOST_COLUMNS: Final = 60  # wider than any mart
MOST_FILTERS: Final = 20
MOST_VALUES: Final = 200  # of one filter
LONGEST_VALUE: Final = 200  # characters
_COMPARED: Final = (Kind.COUNT, Kind.AMOUNT, Kind.DAY, Kind.TIME)


class Operator(StrEnum):
    """How a filter compares: with several values, `is` and `contains` ask for any of them."""

    IS = "is"
    IS_NOT = "is_not"
    CONTAINS = "contains"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"


class RowFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows are kept whose column compares so. `values` are written as text: 12, 19.99, 2026-11-30, 2026-11-30T12:00Z."""

    column: str
    operator: Operator
    values: tuple[str, ...]


class RowOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By which column rows are sorted, one of those of the report; `descending`: the greatest first."""

    column: str
    descending: bool = False


class ReportContent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a report holds. `added_up`: rows that are equal in all columns but counts and amounts become one; `plot`: counts or amounts that
    are drawn in formats with a picture; `time_zone`: whose days the period is counted by, and times are written in."""

    mart: str
    columns: tuple[str, ...]
    added_up: bool = False
    filters: tuple[RowFilter, ...] = ()
    order: tuple[RowOrder, ...] = ()
    period: PeriodName = PeriodName.YESTERDAY
    time_zone: str = "UTC"
    format: FileFormat = "csv"
    plot: tuple[str, ...] = ()


def problems(content: ReportContent) -> Iterator[Problem]:
    """Everything that cannot be used."""
    mart = MARTS.get(content.mart)
    if content.time_zone not in zones.names():
        right = f"an IANA name, {zones.EXAMPLE} for example"
        yield Problem(path="time_zone", wrong=f"{quoted(content.time_zone)} is no time zone", right=right)
    if mart is None:
        yield Problem(
            path="mart", wrong=f"{quoted(content.mart)} is no mart", right=nearest(content.mart, tuple(MARTS))
        )
        return
    yield from _column_problems(content, mart)
    if len(content.filters) > MOST_FILTERS:
        yield Problem(path="filters", wrong=f"there are {len(content.filters)}", right=f"at most {MOST_FILTERS}")
        return
    for place, row_filter in enumerate(content.filters):
        yield from _filter_problems(row_filter, mart, f"filters[{place}]")
    yield from _sum_problems(content, mart)
    for place, order in enumerate(content.order):
        if order.column not in content.columns:
            wrong = f"{quoted(order.column)} is no column of the report"
            yield Problem(path=f"order[{place}].column", wrong=wrong, right=nearest(order.column, content.columns))
    for place, name in enumerate(content.plot):
        if name not in content.columns or not mart.columns[name].kind.is_summed:
            right = "a count or an amount among the report's columns"
            yield Problem(path=f"plot[{place}]", wrong=f"{quoted(name)} cannot be drawn", right=right)


def conditions_of(content: ReportContent) -> list[Condition]:
    """The filters with values of their columns' types. The content must be without problems."""
    columns = MARTS[content.mart].columns
    return [
        Condition(
            column=row_filter.column,
            operator=row_filter.operator.value,
            values=tuple(_READERS[columns[row_filter.column].kind](value) for value in row_filter.values),
        )
        for row_filter in content.filters
    ]


def _column_problems(content: ReportContent, mart: Mart) -> Iterator[Problem]:
    known = tuple(mart.columns)
    if not content.columns:
        yield Problem(path="columns", wrong="there are none", right=f"some of {', '.join(known)}")
    if len(content.columns) > MOST_COLUMNS:
        yield Problem(path="columns", wrong=f"there are {len(content.columns)}", right=f"at most {MOST_COLUMNS}")
        return
    for place, name in enumerate(content.columns):
        path = f"columns[{place}]"
        if name not in mart.columns:
            yield Problem(path=path, wrong=f"{quoted(name)} is no column of {mart.name}", right=nearest(name, known))
        elif name in content.columns[:place]:
            yield Problem(path=path, wrong=f"{name} stands there twice", right="each column once")
        elif name == ROW_COUNT and not content.added_up:
            yield Problem(
                path=path, wrong="rows are counted where they are added up", right="`added_up`: true, or without it"
            )


def _sum_problems(content: ReportContent, mart: Mart) -> Iterator[Problem]:
    """Rows that may not be added up: of two currencies, or counting the same things again."""
    if not content.added_up:
        return
    chosen = [name for name in content.columns if name in mart.columns]
    single = [
        row_filter.column
        for row_filter in content.filters
        if row_filter.operator is Operator.IS and len(row_filter.values) == 1
    ]
    for name in mart.kept_apart(chosen):
        if name not in chosen and name not in single:
            wrong = f"rows of different {mart.columns[name].title.lower()} would be added up, which gives figures that mean nothing"
            yield Problem(
                path="columns", wrong=wrong, right=f"{name} among the columns, or a filter by one value of it"
            )


def _filter_problems(row_filter: RowFilter, mart: Mart, path: str) -> Iterator[Problem]:
    column = mart.columns.get(row_filter.column)
    if column is None or not operators_of(column):
        known = tuple(name for name, known_column in mart.columns.items() if operators_of(known_column))
        wrong = f"{quoted(row_filter.column)} cannot be filtered by"
        yield Problem(path=f"{path}.column", wrong=wrong, right=nearest(row_filter.column, known))
        return
    if row_filter.operator not in operators_of(column):
        wrong = f"{row_filter.operator} does not go with {column.name}, a {column.kind}"
        yield Problem(path=f"{path}.operator", wrong=wrong, right=f"one of {', '.join(operators_of(column))}")
    most = 1 if row_filter.operator in (Operator.AT_LEAST, Operator.AT_MOST) else MOST_VALUES
    if not 1 <= len(row_filter.values) <= most:
        yield Problem(path=f"{path}.values", wrong=f"there are {len(row_filter.values)}", right=f"1 to {most}")
        return
    for place, value in enumerate(row_filter.values):
        if len(value) > LONGEST_VALUE or text_problem(value) or _READERS[column.kind](value) is None:
            wrong = f"{quoted(value)} is no {column.kind}"
            yield Problem(path=f"{path}.values[{place}]", wrong=wrong, right=_EXAMPLES[column.kind])


def operators_of(column: MartColumn) -> tuple[Operator, ...]:
    """The operators that go with a column; none for what is computed of rows that are added up, by which rows cannot be filtered."""
    if column.kind is Kind.RATIO or column.name == ROW_COUNT:
        return ()
    more = (Operator.AT_LEAST, Operator.AT_MOST) if column.kind in _COMPARED else (Operator.CONTAINS,)
    return (Operator.IS, Operator.IS_NOT, *more)


def _count(text: str) -> int | None:
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > len(str(GREATEST_COUNT)):
        return None
    return number if LEAST_COUNT <= (number := int(text)) <= GREATEST_COUNT else None


def _amount(text: str) -> Decimal | None:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    is_usual = amount.is_finite() and abs(amount.adjusted()) < PRECISION and text.isascii() and "_" not in text
    return amount if is_usual else None


_READERS: Final[Mapping[Kind, Callable[[str], Any]]] = {
    Kind.TEXT: lambda text: text,
    Kind.ID: lambda text: text,
    Kind.COUNT: _count,
    Kind.AMOUNT: _amount,
    Kind.RATIO: lambda _: None,
    Kind.DAY: read_day,
    Kind.TIME: read_day_or_moment,
}
_EXAMPLES: Final[Mapping[Kind, str]] = {
    Kind.TEXT: "a text without what no database keeps",
    Kind.ID: "an id as it is written, 1001 for example",
    Kind.COUNT: "a whole number, 12 for example",
    Kind.AMOUNT: "a number, 19.99 for example",
    Kind.RATIO: "another column",
    Kind.DAY: "a day, 2026-11-30 for example",
    Kind.TIME: "a moment, 2026-11-30T12:00Z for example",
}
