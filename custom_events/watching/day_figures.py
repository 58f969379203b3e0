"""Today beside the same day of last week, as far as the same hour; and who went quiet. Each reads a day at most, whatever there is of history."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.queries import day_figures as sql
from custom_events.values.zones import zone_or_utc
from custom_events.watching.traffic import QuietTraffic, quiet_traffic

WEEK: Final = timedelta(days=7)
NO_NEWS: Final = timedelta(days=28)  # what is silent for longer has been told of
SHOWN: Final = 20  # of sites and of accounts


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """A count of today and of the same hours a week before."""

    name: str
    today: int
    week_ago: int


class Today(msgspec.Struct, frozen=True, kw_only=True):
    """Counts from `since`, midnight of the site (UTC: of all sites), to `until`, beside those from `week_ago_since` to `week_ago_until`. Deliveries by
    outcome and when they came; conversions by what became of them since, and when they were made."""

    site_id: int | None
    since: datetime
    until: datetime
    week_ago_since: datetime
    week_ago_until: datetime
    deliveries: tuple[Beside, ...]
    conversions: tuple[Beside, ...]


class QuietSite(msgspec.Struct, frozen=True, kw_only=True):
    """A site in which something had happened, and nothing has since `last_at` (by the store's clock)."""

    site_id: int
    name: str
    last_at: datetime


class QuietAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An ads account to which nothing has been sent since `last_at`, by the API of that call."""

    customer_id: str
    name: str
    lane: str
    last_at: datetime


class Quiet(msgspec.Struct, frozen=True, kw_only=True):
    """Who went quiet since `since`, the longest silence first, `SHOWN` of each at most; whoever did before `NO_NEWS` is left out. `traffic`:
    of what less comes than is usual at these hours, as of the last whole hour."""

    since: datetime
    sites: tuple[QuietSite, ...]
    accounts: tuple[QuietAccount, ...]
    traffic: tuple[QuietTraffic, ...] = ()


def today(
    connection: sa.Connection, *, now: datetime, site_id: int | None = None, time_zone: str | None = None
) -> Today:
    """Today's counts beside last week's, of one site by its own time zone or of all by UTC."""
    local = now.astimezone(zone_or_utc(time_zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    spans = [
        (start.astimezone(UTC), end.astimezone(UTC))
        for start, end in ((midnight, local), (midnight - WEEK, local - WEEK))
    ]
    counted = [
        [_counts(connection, statement, {"site": site_id, "since": since, "until": until}) for since, until in spans]
        for statement in (sql.DELIVERIES, sql.CONVERSIONS)
    ]
    (since, until), (week_ago_since, week_ago_until) = spans
    return Today(
        site_id=site_id,
        since=since,
        until=until,
        week_ago_since=week_ago_since,
        week_ago_until=week_ago_until,
        deliveries=_beside(*counted[0]),
        conversions=_beside(*counted[1]),
    )


def quiet(
    connection: sa.Connection,
    *,
    now: datetime,
    after: timedelta,
    site_id: int | None = None,
    with_accounts: bool = True,
) -> Quiet:
    """Sites of which nothing was heard for `after`, and ads accounts to which nothing was sent for as long."""
    values = {"site": site_id, "since": now - NO_NEWS, "quiet_since": now - after, "rows": SHOWN}
    sites = [QuietSite(**row) for row in connection.execute(sql.QUIET_SITES, values).mappings()]
    accounts = (
        [QuietAccount(**row) for row in connection.execute(sql.QUIET_ACCOUNTS, values).mappings()]
        if with_accounts
        else []
    )
    parts = [part for part in quiet_traffic(connection, site_id) if with_accounts or not part.is_lane]
    return Quiet(since=now - after, sites=tuple(sites), accounts=tuple(accounts), traffic=tuple(parts[:SHOWN]))


def _counts(connection: sa.Connection, statement: sa.TextClause, values: dict[str, Any]) -> dict[str, int]:
    return {row[0]: row[1] for row in connection.execute(statement, values)}


def _beside(now: dict[str, int], before: dict[str, int]) -> tuple[Beside, ...]:
    names = sorted(now.keys() | before.keys(), key=lambda name: (-now.get(name, 0), name))
    return tuple(Beside(name=name, today=now.get(name, 0), week_ago=before.get(name, 0)) for name in names)
