"""Commerce events, newest or oldest first by the store's clock."""

from datetime import date, datetime
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from custom_events.browse.filters import Conditions, needs_site
from custom_events.browse.pages import ROWS, Page
from custom_events.browse.walk import Wanted, page_of
from custom_events.queries import lists as sql
from custom_events.queries import tallies
from custom_events.values.time_order import TimeOrder


class CommerceEventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What of them. `type`: order.paid ...; `order_id` and `customer_key` need their site; `is_undone`: a newer body took it back; `since`
    inclusive and `until` exclusive, by the store's clock."""

    site_id: int | None = None
    type: str | None = None
    order_id: str | None = None
    customer_key: str | None = None
    is_undone: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


class CommerceEventRow(msgspec.Struct, frozen=True, kw_only=True):
    """One commerce event; its facts are `explain`'s. `raw_id` and `raw_landed_week`: the raw event that is the oldest to show it."""

    id: int
    occurred_at: datetime
    site_id: int
    type: str
    key: str
    order_id: str | None
    customer_key: str | None
    amount: Decimal | None
    currency: str | None
    is_test: bool
    is_undone: bool
    raw_id: int | None
    raw_landed_week: date | None
    created_at: datetime


def commerce_events(
    connection: sa.Connection,
    wanted: CommerceEventFilter,
    *,
    now: datetime,
    cursor: str | None = None,
    limit: int = ROWS,
    order: TimeOrder = TimeOrder.NEWEST,
) -> Page[CommerceEventRow]:
    """A page of commerce events. `total` where nothing but a type is asked for. Raises InvalidConfiguration."""
    page = page_of(
        connection,
        _wanted(wanted),
        lambda row: CommerceEventRow(**row),
        now=now,
        cursor=cursor,
        limit=limit,
        since=wanted.since,
        until=wanted.until,
        order=order,
    )
    return msgspec.structs.replace(page, total=_total(connection, wanted) if cursor is None else None)


def _wanted(wanted: CommerceEventFilter) -> Wanted:
    needs_site(wanted.site_id, order_id=wanted.order_id, customer_key=wanted.customer_key)
    chosen = Conditions()
    chosen.by_index("site_id", wanted.site_id)
    chosen.by_index("order_id", wanted.order_id)
    chosen.by_index("customer_key", wanted.customer_key)
    (chosen.by_index if wanted.site_id is not None else chosen.by_row)("type", wanted.type)
    chosen.by_row("is_undone", wanted.is_undone)
    is_few = wanted.order_id is not None or wanted.customer_key is not None
    return Wanted(sql.COMMERCE_EVENTS, chosen.lead, chosen.rest, chosen.values, is_few)


def _total(connection: sa.Connection, wanted: CommerceEventFilter) -> int | None:
    if wanted != CommerceEventFilter(type=wanted.type):
        return None
    counted = tallies.read(connection, "commerce_events")
    return sum(tally.rows for tally in counted if wanted.type in (None, tally.state))
