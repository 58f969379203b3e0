"""Answers written into the ledger, row by row, in one transaction with what they mean for the account."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
import structlog

from custom_events.destinations.conversion_rules import OLDEST_CLICK, OLDEST_USER_DATA
from custom_events.destinations.rules import HASHES_ALONE, NEXT_CLICK
from custom_events.ledger import retry, stops
from custom_events.ledger.next_state import NextState, next_state
from custom_events.ledger.stops import Stop
from custom_events.ledger.upload_rows import Claimed, Request
from custom_events.queries import settled_tallies, tallies, upload_stops, uploads
from custom_events.queries import upload_requests as requests
from custom_events.values import reasons
from custom_events.values.conversions import AdsAccount, BatchAnswer, RowAnswer, Scope, UploadState, Verdict

log = structlog.get_logger(__name__)

AT_GOOGLE: Final = (UploadState.CLAIMED, UploadState.UNKNOWN)  # unknown: the lease ran out before the answer came


class SharedVerdict(NamedTuple):
    """What a request keeps for its rows: the verdict, without code or sentence, and how many rows. None: each has its attempt."""

    shared_verdict: str | None
    shared_rows: int | None


NO_SHARED_VERDICT: Final = SharedVerdict(None, None)
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
    shared = write_rows(connection, request, batch.rows, now, whole=whole)
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
        | shared._asdict(),
    )
    apply_account_effects(connection, request, batch, now)
    return Counter([answer.verdict.value for answer in batch.rows])


def write_rows(
    connection: sa.Connection,
    request: Request,
    answers: Sequence[RowAnswer],
    now: datetime,
    *,
    whole: bool,
    standing: Sequence[UploadState] = AT_GOOGLE,
) -> SharedVerdict:
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
            settled = next_state(row, answer, now, whole=whole, rows=size)
            groups.setdefault(_Told(settled, answer.verdict.value, answer.code), []).append(row)
    groups = {outcome: rows for outcome, rows in groups.items() if rows}
    dropped = [
        (row, outcome) for outcome, rows in groups.items() if outcome.verdict == Verdict.DROP_CLICK for row in rows
    ]
    shared = max(groups, key=lambda outcome: len(groups[outcome]), default=None)
    if shared is None:
        return NO_SHARED_VERDICT
    rest = groups.pop(shared)
    common = {"request": request.id, "now": now, "lane": request.account.lane.value}
    others = uploads.settlements()
    for outcome, rows in groups.items():
        for row in rows:
            _add(others, row, outcome)
    common |= {"standing": [state.value for state in standing]}
    kept_once = standing is AT_GOOGLE and shared in {_ACCEPTED, _PENDING}
    settle = uploads.SETTLE_SHARED if kept_once else uploads.SETTLE_REST
    with settled_tallies.counted_by_writer(connection):
        moved = connection.execute(settle, shared.values() | common | {"others": others.arrays["id"]}).rowcount
        moved_alone = connection.execute(uploads.SETTLE, others.arrays | common | _SENT).rowcount if len(others) else 0
    groups[shared] = rest
    is_whole = moved + moved_alone == size
    counts = _counted(groups) if is_whole else settled_tallies.changed(connection, request.id)
    was = tallies.OPEN if standing is AT_GOOGLE else UploadState.SENT.value
    settled_tallies.add(connection, request.account.id, was, counts)
    told_to_all = SharedVerdict(shared.verdict, moved) if kept_once and moved == len(rest) else NO_SHARED_VERDICT
    if moved < len(rest):  # a lease ran out, and another worker has rows of this request
        connection.execute(
            uploads.ATTEMPTED, shared.values() | common | {"ids": [row.conversion.upload_id for row in rest]}
        )
    if dropped:
        _drop_clicks(connection, request.id, dropped, now)
    return told_to_all


_SENT: Final = {"never_sent": 0}


class _Told(NamedTuple):
    """What becomes of a row, and the answer that made it so."""

    settled: NextState
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
            "unsettled": settled.unsettled,
        }


def _counted(groups: Mapping[_Told, Sequence[Claimed]]) -> Counter[settled_tallies.Settled]:
    """How many rows each answer has moved, by what the tallies tell apart."""
    counts: Counter[settled_tallies.Settled] = Counter()
    for outcome, rows in groups.items():
        settled = outcome.settled
        for key, number in Counter((row.created_at, row.conversion.kind.value, row.dropped) for row in rows).items():
            counts[settled_tallies.Settled(*key, settled.state.value, settled.reason, settled.sentence)] += number
    return counts


_ACCEPTED: Final = _Told(NextState(UploadState.ACCEPTED), Verdict.ACCEPTED.value, None)
_PENDING: Final = _Told(NextState(UploadState.SENT), Verdict.PENDING.value, None)


def _add(columns: uploads.Columns, row: Claimed, outcome: _Told) -> None:
    """One row of the arrays."""
    columns.add(created_at=row.created_at, id=row.conversion.upload_id, **outcome.values())


def apply_account_effects(connection: sa.Connection, request: Request, batch: BatchAnswer, now: datetime) -> None:
    """What the answer means beyond its rows: stop what a person must mend, pause what has to wait."""
    account = request.account
    if batch.verdict is Verdict.FIX:
        stops.park(connection, account, batch.scope, Stop(batch.code, batch.sentence or str(batch.code)), now)
    elif batch.verdict in {Verdict.RETRY, Verdict.UNKNOWN} or _is_not_understood(batch):
        _pause(connection, request, batch, now)
    seen: set[tuple[Scope, int]] = set()
    for row, answer in zip(request.rows, batch.rows, strict=True):
        if answer.verdict is not Verdict.FIX or answer.scope is Scope.ROW or batch.verdict is Verdict.FIX:
            continue
        key = (answer.scope, row.ads_action_id if answer.scope is Scope.ACTION else 0)
        if key not in seen:
            seen.add(key)
            stop = Stop(answer.code, answer.sentence or str(answer.code))
            stops.park(connection, account, answer.scope, stop, now, row.ads_action_id)


def _is_not_understood(batch: BatchAnswer) -> bool:
    """A refusal of the whole request that names no row and no time."""
    return batch.verdict is Verdict.HOLD and batch.retry_after_s is None


def _pause(connection: sa.Connection, request: Request, batch: BatchAnswer, now: datetime) -> None:
    """Google's own delay where it names one, else longer with every try."""
    account = request.account
    pause_s = batch.retry_after_s
    if _is_not_understood(batch):
        values = {"account": account.id, "lane": account.lane.value, "code": batch.code, "most": retry.REFUSALS_COUNTED}
        alike = int(connection.execute(upload_stops.ALIKE_REFUSALS, values).scalar_one())
        pause_s = retry.wait_s(alike, first_s=retry.NOT_UNDERSTOOD_FIRST_S)
        log.error("uploads_not_understood", customer_id=account.customer_id, lane=account.lane.value, code=batch.code)
    elif pause_s is None:
        attempts = max(row.attempts for row in request.rows)
        pause_s = retry.wait_s(attempts, longest_s=retry.LONGEST_ACCOUNT_PAUSE_S)
    stops.pause(connection, account, pause_s, batch.code, now, batch.scope)
    log.warning("uploads_paused", customer_id=account.customer_id, code=batch.code, seconds=round(pause_s, 1))


