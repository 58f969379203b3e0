"""What an answer makes of a row: pure, over tables and laws."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_events.ledger import retry, states
from custom_events.ledger.next_state import NextState, next_state
from custom_events.ledger.upload_rows import Claimed
from custom_events.values import reasons
from custom_events.values.conversions import (
    Conversion,
    RowAnswer,
    Scope,
    UploadKind,
    UploadState,
    Verdict,
)

NOW = datetime(2026, 10, 20, 12, 0, tzinfo=UTC)


def claimed(*, attempts: int = 1, reason: str | None = None) -> Claimed:
    conversion = Conversion(upload_id=1, kind=UploadKind.CONVERSION, action_id="7", transaction_id="A", occurred_at=NOW)
    return Claimed(NOW, attempts, reason, 1, conversion)


def settled(
    verdict: Verdict, *, attempts: int = 1, reason: str | None = None, whole: bool = False, rows: int = 5, **answer: Any
) -> NextState:
    found = RowAnswer(upload_id=1, verdict=verdict, **answer)
    return next_state(claimed(attempts=attempts, reason=reason), found, NOW, whole=whole, rows=rows)


@pytest.mark.parametrize("reason", [None, reasons.NO_ANSWER])
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("rows", [1, 5])
@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_answer_leads_to_a_permitted_state(
    verdict: Verdict, scope: Scope, rows: int, whole: bool, reason: str | None
) -> None:
    found = settled(verdict, reason=reason, whole=whole, rows=rows, scope=scope, code="X", sentence="S")
    assert states.may_become(UploadState.CLAIMED, found.state)
    if whole and reason and verdict in (Verdict.RETRY, Verdict.FIX, Verdict.HOLD, Verdict.UNKNOWN):
        assert (found.state, found.reason) == (UploadState.UNKNOWN, reasons.NO_ANSWER)


AGAIN_AT = NOW + timedelta(hours=1)
INSIDE = "InternalError.INTERNAL_ERROR"


@pytest.mark.parametrize(
    ("verdict", "answer", "state", "reason", "not_before", "unsettled_by_row", "unsettled_by_request"),
    [
        (Verdict.ACCEPTED, {}, UploadState.ACCEPTED, "X", None, None, None),
        (Verdict.PENDING, {}, UploadState.SENT, "X", None, None, None),
        (Verdict.DROP_CLICK, {}, UploadState.QUEUED, "X", NOW, False, None),
        (Verdict.SPLIT, {}, UploadState.QUEUED, reasons.SPLIT, NOW, True, None),
        (Verdict.RETRY, {}, UploadState.QUEUED, "X", AGAIN_AT, None, None),
        (Verdict.RETRY, {"code": INSIDE}, UploadState.QUEUED, INSIDE, AGAIN_AT, True, None),
        (Verdict.HOLD, {}, UploadState.HELD, "X", AGAIN_AT, False, None),
        (Verdict.FIX, {"scope": Scope.ROW}, UploadState.HELD, "X", NOW + retry.FIX_RECHECK, None, None),
        (Verdict.FIX, {"scope": Scope.USER_DATA}, UploadState.HELD, "X", NOW + retry.FIX_RECHECK, None, None),
        (Verdict.FIX, {"scope": Scope.ACCOUNT}, UploadState.QUEUED, "X", NOW, None, None),
        (Verdict.REJECTED, {}, UploadState.REJECTED, "X", None, False, None),
        (Verdict.EXPIRED, {}, UploadState.EXPIRED, "X", None, False, None),
        (Verdict.WITHHELD, {}, UploadState.WITHHELD, "X", None, False, None),
    ],
)
def test_what_an_answer_makes_of_a_row_that_no_call_left_open(
    verdict: Verdict,
    answer: dict[str, Any],
    state: UploadState,
    reason: str,
    not_before: datetime | None,
    unsettled_by_row: bool | None,
    unsettled_by_request: bool | None,
) -> None:
    """A no to the row says that no API has it; a no to the request says nothing of an earlier call."""
    for whole, unsettled in ((False, unsettled_by_row), (True, unsettled_by_request)):
        said = {"code": "X", "sentence": "S", "retry_at": AGAIN_AT} | answer
        assert settled(verdict, whole=whole, **said) == NextState(state, reason, "S", not_before, unsettled)


@pytest.mark.parametrize("whole", [False, True])
def test_without_an_answer_the_api_that_was_called_may_have_the_row(whole: bool) -> None:
    found = settled(Verdict.UNKNOWN, attempts=3, whole=whole, code="X", sentence="S")
    assert (found.state, found.reason, found.sentence, found.unsettled) == (
        UploadState.UNKNOWN,
        reasons.NO_ANSWER,
        "S",
        True,
    )
    assert found.not_before is not None
    waited = (found.not_before - NOW).total_seconds() / (4 * retry.FIRST_WAIT_S)
    assert 1 - retry.JITTER <= waited <= 1 + retry.JITTER


@pytest.mark.parametrize("verdict", [Verdict.RETRY, Verdict.HOLD, Verdict.FIX])
def test_a_request_that_failed_leaves_an_earlier_call_as_open_as_it_was(verdict: Verdict) -> None:
    said = {"code": "X", "sentence": "S", "retry_at": AGAIN_AT}
    found = settled(verdict, whole=True, reason=reasons.NO_ANSWER, **said)
    assert found == NextState(UploadState.UNKNOWN, reasons.NO_ANSWER, "S", AGAIN_AT)
    assert settled(verdict, reason=reasons.NO_ANSWER, **said).reason == "X", "said of the row, it ends the doubt"
    kept = settled(Verdict.RETRY, whole=True, reason=INSIDE, **said)
    assert kept == NextState(UploadState.QUEUED, INSIDE, "S", AGAIN_AT)
    assert settled(Verdict.RETRY, reason=INSIDE, **said).reason == "X"


def test_what_is_withheld_after_a_call_without_an_answer_says_so() -> None:
    sure = settled(Verdict.WITHHELD, reason="X", code="Y", sentence="Denied")
    doubtful = settled(Verdict.WITHHELD, reason=reasons.NO_ANSWER, code="Y", sentence="Denied")
    assert sure.sentence == "Denied"
    assert str(doubtful.sentence).startswith("Denied; an earlier call had no answer")


def test_duplicates() -> None:
    taken = settled(
        Verdict.ALREADY_THERE, attempts=2, code="ConversionUploadError.ORDER_ID_ALREADY_IN_USE", sentence="Known"
    )
    assert (taken.state, "an earlier call of ours" in taken.sentence) == (UploadState.ACCEPTED, True)
    first = settled(Verdict.ALREADY_THERE, code="ConversionUploadError.ORDER_ID_ALREADY_IN_USE", sentence="Known")
    assert (first.state, "another tag or system" in first.sentence) == (UploadState.ACCEPTED, True)
    assert taken.reason == first.reason == "ConversionUploadError.ORDER_ID_ALREADY_IN_USE"
    other = settled(
        Verdict.ALREADY_THERE, code="ConversionUploadError.CLICK_CONVERSION_ALREADY_EXISTS", sentence="Known"
    )
    assert (other.state, "another order id" in other.sentence) == (UploadState.REJECTED, True)


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        (reasons.NO_ANSWER, UploadState.ACCEPTED),
        (reasons.SPLIT, UploadState.ACCEPTED),
        ("InternalError.INTERNAL_ERROR", UploadState.ACCEPTED),
        (
            "ConversionUploadError.TOO_RECENT_EVENT",
            UploadState.REJECTED,
        ),  # that call was a no: the click's conversion is another's
        (None, UploadState.REJECTED),  # refused before, sent again by hand
    ],
)
def test_a_click_s_duplicate_is_ours_only_after_a_call_that_may_have_been_applied(
    reason: str | None, state: UploadState
) -> None:
    code = "ConversionUploadError.CLICK_CONVERSION_ALREADY_EXISTS"
    found = settled(Verdict.ALREADY_THERE, attempts=2, reason=reason, code=code, sentence="Known")
    assert found.state is state
    by_order = "ConversionUploadError.ORDER_ID_ALREADY_IN_USE"
    assert settled(Verdict.ALREADY_THERE, attempts=2, reason=reason, code=by_order).state is UploadState.ACCEPTED
    assert settled(Verdict.ALREADY_THERE).state is UploadState.ACCEPTED, "without a code, too"


def test_a_restatement_of_what_somebody_else_retracted_is_not_delivered() -> None:
    answer = RowAnswer(
        upload_id=1, verdict=Verdict.ALREADY_THERE, sentence="Retracted",
        code="ConversionAdjustmentUploadError.CONVERSION_ALREADY_RETRACTED",
    )  # fmt: skip
    ends = {}
    for kind in (UploadKind.RESTATEMENT, UploadKind.RETRACTION):
        conversion = msgspec.structs.replace(claimed().conversion, kind=kind)
        ends[kind] = next_state(
            msgspec.structs.replace(claimed(attempts=2), conversion=conversion), answer, NOW, whole=False, rows=1
        )
    assert ends[UploadKind.RESTATEMENT].state is UploadState.REJECTED
    assert "not by us" in str(ends[UploadKind.RESTATEMENT].sentence)
    assert ends[UploadKind.RETRACTION].state is UploadState.ACCEPTED


def test_a_hold_that_comes_again_ends() -> None:
    code = "ConversionUploadError.EVENT_NOT_FOUND"
    first = settled(Verdict.HOLD, code=code, then=Verdict.REJECTED, retry_at=NOW + timedelta(days=1))
    assert (first.state, first.not_before) == (UploadState.HELD, NOW + timedelta(days=1))
    again = settled(Verdict.HOLD, code=code, then=Verdict.REJECTED, retry_at=NOW, reason=code, attempts=2)
    assert again.state is UploadState.REJECTED


def test_a_single_row_is_not_split() -> None:
    alone = settled(Verdict.SPLIT, rows=1, code="SizeLimitError.REQUEST_SIZE_LIMIT_EXCEEDED")
    assert (alone.state, alone.not_before) == (UploadState.HELD, NOW + retry.FIX_RECHECK)
    assert settled(Verdict.SPLIT, rows=1, code="grpc.RESOURCE_EXHAUSTED").state is UploadState.QUEUED
    assert settled(Verdict.SPLIT, rows=2).reason == reasons.SPLIT


def test_a_row_that_waits_for_a_setting_is_looked_at_daily() -> None:
    found = settled(Verdict.FIX, code="X", sentence="Do it")
    assert (found.state, found.not_before) == (UploadState.HELD, NOW + retry.FIX_RECHECK)


@settings(max_examples=50, deadline=None)
@given(st.integers(min_value=0, max_value=10_000))
def test_waits_are_bounded_and_rise(attempts: int) -> None:
    seconds = retry.wait_s(attempts)
    assert retry.FIRST_WAIT_S * 0.75 <= seconds <= retry.LONGEST_WAIT_S * 1.25
    assert retry.wait_s(attempts + 10) >= seconds or seconds > retry.LONGEST_WAIT_S * 0.75
