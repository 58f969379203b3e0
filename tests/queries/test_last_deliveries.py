"""When sites sent something last, and whether anything is of a site, at the cost of the sites and not of what they sent."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from benchmarks.reading import explained
from custom_events.catalog import connecting, sites
from custom_events.queries import dependents
from custom_events.tables.sites import sites as site_table
from custom_events.values.deliveries import Platform

NOW = datetime(2026, 11, 26, 14, 30, tzinfo=UTC)
WEEK = NOW.date() - timedelta(days=NOW.weekday())
FEW, MANY = 2_000, 10_000  # deliveries
MOST_GROWTH = 1.5  # pages: an index that is one level deeper; what reads deliveries costs five times as much
PAGES = 60  # what is so little may double
LANDED = """
WITH landed AS (
  INSERT INTO landing.raw_events (landed_week, received_at, site_id, topic, dedup_key, signature, headers, body, body_bytes)
  SELECT :week, CAST(:now AS timestamptz) - make_interval(secs => g), CASE WHEN g % 2 = 0 THEN :site ELSE :other END, 't',
    decode(md5(CAST(g AS text)), 'hex'), 'verified', '{}', '', 0
  FROM generate_series(CAST(:first AS int), CAST(:last AS int)) g RETURNING landed_week, id, received_at, site_id)
"""
UNDERSTOOD = sa.text(f"""{LANDED}
INSERT INTO app.raw_outcomes (landed_week, raw_id, received_at, site_id, outcome, new_events)
SELECT landed_week, id, received_at, site_id, 'understood', 0 FROM landed
""")
WAITING = sa.text(f"""{LANDED}
INSERT INTO landing.raw_queue (raw_id, landed_week, site_id) SELECT id, landed_week, site_id FROM landed
""")


def test_they_are_told_without_reading_what_was_sent(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        first, second, silent = (
            sites.create(connection, platform=Platform.CUSTOM, name=name, actor="test").id for name in "abc"
        )
    values = {"week": WEEK, "now": NOW, "site": first, "other": second}

    def pages(path: Callable[[sa.Connection], object], *, last: int, begin: int) -> float:
        with engine.begin() as connection:
            connection.execute(UNDERSTOOD, {**values, "first": begin, "last": last})
            connection.execute(sa.text("ANALYZE landing.raw_events, app.raw_outcomes"))
        return explained(engine, path)["pages"]

    def read(connection: sa.Connection) -> tuple[object, object]:
        referring = dependents.referring(connection, site_table, silent, limit=5)
        return connecting.last_deliveries(connection, NOW), referring

    few = pages(read, begin=1, last=FEW)
    many = pages(read, begin=FEW + 1, last=MANY)
    assert many <= max(MOST_GROWTH * few, PAGES)
    with engine.begin() as connection:
        told, referring = read(connection)
        assert (told, referring) == (
            {first: NOW - timedelta(seconds=2), second: NOW - timedelta(seconds=1)},
            [],
        )
        connection.execute(WAITING, {**values, "first": 0, "last": 0})
        assert connecting.last_deliveries(connection, NOW, only=[first, silent]) == {first: NOW}, "nobody took it yet"
        named = dict(dependents.referring(connection, site_table, first, limit=2))
        assert {name: len(rows) for name, rows in named.items()} == {"raw_outcomes": 2, "raw_queue": 1}