def write_unsent(
    connection: sa.Connection, request_id: int, refused: Sequence[tuple[Claimed, RowAnswer]], now: datetime
) -> None:
    """Rows that our own checks kept back, before the call: no attempt was made, and none is counted. What an earlier call may have
    brought to Google is not forgotten for it."""
    columns = uploads.settlements()
    outcomes = [
        (row, _Told(next_state(row, answer, now, whole=True, rows=len(refused)), answer.verdict.value, answer.code))
        for row, answer in refused
    ]
    for row, outcome in outcomes:
        _add(columns, row, outcome)
    if len(columns):
        connection.execute(uploads.SETTLE_UNSENT, columns.arrays | {"request": request_id, "now": now, "never_sent": 1})
    if dropped := [(row, outcome) for row, outcome in outcomes if outcome.verdict == Verdict.DROP_CLICK]:
        _drop_clicks(connection, request_id, dropped, now)


def _drop_clicks(
    connection: sa.Connection, request_id: int, dropped: Sequence[tuple[Claimed, _Told]], now: datetime
) -> None:
    """Rows that go again with the next of their click ids, else without one. Rare, so statements of their own."""
    others = uploads.Columns("created_at", "id")
    for row, _ in dropped:
        if row.conversion.has_other_clicks:
            others.add(created_at=row.created_at, id=row.conversion.upload_id)
    if len(others):
        values = others.arrays | {"request": request_id, "oldest": OLDEST_CLICK, "now": now}
        gone_on = set(connection.execute(uploads.NEXT_CLICKS, values).scalars())
        dropped = [(row, outcome) for row, outcome in dropped if row.conversion.upload_id not in gone_on]
    columns = uploads.Columns("created_at", "id", "sentence")
    for row, outcome in dropped:
        why = (outcome.settled.sentence or "").replace(NEXT_CLICK, HASHES_ALONE)  # of several all may be too old by now
        columns.add(created_at=row.created_at, id=row.conversion.upload_id, sentence=why)
    if len(columns):
        connection.execute(uploads.DROP_CLICKS, columns.arrays | {"request": request_id, "user_data": OLDEST_USER_DATA})


