"""Claiming: which account is served next, which rows go, the intent that is committed before the call, and what our own checks keep back.

In two halves, which may run in two threads: Postgres does most of the first (`take`), Python all of the second (`make`).
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from custom_events.destinations.base import Destination
from custom_events.ledger import allowance, poison
from custom_events.ledger.quota import Call
from custom_events.ledger.record_answers import put_back, write_unsent
from custom_events.ledger.stops import Stop
from custom_events.ledger.upload_rows import AccountWork, Actions, Claimed, Request, account_of, actions_of
from custom_events.queries import upload_requests as requests
from custom_events.queries import uploads
from custom_events.settings import Settings
from custom_events.values.clicks import ConsentStatus
from custom_events.values.conversions import Conversion, RequestKind, RowAnswer, Scope, Verdict
from custom_events.values.reasons import SAME_CLICK_AND_SECOND, WAITS

ACCOUNTS_AT_ONCE: Final = 100  # fetched together
MAX_JOB_ID: Final = 2**31 - 1  # job ids lie in [1, 2^31) (docs/reference/google-ads.md 1.1)
PARTS: Final = 8  # a refused request goes again in so many: 2,000 rows are down to one after four rounds
SAME_CLICK_WAIT: Final = timedelta(seconds=30)

Validate = Callable[[Conversion, datetime], RowAnswer | None]


def next_accounts(connection: sa.Connection, now: datetime) -> list[AccountWork]:
    """Accounts with something to send, those served longest ago first; fair whatever the size of their backlogs."""
    rows = connection.execute(requests.TURNS, {"now": now, "accounts": ACCOUNTS_AT_ONCE}).all()
    return [
        AccountWork(account_of(row), RequestKind(row.kind), row.history, row.unprobed, row.is_other_lane)
        for row in rows
    ]


class ClaimedBatch(NamedTuple):
    """A committed intent, and its rows as the statement gave them, neither read nor checked. `no_user_data`: why what carries hashed
    e-mail or phone is held; None: it goes."""

    request_id: int
    job_id: int
    work: AccountWork
    actions: Actions
    rows: uploads.Rows
    horizon: int
    no_user_data: Stop | None = None


def claim(
    engine: sa.Engine, work: AccountWork, destination: Destination, settings: Settings, now: datetime
) -> Request | None:
    """Both halves. None: nothing is left to send."""
    claimed = take(engine, work, settings, now)
    return None if claimed is None else make(engine, claimed, destination, now)


def take(engine: sa.Engine, work: AccountWork, settings: Settings, now: datetime) -> ClaimedBatch | None:
    """Claim up to a batch of rows, and commit the intent to send them. None: there are none.

    Raises Refused, and leaves nothing behind, when the quota has no call left. After this returns, the rows belong to this worker
    until the lease ends, and whatever happens then is resolved by re-sending under the same order ids.
    """
    with engine.begin() as connection:
        intent = connection.execute(
            requests.CREATE_REQUEST,
            {
                "account": work.account.id,
                "customer_id": work.account.customer_id,
                "login_customer_id": work.account.login_customer_id,
                "lane": work.account.lane.value,
                "own_lane": _own_lane(work),
                "kind": work.kind.value,
                "parts": PARTS,
                "now": now,
            },
        ).one()
        request_id = int(intent.id)
        actions = actions_of(connection.execute(requests.ACTIONS_OF, {"account": work.account.id}))
        rows = _claim_rows(connection, work, intent, settings, now)
        if not rows.rowcount:
            connection.execute(requests.DROP_REQUEST, {"request": request_id})
            return None
        call = Call(
            full=rows.rowcount >= settings.upload_batch_size,
            history=work.history,
            live_share=settings.upload_live_share,
        )
        allowance.take(connection, work.account, call, settings, now)
        job_id = request_id % MAX_JOB_ID + 1
        connection.execute(requests.FILL_REQUEST, {"request": request_id, "rows": rows.rowcount, "job_id": job_id})
    reason = intent.no_user_data_reason
    stop = None if reason is None else Stop(intent.no_user_data_code, reason)
    return ClaimedBatch(request_id, job_id, work, actions, rows, int(intent.horizon), stop)


def make(engine: sa.Engine, claimed: ClaimedBatch, destination: Destination, now: datetime) -> Request | None:
    """The request of what was taken, without the rows that our own checks keep back. None: no row may go."""
    rows, unreadable = poison.read(claimed.rows.fetchall(), claimed.actions)
    held: list[tuple[Claimed, RowAnswer]] = []
    if claimed.no_user_data is not None:
        rows, held = _without_user_data(rows, destination, claimed.no_user_data)
    ready, refused = sift(rows, destination.validate, now)
    refused += held
    request = Request(
        claimed.request_id, claimed.job_id, claimed.work.account, claimed.work.kind, ready, horizon=claimed.horizon
    )
    if not (refused or unreadable):
        return request
    with engine.begin() as connection:
        if unreadable:
            poison.hold_unreadable(connection, request.id, unreadable, now)
        return _keep_back(connection, request, refused, now)


def _without_user_data(
    rows: Sequence[Claimed], destination: Destination, stop: Stop
) -> tuple[list[Claimed], list[tuple[Claimed, RowAnswer]]]:
    """The rows with clicks alone, and those that wait with what Google refuses of the account: the recheck releases them."""
    going: list[Claimed] = []
    held: list[tuple[Claimed, RowAnswer]] = []
    for row in rows:
        if destination.carries_user_data(row.conversion):
            answer = RowAnswer(
                upload_id=row.conversion.upload_id,
                verdict=Verdict.FIX,
                scope=Scope.USER_DATA,
                code=stop.code,
                sentence=stop.reason,
            )
            held.append((row, answer))
        else:
            going.append(row)
    return going, held


def without_poison(engine: sa.Engine, request: Request, destination: Destination, now: datetime) -> Request | None:
    """A request of which no message can be made, without the rows that are to blame: they are set aside. None: no other is left.
    Of several that all are, none is: then it is something else."""
    culprits = poison.culprits(
        request.rows,
        lambda row: destination.prepare(request.account, [row.conversion], kind=request.kind, job_id=request.job_id),
    )
    if len(culprits) == len(request.rows) > 1:
        return request
    aside = [(row, poison.set_aside(row, error)) for row, error in culprits]
    blamed = {answer.upload_id for _, answer in aside}
    left = request._replace(rows=[row for row in request.rows if row.conversion.upload_id not in blamed])
    with engine.begin() as connection:
        return _keep_back(connection, left, aside, now)


def without_refused(engine: sa.Engine, request: Request, now: datetime) -> Request | None:
    """The request without the rows whose customers have refused since they were claimed: they wait as before, and the next claim
    sees the refusal. Its message is to be made anew then. None: no other row is left."""
    with engine.connect() as connection:
        rows = connection.execute(uploads.REFUSED_SINCE, {"horizon": request.horizon}).all()
    if not rows:
        return request
    said = {row.id: (row.ad_user_data, row.ad_personalization) for row in rows}
    back = [
        row for row in request.rows if _is_refused(row.conversion, *said.get(row.conversion.upload_id, (None, None)))
    ]
    if not back:
        return request
    refused = {row.conversion.upload_id for row in back}
    left = [row for row in request.rows if row.conversion.upload_id not in refused]
    request = request._replace(rows=left, message=None)
    with engine.begin() as connection:
        put_back(connection, request._replace(rows=back), now)
        return _keep_back(connection, request, (), now)


def _is_refused(conversion: Conversion, ad_user_data: str | None, ad_personalization: str | None) -> bool:
    """Whether the row, as it was claimed, says otherwise."""
    denied = ConsentStatus.DENIED
    return (ad_user_data == denied and conversion.ad_user_data is not denied) or (
        ad_personalization == denied and conversion.ad_personalization is not denied
    )


def _keep_back(
    connection: sa.Connection, request: Request, refused: Sequence[tuple[Claimed, RowAnswer]], now: datetime
) -> Request | None:
    """The request, now that these rows of it are written as not sent; None when it has no other."""
    write_unsent(connection, request.id, refused, now)
    if not request.rows:
        connection.execute(requests.DROP_REQUEST, {"request": request.id})
        return None
    left = {"request": request.id, "rows": len(request.rows), "job_id": request.job_id}
    connection.execute(requests.FILL_REQUEST, left)
    return request


def sift(
    rows: Sequence[Claimed], validate: Validate, now: datetime
) -> tuple[list[Claimed], list[tuple[Claimed, RowAnswer]]]:
    """The rows that may go together, and those that may not, each with the reason."""
    ready: list[Claimed] = []
    refused: list[tuple[Claimed, RowAnswer]] = []
    seen: set[tuple[int, str, int]] = set()
    for row in rows:
        try:
            wrong = validate(row.conversion, now)
        except Exception as error:  # noqa: BLE001 (logged there)
            wrong = poison.set_aside(row, error)
        if wrong is None:
            wrong = _same_click(row, seen, now)
        if wrong is None:
            ready.append(row)
        else:
            refused.append((row, wrong))
    return ready, refused


def _same_click(row: Claimed, seen: set[tuple[int, str, int]], now: datetime) -> RowAnswer | None:
    """Two orders of one click in one second: the second goes with the next request, as one that held both is refused."""
    conversion = row.conversion
    if conversion.click is None or conversion.adjusted_at is not None:
        return None
    key = (row.ads_action_id, conversion.click.id, int(conversion.occurred_at.timestamp()))
    if key not in seen:
        seen.add(key)
        return None
    return RowAnswer(
        upload_id=conversion.upload_id,
        verdict=Verdict.RETRY,
        code=SAME_CLICK_AND_SECOND,
        sentence=WAITS[SAME_CLICK_AND_SECOND],
        retry_at=now + SAME_CLICK_WAIT,
    )


def _own_lane(work: AccountWork) -> str:
    """By which API rows go that no other one may have: the work's, unless the account has another one today."""
    return "" if work.is_other_lane else work.account.lane.value


