"""Around the change of week: when landings take turns, and how long last week is looked at."""

from datetime import UTC, datetime, timedelta

import pytest

from ingest_api.connections import is_after_boundary, is_near_boundary


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
    ("moment", "after"),
    [
        (datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 23, tzinfo=UTC), True),
        (datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 25, tzinfo=UTC), False),
        (datetime(2027, 1, 4, 12, tzinfo=UTC), True),
    ],
)
def test_how_long_last_week_is_looked_at(moment: datetime, after: bool) -> None:
    assert is_after_boundary(moment) is after
