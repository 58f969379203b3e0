"""The ledger's rows, newest or oldest first by when they were made."""

from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Final

import msgspec
import sqlalchemy as sa

from custom_events.browse.filters import Conditions, needs_site, one_of
from custom_events.browse.pages import ROWS, Page
from custom_events.browse.walk import SCANNED, Wanted, page_of
from custom_events.queries import lists as sql
from custom_events.queries import tallies
from custom_events.values.conversions import UNMATCHED_REASONS, UploadKind, UploadState
from custom_events.values.time_order import TimeOrder

UNMATCHED: Final = "unmatched"
SPLIT: Final = "split"  # a part of a request that was refused without a row being named: it goes again
STATES: Final = (*(state.value for state in UploadState), UNMATCHED)
# States in which every row says why it is in them: there is an index of what has a reason.
_REASONED: Final = frozenset(
    {UploadState.HELD, UploadState.UNKNOWN, UploadState.REJECTED, UploadState.EXPIRED, UploadState.WITHHELD, UNMATCHED}
)
_WAITING: Final = frozenset({UploadState.NEW, UploadState.HELD, UploadState.QUEUED, UploadState.UNKNOWN})
_UNSETTLED: Final = _WAITING | {UploadState.CLAIMED, UploadState.SENT}


class UploadFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What of them. `state`: one of the ledger's, or `unmatched` (Google took the call and has no such click), which is then not accepted
    or rejected; `account_id`: ads_accounts.id; `action_id`: ads_actions.id; `kind`: conversion, restatement or retraction; `order_id` needs
    its site; `since` inclusive and `until` exclusive, by when they were made; `deadline_before`: those that may still be claimed, and that Google takes until
    then at most."""

    state: str | None = None
    reason: str | None = None
    account_id: int | None = None
    action_id: int | None = None
    site_id: int | None = None
    assignment_id: int | None = None
    kind: str | None = None
    order_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    deadline_before: datetime | None = None


class UploadRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the ledger. `account_id` and `action_id` are None where nothing says where it goes."""

    id: int
    created_at: datetime
    site_id: int
    assignment_id: int
    custom_event_id: int
    account_id: int | None
    action_id: int | None
    kind: str
    transaction_id: str
    sequence: int
    order_id: str | None
    conversion_at: datetime
    adjusted_at: datetime | None
    value: Decimal | None
    currency: str | None
    click_kind: str | None
    state: str
    reason: str | None
    sentence: str | None
    not_before: datetime
    deadline_at: datetime
    attempts: int
    request_id: int | None
    settled_at: datetime | None
    updated_at: datetime


def uploads(
    connection: sa.Connection,
    wanted: UploadFilter,
    *,
    now: datetime,
    cursor: str | None = None,
    limit: int = ROWS,
    order: TimeOrder = TimeOrder.NEWEST,
) -> Page[UploadRow]:
    """A page of uploads. `total` where nothing but `kind`, a settled `state`, its `reason` and an account are asked for. Raises
    InvalidConfiguration."""
    one_of("state", wanted.state, STATES)
    one_of("kind", wanted.kind, tuple(UploadKind))
    needs_site(wanted.site_id, order_id=wanted.order_id)
    chosen, since = _wanted(connection, wanted)
    page = page_of(
        connection,
        chosen,
        _row,
        now=now,
        cursor=cursor,
        limit=limit,
        since=since,
        until=wanted.until,
        order=order,
    )
    return msgspec.structs.replace(page, total=_total(connection, wanted) if cursor is None else None)


