"""Claiming: whose turn it is, which rows go, the intent that is committed before the call, and what our own checks keep back.

In two halves, which may run in two threads: Postgres does most of the first (`take`), Python all of the second (`make`).
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from custom_events.destinations.base import Destination
from custom_events.ledger import allowance, poison
from custom_events.ledger.answers import write_unsent
from custom_events.ledger.quota import Call
from custom_events.ledger.rows import Actions, Claimed, Request, Turn, account_of, actions_of
from custom_events.queries import upload_requests as requests
from custom_events.queries import uploads
from custom_events.settings import Settings
from custom_events.values.conversions import Conversion, RequestKind, RowAnswer, Verdict

ACCOUNTS_AT_ONCE: Final = 100  # turns fetched together
MAX_JOB_ID: Final = 2**31 - 1  # job ids lie in [1, 2^31) (reference: google-ads, 1.1)
PARTS: Final = 8  # a refused request goes again in so many: 2,000 rows are down to one after four rounds
SAME_CLICK_WAIT: Final = timedelta(seconds=30)

Validate = Callable[[Conversion, datetime], RowAnswer | None]


def turns(connection: sa.Connection, now: datetime) -> list[Turn]:
    """Accounts with something to send, those served longest ago first; fair whatever the size of their backlogs."""
    rows = connection.execute(requests.TURNS, {"now": now, "accounts": ACCOUNTS_AT_ONCE}).all()
    return [Turn(account_of(row), RequestKind(row.kind), row.history, row.unprobed) for row in rows]


class Taken(NamedTuple):
    """A committed intent, and its rows as the statement gave them, neither read nor checked."""

    request_id: int
    job_id: int
    turn: Turn
    actions: Actions
    rows: uploads.Rows


def claim(engine: sa.Engine, turn: Turn, destination: Destination, settings: Settings, now: datetime) -> Request | None:
    """Both halves. None: nothing is left to send."""
    taken = take(engine, turn, settings, now)
    return None if taken is None else make(engine, taken, destination, now)


def take(engine: sa.Engine, turn: Turn, settings: Settings, now: datetime) -> Taken | None:
    """Claim up to a batch of rows, and commit the intent to send them. None: there are none.

    Raises Refused, and leaves nothing behind, when the quota has no call left. After this returns, the rows belong to this worker
    until the lease ends, and whatever happens then is resolved by re-sending under the same order ids.
    """
    with engine.begin() as connection:
        intent = connection.execute(
            requests.INTEND,
            {
                "account": turn.account.id,
                "lane": turn.account.lane.value,
                "kind": turn.kind.value,
                "parts": PARTS,
                "now": now,
            },
        ).one()
        request_id = int(intent.id)
        actions = actions_of(connection.execute(requests.ACTIONS_OF, {"account": turn.account.id}))
        rows = _claim_rows(connection, turn, intent, settings, now)
        if not rows.rowcount:
            connection.execute(requests.DROP_INTENT, {"request": request_id})
            return None
        call = Call(
            full=rows.rowcount >= settings.upload_batch_size,
            history=turn.history,
            live_share=settings.upload_live_share,
        )
        allowance.take(connection, turn.account, call, settings, now)
        job_id = request_id % MAX_JOB_ID + 1
        connection.execute(requests.INTEND_ROWS, {"request": request_id, "rows": rows.rowcount, "job_id": job_id})
    return Taken(request_id, job_id, turn, actions, rows)


def make(engine: sa.Engine, taken: Taken, destination: Destination, now: datetime) -> Request | None:
    """The request of what was taken, without the rows that our own checks keep back. None: no row may go."""
    rows, unreadable = poison.read(taken.rows.fetchall(), taken.actions)
    ready, refused = sift(rows, destination.validate, now)
    request = Request(taken.request_id, taken.job_id, taken.turn.account, taken.turn.kind, ready)
    if not (refused or unreadable):
        return request
    with engine.begin() as connection:
        if unreadable:
            poison.hold_unreadable(connection, request.id, unreadable, now)
        return _keep_back(connection, request, refused, now)


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


def _keep_back(
    connection: sa.Connection, request: Request, refused: Sequence[tuple[Claimed, RowAnswer]], now: datetime
) -> Request | None:
    """The request, now that these rows of it are written as not sent; None when it has no other."""
    write_unsent(connection, request.id, refused, now)
    if not request.rows:
        connection.execute(requests.DROP_INTENT, {"request": request.id})
        return None
    left = {"request": request.id, "rows": len(request.rows), "job_id": request.job_id}
    connection.execute(requests.INTEND_ROWS, left)
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
        code="same_click_and_second",
        sentence="Another conversion of this click and second goes first",
        retry_at=now + SAME_CLICK_WAIT,
    )


def _claim_rows(
    connection: sa.Connection, turn: Turn, intent: sa.Row[Any], settings: Settings, now: datetime
) -> uploads.Rows:
    """The next part of a request that has to be split, else the rows that are due."""
    values: dict[str, Any] = {
        "account": turn.account.id,
        "parked": intent.parked,
        "now": now,
        "rows": settings.upload_batch_size,
        "request": intent.id,
        "lease_until": now + timedelta(seconds=settings.upload_lease_s),
    }
    if intent.earlier is not None:
        part = values | {"earlier": intent.earlier, "rows": max(1, intent.earlier_rows // PARTS)}
        rows = uploads.claim(connection, uploads.CLAIM_PART, part)
        if rows.rowcount:
            return rows
    if turn.kind is RequestKind.CONVERSIONS:
        statement = uploads.CLAIM_HISTORY if turn.history else uploads.CLAIM_CONVERSIONS
        return uploads.claim(connection, statement, values)
    return uploads.claim(connection, uploads.CLAIM_ADJUSTMENTS, values)