def _claim_rows(
    connection: sa.Connection, work: AccountWork, intent: sa.Row[Any], settings: Settings, now: datetime
) -> uploads.Rows:
    """The next part of a request that has to be split, else the rows that are due."""
    values: dict[str, Any] = {
        "account": work.account.id,
        "lane": work.account.lane.value,
        "own_lane": _own_lane(work),
        "parked": intent.parked,
        "now": now,
        "rows": settings.upload_batch_size,
        "request": intent.id,
        "lease_until": now + timedelta(seconds=settings.upload_lease_s),
    }
    if intent.earlier is not None:
        part = values | {"earlier": intent.earlier, "rows": max(1, intent.earlier_rows // PARTS)}
        statement = uploads.CLAIM_PART if work.kind is RequestKind.CONVERSIONS else uploads.CLAIM_PART_OF_ADJUSTMENTS
        rows = uploads.claim(connection, statement, part)
        if rows.rowcount:
            return rows
    if work.kind is RequestKind.ADJUSTMENTS:
        statement = uploads.CLAIM_ADJUSTMENTS
    elif work.is_other_lane:
        statement = uploads.CLAIM_UNSETTLED
    else:
        statement = uploads.CLAIM_HISTORY if work.history else uploads.CLAIM_CONVERSIONS
    return uploads.claim(connection, statement, values)
