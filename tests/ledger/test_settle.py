"""What an answer makes of a row, and what a conversion needs to reach a value: pure, over tables and laws."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_events.ledger import retry, states
from custom_events.ledger.desired import Append, Desired, LedgerRow, SetValue, Withhold, change
from custom_events.ledger.rows import Claimed
from custom_events.ledger.settle import settle
from custom_events.values.conversions import (
    Conversion,
    Lane,
    RowAnswer,
    Scope,
    UploadKind,
    UploadState,
    Verdict,
)

NOW = datetime(2026, 10, 20, 12, 0, tzinfo=UTC)


def claimed(*, attempts=1, reason=None):
    conversion = Conversion(upload_id=1, kind=UploadKind.CONVERSION, action_id="7", transaction_id="A", occurred_at=NOW)
    return Claimed(NOW, attempts, reason, 1, conversion)


def settled(verdict, *, attempts=1, reason=None, whole=False, rows=5, **answer):
    found = RowAnswer(upload_id=1, verdict=verdict, **answer)
    return settle(claimed(attempts=attempts, reason=reason), found, NOW, whole=whole, rows=rows)


@pytest.mark.parametrize("reason", [None, states.NO_ANSWER])
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("rows", [1, 5])
@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_answer_leads_to_a_permitted_state(verdict, scope, rows, whole, reason):
    found = settled(verdict, reason=reason, whole=whole, rows=rows, scope=scope, code="X", sentence="S")
    assert states.may_become(UploadState.CLAIMED, found.state)
    if whole and reason and verdict in (Verdict.RETRY, Verdict.FIX, Verdict.HOLD, Verdict.UNKNOWN):
        assert (found.state, found.reason) == (UploadState.UNKNOWN, states.NO_ANSWER)


def test_duplicates():
    taken = settled(
        Verdict.ALREADY_THERE, attempts=2, code="ConversionUploadError.ORDER_ID_ALREADY_IN_USE", sentence="Known"
    )
    assert (taken.state, "an earlier call of ours" in taken.sentence) == (UploadState.ACCEPTED, True)
    first = settled(Verdict.ALREADY_THERE, code="ConversionUploadError.ORDER_ID_ALREADY_IN_USE", sentence="Known")
    assert (first.state, "another tag or system" in first.sentence) == (UploadState.ACCEPTED, True)
    other = settled(
        Verdict.ALREADY_THERE, code="ConversionUploadError.CLICK_CONVERSION_ALREADY_EXISTS", sentence="Known"
    )
    assert (other.state, "another order id" in other.sentence) == (UploadState.REJECTED, True)


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        (states.NO_ANSWER, UploadState.ACCEPTED),
        (states.SPLIT, UploadState.ACCEPTED),
        ("InternalError.INTERNAL_ERROR", UploadState.ACCEPTED),
        (
            "ConversionUploadError.TOO_RECENT_EVENT",
            UploadState.REJECTED,
        ),  # that call was a no: the click's conversion is another's
        (None, UploadState.REJECTED),  # refused before, sent again by hand
    ],
)
def test_a_click_s_duplicate_is_ours_only_after_a_call_that_may_have_been_applied(reason, state):
    code = "ConversionUploadError.CLICK_CONVERSION_ALREADY_EXISTS"
    found = settled(Verdict.ALREADY_THERE, attempts=2, reason=reason, code=code, sentence="Known")
    assert found.state is state
    by_order = "ConversionUploadError.ORDER_ID_ALREADY_IN_USE"
    assert settled(Verdict.ALREADY_THERE, attempts=2, reason=reason, code=by_order).state is UploadState.ACCEPTED


def test_a_restatement_of_what_somebody_else_retracted_is_not_delivered():
    answer = RowAnswer(
        upload_id=1, verdict=Verdict.ALREADY_THERE, sentence="Retracted",
        code="ConversionAdjustmentUploadError.CONVERSION_ALREADY_RETRACTED",
    )  # fmt: skip
    ends = {}
    for kind in (UploadKind.RESTATEMENT, UploadKind.RETRACTION):
        conversion = msgspec.structs.replace(claimed().conversion, kind=kind)
        ends[kind] = settle(
            msgspec.structs.replace(claimed(attempts=2), conversion=conversion), answer, NOW, whole=False, rows=1
        )
    assert ends[UploadKind.RESTATEMENT].state is UploadState.REJECTED
    assert "not by us" in str(ends[UploadKind.RESTATEMENT].sentence)
    assert ends[UploadKind.RETRACTION].state is UploadState.ACCEPTED


def test_a_hold_that_comes_again_ends():
    code = "ConversionUploadError.EVENT_NOT_FOUND"
    first = settled(Verdict.HOLD, code=code, then=Verdict.REJECTED, retry_at=NOW + timedelta(days=1))
    assert (first.state, first.not_before) == (UploadState.HELD, NOW + timedelta(days=1))
    again = settled(Verdict.HOLD, code=code, then=Verdict.REJECTED, retry_at=NOW, reason=code, attempts=2)
    assert again.state is UploadState.REJECTED


def test_a_single_row_is_not_split():
    assert settled(Verdict.SPLIT, rows=1, code="grpc.INVALID_ARGUMENT").state is UploadState.REJECTED
    assert settled(Verdict.SPLIT, rows=1, code="grpc.RESOURCE_EXHAUSTED").state is UploadState.QUEUED
    assert settled(Verdict.SPLIT, rows=2).reason == states.SPLIT


def test_a_row_that_waits_for_a_setting_is_looked_at_daily():
    found = settled(Verdict.FIX, code="X", sentence="Do it")
    assert (found.state, found.not_before) == (UploadState.HELD, NOW + retry.FIX_RECHECK)


@settings(max_examples=50, deadline=None)
@given(st.integers(min_value=0, max_value=10_000))
def test_waits_are_bounded_and_rise(attempts):
    seconds = retry.wait_s(attempts)
    assert retry.FIRST_WAIT_S * 0.75 <= seconds <= retry.LONGEST_WAIT_S * 1.25
    assert retry.wait_s(attempts + 10) >= seconds or seconds > retry.LONGEST_WAIT_S * 0.75


def row(sequence=0, state=UploadState.ACCEPTED, value="100", kind=None, attempts=1, reason=None, adjusted_at=None):
    default = UploadKind.CONVERSION if sequence == 0 else UploadKind.RESTATEMENT
    return LedgerRow(
        NOW,
        sequence,
        kind or default,
        sequence,
        state,
        reason,
        attempts,
        Decimal(value),
        NOW - timedelta(days=1),
        adjusted_at,
    )


def wanted(conversion, adjustments, value, lane=Lane.GOOGLE_ADS):
    return change(conversion, adjustments, Desired(Decimal(value)), lane, NOW)


def test_nothing_to_do():
    assert wanted(row(), [], "100") is None
    assert wanted(row(state=UploadState.QUEUED, attempts=0), [], "100.00") is None
    waiting = row(1, UploadState.QUEUED, "70", attempts=0, adjusted_at=NOW)
    assert wanted(row(), [waiting], "70") is None


def test_an_adjustment_that_waits_is_changed_or_dropped():
    waiting = row(1, UploadState.QUEUED, "70", attempts=0, adjusted_at=NOW)
    found = wanted(row(), [waiting], "40")
    assert isinstance(found, SetValue)
    assert (found.kind, found.value, found.adjusted_at) == (UploadKind.RESTATEMENT, 40, NOW + timedelta(seconds=1))
    gone = wanted(row(), [waiting], "0")
    assert isinstance(gone, SetValue)
    assert gone.kind is UploadKind.RETRACTION
    dropped = wanted(row(), [waiting], "100")
    assert isinstance(dropped, Withhold)
    assert dropped.reason == states.SUPERSEDED


def test_one_that_was_tried_is_followed_by_another():
    tried = row(1, UploadState.UNKNOWN, "70", attempts=1, adjusted_at=NOW)
    found = wanted(row(), [tried], "40")
    assert isinstance(found, Append)
    assert (found.sequence, found.value, found.adjusted_at) == (2, 40, NOW + timedelta(seconds=1))


def test_a_failed_adjustment_does_not_count_as_told():
    failed = row(1, UploadState.REJECTED, "70", adjusted_at=NOW)
    assert wanted(row(), [failed], "100") is None
    found = wanted(row(), [failed], "70")
    assert isinstance(found, Append)
    assert (found.sequence, found.value) == (2, 70)


def test_after_a_retraction():
    retracted = row(1, UploadState.ACCEPTED, "0", kind=UploadKind.RETRACTION, adjusted_at=NOW)
    found = wanted(row(), [retracted], "30")
    assert isinstance(found, Append)
    assert found.reason == states.ALREADY_RETRACTED
    kept = row(2, UploadState.WITHHELD, "30", reason=states.ALREADY_RETRACTED, adjusted_at=NOW)
    assert wanted(row(), [retracted, kept], "30") is None
    again = wanted(row(), [retracted], "30", Lane.DATA_MANAGER)
    assert isinstance(again, Append)
    assert again.reason is None


def test_a_conversion_that_is_not_at_google():
    withheld = row(state=UploadState.WITHHELD, reason="consent_denied")
    found = wanted(withheld, [], "70")
    assert isinstance(found, Append)
    assert found.reason == states.ORIGINAL_NOT_SENT
    assert wanted(row(state=UploadState.WITHHELD, reason=states.FULLY_REFUNDED), [], "70") is None


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=100), min_size=1, max_size=8), st.sampled_from(list(Lane)))
def test_whatever_the_sequence_of_values_the_last_one_stands(values, lane):
    """Each change is sent and accepted at once, as long as Google allows it: the newest row stands for the desired value."""
    conversion, adjustments, now, retracted = row(), [], NOW, False
    for value in values:
        now += timedelta(seconds=1)
        found = change(conversion, adjustments, Desired(Decimal(value)), lane, now)
        if found is None:
            continue
        assert isinstance(found, Append)
        state = UploadState.ACCEPTED if found.reason is None else UploadState.WITHHELD
        adjustments.append(row(found.sequence, state, str(found.value), found.kind, 1, found.reason, found.adjusted_at))
        retracted = retracted or (found.kind is UploadKind.RETRACTION and found.reason is None)
    accepted = [one for one in adjustments if one.state is UploadState.ACCEPTED]
    standing = accepted[-1].stands_for if accepted else conversion.stands_for
    assert standing == (0 if retracted and lane is Lane.GOOGLE_ADS else values[-1])
    times = [one.adjusted_at for one in adjustments]
    assert times == sorted(set(times))
