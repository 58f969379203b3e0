"""One site's figures within a stretch of time: what came, what it was understood as, what was made of it, and where that stands."""

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.errors import InvalidConfiguration
from custom_events.queries import site_figures as sql

USUAL: Final = timedelta(days=7)
LONGEST: Final = timedelta(days=31)  # what is counted row by row: a month's partition


class SiteFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of one site from `since` to before `until`: deliveries by outcome and when they came, commerce events by type and custom
    events by state by the store's clock, conversions and adjustments by state and when they were made."""

    site_id: int
    since: datetime
    until: datetime
    deliveries: dict[str, int]
    commerce_events: dict[str, int]
    custom_events: dict[str, int]
    conversions: dict[str, int]
    adjustments: dict[str, int]


def site_figures(
    connection: sa.Connection,
    site_id: int,
    *,
    now: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
) -> SiteFigures:
    """The figures of a site; the seven days before `until` unless told otherwise. Raises InvalidConfiguration above `LONGEST`."""
    until = until if until is not None else now
    since = since if since is not None else until - USUAL
    if not timedelta() <= until - since <= LONGEST:
        raise InvalidConfiguration(
            f"{until - since} is from one to the other; at most {LONGEST.days} days are counted", path="since"
        )
    values: dict[str, Any] = {"site": site_id, "since": since, "until": until}
    return SiteFigures(
        site_id=site_id,
        since=since,
        until=until,
        deliveries=_counts(connection, sql.DELIVERIES, values),
        commerce_events=_counts(connection, sql.COMMERCE_EVENTS, values),
        custom_events=_counts(connection, sql.CUSTOM_EVENTS, values),
        conversions=_counts(connection, sql.UPLOADS, values | {"conversions": True}),
        adjustments=_counts(connection, sql.UPLOADS, values | {"conversions": False}),
    )


def _counts(connection: sa.Connection, statement: sa.TextClause, values: dict[str, Any]) -> dict[str, int]:
    return {row[0]: row[1] for row in connection.execute(statement, values)}
