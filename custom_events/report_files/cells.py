"""Values of rows, checked by their column's kind: exact, or an error that names the column. Floats are refused: they are not what was counted."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, tzinfo
from decimal import Context, Decimal, InvalidOperation
from functools import partial
from typing import Any, Final

import msgspec

from custom_events.errors import InvalidConfiguration
from custom_events.report_files.table import Kind, ReportColumn, ReportTable
from custom_events.values import zones

PRECISION: Final = 38  # digits of a decimal, all in all: the most that Parquet's decimal128 holds
LEAST_COUNT, GREATEST_COUNT = -(2**63), 2**63 - 1
_SHOWN_CHARS: Final = 60  # of a value, in a message

Row = tuple[Any, ...]
Reader = Callable[[Any], Any]
# Half to even, and an error for what has more digits.
_DECIMALS: Final = Context(prec=PRECISION)


def checked(table: ReportTable) -> Iterator[list[Row]]:
    """The rows, batch by batch: every value None or of its kind: text and id str, count int, amount and ratio Decimal of the column's
    digits, day date, time aware and in the table's zone. Raises InvalidConfiguration for a value of another kind."""
    zone = zone_of(table)
    readers = tuple(_reader(column, zone) for column in table.columns)
    width = len(readers)
    for batch in table.batches:
        rows: list[Row] = []
        for row in batch:
            if len(row) != width:
                raise InvalidConfiguration(
                    f"a row has {len(row)} values, and there are {width} columns", path="columns"
                )
            rows.append(
                tuple([None if value is None else read(value) for read, value in zip(readers, row, strict=True)])
            )
        if rows:
            yield rows


def zone_of(table: ReportTable) -> tzinfo:
    """The table's time zone. Raises InvalidConfiguration for a name that is none."""
    try:
        return zones.zone(table.zone)
    except KeyError:
        raise InvalidConfiguration(
            f"'{table.zone}' is no time zone; an IANA name is, such as {zones.EXAMPLE}", path="zone"
        ) from None


def headings(table: ReportTable, names: Sequence[str]) -> list[str]:
    """Names or titles of the columns; those of days and times say in which zone."""
    zones_of = {"day": table.days_of or table.zone, "time": table.zone}
    return [
        f"{name} ({zones_of[column.kind]})" if column.kind in zones_of else name
        for column, name in zip(table.columns, names, strict=True)
    ]


def plain(kind: Kind, value: Any) -> str:
    """A checked value as text: decimals with all of their digits, times by ISO 8601 with their offset. None is empty."""
    if value is None:
        return ""
    match kind:
        case "text" | "id":
            return value
        case "count":
            return str(value)
        case "amount" | "ratio":
            return f"{value:f}"
        case "day" | "time":
            return value.isoformat()


def _reader(column: ReportColumn, zone: tzinfo) -> Reader:
    """What checks the values of a column."""
    match column.kind:
        case "text":
            return _text
        case "id":
            return partial(_id, column)
        case "count":
            return partial(_count, column)
        case "amount" | "ratio":
            return partial(_decimal, column, Decimal(1).scaleb(-column.digits))
        case "day":
            return partial(_day, column)
        case "time":
            return partial(_time, column, zone)


def _text(value: Any) -> str:
    """Half of a character, which no file takes, becomes a question mark; PostgreSQL has none."""
    written = value if isinstance(value, str) else msgspec.json.encode(value).decode().strip('"')
    return written if written.isascii() else written.encode("utf-8", "replace").decode()


def _id(column: ReportColumn, value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise _refusal(column, value, "text or a whole number")


def _count(column: ReportColumn, value: Any) -> int:
    """An int, or a Decimal without a fraction, as PostgreSQL gives sums of bigint."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if isinstance(value, Decimal) and value.is_finite():
        is_whole = value == value.to_integral_value()
    if is_whole and LEAST_COUNT <= value <= GREATEST_COUNT:
        return int(value)
    raise _refusal(column, value, "a whole number of 64 bits")


def _decimal(column: ReportColumn, unit: Decimal, value: Any) -> Decimal:
    number = Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(number, Decimal) or not number.is_finite():
        raise _refusal(column, value, "a decimal")
    try:
        rounded = number.quantize(unit, context=_DECIMALS)
    except InvalidOperation:
        raise _refusal(column, value, f"a decimal of at most {PRECISION} digits") from None
    if column.kind == "amount" and rounded != number:
        raise _refusal(column, value, f"a decimal with at most {column.digits} digits after the point")
    return rounded or rounded.copy_abs()  # there is no -0.00 in a database


def _day(column: ReportColumn, value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise _refusal(column, value, "a date")


def _time(column: ReportColumn, zone: tzinfo, value: Any) -> datetime:
    if isinstance(value, datetime) and value.utcoffset() is not None:
        return value.astimezone(zone)
    raise _refusal(column, value, "a time with its offset")


def _refusal(column: ReportColumn, value: Any, right: str) -> InvalidConfiguration:
    shown = repr(value)[:_SHOWN_CHARS]
    return InvalidConfiguration(f"{shown} is no value of the kind {column.kind}; {right} is", path=column.name)
