"""Hours are counted once and when all of them is understood; what is quiet is kept, is an alarm with a sample, and ends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.settings import Settings
from custom_events.watching import traffic
from custom_events.watching.alarms import raised
from custom_events.watching.day_figures import quiet
from custom_events.watching.measure import measure
from custom_events.watching.status import status
from tests.world import World, paid_order

HOUR = timedelta(hours=1)
NOW = datetime.now(UTC).replace(minute=30, second=0, microsecond=0)
TOP = NOW.replace(minute=0)  # end of the last whole hour
FILL = """
INSERT INTO app.traffic_hours SELECT :place, :subject, g, :events, :sample
FROM generate_series(CAST(:since AS timestamptz), CAST(:until AS timestamptz) - interval '1 hour', interval '1 hour') g
"""


@pytest.fixture
def world(database: str, engine: sa.Engine) -> World:
    return World(database, engine)


def rows(world: World, query: str) -> list[tuple[Any, ...]]:
    with world.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def counted(world: World, since: datetime, until: datetime) -> None:
    with world.engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO app.traffic_counted (since, until) VALUES (:since, :until)"),
            {"since": since, "until": until},
        )


def fill(world: World, place: str, subject: str, until: datetime, events: int = 20, sample: int | None = 7) -> None:
    """Five weeks of as many events an hour."""
    values = {"place": place, "subject": subject, "events": events, "sample": sample}
    with world.engine.begin() as connection:
        connection.execute(sa.text(FILL), values | {"since": TOP - timedelta(weeks=5), "until": until})


def alarms(world: World) -> dict[str, dict[str, str]]:
    with world.engine.connect() as connection:
        found = raised(measure(connection, Settings(), NOW))
        return {alarm.key: alarm.where for alarm in found if "Quiet" in alarm.name}


def test_whole_hours_are_counted_by_topic_clicks_consent_and_lane(world: World) -> None:
    site = world.site()
    world.account()
    attributes = [{"name": "gclid", "value": "Cj0KCQ-test-1"}, {"name": "consent_ad_user_data", "value": "granted"}]
    at = TOP - timedelta(minutes=30)
    first = world.land(site, "orders/paid", paid_order(1, at=at, note_attributes=attributes))
    last = world.land(site, "orders/updated", paid_order(2, at=at, note_attributes=[]))
    fetched = world.land(site, "orders/updated", paid_order(3, at=at, note_attributes=[]))
    with world.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE landing.raw_events SET signature = 'fetched' WHERE id = %s", (fetched,))
        connection.exec_driver_sql("UPDATE landing.raw_events SET received_at = %s", (at,))
        connection.exec_driver_sql(
            "INSERT INTO app.upload_requests (ads_account_id, lane, kind, rows, intent_at) "
            "SELECT id, 'google_ads', 'conversions', 12, %s FROM app.ads_accounts",
            (at,),
        )
    counted(world, TOP - HOUR, TOP - HOUR)
    assert traffic.count_hours(world.engine, NOW) == 0, "deliveries of that hour are not understood yet"
    world.drain()
    assert traffic.count_hours(world.engine, TOP + timedelta(minutes=5)) == 0, "it is not long enough over"
    assert traffic.count_hours(world.engine, NOW) == 1
    assert traffic.count_hours(world.engine, NOW) == 0
    query = "SELECT place, subject, events, sample_raw_id FROM app.traffic_hours ORDER BY 1, 2"
    assert rows(world, query) == [
        ("account:1234567890", "lane:google_ads", 12, None),
        (f"site:{site}", "clicks", 1, first),
        (f"site:{site}", "consent", 1, first),
        (f"site:{site}", "store", 2, last),
        (f"site:{site}", "topic:orders/paid", 1, first),
        (f"site:{site}", "topic:orders/updated", 1, last),
    ]


def test_a_new_installation_catches_up_some_hours_at_a_look(world: World) -> None:
    assert traffic.count_hours(world.engine, NOW) == traffic.HOURS_AT_ONCE
    (span,) = rows(world, "SELECT since, until FROM app.traffic_counted")
    assert span[1] - span[0] == traffic.HOURS_AT_ONCE * HOUR
    traffic.judge(world.engine, NOW)


def test_what_was_quiet_in_the_past_is_no_news(world: World) -> None:
    """The watcher was away for a night, at whose beginning the store was quiet: nothing is said while the hours are caught up with."""
    site, ended = world.site(), TOP - 14 * HOUR
    counted(world, TOP - timedelta(weeks=5), ended)
    fill(world, f"site:{site}", "store", ended - 10 * HOUR)
    assert traffic.count_hours(world.engine, NOW) == traffic.HOURS_AT_ONCE
    assert alarms(world) == {}
    assert traffic.count_hours(world.engine, NOW) == 2
    assert set(alarms(world)) == {"SiteWentQuiet{site=shop,subject=store}"}, "it still is"


def test_what_is_quiet_is_an_alarm_with_a_sample_and_ends(world: World) -> None:
    site, paused = world.site(), world.site()
    world.account()
    counted(world, TOP - timedelta(weeks=5), TOP)
    fill(world, f"site:{site}", "store", TOP)
    fill(world, f"site:{site}", "topic:orders/paid", TOP - 8 * HOUR)
    fill(world, f"site:{site}", "clicks", TOP - 8 * HOUR)
    fill(world, f"site:{paused}", "store", TOP - 8 * HOUR)
    fill(world, "account:1234567890", "lane:google_ads", TOP - 8 * HOUR, sample=None)
    with world.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE app.sites SET is_active = false WHERE id = %s", (paused,))
    traffic.judge(world.engine, NOW)
    assert alarms(world) == {
        "PartOfSiteWentQuiet{site=shop,subject=topic:orders/paid}": {
            "site": "shop",
            "subject": "topic:orders/paid",
            "example": "raw:7",
        },
        "PartOfSiteWentQuiet{site=shop,subject=clicks}": {"site": "shop", "subject": "clicks", "example": "raw:7"},
        "LaneWentQuiet{account=1234567890,lane=google_ads}": {"account": "1234567890", "lane": "google_ads"},
    }
    with world.engine.connect() as connection:
        mine = quiet(connection, now=NOW, after=timedelta(days=1), site_id=site, with_accounts=False).traffic
        assert [(part.subject, part.events, part.is_lane) for part in mine] == [
            ("clicks", 0, False),
            ("topic:orders/paid", 0, False),
        ]
        assert all(part.hours >= 8 and part.last_at == TOP - 9 * HOUR for part in mine)
        quiet_parts = status(connection, Settings(), NOW).quiet
        assert set(quiet_parts) == {"shop clicks", "shop topic:orders/paid", "1234567890 lane:google_ads"}
    with world.engine.begin() as connection:
        connection.exec_driver_sql(
            "DELETE FROM app.traffic_hours WHERE subject = 'store' AND hour >= %s", (TOP - 8 * HOUR,)
        )
    traffic.judge(world.engine, NOW)
    assert {key for key in alarms(world) if "Lane" not in key} == {"SiteWentQuiet{site=shop,subject=store}"}
    with world.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM app.traffic_hours")
    traffic.judge(world.engine, NOW)
    assert alarms(world) == {}
