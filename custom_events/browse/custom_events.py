"""Custom events, newest or oldest first by the store's clock, with how their conversions stand."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.browse.filters import Conditions, needs_site, one_of
from custom_events.browse.pages import ROWS, Page
from custom_events.browse.walk import Wanted, page_of
from custom_events.queries import lists as sql
from custom_events.queries import tallies
from custom_events.values.time_order import TimeOrder

QUEUED, WITHHELD, WITHDRAWN = "queued", "withheld", "withdrawn"
STATES: Final = (QUEUED, WITHHELD, WITHDRAWN)


class CustomEventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What of them. `state`: queued (stands, and its conversion went on its way), withheld (stands, and matching keeps its conversion
    back) or withdrawn; `reason`: of what is withheld or withdrawn; `order_id` and `customer_key` need their site; `since` inclusive and
    `until` exclusive, by the store's clock."""

    site_id: int | None = None
    assignment_id: int | None = None
    definition_id: int | None = None
    state: str | None = None
    reason: str | None = None
    order_id: str | None = None
    customer_key: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class CustomEventRow(msgspec.Struct, frozen=True, kw_only=True):
    """One custom event. `state` and `reason` as matching has it; `upload_state` (`unmatched`: Google has no such click), `upload_reason`
    and `upload_sentence` as its conversion has it, None where none was made."""

    id: int
    occurred_at: datetime
    site_id: int
    assignment_id: int
    definition_revision_id: int
    assignment_revision_id: int
    commerce_event_id: int
    dedup_key: str
    order_id: str | None
    customer_key: str | None
    value: Decimal | None
    currency: str | None
    state: str
    reason: str | None
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    created_at: datetime
    upload_id: int | None
    upload_state: str | None = None
    upload_reason: str | None = None
    upload_sentence: str | None = None


def custom_events(
    connection: sa.Connection,
    wanted: CustomEventFilter,
    *,
    now: datetime,
    cursor: str | None = None,
    limit: int = ROWS,
    order: TimeOrder = TimeOrder.NEWEST,
) -> Page[CustomEventRow]:
    """A page of custom events. `total` for all of them, those of an assignment, and those withdrawn. Raises InvalidConfiguration."""
    page = page_of(
        connection,
        _wanted(wanted),
        lambda row: row,
        now=now,
        cursor=cursor,
        limit=limit,
        since=wanted.since,
        until=wanted.until,
        order=order,
    )
    return Page(
        rows=_with_conversions(connection, page.rows),
        next_cursor=page.next_cursor,
        searched_until=page.searched_until,
        total=_total(connection, wanted) if cursor is None else None,
    )


def _wanted(wanted: CustomEventFilter) -> Wanted:
    one_of("state", wanted.state, STATES)
    needs_site(wanted.site_id, order_id=wanted.order_id, customer_key=wanted.customer_key)
    chosen = Conditions()
    chosen.by_index("site_id", wanted.site_id)
    chosen.by_index("order_id", wanted.order_id)
    chosen.by_index("assignment_id", wanted.assignment_id)
    chosen.by_row("customer_key", wanted.customer_key)
    if wanted.definition_id is not None:
        chosen.rest.append(sql.OF_DEFINITION)
        chosen.values["definition"] = wanted.definition_id
    if wanted.state == WITHHELD:
        chosen.rest.append("t.withheld_reason IS NOT NULL")
    if wanted.state == WITHDRAWN:
        chosen.rest.append("t.withdrawn_at IS NOT NULL")
    if wanted.state in (QUEUED, WITHHELD):
        chosen.rest.append("t.withdrawn_at IS NULL")
    if wanted.state == QUEUED:
        chosen.rest.append("t.withheld_reason IS NULL")
    if wanted.reason is not None:
        chosen.rest.append(sql.CUSTOM_EVENT_REASON)
        chosen.values["reason"] = wanted.reason
    return Wanted(sql.CUSTOM_EVENTS, chosen.lead, chosen.rest, chosen.values, wanted.order_id is not None)


def _with_conversions(connection: sa.Connection, rows: Sequence[sa.RowMapping]) -> tuple[CustomEventRow, ...]:
    made = [(row["created_at"], row["upload_id"]) for row in rows if row["upload_id"] is not None]
    conversions: Mapping[int, Any] = {}
    if made:
        times = [at for at, _ in made]
        values = {"times": times, "ids": [number for _, number in made], "first": min(times), "last": max(times)}
        conversions = {row.id: row for row in connection.execute(sql.CONVERSIONS, values)}
    return tuple(_row(row, conversions.get(row["upload_id"])) for row in rows)


def _row(row: sa.RowMapping, conversion: Any) -> CustomEventRow:
    values = dict(row)
    withheld, withdrawn = values.pop("withheld_reason"), values.pop("withdrawn_reason")
    is_withdrawn = row["withdrawn_at"] is not None
    state = WITHDRAWN if is_withdrawn else QUEUED if withheld is None else WITHHELD
    upload = (
        {}
        if conversion is None
        else {
            "upload_state": conversion.state,
            "upload_reason": conversion.reason,
            "upload_sentence": conversion.sentence,
        }
    )
    return CustomEventRow(state=state, reason=withdrawn if is_withdrawn else withheld, **values, **upload)


def _total(connection: sa.Connection, wanted: CustomEventFilter) -> int | None:
    if wanted == CustomEventFilter(assignment_id=wanted.assignment_id) and wanted.assignment_id is not None:
        counts = tallies.read(connection, "custom_events_of_assignment", subject=wanted.assignment_id)
        return sum(tally.rows for tally in counts)
    is_whole = wanted == CustomEventFilter()
    if not is_whole and wanted not in (
        CustomEventFilter(state=WITHDRAWN),
        CustomEventFilter(state=WITHDRAWN, reason=wanted.reason),
    ):
        return None
    counts = tallies.read(connection, "custom_events")
    return sum(
        tally.rows
        for tally in counts
        if is_whole or (tally.state == WITHDRAWN and wanted.reason in (None, tally.reason))
    )
