"""What the readings of stores found: how far each is read, its last runs, and what was missing by day. Only reads."""

from datetime import date, datetime, timedelta
from typing import Final

import msgspec
import sqlalchemy as sa

from custom_events.catalog import store_api_keys
from custom_events.catalog.store_api_keys import StoreApiKey
from custom_events.queries import recovery as sql
from custom_events.values.recovery import GapKind

SHOWN_DAYS: Final = timedelta(days=30)  # what was found before is no news
SHOWN_RUNS: Final = 10
SHOWN_MISSING: Final = 200


class RecoveryRun(msgspec.Struct, frozen=True, kw_only=True):
    """One reading: orders that the store changed from `since` to `until`. `orders_missing`: of which something had not landed;
    `orders_landed`: of which it was landed by this run. `problem`: why it ended early, null: it did not."""

    started_at: datetime
    ended_at: datetime
    since: datetime
    until: datetime
    orders_read: int
    orders_missing: int
    orders_landed: int
    problem: str | None


class MissingOrders(msgspec.Struct, frozen=True, kw_only=True):
    """What no delivery had brought, by the day (UTC) on which the store changed the orders; `sample_raw_id`: the delivery of one of them
    as it was landed."""

    day: date
    kind: GapKind
    orders: int
    sample_raw_id: int
    found_at: datetime


class RecoveryReport(msgspec.Struct, frozen=True, kw_only=True):
    """A site's readings. `key` null: its orders cannot be read. `read_until`: what the store changed before it was read. `problem`: why
    it cannot be read now, since `problem_since`; null: it can. `missing`: of 30 days."""

    site_id: int
    key: StoreApiKey | None
    can_have_key: bool
    read_until: datetime | None
    problem: str | None
    problem_since: datetime | None
    runs: tuple[RecoveryRun, ...]
    missing: tuple[MissingOrders, ...]


def report(connection: sa.Connection, site_id: int, platform: str, now: datetime) -> RecoveryReport:
    """The report of one site of this platform."""
    site = {"site": site_id}
    progress = connection.execute(sql.PROGRESS, site).one_or_none()
    runs = connection.execute(sql.RUNS, site | {"limit": SHOWN_RUNS})
    missing = connection.execute(sql.MISSING, site | {"since": now - SHOWN_DAYS, "limit": SHOWN_MISSING})
    return RecoveryReport(
        site_id=site_id,
        key=store_api_keys.of(connection, site_id),
        can_have_key=platform in store_api_keys.BY_KEY,
        read_until=None if progress is None else progress.read_until,
        problem=None if progress is None else progress.problem,
        problem_since=None if progress is None else progress.problem_since,
        runs=tuple(msgspec.convert(row, RecoveryRun, from_attributes=True) for row in runs),
        missing=tuple(msgspec.convert(row, MissingOrders, from_attributes=True) for row in missing),
    )
