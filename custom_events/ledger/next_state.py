"""What an answer makes of a row: its next state, why, and when it may go again. Pure."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from custom_events.ledger import retry, states
from custom_events.ledger.upload_rows import Claimed
from custom_events.values import reasons
from custom_events.values.conversions import RowAnswer, Scope, UploadKind, UploadState, Verdict

# Duplicates by click and second: another order's conversion, unless an earlier call of ours may have been applied.
_ANOTHER_ORDERS: Final = ("CLICK_CONVERSION_ALREADY_EXISTS", "DUPLICATE_GCLID")
# Rows that no parked account or action keeps: they are held, and tried or released with the part of the account that is stopped.
_HELD_BY_THEMSELVES: Final = frozenset({Scope.ROW, Scope.USER_DATA})
_RETRACTED: Final = "CONVERSION_ALREADY_RETRACTED"
# A request of one row cannot be split; these are refused for their size or number, so the row itself is not to blame.
_TOO_MUCH: Final = "RESOURCE_EXHAUSTED"


class NextState(NamedTuple):
    """The next state of a row. `not_before` None: unchanged. `unsettled`: whether the API that was called may have it now without
    having said so (None: as before); as long as it may, the row goes there again and nowhere else."""

    state: UploadState
    reason: str | None = None
    sentence: str | None = None
    not_before: datetime | None = None
    unsettled: bool | None = None


def next_state(row: Claimed, answer: RowAnswer, now: datetime, *, whole: bool, rows: int) -> NextState:
    """The settlement of one answer. `whole`: the request failed as such, so nothing was said about this row;
    `rows`: how many the request had."""
    verdict = answer.verdict
    if verdict is Verdict.HOLD and answer.then is not None and row.reason == answer.code:
        verdict = answer.then
    if verdict is Verdict.SPLIT and rows == 1:  # never thrown away: a person looks at what is refused alone
        too_much = answer.code is not None and answer.code.endswith(_TOO_MUCH)
        verdict = Verdict.RETRY if too_much else Verdict.FIX
    match verdict:
        case Verdict.ACCEPTED:
            return NextState(UploadState.ACCEPTED, answer.code, answer.sentence)
        case Verdict.ALREADY_THERE:
            return _already_there(row, answer)
        case Verdict.PENDING:
            return NextState(UploadState.SENT, answer.code, answer.sentence)
        case Verdict.UNKNOWN:
            return NextState(UploadState.UNKNOWN, reasons.NO_ANSWER, answer.sentence, _later(row, now), unsettled=True)
        case Verdict.DROP_CLICK:
            return NextState(UploadState.QUEUED, answer.code, answer.sentence, now, _cleared(whole=whole))
        case Verdict.SPLIT:  # of a request that was refused nothing was taken; of one that failed in part, some was
            return NextState(UploadState.QUEUED, reasons.SPLIT, answer.sentence, now, None if whole else True)
        case Verdict.RETRY | Verdict.FIX | Verdict.HOLD:
            return _waiting(row, answer, verdict, now, whole=whole)
        case Verdict.REJECTED | Verdict.EXPIRED:
            state = UploadState(verdict.value)
            return NextState(state, answer.code, answer.sentence, unsettled=_cleared(whole=whole))
        case Verdict.WITHHELD:
            doubt = (
                "; an earlier call had no answer, and may have delivered it" if row.reason == reasons.NO_ANSWER else ""
            )
            sentence = f"{answer.sentence}{doubt}"
            return NextState(UploadState.WITHHELD, answer.code, sentence, unsettled=_cleared(whole=whole))


def _already_there(row: Claimed, answer: RowAnswer) -> NextState:
    code = answer.code or ""
    if row.conversion.kind is UploadKind.RESTATEMENT and code.endswith(_RETRACTED):
        sentence = f"{answer.sentence}, though not by us, and Google does not restate a retracted one"
        return NextState(UploadState.REJECTED, code, sentence)
    if code.endswith(_ANOTHER_ORDERS) and not (row.reason or "").startswith(states.MAYBE_APPLIED):
        return NextState(UploadState.REJECTED, code, f"{answer.sentence}, under another order id")
    if row.attempts > 1:
        sentence = f"{answer.sentence}: an earlier call of ours had delivered it"
        return NextState(UploadState.ACCEPTED, code, sentence)
    sentence = f"{answer.sentence}, though we had not sent it: another tag or system reports this order as well"
    return NextState(UploadState.ACCEPTED, code, sentence)


def _waiting(row: Claimed, answer: RowAnswer, verdict: Verdict, now: datetime, *, whole: bool) -> NextState:
    if whole and row.reason == reasons.NO_ANSWER:
        # The earlier call is as unanswered as before: never forget that it may have been applied.
        return NextState(UploadState.UNKNOWN, reasons.NO_ANSWER, answer.sentence, answer.retry_at or _later(row, now))
    until, cleared = answer.retry_at or _later(row, now), _cleared(whole=whole)
    if verdict is Verdict.HOLD:
        return NextState(UploadState.HELD, answer.code, answer.sentence, until, cleared)
    if verdict is Verdict.FIX and answer.scope in _HELD_BY_THEMSELVES:
        return NextState(UploadState.HELD, answer.code, answer.sentence, now + retry.FIX_RECHECK)
    if verdict is Verdict.FIX:  # it waits with its account, its action or all adjustments, which are stopped
        return NextState(UploadState.QUEUED, answer.code, answer.sentence, now)
    if whole and row.reason is not None and row.reason.startswith(states.INSIDE_GOOGLE):
        # Nothing was said about the row: its earlier call may have been applied still.
        return NextState(UploadState.QUEUED, row.reason, answer.sentence, until)
    inside = not whole and answer.code is not None and answer.code.startswith(states.INSIDE_GOOGLE)
    return NextState(UploadState.QUEUED, answer.code, answer.sentence, until, True if inside else None)


def _cleared(*, whole: bool) -> bool | None:
    """A plain no to what the row holds was one at every call: no API has it. What was said of a request, or by us, says nothing of
    an earlier call; nor does what has to be mended, which may have been in order then."""
    return None if whole else False


def _later(row: Claimed, now: datetime) -> datetime:
    return now + timedelta(seconds=retry.wait_s(row.attempts))
