"""Values and facts of a table as people read them: in sheets, pages and prints."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from custom_events.report_files.table import Kind, ReportColumn, ReportTable

NUMBERS: Final[frozenset[Kind]] = frozenset(("count", "amount", "ratio"))  # they stand on the right
_PERCENT_DIGITS: Final = 2
_REPLACEMENT: Final = 0xFFFD  # the question mark in a black diamond
# Control characters but tab and line feed, which no page and no print shows; and what XML and HTML have no place for.
_VISIBLE: Final = {
    **{code: _REPLACEMENT for code in range(0x20) if code not in (0x09, 0x0A)},
    **dict.fromkeys(range(0x7F, 0xA0), _REPLACEMENT),
    0xFFFE: _REPLACEMENT,
    0xFFFF: _REPLACEMENT,
}


def shown(column: ReportColumn, value: Any) -> str:
    """A checked value for people: thousands apart, ratios in percent, times to the second, or the millisecond, with their offset. None is empty."""
    match value:
        case None:
            return ""
        case datetime():
            return value.isoformat(" ", "milliseconds" if value.microsecond else "seconds")
        case date():
            return value.isoformat()
        case Decimal() if column.kind == "ratio":
            return f"{value:.{_PERCENT_DIGITS}%}"
        case Decimal() | int():
            return f"{value:,}" if column.kind == "count" else f"{value:,f}"
        case _:
            return visible(value)


def visible(text: str) -> str:
    """A text with a sign for each character that cannot be seen."""
    return text if text.isprintable() else text.replace("\r\n", "\n").translate(_VISIBLE)


def facts(table: ReportTable, rows: int | None = None) -> list[tuple[str, str]]:
    """What the rows are about, as names and values: period, zone, and how many rows there are."""
    named = [("Period", visible(table.period))] if table.period else []
    named.append(("Time zone", table.zone))
    if table.days_of is not None:
        named.append(("Days", f"by {table.days_of}"))
    if rows is not None:
        named.append(("Rows", f"{rows:,}"))
    return named
