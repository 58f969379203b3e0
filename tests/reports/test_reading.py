"""The rows of a report: exact, of the period's days and of the report's sites, added up, in one snapshot behind a lock."""

import threading
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from custom_events.errors import NeedsAction, Transient
from custom_events.postgres import connect
from custom_events.queries import report_rows
from custom_events.report_files.table import PlotSpec
from custom_events.reports import reading
from custom_events.reports.content import Operator, ReportContent, RowFilter, RowOrder
from custom_events.reports.periods import Period
from custom_events.watching import scheduled
from tests import marts

WEEK = Period(first=date(2026, 11, 23), last=date(2026, 11, 29), zone="Europe/Berlin")
ORDERS = """
CREATE SCHEMA IF NOT EXISTS reporting;
CREATE TABLE reporting.fct_orders (site_id bigint, order_id text, currency text, net_total numeric(20,6), is_test boolean, outcome text,
  reason text, withheld bigint, ordered_at timestamptz);
INSERT INTO reporting.fct_orders VALUES
  (1, '9007199254740993', 'EUR', 99999999999999.994999, false, 'accepted', NULL, 0, '2026-11-22 22:59:59Z'),
  (1, '007', 'EUR', 6.996500, false, 'accepted', NULL, 0, '2026-11-22 23:00Z'),
  (10, '1e3', 'EUR', 10.10, true, 'withheld', 'consent_denied', 1, '2026-11-29 22:59:59.999999Z'),
  (2, '5', 'SEK', 3.005, false, 'withheld', 'consent_denied', 1, '2026-11-25 12:00Z'),
  (2, '6', NULL, NULL, false, 'withheld', NULL, 1, '2026-11-29 23:00Z');
"""


def content(**changes: Any) -> ReportContent:
    usual: dict[str, Any] = {
        "mart": "fct_orders",
        "columns": ("site_id", "order_id", "net_total", "is_test", "ordered_at"),
    }
    return ReportContent(**{**usual, **changes})


@pytest.fixture
def orders(engine: sa.Engine) -> sa.Engine:
    with engine.begin() as connection:
        connection.execution_options(no_parameters=True).exec_driver_sql(ORDERS)
    return engine


def rows(engine: sa.Engine, wanted: ReportContent, sites: tuple[int, ...] | None = None) -> list[tuple[Any, ...]]:
    with reading.opened(engine, wanted, WEEK, sites) as source:
        return [row for batch in source.batches for row in batch]


def test_moments_are_cut_by_the_days_of_the_zone_and_nothing_becomes_a_float(orders: sa.Engine) -> None:
    listed = rows(orders, content())
    assert [row[:4] for row in listed] == [
        ("1", "007", Decimal("6.996500"), "false"),
        ("2", "5", Decimal("3.005000"), "false"),
        ("10", "1e3", Decimal("10.100000"), "true"),
    ], "sorted by the number of the site, shown as text"
    assert listed[0][4] == datetime(2026, 11, 22, 23, tzinfo=UTC)
    for_people = rows(orders, content(format="xlsx"))
    assert [row[2] for row in for_people] == [Decimal("7.00"), Decimal("3.01"), Decimal("10.10")]


def test_sites_filters_and_sums(orders: sa.Engine) -> None:
    assert [row[0] for row in rows(orders, content(), (10, 2))] == ["2", "10"]
    assert rows(orders, content(), (3,)) == []
    added = content(
        # Of two currencies: `content.problems` would refuse it.
        columns=("reason", "row_count", "withheld", "net_total"),
        added_up=True,
        filters=(RowFilter(column="outcome", operator=Operator.IS, values=("withheld", "x' OR true --")),),
        order=(RowOrder(column="row_count", descending=True),),
    )
    assert rows(orders, added) == [("consent_denied", 2, 2, Decimal("13.105000"))]
    not_eur = content(
        columns=("order_id",), filters=(RowFilter(column="currency", operator=Operator.IS_NOT, values=("EUR",)),)
    )
    assert rows(orders, not_eur) == [("5",)]


