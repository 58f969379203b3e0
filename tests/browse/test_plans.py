"""Lists and the search read as much with three times the history, and as much in the middle of a list as at its beginning."""

import pytest

from benchmarks import reading_lists
from benchmarks.reading_world import fill
from custom_events.postgres import connect, migrate
from tests.queries.test_reading_plans import MOST_GROWTH, NOW, OPEN_ROWS, PAGES, SIZES, measured_paths, whole_tables

SITES, ROWS = 5, 10  # so that the smaller history fills a page of whatever is asked for


@pytest.mark.timeout(400)
def test_lists_and_search_are_flat(empty_database: str, database: str, is_embedded: bool) -> None:
    if not is_embedded:
        pytest.skip("PostgreSQL 15 reads up to 1.7 times the pages in the larger world (298 for 175 at worst)")
    migrate.upgrade(empty_database)
    worlds = []
    for url, orders in zip((empty_database, database), SIZES, strict=True):
        engine = connect.engine(url, name="tests")
        fill(engine, orders, SITES, NOW, OPEN_ROWS)
        worlds.append(measured_paths(engine, reading_lists.paths(NOW, ROWS)))
        engine.dispose()
    (few, little), (many, much) = worlds
    assert {
        name: (little[name], much[name])
        for name in much
        if much[name] > max(MOST_GROWTH * little[name], little[name] + PAGES)
    } == {}
    assert {name: whole_tables(many[name]) - whole_tables(few[name]) for name in few} == {
        name: set[str]() for name in few
    }
    deep = {name.removesuffix(", in the middle"): pages for name, pages in much.items() if name.endswith("middle")}
    assert {name: (much[name], pages) for name, pages in deep.items() if pages > max(1.2 * much[name], 2 * PAGES)} == {}
