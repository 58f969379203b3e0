"""Tables for tests: a column of every kind, rows of any values."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from custom_events.report_files.table import PlotSpec, ReportColumn, ReportTable

ZONE = "Europe/Berlin"
COLUMNS = (
    ReportColumn("id", "Id", "id"),
    ReportColumn("name", "Name", "text"),
    ReportColumn("orders", "Orders", "count"),
    ReportColumn("value", "Value (EUR)", "amount"),
    ReportColumn("dinars", "Value (KWD)", "amount", scale=3),
    ReportColumn("share", "Share", "ratio"),
    ReportColumn("day", "Day", "day"),
    ReportColumn("seen_at", "Seen at", "time"),
)
Row = tuple[Any, ...]
REPEATED_HOUR = datetime(2026, 10, 25, 0, tzinfo=UTC)  # 02:00 in Berlin for the first time


def table(rows: Iterable[Row], *, plot: PlotSpec | None = None, batch: int = 7, **others: Any) -> ReportTable:
    """A table of these rows, in small batches."""
    listed = list(rows)
    batches: list[Sequence[Row]] = [listed[start : start + batch] for start in range(0, len(listed), batch)]
    values: dict[str, Any] = {"title": "Orders", "columns": COLUMNS, "zone": ZONE, **others}
    return ReportTable(batches=iter(batches), plot=plot, **values)


def plain_rows(count: int) -> list[Row]:
    """Rows as a report has them."""
    return [
        (
            2**62 + number,
            f"Order {number}",
            number,
            Decimal(number) + Decimal("0.10"),
            Decimal("1.234"),
            Decimal(number % 7) / 7,
            date(2026, 10, 1) + timedelta(days=number),
            REPEATED_HOUR + timedelta(minutes=20 * number),
        )
        for number in range(count)
    ]


ODD_TEXTS = [
    *(
        "=1+1",
        "+1",
        "-1",
        "@x",
        "'",
        "a,b",
        'say "no"',
        "a\nb",
        "a\r\nb",
        "\r",
        "\x00\x1b",
        "_x0041_",
        "<r>x</r>",
        "\ufffe",
    ),
    *("http://a.example", "{=1}", "007", "1e3", " blank ", "\u202eright", "日本", "None", ""),
]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(ODD_TEXTS)
IDS = TEXTS | st.integers(-(2**63), 2**63 - 1)
COUNTS = st.integers(-(2**63), 2**63 - 1) | st.integers(-1_000, 1_000)
SHARES = st.decimals(-2, 2, places=6, allow_nan=False, allow_infinity=False)
DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31)) | st.dates(date(1899, 12, 20), date(1900, 3, 10))
_NIGHT = (REPEATED_HOUR - timedelta(hours=2), REPEATED_HOUR + timedelta(hours=4))
MOMENTS = st.one_of(
    *(
        st.datetimes(first.replace(tzinfo=None), last.replace(tzinfo=None), timezones=st.just(UTC))
        for first, last in (_NIGHT, (datetime(1800, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)))
    )
)


def amounts(places: int) -> st.SearchStrategy[Decimal]:
    """Amounts of two to 34 digits."""
    wide = st.integers(-(10**34), 10**34).map(lambda units: Decimal(units).scaleb(-places))
    return wide | st.integers(-(10**6), 10**6).map(lambda units: Decimal(units).scaleb(-places))


ROWS = st.lists(
    st.tuples(*(st.none() | of for of in (IDS, TEXTS, COUNTS, amounts(2), amounts(3), SHARES, DAYS, MOMENTS))),
    max_size=12,
)
