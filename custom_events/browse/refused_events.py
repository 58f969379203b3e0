"""The quarantine, newest or oldest first: deliveries that were refused and kept."""

from datetime import datetime

import msgspec
import sqlalchemy as sa

from custom_events.browse.filters import Conditions
from custom_events.browse.pages import ROWS, Page
from custom_events.browse.walk import Wanted, page_of
from custom_events.queries import lists as sql
from custom_events.values.time_order import TimeOrder


class RefusedEventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What of them. `since` inclusive and `until` exclusive, by when they came."""

    site_id: int | None = None
    platform: str | None = None
    reason: str | None = None
    topic: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class RefusedEventRow(msgspec.Struct, frozen=True, kw_only=True):
    """One refusal. `site_id`, `platform` and `topic` as its address and headers said, which nobody has verified; `has_body`: its bytes are
    kept."""

    id: int
    received_at: datetime
    site_id: int | None
    platform: str | None
    reason: str
    topic: str | None
    body_bytes: int | None
    has_body: bool


def refused_events(
    connection: sa.Connection,
    wanted: RefusedEventFilter,
    *,
    now: datetime,
    cursor: str | None = None,
    limit: int = ROWS,
    order: TimeOrder = TimeOrder.NEWEST,
) -> Page[RefusedEventRow]:
    """A page of the quarantine, which is bounded a day, so that rows are looked at for every filter. Raises InvalidConfiguration."""
    chosen = Conditions()
    for column in ("site_id", "platform", "reason", "topic"):
        chosen.by_row(column, getattr(wanted, column))
    return page_of(
        connection,
        Wanted(sql.REFUSED_EVENTS, chosen.lead, chosen.rest, chosen.values),
        lambda row: RefusedEventRow(**row),
        now=now,
        cursor=cursor,
        limit=limit,
        since=wanted.since,
        until=wanted.until,
        order=order,
    )
