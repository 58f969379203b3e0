"""How sites stand, for their list: the last event, what is parked, alarms, secrets, by which lane their conversions go."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Final

import msgspec
import sqlalchemy as sa

from custom_events.queries.site_health import SITE_HEALTH
from custom_events.values.conversions import Lane

WEEKS_LOOKED_BACK: Final = 14  # for the last delivery; bodies are kept 90 days by default
PARKED_SINCE: Final = timedelta(days=30)  # as on the page of what is parked


class SiteHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One site. `last_delivery_at`: of the newest delivery that was looked at; `parked`: deliveries of 30 days that nobody understands;
    `newest_secret_at` None: it has no secret that is good; `enabled`: assignments that match; `lanes`: by which their conversions go."""

    site_id: int
    last_delivery_at: datetime | None
    parked: int
    newest_secret_at: datetime | None
    enabled: int
    alarms: int
    lanes: tuple[Lane, ...]


def site_health(connection: sa.Connection, site_ids: Collection[int], now: datetime) -> dict[int, SiteHealth]:
    """How these sites stand, by id; those that are not there are left out."""
    if not site_ids:
        return {}
    parked_since = now - PARKED_SINCE
    values = {
        "sites": sorted(site_ids),
        "week": _monday(now - timedelta(weeks=WEEKS_LOOKED_BACK)),
        "parked_since": parked_since,
        "parked_week": _monday(parked_since),
    }
    rows = connection.execute(SITE_HEALTH, values)
    return {row.site_id: msgspec.convert(row, SiteHealth, from_attributes=True) for row in rows}


def _monday(moment: datetime) -> date:
    day = moment.date()
    return day - timedelta(days=day.weekday())
