"""Checks before anything is sent: each names what is wrong, and a good row passes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_events.destinations import conversion_rules
from custom_events.destinations.rules import NEXT_CLICK
from custom_events.values import reasons
from custom_events.values.clicks import Click, ClickKind, ConsentStatus
from custom_events.values.conversions import Conversion, UploadKind, Verdict

NOW = datetime(2026, 10, 20, 12, 0, tzinfo=UTC)
HASH = "a" * 64


def row(**changes: Any) -> Conversion:
    values = {
        "upload_id": 5,
        "kind": UploadKind.CONVERSION,
        "action_id": "7001",
        "transaction_id": "1001",
        "occurred_at": NOW - timedelta(hours=20),
        "value": Decimal("12.50"),
        "currency": "EUR",
        "click": Click(kind=ClickKind.GCLID, id="CjwKCAjw_abc-123", clicked_at=NOW - timedelta(hours=30)),
    }
    return Conversion(**(values | changes))


def adjustment(**changes: Any) -> Conversion:
    return row(kind=UploadKind.RESTATEMENT, adjusted_at=NOW, click=None, **changes)


def test_good_rows_pass() -> None:
    assert conversion_rules.validate(row(), NOW) is None
    assert conversion_rules.validate(row(click=None, email_sha256=HASH), NOW) is None
    assert conversion_rules.validate(row(value=None, currency=None), NOW) is None
    assert conversion_rules.validate(row(value=Decimal(0), currency=None), NOW) is None
    assert conversion_rules.validate(adjustment(), NOW) is None
    assert (
        conversion_rules.validate(row(kind=UploadKind.RETRACTION, adjusted_at=NOW, click=None, value=None), NOW) is None
    )
    assert conversion_rules.validate(row(action_created_at=NOW - timedelta(hours=6)), NOW) is None


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("transaction_id_length", {"transaction_id": ""}),
        ("transaction_id_length", {"transaction_id": "x" * 65}),
        ("transaction_id_personal", {"transaction_id": "jane@example.com"}),
        ("transaction_id_personal", {"transaction_id": "+4915112345678"}),
        ("action_id", {"action_id": "AW-12"}),
        ("time_without_zone", {"occurred_at": datetime(2026, 10, 19)}),  # noqa: DTZ001
        ("value_negative", {"value": Decimal(-1)}),
        ("value_negative", {"value": Decimal("NaN")}),
        ("currency_unknown", {"currency": "EURO"}),
        ("currency_unknown", {"currency": "eur"}),
        ("currency_missing", {"currency": None}),
        ("time_in_future", {"occurred_at": NOW + timedelta(minutes=6)}),
        ("hash_malformed", {"email_sha256": "jane@example.com"}),
        ("hash_malformed", {"phone_sha256": "A" * 64}),
        ("no_identifier", {"click": None}),
        ("consent_denied", {"click": None, "email_sha256": HASH, "ad_user_data": ConsentStatus.DENIED}),
        ("click_id_malformed", {"click": Click(kind=ClickKind.GCLID, id="a b")}),
        ("braid_one_per_click", {"click": Click(kind=ClickKind.WBRAID, id="abcdef"), "one_per_click": True}),
        ("conversion_before_click", {"click": Click(kind=ClickKind.GCLID, id="abcdef", clicked_at=NOW)}),
    ],
)
def test_withholds(code: str, changes: dict[str, Any]) -> None:
    answer = conversion_rules.validate(row(**changes), NOW)
    assert (answer.verdict, answer.code, answer.upload_id) == (Verdict.WITHHELD, code, 5)
    assert answer.sentence


@pytest.mark.parametrize(
    ("code", "made"),
    [
        ("value_missing", adjustment(value=None)),
        ("adjustment_before_conversion", adjustment(occurred_at=NOW)),
        ("adjustment_before_conversion", row(kind=UploadKind.RETRACTION, click=None)),
    ],
)
def test_withholds_adjustments(code: str, made: Conversion) -> None:
    answer = conversion_rules.validate(made, NOW)
    assert (answer.verdict, answer.code) == (Verdict.WITHHELD, code)


@pytest.mark.parametrize(
    ("code", "made"),
    [
        ("user_data_too_old", row(click=None, email_sha256=HASH, occurred_at=NOW - timedelta(days=64))),
        (
            "click_too_old",
            row(
                click=Click(kind=ClickKind.GCLID, id="abcdef", clicked_at=NOW - timedelta(days=91)),
                occurred_at=NOW - timedelta(days=30),
            ),
        ),
        (
            "outside_click_window",
            row(
                click=Click(kind=ClickKind.GCLID, id="abcdef", clicked_at=NOW - timedelta(days=40)),
                click_window_days=30,
            ),
        ),
        ("conversion_too_old", adjustment(occurred_at=NOW - timedelta(days=55))),
    ],
)
def test_expires(code: str, made: Conversion) -> None:
    answer = conversion_rules.validate(made, NOW)
    assert (answer.upload_id, answer.verdict, answer.code) == (5, Verdict.EXPIRED, code)
    assert answer.sentence


def test_holds_until_google_takes_it() -> None:
    clicked_at = NOW - timedelta(hours=1)
    young = row(click=Click(kind=ClickKind.GCLID, id="abcdef", clicked_at=clicked_at), occurred_at=NOW)
    answer = conversion_rules.validate(young, NOW)
    assert (answer.verdict, answer.code, answer.retry_at) == (
        Verdict.HOLD,
        "click_too_recent",
        NOW + timedelta(hours=5),
    )
    for made in (
        row(action_created_at=NOW),
        row(action_created_at=NOW, click=Click(kind=ClickKind.GCLID, id="abcdef")),
        row(action_created_at=NOW, click=None, email_sha256=HASH),
    ):
        answer = conversion_rules.validate(made, NOW)
        assert (answer.code, answer.retry_at) == ("action_too_recent", NOW + timedelta(hours=6))


SECOND = timedelta(seconds=1)


def clicked(at: datetime, **changes: Any) -> Conversion:
    return row(click=Click(kind=ClickKind.GCLID, id="abcdef", clicked_at=at), **changes)


@pytest.mark.parametrize(
    ("code", "of", "last"),
    [
        ("time_in_future", lambda at: row(occurred_at=at), NOW + timedelta(minutes=5)),
        ("user_data_too_old", lambda at: row(click=None, email_sha256=HASH, occurred_at=NOW - (at - NOW)), NOW + timedelta(days=63)),
        ("click_too_old", lambda at: clicked(NOW - (at - NOW), occurred_at=NOW - timedelta(days=30)), NOW + timedelta(days=90)),
        ("outside_click_window", lambda at: clicked(NOW - timedelta(days=40), occurred_at=at, click_window_days=30), NOW - timedelta(days=10)),
        ("conversion_before_click", lambda at: clicked(at, occurred_at=NOW - timedelta(hours=8)), NOW - timedelta(hours=8)),
        ("click_too_recent", lambda at: clicked(at, occurred_at=NOW), NOW - timedelta(hours=6)),
        ("action_too_recent", lambda at: row(action_created_at=at), NOW - timedelta(hours=6)),
        ("conversion_too_old", lambda at: adjustment(occurred_at=NOW - (at - NOW)), NOW + timedelta(days=54)),
    ],
)  # fmt: skip
def test_a_limit_is_the_last_moment_that_passes(
    code: str, of: Callable[[datetime], Conversion], last: datetime
) -> None:
    assert conversion_rules.validate(of(last), NOW) is None
    answer = conversion_rules.validate(of(last + SECOND), NOW)
    assert answer is not None
    assert answer.code == code


def test_what_speaks_against_a_click_alone_has_the_next_one_tried() -> None:
    old = clicked(NOW - timedelta(days=91), occurred_at=NOW - timedelta(days=30), has_other_clicks=True)
    answer = conversion_rules.validate(old, NOW)
    assert answer is not None
    assert (answer.upload_id, answer.verdict, answer.code) == (5, Verdict.DROP_CLICK, "click_too_old")
    assert answer.sentence == reasons.EXPIRED[reasons.Reason.CLICK_TOO_OLD] + NEXT_CLICK
    young = conversion_rules.validate(clicked(NOW - timedelta(hours=1), occurred_at=NOW, has_other_clicks=True), NOW)
    assert young is not None
    assert young.verdict is Verdict.HOLD, "it will be good"


def test_sentences_say_what_of_the_row_is_wrong() -> None:
    late = conversion_rules.validate(clicked(NOW - timedelta(days=40), click_window_days=30), NOW)
    assert late is not None
    assert late.sentence == reasons.EXPIRED[reasons.OUTSIDE_CLICK_WINDOW].format(days=30)
    long = conversion_rules.validate(row(transaction_id="x" * 65), NOW)
    assert long is not None
    assert long.sentence == reasons.WITHHELD[reasons.TRANSACTION_ID_LENGTH].format(characters=65, limit=64)
    for reason, made, figures in (
        (reasons.ACTION_ID, row(action_id="AW-12"), {"action": "AW-12"}),
        (reasons.VALUE_NEGATIVE, row(value=Decimal(-1)), {"value": Decimal(-1)}),
        (reasons.CURRENCY_UNKNOWN, row(currency="EURO"), {"currency": "EURO"}),
        (
            reasons.TIME_IN_FUTURE,
            row(occurred_at=NOW + timedelta(hours=1)),
            {"at": (NOW + timedelta(hours=1)).isoformat()},
        ),
    ):
        answer = conversion_rules.validate(made, NOW)
        assert answer is not None
        assert answer.sentence == reasons.WITHHELD[reason].format(**figures)
    ready_at = NOW + timedelta(hours=5)
    young = conversion_rules.validate(clicked(NOW - timedelta(hours=1), occurred_at=NOW), NOW)
    assert young is not None
    assert (young.upload_id, young.sentence) == (5, reasons.waits_until(reasons.CLICK_TOO_RECENT, ready_at))


def test_a_click_without_a_time_passes() -> None:
    assert conversion_rules.validate(row(click=Click(kind=ClickKind.GBRAID, id="abcdef")), NOW) is None


@settings(max_examples=50, deadline=None)
@given(
    transaction_id=st.text(max_size=70),
    value=st.none() | st.decimals(allow_nan=True, allow_infinity=True),
    currency=st.none() | st.text(max_size=4),
    click_id=st.none() | st.text(max_size=20),
    email=st.none() | st.text(max_size=70),
    kind=st.sampled_from(list(UploadKind)),
)
def test_says_something_or_nothing_of_any_row_and_never_raises(
    transaction_id: Any, value: Any, currency: Any, click_id: str, email: Any, kind: Any
) -> None:
    click = Click(kind=ClickKind.GCLID, id=click_id) if click_id is not None else None
    made = row(
        transaction_id=transaction_id,
        value=value,
        currency=currency,
        click=click,
        email_sha256=email,
        kind=kind,
        adjusted_at=NOW,
    )
    answer = conversion_rules.validate(made, NOW)
    assert answer is None or (answer.code and answer.sentence)


def test_a_malformed_click_id_is_withheld_unless_something_else_can_go() -> None:
    odd = Click(kind=ClickKind.GCLID, id="not an id!", clicked_at=NOW - timedelta(hours=30))
    alone = conversion_rules.validate(row(click=odd), NOW)
    assert alone is not None
    assert (alone.verdict, alone.code) == (Verdict.WITHHELD, reasons.CLICK_ID_MALFORMED)
    assert alone.sentence == reasons.WITHHELD[reasons.CLICK_ID_MALFORMED].format(kind=ClickKind.GCLID)
    beside = conversion_rules.validate(row(click=odd, email_sha256=HASH), NOW)
    assert beside is not None
    assert (beside.verdict, beside.code) == (Verdict.DROP_CLICK, reasons.CLICK_ID_MALFORMED)