def _wanted(connection: sa.Connection, wanted: UploadFilter) -> tuple[Wanted, datetime | None]:
    """What to read, and from when on there can be any."""
    chosen, since = Conditions(), wanted.since
    if wanted.order_id is not None:
        _rest(chosen, wanted)
        chosen.values |= {"site": wanted.site_id, "order": wanted.order_id}
        return Wanted(sql.UPLOADS_OF_ORDER, (), chosen.rest, chosen.values, is_few=True), since
    is_few = False
    is_late = wanted.deadline_before is not None and wanted.state is None
    if wanted.state in _UNSETTLED or is_late:
        rows, week = connection.execute(sql.OPEN).one()
        if week is not None:
            monday = datetime.combine(week, time(), UTC)
            since = max(since or monday, monday)
        is_few = (wanted.state in _WAITING or is_late) and rows <= SCANNED
    if is_few:
        chosen.lead.append("t.waits")
        chosen.by_index("ads_account_id", wanted.account_id)
        chosen.by_row("site_id", wanted.site_id)
        chosen.by_row("reason", wanted.reason)
    elif wanted.reason != SPLIT and (wanted.reason is not None or wanted.state in _REASONED):
        by_account = wanted.account_id is not None
        is_indexed = by_account or wanted.site_id is not None
        (chosen.lead if is_indexed else chosen.rest).append(sql.HAS_REASON)
        chosen.by_index("ads_account_id", wanted.account_id)
        (chosen.by_row if by_account else chosen.by_index)("site_id", wanted.site_id)
        (chosen.by_index if is_indexed else chosen.by_row)("reason", wanted.reason)
    else:
        chosen.by_row("ads_account_id", wanted.account_id)
        chosen.by_row("site_id", wanted.site_id)
        chosen.by_row("reason", wanted.reason)
    _rest(chosen, wanted, is_chosen=True)
    return Wanted(sql.UPLOADS, chosen.lead, chosen.rest, chosen.values, is_few), since


def _rest(chosen: Conditions, wanted: UploadFilter, *, is_chosen: bool = False) -> None:
    """Conditions that no index has; `is_chosen`: account, site and reason are asked for already."""
    if not is_chosen:
        chosen.by_row("ads_account_id", wanted.account_id)
        chosen.by_row("reason", wanted.reason)
    chosen.by_row("ads_action_id", wanted.action_id)
    chosen.by_row("assignment_id", wanted.assignment_id)
    chosen.by_row("kind", wanted.kind)
    if wanted.deadline_before is not None:
        chosen.rest.append(sql.IS_LATE)
        chosen.values["deadline"] = wanted.deadline_before
    if wanted.state == UNMATCHED:
        chosen.rest.append(sql.IS_UNMATCHED)
    elif wanted.state is not None:
        chosen.by_row("state", wanted.state)
        if wanted.state in (UploadState.ACCEPTED, UploadState.REJECTED):
            chosen.rest.append(sql.IS_MATCHED)


def _row(row: sa.RowMapping) -> UploadRow:
    values = dict(row)
    if _is_unmatched(row["state"], row["reason"]):
        values["state"] = UNMATCHED
    return UploadRow(account_id=values.pop("ads_account_id"), action_id=values.pop("ads_action_id"), **values)


def _total(connection: sa.Connection, wanted: UploadFilter) -> int | None:
    tallied = UploadFilter(state=wanted.state, reason=wanted.reason, account_id=wanted.account_id, kind=wanted.kind)
    says_reason = wanted.state is None and wanted.reason is not None
    if wanted != tallied or wanted.state in _UNSETTLED - {UploadState.SENT} or says_reason:
        return None
    noun = "uploads" if wanted.account_id is None else "uploads_of_account"
    return sum(
        tally.rows
        for tally in tallies.read(connection, noun, subject=wanted.account_id)
        if wanted.kind in (None, tally.kind)
        and wanted.state in (None, _outcome(tally))
        and wanted.reason in (None, tally.reason)
    )


def _outcome(tally: tallies.Tally) -> str:
    return UNMATCHED if _is_unmatched(tally.state, tally.reason) else tally.state


def _is_unmatched(state: str, reason: str | None) -> bool:
    return state in (UploadState.ACCEPTED, UploadState.REJECTED) and reason in UNMATCHED_REASONS