def cannot_begin(connection: sa.Connection, account: AdsAccount, now: datetime) -> None:
    """Something of ours is missing, as credentials are: the account waits a minute, and looks again."""
    stops.pause(connection, account, retry.CONFIGURATION_RECHECK_S, reasons.CONFIGURATION, now, Scope.ACCOUNT)


def give_back(connection: sa.Connection, request: Request, sentence: str, now: datetime) -> None:
    """A request that was never made, because we were not able to begin: its rows wait as before."""
    until = now + timedelta(seconds=retry.CONFIGURATION_RECHECK_S)
    _return_rows(connection, request, now, reason=reasons.CONFIGURATION, sentence=sentence, not_before=until)
    cannot_begin(connection, request.account, now)
    connection.execute(
        requests.ANSWERED,
        {
            "request": request.id,
            "now": now,
            "outcome": "failed",
            "code": reasons.CONFIGURATION,
            "sentence": sentence,
            "google_request_id": None,
            "next_poll_at": None,
        }
        | NO_SHARED_VERDICT._asdict(),
    )


def give_back_unread(connection: sa.Connection, request_id: int, sentence: str, now: datetime) -> None:
    """A request that an error of our own kept from being made, with rows that nobody has read: they wait as before."""
    until = now + timedelta(seconds=retry.CONFIGURATION_RECHECK_S)
    values = {"request": request_id, "reason": reasons.OUR_ERROR, "sentence": sentence, "not_before": until, "now": now}
    connection.execute(uploads.GIVE_BACK, values)
    connection.execute(requests.DROP_REQUEST, {"request": request_id})


def unclaim(connection: sa.Connection, request: Request, now: datetime) -> None:
    """A request that was never made, because the one before it fared ill: as if it had not been claimed."""
    put_back(connection, request, now)
    connection.execute(requests.DROP_REQUEST, {"request": request.id})


def put_back(connection: sa.Connection, request: Request, now: datetime) -> None:
    """Rows that no call carried wait as they did before they were claimed."""
    _return_rows(connection, request, now, reason=None, sentence=None, not_before=None)


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
        unknown = row.reason == reasons.NO_ANSWER
        settled = NextState(
            UploadState.UNKNOWN if unknown else UploadState.QUEUED,
            row.reason if unknown or reason is None else reason,
            sentence,
            not_before,
        )
        _add(columns, row, _Told(settled, Verdict.RETRY.value, None))
    connection.execute(uploads.SETTLE_UNSENT, columns.arrays | {"request": request.id, "now": now, "never_sent": 1})
