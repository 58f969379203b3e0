"""SQL cuts days by the same offsets as Python, on every server."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_events.postgres import zone_offsets
from custom_events.queries.zones import ZONES, local_day
from custom_events.values import zones

LOCAL_DAYS = sa.text(f"""
WITH zones AS ({ZONES})
SELECT {local_day("g.at", "z")} FROM unnest(CAST(:at AS timestamptz[]), CAST(:zone AS text[])) WITH ORDINALITY AS g(at, zone, place)
LEFT JOIN zones z ON z.zone = g.zone ORDER BY g.place
""")
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2039, 12, 31)).map(lambda one: one.replace(tzinfo=UTC))  # noqa: DTZ001
COUNTER = """
INSERT INTO app.threshold_counters (assignment_id, definition_revision_id, assignment_revision_id, time_zone)
VALUES (1, 1, 1, 'America/Vancouver'), (2, 1, 1, 'Europe/Berlin')
"""
STALE = "SELECT assignment_id FROM app.threshold_counters WHERE made_at < now() - interval '1 day' ORDER BY 1"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(st.lists(st.tuples(MOMENTS, st.sampled_from(sorted(zones.names()))), min_size=1, max_size=200))
def test_sql_and_python_have_the_same_days(engine: sa.Engine, asked: list[tuple[datetime, str]]) -> None:
    first = zone_offsets.SINCE.astimezone(UTC)
    with engine.connect() as connection:
        moments, names = map(list, zip(*asked, strict=True))
        days = list(connection.execute(LOCAL_DAYS, {"at": moments, "zone": names}).scalars())
    for (moment, name), day in zip(asked, days, strict=True):
        offset = max(moment, first).astimezone(zones.zone(name)).utcoffset() or timedelta(0)
        assert day == (moment + offset).date(), (moment, name)


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        (datetime(2026, 12, 1, 7, 30, tzinfo=UTC), "America/Vancouver", date(2026, 12, 1)),
        (datetime(2026, 12, 1, 6, 30, tzinfo=UTC), "America/Edmonton", date(2026, 12, 1)),
        (datetime(2026, 12, 1, 23, 30, tzinfo=UTC), "Africa/Casablanca", date(2026, 12, 1)),
        (
            datetime(2026, 12, 1, 23, 30, tzinfo=UTC),
            "localtime",
            date(2026, 12, 1),
        ),  # of a site from before names were checked
    ],
)
def test_days_of_clocks_changed_in_2026(engine: sa.Engine, moment: datetime, zone: str, day: date) -> None:
    with engine.connect() as connection:
        assert connection.execute(LOCAL_DAYS, {"at": [moment], "zone": [zone]}).scalar_one() == day


def test_a_second_time_nothing_changes(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        assert zone_offsets.release_of(connection) == zones.RELEASE
        assert zone_offsets.ensure(connection) == ()


def test_a_newer_release_replaces_the_older_and_counts_again_where_offsets_changed(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text(COUNTER))
        connection.execute(sa.text("UPDATE app.zone_offsets SET release = '2025b'"))
        connection.execute(
            sa.text("UPDATE app.zone_offsets SET utc_offset = interval '-8 hours' WHERE zone = 'America/Vancouver'")
        )
        assert zone_offsets.ensure(connection) == ("America/Vancouver",)
        assert zone_offsets.release_of(connection) == zones.RELEASE
        assert connection.execute(sa.text(STALE)).scalars().all() == [1]
        rows = connection.execute(sa.text("SELECT zone, starts_at, utc_offset FROM app.zone_offsets")).all()
    assert {tuple(row) for row in rows} == {
        (name, at, offset) for name, found in zone_offsets.periods().items() for at, offset in found
    }


def test_the_first_time_every_zone_counts_again(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text(COUNTER))
        connection.execute(sa.text("DELETE FROM app.zone_offsets"))
        changed = zone_offsets.ensure(connection)
        assert "Europe/Berlin" in changed
        assert "UTC" not in changed
        assert connection.execute(sa.text(STALE)).scalars().all() == [1, 2]


def test_an_older_version_of_ours_leaves_a_newer_release_alone(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE app.zone_offsets SET release = '2099a'"))
        assert zone_offsets.ensure(connection) == ()
        assert zone_offsets.release_of(connection) == "2099a"
