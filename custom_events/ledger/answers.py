"""Answers written into the ledger, row by row, in one transaction with what they mean for the account."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
import structlog

from custom_events.destinations.conversion_rules import OLDEST_USER_DATA
from custom_events.ledger import retry, states
from custom_events.ledger.rows import Claimed, Request
from custom_events.ledger.settle import Settlement, settle
from custom_events.queries import upload_requests as requests
from custom_events.queries import uploads
from custom_events.values.conversions import AdsAccount, BatchAnswer, RowAnswer, Scope, UploadState, Verdict

log = structlog.get_logger(__name__)

AT_GOOGLE: Final = (UploadState.CLAIMED, UploadState.UNKNOWN)  # unknown: the lease ran out before the answer came


class ToldToAll(NamedTuple):
    """What a request keeps for its rows: the verdict, without code or sentence, and how many rows. None: each has its attempt."""

    told: str | None
    told_rows: int | None


NOTHING_TOLD: Final = ToldToAll(None, None)
_OUTCOMES: Final = {Verdict.UNKNOWN: "unknown"}  # a request that failed otherwise is "failed", else "answered"


def write_answer(
    connection: sa.Connection, request: Request, batch: BatchAnswer, now: datetime, verdict_after_s: float
) -> Counter[str]:
    """Write an answer: states, attempts, the request, and what waits or is parked with it. Verdicts by number of rows.

    `verdict_after_s`: when to ask first for the verdict of rows that are pending.
    """
    if len(batch.rows) != len(request.rows):
        raise ValueError(f"request {request.id} had {len(request.rows)} rows, its answer {len(batch.rows)}")
    whole = batch.verdict is not None and batch.verdict is not Verdict.PENDING
    told = write_rows(connection, request, batch.rows, now, whole=whole)
    pending = any(answer.verdict is Verdict.PENDING for answer in batch.rows)
    connection.execute(
        requests.ANSWERED,
        {
            "request": request.id,
            "now": now,
            "outcome": _OUTCOMES.get(batch.verdict, "failed") if batch.verdict is not None else "answered",
            "code": batch.code,
            "sentence": batch.sentence,
            "google_request_id": batch.request_id,
            "next_poll_at": now + timedelta(seconds=verdict_after_s) if pending else None,
        }
        | told._asdict(),
    )
    heed(connection, request, batch, now)
    return Counter([answer.verdict.value for answer in batch.rows])


def write_rows(
    connection: sa.Connection,
    request: Request,
    answers: Sequence[RowAnswer],
    now: datetime,
    *,
    whole: bool,
    standing: Sequence[UploadState] = AT_GOOGLE,
) -> ToldToAll:
    """The rows' states and their attempts. `standing`: the states from which this answer may move them.

    What most rows were told, nearly always all of them, is told to the request, and the others are named. What is returned is
    for the request to keep: no row has an attempt that says the same. A later answer (of rows that were sent) has.
    """
    accepted: list[Claimed] = []
    pending: list[Claimed] = []
    groups: dict[_Told, list[Claimed]] = {_ACCEPTED: accepted, _PENDING: pending}
    size = len(request.rows)
    for row, answer in zip(request.rows, answers, strict=True):
        if answer.code is None and answer.sentence is None and answer.verdict is Verdict.ACCEPTED:
            accepted.append(row)
        elif answer.code is None and answer.verdict is Verdict.PENDING:
            pending.append(row)
        else:
            settled = settle(row, answer, now, whole=whole, rows=size)
            groups.setdefault(_Told(settled, answer.verdict.value, answer.code), []).append(row)
    groups = {told: rows for told, rows in groups.items() if rows}
    dropped = [(row, told) for told, rows in groups.items() if told.verdict == Verdict.DROP_CLICK for row in rows]
    shared = max(groups, key=lambda told: len(groups[told]), default=None)
    if shared is None:
        return NOTHING_TOLD
    rest = groups.pop(shared)
    common = {"request": request.id, "now": now}
    others = uploads.settlements()
    for told, rows in groups.items():
        for row in rows:
            _add(others, row, told)
    values = shared.values() | common | {"others": others.arrays["id"], "standing": [state.value for state in standing]}
    kept_once = standing is AT_GOOGLE and shared in {_ACCEPTED, _PENDING}
    moved = connection.execute(uploads.SETTLE_SHARED if kept_once else uploads.SETTLE_REST, values).rowcount
    told_to_all = ToldToAll(shared.verdict, moved) if kept_once and moved == len(rest) else NOTHING_TOLD
    if moved < len(rest):  # a lease ran out, and another worker has rows of this request
        connection.execute(
            uploads.ATTEMPTED, shared.values() | common | {"ids": [row.conversion.upload_id for row in rest]}
        )
    if len(others):
        connection.execute(uploads.SETTLE, others.arrays | common | {"never_sent": 0})
    if dropped:
        _drop_clicks(connection, request.id, dropped)
    return told_to_all


class _Told(NamedTuple):
    """What becomes of a row, and the answer that made it so."""

    settled: Settlement
    verdict: str
    code: str | None

    def values(self) -> dict[str, Any]:
        """For the statements."""
        settled = self.settled
        return {
            "state": settled.state.value,
            "reason": settled.reason,
            "sentence": settled.sentence,
            "not_before": settled.not_before,
            "verdict": self.verdict,
            "code": self.code,
        }


_ACCEPTED: Final = _Told(Settlement(UploadState.ACCEPTED), Verdict.ACCEPTED.value, None)
_PENDING: Final = _Told(Settlement(UploadState.SENT), Verdict.PENDING.value, None)


def _add(columns: uploads.Columns, row: Claimed, told: _Told) -> None:
    """One row of the arrays."""
    columns.add(created_at=row.created_at, id=row.conversion.upload_id, **told.values())


def heed(connection: sa.Connection, request: Request, batch: BatchAnswer, now: datetime) -> None:
    """What the answer means beyond its rows: park what a person must mend, pause what has to wait."""
    account = request.account
    if batch.verdict is Verdict.FIX:
        park(connection, account, batch.scope, batch.sentence or str(batch.code), now)
    elif batch.verdict in {Verdict.RETRY, Verdict.UNKNOWN}:
        _pause(connection, request, batch, now)
    seen: set[tuple[Scope, int]] = set()
    for row, answer in zip(request.rows, batch.rows, strict=True):
        if answer.verdict is not Verdict.FIX or answer.scope is Scope.ROW or batch.verdict is Verdict.FIX:
            continue
        key = (answer.scope, row.ads_action_id if answer.scope is Scope.ACTION else 0)
        if key not in seen:
            seen.add(key)
            park(connection, account, answer.scope, answer.sentence or str(answer.code), now, row.ads_action_id)


def park(
    connection: sa.Connection,
    account: AdsAccount,
    scope: Scope,
    reason: str,
    now: datetime,
    action: int | None = None,
    *,
    probe_again: bool = True,
) -> None:
    """Stop an action, an account, or all accounts of a lane until a person releases them. Told once: only when it is new.

    `probe_again`: what the account allows is asked anew before it goes on.
    """
    values = {"reason": reason, "now": now, "recheck_at": now + retry.PARKED_RECHECK}
    if scope is Scope.ACTION and action is not None:
        parked = connection.execute(requests.PARK_ACTION, values | {"action": action}).rowcount
    elif scope is Scope.PROJECT:
        parked = connection.execute(requests.PARK_LANE, values | {"lane": account.lane.value}).rowcount
    else:
        parked = connection.execute(requests.PARK_ACCOUNT, values | {"account": account.id}).rowcount
    if parked:
        again = {"account": account.id, "lane": account.lane.value, "whole_lane": scope is Scope.PROJECT}
        if probe_again:
            connection.execute(requests.PROBE_AGAIN, again)
        log.error("uploads_parked", scope=scope.value, customer_id=account.customer_id, action=action, reason=reason)


def _pause(connection: sa.Connection, request: Request, batch: BatchAnswer, now: datetime) -> None:
    """Google's own delay where it names one, else longer with every try."""
    attempts = max(row.attempts for row in request.rows)
    pause_s = batch.retry_after_s
    if pause_s is None:
        pause_s = retry.wait_s(attempts, longest_s=retry.LONGEST_ACCOUNT_PAUSE_S)
    values = {"until": now + timedelta(seconds=pause_s), "reason": batch.code, "now": now}
    if batch.scope is Scope.PROJECT:
        connection.execute(requests.PAUSE_LANE, values | {"lane": request.account.lane.value})
    else:
        connection.execute(requests.PAUSE_ACCOUNT, values | {"account": request.account.id})
    log.warning("uploads_paused", customer_id=request.account.customer_id, code=batch.code, seconds=round(pause_s, 1))