def test_what_stands_beside_the_rows(orders: sa.Engine) -> None:
    with orders.begin() as connection:
        assert connection.execute(report_rows.BUILT_AT).scalar_one_or_none() is None, "the installation is no build"
        scheduled.ended(connection, scheduled.BUILDS, datetime(2026, 11, 30, 12, 7, tzinfo=UTC))
    with reading.opened(orders, content(), WEEK, None) as source:
        table = reading.table_of(content(), "Orders", WEEK, source)
    assert (table.zone, table.period) == ("Europe/Berlin", "2026-11-23 to 2026-11-29")
    assert table.days_of is None, "it has no days"
    assert table.notes == ("Times are in Europe/Berlin.", "The marts were built last at 2026-11-30 12:07 UTC.")
    by_day = ReportContent(mart="fct_accuracy_daily", columns=("day", "orders"), plot=("orders",))
    assert reading.plot_of(by_day) == PlotSpec(kind="line", x="day", y=("orders",))
    by_site = msgspec.structs.replace(by_day, columns=("site_name", "orders"))
    assert reading.plot_of(by_site) == PlotSpec(kind="bar", x="site_name", y=("orders",))
    assert reading.plot_of(content()) is None


def test_days_are_said_to_be_those_by_which_the_mart_is_cut(engine: sa.Engine) -> None:
    """The run's zone is that of times; days of a mart are the sites' own."""

    def days_of(mart: str, zones: tuple[str, ...], column: str = "day") -> str | None:
        wanted = ReportContent(mart=mart, columns=(column,))
        source = reading.Source(batches=iter(()), built_at=None, zones=zones)
        return reading.table_of(wanted, "T", WEEK, source).days_of

    assert days_of("fct_accuracy_daily", ("America/New_York",)) == "America/New_York"
    assert days_of("fct_accuracy_daily", ("America/New_York", "UTC")) == "each site's own zone"
    assert days_of("fct_accuracy_daily", ("UTC",), "orders") is None
    assert days_of("fct_reconciliation_daily", ("UTC",)) == "each account's own zone"


def test_a_mart_without_a_period_is_read_whole(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE SCHEMA IF NOT EXISTS reporting"))
        connection.execute(sa.text("CREATE TABLE reporting.dim_sites AS SELECT 1 AS site_id, 'A' AS site_name"))
    assert rows(engine, content(mart="dim_sites", columns=("site_id", "site_name"))) == [("1", "A")]
    with pytest.raises(Transient, match="not built as this version needs it"):
        rows(engine, content(mart="dim_sites", columns=("platform",)))


def test_rows_without_sites_are_none_of_some_sites(engine: sa.Engine) -> None:
    """A report may have become one of a mart without sites after it was scheduled for some."""
    of_accounts = content(mart="fct_reconciliation_daily", columns=("customer_id", "sent"))
    with pytest.raises(NeedsAction, match="has no sites"):
        rows(engine, of_accounts, (1,))


def test_a_rebuild_waits_for_the_reader_and_the_reader_has_all_rows(orders: sa.Engine, database: str) -> None:
    """The lock comes before the snapshot: whatever is rebuilt then waits, where a table that was replaced after the snapshot would be empty."""
    done = threading.Event()

    def rebuild() -> None:
        with orders.begin() as connection:
            connection.execute(sa.text("DROP TABLE reporting.fct_orders"))
        done.set()

    with reading.opened(orders, content(), WEEK, None) as source:
        thread = threading.Thread(target=rebuild)
        thread.start()
        with orders.connect().execution_options(isolation_level="AUTOCOMMIT") as other:
            waiting = sa.text(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'DROP TABLE%'"
            )
            while not other.execute(waiting).scalar_one():
                pass
        assert sum(len(batch) for batch in source.batches) == 3
        assert not done.is_set()
    thread.join(30)
    assert done.is_set()


def test_a_mart_that_is_locked_for_long_is_read_later(orders: sa.Engine, database: str) -> None:
    hasty = connect.engine(database, lock_limit_ms=50)
    with orders.begin() as connection:
        connection.execute(sa.text("LOCK TABLE reporting.fct_orders IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(Transient, match="locked for too long"):
            rows(hasty, content())
    hasty.dispose()


def test_rows_come_in_batches(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "AT_ONCE", 10)
    with engine.begin() as connection:
        marts.make(connection)
        for _ in range(25):
            marts.add(connection, "fct_accuracy_daily", site_id=1, site_name="A", day=date(2026, 11, 24), orders=1)
    wanted = ReportContent(mart="fct_accuracy_daily", columns=("day", "orders"))
    with reading.opened(engine, wanted, WEEK, None) as source:
        assert [len(batch) for batch in source.batches] == [10, 10, 5]
