"""Verdicts that come later: asked for after the time Google names, then less and less often."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.destinations.base import Destination
from custom_events.errors import NeedsAction
from custom_events.ledger import allowance, retry
from custom_events.ledger.codes import is_remark
from custom_events.ledger.guard import Complaints, is_of_the_database
from custom_events.ledger.record_answers import apply_account_effects, write_rows
from custom_events.ledger.upload_rows import Claimed, Request
from custom_events.queries import upload_requests as requests
from custom_events.queries import uploads
from custom_events.settings import Settings
from custom_events.values.clicks import Click, ClickKind, ConsentStatus
from custom_events.values.conversions import (
    AdsAccount,
    Conversion,
    Lane,
    RequestKind,
    RowAnswer,
    UploadKind,
    UploadState,
    Verdict,
)
from custom_events.values.reasons import CONFIGURATION, OUR_ERROR

LONGEST_INTERVAL: Final = timedelta(hours=6)
ROWS_WINDOW: Final = timedelta(days=4_000)  # how far back a pending row may have been made

Clock = Callable[[], datetime]


def poll_due(
    engine: sa.Engine,
    lanes: Mapping[Lane, Destination],
    settings: Settings,
    clock: Clock,
    complaints: Complaints | None = None,
) -> Counter[str] | None:
    """Ask for one verdict that is due and write it. Verdicts by number of rows; None: no poll was due.

    It is asked for on the lane of its request, whatever the account's is today. The poll is taken by a lease, as rows are: a worker
    that dies while it asks only delays it. What cannot be asked for, or read, says so in its request, and is asked for later.
    """
    now = clock()
    with engine.begin() as connection:
        lease_until = now + timedelta(seconds=settings.upload_lease_s)
        due = connection.execute(requests.DUE_POLL, {"now": now, "lease_until": lease_until}).one_or_none()
        if due is None:
            return None
        account = _account(due)
        allowance.spend(connection, account, settings, now)
        rows = connection.execute(
            uploads.PENDING_ROWS, {"request": due.id, "earliest": now - ROWS_WINDOW, "now": now}
        ).all()
    try:
        return _ask(engine, lanes, settings, clock, due, account, rows)
    except Exception as error:
        if is_of_the_database(error):
            raise
        (complaints or Complaints()).once("uploads_cannot_ask", error, customer_id=account.customer_id)
        with engine.begin() as connection:
            _not_asked(connection, due, settings, clock(), error)
        return Counter()


def _ask(
    engine: sa.Engine,
    lanes: Mapping[Lane, Destination],
    settings: Settings,
    clock: Clock,
    due: Any,
    account: AdsAccount,
    rows: Sequence[Any],
) -> Counter[str]:
    request = Request(due.id, 1, account, RequestKind(due.kind), [_pending(row) for row in rows])
    if not request.rows:
        with engine.begin() as connection:
            connection.execute(requests.POLLED, {"request": due.id, "counts": None, "code": None, "sentence": None})
        return Counter()
    now = clock()
    answer = lanes[account.lane].poll(
        account, due.google_request_id, request.conversions(), timeout_s=settings.upload_timeout_s, now=now
    )
    now = clock()
    with engine.begin() as connection:
        if answer.verdict is Verdict.PENDING:
            _ask_later(connection, due, settings, now, answer.code, answer.sentence)
            return Counter()
        answers = [_with_remark(*pair) for pair in zip(request.rows, answer.rows, rows, strict=True)]
        write_rows(connection, request, answers, now, whole=False, standing=(UploadState.SENT,))
        apply_account_effects(connection, request, answer, now)
        figures = {request_counts.action_id: request_counts.figures for request_counts in answer.counts}
        counts = json.dumps(figures) if figures else None
        connection.execute(
            requests.POLLED,
            {"request": due.id, "counts": counts, "code": answer.code, "sentence": answer.sentence},
        )
    return Counter(row.verdict.value for row in answers)


def _not_asked(connection: sa.Connection, due: Any, settings: Settings, now: datetime, error: Exception) -> None:
    if isinstance(error, NeedsAction):
        soon = timedelta(seconds=retry.CONFIGURATION_RECHECK_S)
        _ask_later(connection, due, settings, now, CONFIGURATION, str(error), soon)
    else:
        sentence = f"Its verdict cannot be asked for or read ({type(error).__name__}): update; its rows wait meanwhile"
        _ask_later(connection, due, settings, now, OUR_ERROR, sentence)


def _ask_later(
    connection: sa.Connection,
    due: Any,
    settings: Settings,
    now: datetime,
    code: str | None,
    sentence: str | None,
    soon: timedelta | None = None,
) -> None:
    waited: timedelta = now - (due.answered_at or due.intent_at)
    later = min(max(waited, timedelta(seconds=settings.upload_verdict_s)), LONGEST_INTERVAL)
    connection.execute(
        requests.POLL_LATER,
        {"request": due.id, "next_poll_at": now + (soon or later), "code": code, "sentence": sentence},
    )


def _with_remark(row: Claimed, answer: RowAnswer, stored: Any) -> RowAnswer:
    """What Google remarked on when it took the row stays with it once it is accepted, unless there is more to say."""
    if answer.verdict is not Verdict.ACCEPTED or answer.code is not None or not is_remark(row.reason):
        return answer
    sentence = "; ".join(part for part in (stored.sentence, answer.sentence) if part)
    return msgspec.structs.replace(answer, code=row.reason, sentence=sentence)


def _account(row: Any) -> AdsAccount:
    return AdsAccount(
        id=row.account_id, customer_id=row.customer_id, lane=Lane(row.lane), login_customer_id=row.login_customer_id
    )


def _pending(row: Any) -> Claimed:
    """As much of a row as reading its verdict needs."""
    click = None
    if row.click_id is not None:
        click = Click(kind=ClickKind(row.click_kind), id=row.click_id, clicked_at=row.clicked_at)
    conversion = Conversion(
        upload_id=row.id,
        kind=UploadKind(row.kind),
        action_id=row.action_id,
        transaction_id=row.transaction_id,
        occurred_at=row.conversion_at,
        adjusted_at=row.adjusted_at,
        click=click,
        email_sha256=row.email_sha256,
        phone_sha256=row.phone_sha256,
        ad_user_data=ConsentStatus(row.ad_user_data),
        action_created_at=row.action_created_at,
        has_other_clicks=row.has_other_clicks,
    )
    return Claimed(row.created_at, row.attempts, row.reason, row.ads_action_id, conversion, row.dropped)