def write_unsent(
    connection: sa.Connection, request_id: int, refused: Sequence[tuple[Claimed, RowAnswer]], now: datetime
) -> None:
    """Rows that our own checks kept back, before the call: no attempt was made, and none is counted."""
    columns = uploads.settlements()
    told = [
        (row, _Told(settle(row, answer, now, whole=False, rows=len(refused)), answer.verdict.value, answer.code))
        for row, answer in refused
    ]
    for row, one in told:
        _add(columns, row, one)
    if len(columns):
        connection.execute(uploads.SETTLE_UNSENT, columns.arrays | {"request": request_id, "now": now, "never_sent": 1})
    if dropped := [(row, one) for row, one in told if one.verdict == Verdict.DROP_CLICK]:
        _drop_clicks(connection, request_id, dropped)


def _drop_clicks(connection: sa.Connection, request_id: int, dropped: Iterable[tuple[Claimed, _Told]]) -> None:
    """Rows that go again without their click id. Rare, so a statement of its own."""
    columns = uploads.Columns("created_at", "id", "sentence")
    for row, told in dropped:
        columns.add(created_at=row.created_at, id=row.conversion.upload_id, sentence=told.settled.sentence)
    connection.execute(uploads.DROP_CLICKS, columns.arrays | {"request": request_id, "user_data": OLDEST_USER_DATA})


