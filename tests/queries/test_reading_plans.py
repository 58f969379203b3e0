"""What runs on a timer or stands behind a page reads about as much with three times the history: no table whole, hardly more pages."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from benchmarks import reading
from benchmarks.reading_world import fill
from custom_events.postgres import connect

SIZES = (12_000, 36_000)  # fewer, and a month's partition is read whole, as it is a page or two
OPEN_ROWS = 200
SITES = 20
NOW = datetime(
    2026, 11, 26, 14, 30, tzinfo=UTC
)  # of every run: how much of a week and a month is there decides among like plans
PAGES = 40  # what is so little may double
MOST_GROWTH = 1.5  # an index that is one level deeper costs a third more a look; what reads history would cost three times as much


def nodes(plan: dict[str, Any]) -> Iterator[str]:
    """What a plan does to which table; how often a partition has rows is history's business."""
    yield f"{plan['Node Type']} {plan.get('Relation Name', '').rstrip('0123456789mw')}"
    for child in plan.get("Plans", []):
        yield from nodes(child)


def whole_tables(plan: Counter[str]) -> set[str]:
    """Which tables a plan reads from end to end."""
    return {node for node in plan if node.startswith("Seq Scan")}


def measured_paths(
    engine: sa.Engine, paths: Mapping[str, Callable[[sa.Connection], object]]
) -> tuple[dict[str, Counter[str]], dict[str, int]]:
    """Nodes and pages of each path."""
    plans: dict[str, list[dict[str, Any]]] = {}
    for name, path in paths.items():
        taken = reading.statements(engine, path)
        with engine.connect() as connection:
            plans[name] = [
                connection.exec_driver_sql(reading.EXPLAIN + statement, given).scalar_one()[0]["Plan"]
                for statement, given in taken
            ]
    found = {name: Counter(node for plan in some for node in nodes(plan)) for name, some in plans.items()}
    pages = {
        name: sum(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in some)
        for name, some in plans.items()
    }
    return found, pages


def measured(url: str) -> tuple[dict[str, Counter[str]], dict[str, int]]:
    """The same of what the product itself asks, and the explanation of an old order."""
    engine = connect.engine(url, name="tests")
    paths = {name: path for name, path in reading.paths(NOW).items() if name in reading.TARGETS}
    found, pages = measured_paths(engine, paths)
    engine.dispose()
    pages["explain of an old order"] = int(asyncio.run(reading.story(url, "100"))["pages"])
    return found, pages


@pytest.mark.timeout(300)
def test_three_times_the_history_is_read_in_as_many_pages(
    empty_database: str, database: str, is_embedded: bool
) -> None:
    from custom_events.postgres import migrate

    migrate.upgrade(empty_database)
    worlds: list[tuple[dict[str, Counter[str]], dict[str, int]]] = []
    for url, orders in zip((empty_database, database), SIZES, strict=True):
        engine = connect.engine(url, name="tests")
        fill(engine, orders, SITES, NOW, OPEN_ROWS)
        engine.dispose()
        worlds.append(measured(url))
    (few, little), (many, much) = worlds
    assert {
        name: (little[name], much[name]) for name in much if much[name] > max(MOST_GROWTH * little[name], PAGES)
    } == {}
    if is_embedded:  # PostgreSQL 15 reads small partitions in other ways, at as many pages
        assert {name: whole_tables(many[name]) - whole_tables(few[name]) for name in few} == {
            name: set[str]() for name in few
        }


def test_a_statement_that_reads_history_is_seen(engine: sa.Engine) -> None:
    """The measure itself: counting the ledger costs as much as there is."""
    fill(engine, 2_000, SITES, NOW, OPEN_ROWS)
    statement = "SELECT count(*) FROM app.conversion_uploads"
    once = reading.explained(engine, lambda connection: connection.execute(sa.text(statement)))
    twice = reading.explained(engine, lambda connection: [connection.execute(sa.text(statement)) for _ in range(2)])
    assert once["pages"] > 10
    assert twice["pages"] == 2 * once["pages"]
