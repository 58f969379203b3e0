"""Around the change of week: when landings take turns, and how long the weeks around are looked at."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from custom_events.queries import landing
from ingest_api import connections
from ingest_api.connections import is_around_boundary, is_near_boundary
from ingest_api.groups import Group


@pytest.mark.parametrize(
    ("moment", "near"),
    [
        (datetime(2026, 11, 22, 23, 59, 30, tzinfo=UTC), True),
        (datetime(2026, 11, 23, 0, 0, 30, tzinfo=UTC), True),
        (datetime(2026, 11, 22, 23, 58, tzinfo=UTC), False),
        (datetime(2026, 11, 23, 0, 2, tzinfo=UTC), False),
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), False),
        (datetime(2027, 1, 4, tzinfo=UTC) + timedelta(seconds=1), True),
    ],
)
def test_when_the_week_changes(moment: datetime, near: bool) -> None:
    assert is_near_boundary(moment) is near


@pytest.mark.parametrize(
    ("moment", "around"),
    [
        (datetime(2026, 11, 22, 21, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 22, 22, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 23, tzinfo=UTC), True),
        (datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 25, tzinfo=UTC), False),
        (datetime(2027, 1, 4, 12, tzinfo=UTC), True),
    ],
)
def test_when_the_weeks_around_are_looked_at(moment: datetime, around: bool) -> None:
    assert is_around_boundary(moment) is around


class Database:
    """A connection to one whose clock stands at `day` of the month, at noon."""

    day = 1

    async def fetchval(self, statement: str, *, timeout: float | None = None) -> datetime:  # noqa: ASYNC109  (asyncpg's name)
        assert statement == landing.CLOCK
        return datetime(2026, 12, self.day, 12, tzinfo=UTC)


def test_a_clock_of_the_database_that_is_set_is_soon_known(monkeypatch: pytest.MonkeyPatch) -> None:
    moments: list[datetime] = []

    async def land(*_: Any, **how: Any) -> set[int]:
        return set()

    def is_around(moment: datetime) -> bool:
        moments.append(moment)
        return False

    monkeypatch.setattr(landing, "land", land)
    monkeypatch.setattr(connections, "is_around_boundary", is_around)

    async def scenario() -> None:
        database = Database()

        async def connect() -> Any:
            return database

        connection = connections.WriterConnection(connect, connections.Pause())
        for database.day, look_s in ((1, 3_600.0), (2, 3_600.0), (3, -1.0)):
            monkeypatch.setattr(connections, "CLOCK_LOOK_S", look_s)
            assert await connection.land(Group(()), 0) == set()

    asyncio.run(scenario())
    assert [moment.day for moment in moments] == [1, 1, 3]
