"""Verdicts that come later: asked for after the time Google names, then less and less often."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from custom_events.destinations.base import Destination
from custom_events.ledger import allowance
from custom_events.ledger.answers import heed, write_rows
from custom_events.ledger.rows import Claimed, Request
from custom_events.queries import upload_requests as requests
from custom_events.queries import uploads
from custom_events.settings import Settings
from custom_events.values.clicks import Click, ClickKind, ConsentStatus
from custom_events.values.conversions import AdsAccount, Conversion, Lane, RequestKind, UploadKind, UploadState, Verdict

LONGEST_INTERVAL: Final = timedelta(hours=6)
ROWS_WINDOW: Final = timedelta(days=4_000)  # how far back a pending row may have been made

Clock = Callable[[], datetime]


def poll_due(
    engine: sa.Engine, lanes: Mapping[Lane, Destination], settings: Settings, clock: Clock
) -> Counter[str] | None:
    """Ask for one verdict that is due and write it. Verdicts by number of rows; None: no poll was due.

    The poll is taken by a lease, as rows are: a worker that dies while it asks only delays it.
    """
    now = clock()
    with engine.begin() as connection:
        lease_until = now + timedelta(seconds=settings.upload_lease_s)
        due = connection.execute(requests.DUE_POLL, {"now": now, "lease_until": lease_until}).one_or_none()
        if due is None:
            return None
        account = _account(due)
        allowance.spend(connection, account, settings, now)
        found = connection.execute(
            uploads.PENDING_ROWS, {"request": due.id, "earliest": now - ROWS_WINDOW, "now": now}
        ).all()
    request = Request(due.id, 1, account, RequestKind(due.kind), [_pending(row) for row in found])
    if not request.rows:
        with engine.begin() as connection:
            connection.execute(requests.POLLED, {"request": due.id, "counts": None, "code": None, "sentence": None})
        return Counter()
    answer = lanes[request.account.lane].poll(
        request.account, due.google_request_id, request.conversions(), timeout_s=settings.upload_timeout_s, now=now
    )
    now = clock()
    with engine.begin() as connection:
        if answer.verdict is Verdict.PENDING:
            waited = now - (due.answered_at or due.intent_at)
            interval = min(max(waited, timedelta(seconds=settings.upload_verdict_s)), LONGEST_INTERVAL)
            connection.execute(
                requests.POLL_LATER,
                {"request": due.id, "next_poll_at": now + interval, "code": answer.code, "sentence": answer.sentence},
            )
            return Counter()
        write_rows(connection, request, answer.rows, now, whole=False, standing=(UploadState.SENT,))
        heed(connection, request, answer, now)
        told = {one.action_id: one.figures for one in answer.counts}
        counts = json.dumps(told) if told else None
        connection.execute(
            requests.POLLED,
            {"request": due.id, "counts": counts, "code": answer.code, "sentence": answer.sentence},
        )
    return Counter(row.verdict.value for row in answer.rows)


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
    )
    return Claimed(row.created_at, row.attempts, row.reason, row.ads_action_id, conversion)
