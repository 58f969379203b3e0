"""Whether the ledger has anything to do now: asked every few seconds by the sensor and the supervisor, on a new connection."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import sqlalchemy as sa

from custom_events.queries import tallies
from custom_events.queries import upload_requests as requests

RECENT: Final = timedelta(days=7)  # what was made since is looked at whatever the tallies say
AHEAD: Final = timedelta(days=1)  # nothing is made in the future, but clocks may differ


def has_work(connection: sa.Connection, now: datetime) -> bool:
    """Whether a run would find something to do now. Statements that look at the ledger are told since when something of it is open, and
    so leave all older partitions alone; the last days they look at whatever the tallies say."""
    if connection.execute(requests.OTHER_WORK, {"now": now}).scalar_one():
        return True
    week: date | None = connection.execute(tallies.OPEN_SINCE).scalar_one()
    since = now - RECENT if week is None else min(now - RECENT, datetime.combine(week, time.min, UTC))
    asked = {"now": now, "since": since, "until": now + AHEAD}
    if connection.execute(requests.CONVERSIONS_WAIT, asked).scalar_one():
        return True
    adjusted = connection.execute(requests.ADJUSTED_SINCE, asked).scalar_one()
    if adjusted is None:
        return False
    return bool(connection.execute(requests.ADJUSTMENTS_WAIT, {**asked, "adjusted_since": adjusted}).scalar_one())
