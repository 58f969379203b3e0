"""Macros of dbt say the same on PostgreSQL and on DuckDB, where the engines' own operators do not (docs/decisions/0051)."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Final

import duckdb
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tests.analytics.macros import Macros

Evaluate = Callable[[str], list[str | None]]
AUTUMN: Final = "timestamptz '2026-10-24 22:00:00+00'"  # midnight before the day of 25 hours in Berlin
ZONES: Final = """
(SELECT array_agg(starts_at ORDER BY starts_at) AS starts, array_agg(utc_offset ORDER BY starts_at) AS offsets FROM (
  SELECT timestamptz '0001-01-01 00:00:00+00' AS starts_at, interval '53 minutes 28 seconds' AS utc_offset
  UNION ALL SELECT timestamptz '2026-03-29 01:00:00+00', interval '2 hours'
  UNION ALL SELECT timestamptz '2026-10-25 01:00:00+00', interval '1 hour') o)
"""
# Macro, arguments, what it is.
CASES: Final = [
    ("divide", ("1", "3", 2), "0.33"),
    ("divide", ("2", "3", 6), "0.666667"),
    ("divide", ("19.99 * 3", "2", 2), "29.99"),  # 29.985: DuckDB's own division says 29.98
    ("divide", ("-19.99 * 3", "2", 2), "-29.99"),
    ("divide", ("1", "-8", 2), "-0.13"),
    ("divide", ("5", "2", 0), "3"),
    ("divide", ("1", "0", 2), None),
    ("divide", ("cast(null as bigint)", "2", 2), None),
    ("divide", ("0", "7", 2), "0.00"),
    ("divide", ("99999999999999.999999", "1", 6), "99999999999999.999999"),
    ("round_half_away", ("cast(1.005 as numeric(20, 6))", 2), "1.01"),
    ("round_half_away", ("cast(-1.005 as numeric(20, 6))", 2), "-1.01"),
    ("round_half_away", ("cast(2.5 as numeric(20, 6))", 0), "3"),
    ("seconds_between", (AUTUMN, "timestamptz '2026-10-25 23:00:00+00'"), "90000"),
    ("seconds_between", (AUTUMN, "timestamptz '2026-10-24 22:00:01.999999+00'"), "1"),
    ("seconds_between", ("timestamptz '2026-10-24 22:00:01.5+00'", AUTUMN), "-2"),
    ("seconds_between", (AUTUMN, "cast(null as timestamptz)"), None),
    ("week_start", ("date '2027-01-03'",), "2026-12-28"),
    ("month_start", ("date '2026-12-31'",), "2026-12-01"),
    ("iso_week", ("date '2027-01-03'",), "53"),
    ("iso_year", ("date '2027-01-03'",), "2026"),
    ("iso_week", ("date '2026-11-30'",), "49"),
    ("months_between", ("date '2026-11-30'", "date '2027-01-01'"), "2"),
    ("months_between", ("date '2026-11-01'", "date '2026-11-30'"), "0"),
    ("share_of", ("100.00", "1", "3", 2), "33.330000"),
    ("share_of", ("99999999999999.999999", "1048575", "1048576", 2), "99999904632568.350000"),
    ("share_of", ("1", "2", "3", 6), "0.666666"),
    ("share_of", ("-0.01", "1", "2", 2), "0.000000"),
    ("share_of", ("cast(null as numeric(20, 6))", "1", "2", 2), None),
    ("json_text", ('cast(\'{"utm": {"campaign": "Spring"}}\' as json)', ("utm", "campaign")), "Spring"),
    ("json_text", ("cast('{\"utm\": {}}' as json)", ("utm", "campaign")), None),
    ("by_bytes", ("'a'",), "a"),
    ("json_text", ('cast(\'{"type": "web"}\' as json)', ("type",)), "web"),
]


@pytest.fixture
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB whose session counts in a zone with daylight saving: macros may not depend on it."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'Europe/Berlin'")
        yield connection


@pytest.fixture(params=["postgres", "duckdb"])
def engines(request: pytest.FixtureRequest) -> tuple[Macros, Evaluate]:
    """One engine's macros, and what it makes of an expression, as text."""
    if request.param == "duckdb":
        duck: duckdb.DuckDBPyConnection = request.getfixturevalue("duck")
        return Macros("duckdb"), lambda sql: [row[0] for row in duck.execute(sql).fetchall()]
    connection = request.getfixturevalue("connection")
    return Macros("postgres"), lambda sql: [row[0] for row in connection.exec_driver_sql(sql)]