def cannot_begin(connection: sa.Connection, account: AdsAccount, now: datetime) -> None:
    """Something of ours is missing, as credentials are: the lane waits a minute, and looks again."""
    until = now + timedelta(seconds=retry.CONFIGURATION_RECHECK_S)
    pause = {"until": until, "reason": "configuration", "now": now, "lane": account.lane.value}
    connection.execute(requests.PAUSE_LANE, pause)


def give_back(connection: sa.Connection, request: Request, sentence: str, now: datetime) -> None:
    """A request that was never made, because we were not able to begin: its rows wait as before."""
    until = now + timedelta(seconds=retry.CONFIGURATION_RECHECK_S)
    _return_rows(connection, request, now, reason="configuration", sentence=sentence, not_before=until)
    cannot_begin(connection, request.account, now)
    connection.execute(
        requests.ANSWERED,
        {
            "request": request.id,
            "now": now,
            "outcome": "failed",
            "code": "configuration",
            "sentence": sentence,
            "google_request_id": None,
            "next_poll_at": None,
        }
        | NOTHING_TOLD._asdict(),
    )


def unclaim(connection: sa.Connection, request: Request, now: datetime) -> None:
    """A request that was never made, because the one before it fared ill: as if it had not been claimed."""
    _return_rows(connection, request, now, reason=None, sentence=None, not_before=None)
    connection.execute(requests.DROP_INTENT, {"request": request.id})


def _return_rows(
    connection: sa.Connection,
    request: Request,
    now: datetime,
    *,
    reason: str | None,
    sentence: str | None,
    not_before: datetime | None,
) -> None:
    columns = uploads.settlements()
    for row in request.rows:
        unknown = row.reason == states.NO_ANSWER
        settled = Settlement(
            UploadState.UNKNOWN if unknown else UploadState.QUEUED,
            row.reason if unknown or reason is None else reason,
            sentence,
            not_before,
        )
        _add(columns, row, _Told(settled, Verdict.RETRY.value, None))
    connection.execute(uploads.SETTLE_UNSENT, columns.arrays | {"request": request.id, "now": now, "never_sent": 1})
