"""What an answer makes of a row: its next state, why, and when it may go again. Pure."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from custom_events.ledger import retry, states
from custom_events.ledger.rows import Claimed
from custom_events.values.conversions import RowAnswer, Scope, UploadKind, UploadState, Verdict

# Duplicates by click and second: another order's conversion, unless an earlier call of ours may have been applied.
_ANOTHER_ORDERS: Final = ("CLICK_CONVERSION_ALREADY_EXISTS", "DUPLICATE_GCLID")
# What a row waited for after a call that may have been applied. Any other reason was a plain no to that row.
_MAYBE_APPLIED: Final = (states.NO_ANSWER, states.SPLIT, "InternalError.", "ProcessingErrorReason.INTERNAL_ERROR")
_RETRACTED: Final = "CONVERSION_ALREADY_RETRACTED"
# A request of one row cannot be split; these are refused for their size or number, so the row itself is not to blame.
_TOO_MUCH: Final = "RESOURCE_EXHAUSTED"


class Settlement(NamedTuple):
    """The next state of a row. `not_before` None: unchanged."""

    state: UploadState
    reason: str | None = None
    sentence: str | None = None
    not_before: datetime | None = None


def settle(row: Claimed, answer: RowAnswer, now: datetime, *, whole: bool, rows: int) -> Settlement:
    """The settlement of one answer. `whole`: the request failed as such, so nothing was said about this row;
    `rows`: how many the request had."""
    verdict = answer.verdict
    if verdict is Verdict.HOLD and answer.then is not None and row.reason == answer.code:
        verdict = answer.then
    if verdict is Verdict.SPLIT and rows == 1:
        too_much = answer.code is not None and answer.code.endswith(_TOO_MUCH)
        verdict = Verdict.RETRY if too_much else Verdict.REJECTED
    match verdict:
        case Verdict.ACCEPTED:
            return Settlement(UploadState.ACCEPTED, answer.code, answer.sentence)
        case Verdict.ALREADY_THERE:
            return _already_there(row, answer)
        case Verdict.PENDING:
            return Settlement(UploadState.SENT)
        case Verdict.UNKNOWN:
            return Settlement(UploadState.UNKNOWN, states.NO_ANSWER, answer.sentence, _later(row, now))
        case Verdict.DROP_CLICK:
            return Settlement(UploadState.QUEUED, answer.code, answer.sentence, now)
        case Verdict.SPLIT:
            return Settlement(UploadState.QUEUED, states.SPLIT, answer.sentence, now)
        case Verdict.RETRY | Verdict.FIX | Verdict.HOLD:
            return _waiting(row, answer, verdict, now, whole=whole)
        case Verdict.REJECTED | Verdict.EXPIRED | Verdict.WITHHELD:
            return Settlement(UploadState(verdict.value), answer.code, answer.sentence)


def _already_there(row: Claimed, answer: RowAnswer) -> Settlement:
    code = answer.code or ""
    if row.conversion.kind is UploadKind.RESTATEMENT and code.endswith(_RETRACTED):
        sentence = f"{answer.sentence}, though not by us, and Google does not restate a retracted one"
        return Settlement(UploadState.REJECTED, code, sentence)
    if code.endswith(_ANOTHER_ORDERS) and not (row.reason or "").startswith(_MAYBE_APPLIED):
        return Settlement(UploadState.REJECTED, code, f"{answer.sentence}, under another order id")
    if row.attempts > 1:
        sentence = f"{answer.sentence}: an earlier call of ours had delivered it"
        return Settlement(UploadState.ACCEPTED, code, sentence)
    sentence = f"{answer.sentence}, though we had not sent it: another tag or system reports this order as well"
    return Settlement(UploadState.ACCEPTED, code, sentence)


def _waiting(row: Claimed, answer: RowAnswer, verdict: Verdict, now: datetime, *, whole: bool) -> Settlement:
    if whole and row.reason == states.NO_ANSWER:
        # The earlier call is as unanswered as before: never forget that it may have been applied.
        return Settlement(UploadState.UNKNOWN, states.NO_ANSWER, answer.sentence, answer.retry_at or _later(row, now))
    if verdict is Verdict.HOLD:
        return Settlement(UploadState.HELD, answer.code, answer.sentence, answer.retry_at or _later(row, now))
    if verdict is Verdict.FIX and answer.scope is Scope.ROW:
        return Settlement(UploadState.HELD, answer.code, answer.sentence, now + retry.FIX_RECHECK)
    if verdict is Verdict.FIX:  # it waits with its account or action, which is parked
        return Settlement(UploadState.QUEUED, answer.code, answer.sentence, now)
    return Settlement(UploadState.QUEUED, answer.code, answer.sentence, answer.retry_at or _later(row, now))


def _later(row: Claimed, now: datetime) -> datetime:
    return now + timedelta(seconds=retry.wait_s(row.attempts))
