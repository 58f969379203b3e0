"""What a conversion needs to reach a value: pure, over tables and laws."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_events.ledger.desired import (
    Append,
    Desired,
    Hold,
    LedgerRow,
    Place,
    Release,
    SetValue,
    Withhold,
    changes,
    uncounted,
)
from custom_events.values import reasons
from custom_events.values.conversions import Lane, UploadKind, UploadState

NOW = datetime(2026, 10, 20, 12, 0, tzinfo=UTC)


def row(
    sequence: int = 0,
    state: UploadState = UploadState.ACCEPTED,
    value: str = "100",
    kind: UploadKind = None,
    attempts: int = 1,
    reason: str | None = None,
    adjusted_at: datetime | None = None,
) -> LedgerRow:
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


def wanted(
    conversion: LedgerRow, adjustments: list[Any], value: str, lane: Lane = Lane.GOOGLE_ADS, **desired: Any
) -> list[Any]:
    return changes(conversion, adjustments, Desired(Decimal(value), **desired), lane, NOW)


def test_nothing_to_do() -> None:
    assert wanted(row(), [], "100") == []
    assert wanted(row(state=UploadState.QUEUED, attempts=0), [], "100.00") == []
    waiting = row(1, UploadState.QUEUED, "70", attempts=0, adjusted_at=NOW)
    assert wanted(row(), [waiting], "70") == []


def test_an_adjustment_that_waits_is_changed_or_dropped() -> None:
    waiting = row(1, UploadState.QUEUED, "70", attempts=0, adjusted_at=NOW)
    assert wanted(row(), [waiting], "40") == [
        SetValue(waiting, UploadKind.RESTATEMENT, Decimal(40), NOW + timedelta(seconds=1))
    ]
    (gone,) = wanted(row(), [waiting], "0")
    assert gone.kind is UploadKind.RETRACTION
    (dropped,) = wanted(row(), [waiting], "100")
    assert isinstance(dropped, Withhold)
    assert dropped.reason == reasons.SUPERSEDED


def test_one_that_was_tried_is_followed_by_another() -> None:
    tried = row(1, UploadState.UNKNOWN, "70", attempts=1, adjusted_at=NOW)
    (found,) = wanted(row(), [tried], "40")
    assert isinstance(found, Append)
    assert (found.sequence, found.value, found.adjusted_at) == (2, 40, NOW + timedelta(seconds=1))


@pytest.mark.parametrize("value", ["0", "40"])
def test_what_google_refuses_is_superseded(value: str) -> None:
    """A restatement that is refused every day, of an action that always uses its default value, keeps nothing waiting."""
    refused = row(1, UploadState.HELD, "70", attempts=9, reason="ConversionAdjustmentUploadError.X", adjusted_at=NOW)
    superseded, found = wanted(row(), [refused], value)
    assert (superseded.row, superseded.reason) == (refused, reasons.SUPERSEDED)
    assert (found.sequence, found.value, found.hold) == (2, Decimal(value), None)
    assert wanted(row(), [refused], "70") == [], "it stands for that already"
    (dropped,) = wanted(row(), [refused], "100")
    assert dropped.row is refused


def test_a_retraction_that_follows_one_that_google_refused_waits_as_any_other() -> None:
    refused = row(1, UploadState.HELD, "70", attempts=9, reason="ConversionAdjustmentUploadError.X", adjusted_at=NOW)
    superseded, found = wanted(row(), [refused], "0", hold=WAIT)
    assert (superseded.row, found.hold.reason) == (refused, WAIT.reason)


def test_all_that_wait_but_the_newest_are_superseded() -> None:
    waiting = [row(number, UploadState.QUEUED, "70", attempts=0, adjusted_at=NOW) for number in (1, 2, 3)]
    found = wanted(row(), waiting, "70")
    assert [(change.row, change.reason) for change in found] == [(older, reasons.SUPERSEDED) for older in waiting[:2]]


@pytest.mark.parametrize("reason", [reasons.NO_ANSWER, reasons.SPLIT, "InternalError.INTERNAL_ERROR"])
def test_what_may_have_been_applied_is_not_superseded(reason: str) -> None:
    tried = row(1, UploadState.QUEUED, "70", attempts=1, reason=reason, adjusted_at=NOW)
    (found,) = wanted(row(), [tried], "0")
    assert isinstance(found, Append)


def test_a_failed_adjustment_does_not_count_as_told() -> None:
    failed = row(1, UploadState.REJECTED, "70", adjusted_at=NOW)
    assert wanted(row(), [failed], "100") == []
    (found,) = wanted(row(), [failed], "70")
    assert isinstance(found, Append)
    assert (found.sequence, found.value) == (2, 70)


def test_after_a_retraction() -> None:
    retracted = row(1, UploadState.ACCEPTED, "0", kind=UploadKind.RETRACTION, adjusted_at=NOW)
    (found,) = wanted(row(), [retracted], "30")
    assert isinstance(found, Append)
    assert (found.reason, found.sentence) == (reasons.ALREADY_RETRACTED, reasons.WITHHELD[reasons.ALREADY_RETRACTED])
    kept = row(2, UploadState.WITHHELD, "30", reason=reasons.ALREADY_RETRACTED, adjusted_at=NOW)
    assert wanted(row(), [retracted, kept], "30") == []
    (again,) = wanted(row(), [retracted], "30", Lane.DATA_MANAGER)
    assert isinstance(again, Append)
    assert again.reason is None


def test_a_conversion_that_is_not_at_google() -> None:
    withheld = row(state=UploadState.WITHHELD, reason="consent_denied", attempts=0)
    (found,) = wanted(withheld, [], "70")
    assert isinstance(found, Append)
    assert found.reason == reasons.ORIGINAL_NOT_SENT
    assert found.sentence == reasons.WITHHELD[reasons.ORIGINAL_NOT_SENT]


@pytest.mark.parametrize("reason", reasons.WORTH_NOTHING)
def test_a_conversion_that_was_worth_nothing_goes_after_all(reason: str) -> None:
    withheld = row(state=UploadState.WITHHELD, reason=reason, attempts=0)
    assert wanted(withheld, [], "70") == [Release(withheld, Decimal(70), None)]
    same = {} if reason == reasons.FULLY_REFUNDED else {"reason": reason}
    assert wanted(withheld, [], "0", **same) == []
    assert wanted(withheld, [], "0", whole=Decimal(120), **same) == [
        SetValue(withheld, UploadKind.CONVERSION, Decimal(120), None)
    ]
    (renamed,) = wanted(withheld, [], "0", **({} if same else {"reason": reasons.PAYMENT_LOST}))
    assert (renamed.row, renamed.reason != reason) == (withheld, True)
    unsent = row(state=UploadState.NEW, attempts=0)
    assert changes(unsent, [], Desired(None, "a_reason"), Lane.GOOGLE_ADS, NOW) == [
        Withhold(unsent, "a_reason", reasons.WITHHELD[reasons.INVALIDATED])
    ]
    assert changes(withheld, [], Desired(None, "invalidated"), Lane.GOOGLE_ADS, NOW) == []


def test_a_conversion_without_a_value_goes_as_it_is() -> None:
    """Google counts it by the value of its ads action."""
    waiting = row(state=UploadState.QUEUED, attempts=0)._replace(value=None)
    assert wanted(waiting, [], "0") == []
    assert wanted(waiting, [], "70") == [SetValue(waiting, UploadKind.CONVERSION, Decimal(70), None)]
    sent = row()._replace(value=None)
    assert wanted(sent, [], "0") == []
    (gone,) = changes(sent, [], Desired(None), Lane.GOOGLE_ADS, NOW)
    assert (gone.kind, gone.value) == (UploadKind.RETRACTION, 0)


WAIT = Hold(reasons.CANCELLATION_MAY_BE_UNDONE, "It waits until", NOW + timedelta(hours=20))
ASK = Hold(reasons.PAYMENT_LOST, "Somebody decides", None)


def test_a_retraction_waits_where_google_takes_none_back() -> None:
    (found,) = wanted(row(), [], "0", hold=WAIT)
    assert found.hold == (WAIT.reason, "It waits until: 2026-10-21 08:00 UTC", WAIT.until)
    assert wanted(row(), [], "0", Lane.DATA_MANAGER, hold=WAIT)[0].hold is None
    held = row(1, UploadState.HELD, "0", UploadKind.RETRACTION, 0, WAIT.reason, NOW)
    assert wanted(row(), [held], "0", hold=WAIT) == []
    assert wanted(row(), [held], "0") == [Place(held, None)], "the money was given back meanwhile"
    assert wanted(row(), [held], "90") == [
        SetValue(held, UploadKind.RESTATEMENT, Decimal(90), NOW + timedelta(seconds=1)),
        Place(held, None),
    ]
    late = row()._replace(conversion_at=NOW - timedelta(days=53, hours=23))
    assert wanted(late, [], "0", hold=WAIT)[0].hold is None, "Google would not take it any more"


def test_what_a_person_holds_stays_held() -> None:
    held = row(1, UploadState.HELD, "70", attempts=0, reason=reasons.HELD_BY_HAND, adjusted_at=NOW)
    assert [type(one) for one in wanted(row(), [held], "40")] == [SetValue]
    assert [type(one) for one in wanted(row(), [held], "0", hold=WAIT)] == [SetValue]
    conversion = row(state=UploadState.HELD, attempts=0, reason=reasons.HELD_BY_HAND)
    assert wanted(conversion, [], "0", hold=ASK, undecided=Decimal(100)) == []


@pytest.mark.parametrize("lane", list(Lane))
def test_a_person_is_asked(lane: Lane) -> None:
    asked = {"hold": ASK, "undecided": Decimal(100), "reason": reasons.PAYMENT_LOST}
    (found,) = wanted(row(), [], "0", lane, **asked)
    assert (found.kind, found.hold.reason) == (UploadKind.RETRACTION, reasons.PAYMENT_LOST)
    unsent = row(state=UploadState.QUEUED, attempts=0)
    assert wanted(unsent, [], "0", lane, **asked) == [Place(unsent, ASK)]
    held = row(state=UploadState.HELD, attempts=0, reason=reasons.PAYMENT_LOST)
    assert wanted(held, [], "0", lane, **asked) == []
    assert wanted(held, [], "100", lane) == [Place(held, None)]
    (withheld,) = wanted(unsent, [], "0", lane, reason=reasons.PAYMENT_LOST)
    assert withheld.reason == reasons.PAYMENT_LOST


def test_a_conversion_that_nobody_has_sent_changes_its_value_or_waits_for_a_person() -> None:
    unsent = row(state=UploadState.QUEUED, attempts=0)
    assert wanted(unsent, [], "70") == [SetValue(unsent, UploadKind.CONVERSION, Decimal(70), None)]
    withheld = row(state=UploadState.WITHHELD, reason=reasons.FULLY_REFUNDED, attempts=0)
    assert wanted(withheld, [], "0", hold=ASK, undecided=Decimal(80)) == [Release(withheld, Decimal(80), ASK)]


def test_what_cannot_be_counted_is_recorded_once_beside_what_is_written() -> None:
    first = Append(UploadKind.RESTATEMENT, Decimal(100), 1, NOW, reasons.OTHER_CURRENCY, "S")
    assert uncounted(row(), [], [], "S", NOW) == [first]
    earlier = row(2, value="70", adjusted_at=NOW)
    followed = first._replace(sequence=3, adjusted_at=NOW + timedelta(seconds=1))
    assert uncounted(row(), [earlier], [], "S", NOW) == [followed]
    beside = Append(UploadKind.RESTATEMENT, Decimal(40), 3, NOW)
    assert uncounted(row(), [earlier], [beside], "S", NOW) == [followed._replace(sequence=4)]
    recorded = row(1, UploadState.WITHHELD, reason=reasons.OTHER_CURRENCY, adjusted_at=NOW)
    assert uncounted(row(), [recorded], [], "S", NOW) == []
    assert uncounted(row(), [], [], None, NOW) == []
    assert uncounted(row(state=UploadState.WITHHELD), [], [], "S", NOW) == []


STEPS = st.tuples(
    st.integers(min_value=0, max_value=3).map(lambda tens: tens * 10),
    st.sampled_from([None, WAIT, ASK]),
    st.sampled_from(["sent", "refused", "left"]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=8), st.sampled_from(list(Lane)))
def test_whatever_the_sequence_of_values_the_last_one_stands(steps: Any, lane: Lane) -> None:
    """What goes is accepted, or refused for now, or left: the rows that were taken stand for the desired value, or the one that waits
    does; never more than one waits."""
    conversion, rows, now, retracted, value = row(), [], NOW, False, 100
    for value, hold, fate in steps:
        now += timedelta(seconds=1)
        desired = Desired(Decimal(value), hold=None if value else hold)
        for found in changes(conversion, rows, desired, lane, now):
            applied(rows, found)
        waiting = [place for place, one in enumerate(rows) if one.state in (UploadState.QUEUED, UploadState.HELD)]
        assert len(waiting) <= 1
        for place in waiting:
            if rows[place].state is UploadState.QUEUED and fate == "sent":
                rows[place] = rows[place]._replace(state=UploadState.ACCEPTED, attempts=1)
                retracted = retracted or rows[place].kind is UploadKind.RETRACTION
            elif rows[place].state is UploadState.QUEUED and fate == "refused":
                rows[place] = rows[place]._replace(state=UploadState.HELD, attempts=1, reason="Google.NO")
    ended = [one for one in rows if one.state is not UploadState.WITHHELD]
    standing = ended[-1].stands_for if ended else conversion.stands_for
    assert standing == (0 if retracted and lane is Lane.GOOGLE_ADS else value)
    times = [one.adjusted_at for one in rows]
    assert times == sorted(set(times))


def applied(rows: list[Any], found: Any) -> None:
    """A change as it is written."""
    match found:
        case Append():
            state = UploadState.QUEUED if found.reason is None else UploadState.WITHHELD
            reason = found.reason
            if found.hold is not None:
                state, reason = UploadState.HELD, found.hold.reason
            rows.append(row(found.sequence, state, str(found.value), found.kind, 0, reason, found.adjusted_at))
        case SetValue():
            place = rows.index(found.row)
            rows[place] = found.row._replace(kind=found.kind, value=found.value, adjusted_at=found.adjusted_at)
        case Withhold():
            place = next(place for place, one in enumerate(rows) if one.sequence == found.row.sequence)
            rows[place] = rows[place]._replace(state=UploadState.WITHHELD, reason=found.reason)
        case Place():
            place = next(place for place, one in enumerate(rows) if one.sequence == found.row.sequence)
            state, reason = UploadState.QUEUED, None
            if found.hold is not None:
                state, reason = UploadState.HELD, found.hold.reason
            rows[place] = rows[place]._replace(state=state, reason=reason)