@pytest.fixture
def connection(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.connect() as opened:
        opened.exec_driver_sql("SET TIME ZONE 'Europe/Berlin'")
        yield opened


def test_each_macro_says_what_is_written_here(engines: tuple[Macros, Evaluate]) -> None:
    macros, evaluate = engines
    expressions = [getattr(macros, name)(*arguments) for name, arguments, _ in CASES]
    rows = [evaluate(f"SELECT cast({expression} AS text)")[0] for expression in expressions]
    assert rows == [expected for *_, expected in CASES]


def test_means_and_sums_of_rows(engines: tuple[Macros, Evaluate]) -> None:
    """DuckDB's own avg of 0.01 and 0.02 is a double, which rounds to 0.01."""
    macros, evaluate = engines
    rows = "(VALUES (cast(0.01 AS numeric(20, 6)), 1), (0.02, 2), (NULL, 3)) AS rows_of(amount, n)"
    assert evaluate(f"SELECT cast({macros.average('amount', 2)} AS text) FROM {rows}") == ["0.02"]
    assert evaluate(f"SELECT cast({macros.sum_of_counts('n')} AS text) FROM {rows}") == ["6"]
    assert evaluate(f"SELECT cast({macros.sum_of_counts('n')} AS text) FROM {rows} WHERE n > 9") == ["0"]


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("0001-06-01 23:30:00+00", "0001-06-02"),  # local mean time
        ("2026-10-24 21:59:59+00", "2026-10-24"),
        ("2026-10-24 22:00:00+00", "2026-10-25"),
        ("2026-10-25 22:59:59+00", "2026-10-25"),  # the day has 25 hours
        ("2026-10-25 23:00:00+00", "2026-10-26"),
    ],
)
def test_days_are_cut_by_our_own_offsets(engines: tuple[Macros, Evaluate], moment: str, day: str) -> None:
    macros, evaluate = engines
    expression = macros.local_day(f"timestamptz '{moment}'", "z")
    assert evaluate(f"SELECT cast({expression} AS text) FROM {ZONES} AS z") == [day]


def test_a_zone_that_nobody_knows_is_utc(engines: tuple[Macros, Evaluate]) -> None:
    macros, evaluate = engines
    expression = macros.local_day("timestamptz '2026-10-24 23:59:59+00'", "z")
    nobody = f"(SELECT 1) AS everybody LEFT JOIN {ZONES} AS z ON false"
    assert evaluate(f"SELECT cast({expression} AS text) FROM {nobody}") == ["2026-10-24"]


_AMOUNTS = st.decimals(Decimal("-99999999999.999999"), Decimal("99999999999.999999"), places=6)


@given(numerator=_AMOUNTS, denominator=_AMOUNTS.filter(bool), scale=st.sampled_from([0, 2, 6]))
def test_division_is_that_of_exact_fractions(numerator: Decimal, denominator: Decimal, scale: int) -> None:
    exact = Fraction(numerator) / Fraction(denominator)
    units = floor(abs(exact) * 10**scale + Fraction(1, 2)) * (1 if exact >= 0 else -1)
    expression = Macros("duckdb").divide(f"({numerator:f})", f"({denominator:f})", scale)
    (row,) = duckdb.execute(f"SELECT {expression}").fetchall()
    assert row[0] == Decimal(units).scaleb(-scale)
