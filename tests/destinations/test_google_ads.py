"""Requests as raw protobuf, and answers decoded from the messages that Google sends."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from google.ads.googleads.v26.errors.types import errors as messages
from google.ads.googleads.v26.services.types import conversion_upload_service as service
from google.api_core.exceptions import DeadlineExceeded

from custom_events.destinations.google_ads import answers, requests
from custom_events.destinations.google_ads.lane import GoogleAdsLane
from custom_events.errors import NeedsAction, Transient
from custom_events.values.clicks import Click, ClickKind, ConsentStatus
from custom_events.values.conversions import (
    AdsAccount,
    BatchAnswer,
    Cart,
    CartItem,
    Conversion,
    Lane,
    RequestKind,
    Scope,
    UploadKind,
    Verdict,
)

NOW = datetime(2026, 10, 20, 12, 0, tzinfo=UTC)
ACCOUNT = AdsAccount(id=1, customer_id="1234567890", lane=Lane.GOOGLE_ADS)
HASH = "b" * 64


def row(upload_id: int = 1, **changes: Any) -> Conversion:
    values = {
        "upload_id": upload_id,
        "kind": UploadKind.CONVERSION,
        "action_id": "7001",
        "transaction_id": f"order-{upload_id}",
        "occurred_at": datetime(2026, 10, 20, 14, 30, 5, 999, tzinfo=timezone(timedelta(hours=2))),
        "value": Decimal("19.99"),
        "currency": "EUR",
        "click": Click(kind=ClickKind.GCLID, id="abc"),
    }
    return Conversion(**(values | changes))


def test_a_conversion_field_by_field() -> None:
    made = requests.conversions_request(
        ACCOUNT,
        [row(email_sha256=HASH, phone_sha256=HASH, ad_user_data=ConsentStatus.GRANTED, new_customer=True)],
        77,
    )
    assert (made.customer_id, made.partial_failure, made.validate_only, made.job_id) == ("1234567890", True, False, 77)
    sent = made.conversions[0]
    assert sent.conversion_action == "customers/1234567890/conversionActions/7001"
    assert sent.conversion_date_time == "2026-10-20 12:30:05+00:00"
    assert (sent.order_id, sent.conversion_value, sent.currency_code, sent.gclid) == ("order-1", 19.99, "EUR", "abc")
    assert (sent.consent.ad_user_data, sent.consent.ad_personalization) == (2, 0)
    assert (sent.customer_type, sent.conversion_environment) == (2, 3)
    (of_app,) = requests.conversions_request(ACCOUNT, [row(from_app=True)], 77).conversions
    assert of_app.conversion_environment == 2
    assert [(u.hashed_email, u.hashed_phone_number) for u in sent.user_identifiers] == [(HASH, ""), ("", HASH)]


CART = Cart(
    merchant_id="55", country="DE", language="de", discount=Decimal("2.50"),
    items=(CartItem(id="a", quantity=2, unit_price=Decimal("9.99")), CartItem(id="b", quantity=1)),
)  # fmt: skip


def test_a_cart_line_by_line() -> None:
    cart = requests.conversions_request(ACCOUNT, [row(cart=CART)], 1).conversions[0].cart_data
    assert (cart.merchant_id, cart.feed_country_code, cart.feed_language_code) == (55, "DE", "de")
    assert cart.local_transaction_cost == 2.5
    assert [(item.product_id, item.quantity, item.unit_price) for item in cart.items] == [("a", 2, 9.99), ("b", 1, 0)]
    bare = requests.conversions_request(ACCOUNT, [row(cart=Cart(merchant_id="55"))], 1).conversions[0].cart_data
    assert [field.name for field, _ in bare.ListFields()] == ["merchant_id"]


@pytest.mark.parametrize("make", [requests.conversions_request, requests.adjustments_request])
@pytest.mark.parametrize("validate_only", [False, True])
def test_one_row_that_is_refused_leaves_the_others(make: Any, validate_only: bool) -> None:
    kind = UploadKind.CONVERSION if make is requests.conversions_request else UploadKind.RETRACTION
    made = make(ACCOUNT, [row(kind=kind)], 77, validate_only=validate_only)
    assert (made.customer_id, made.partial_failure, made.job_id) == ("1234567890", True, 77)
    assert made.validate_only is validate_only


def test_what_is_not_known_is_not_set() -> None:
    sent = requests.conversions_request(ACCOUNT, [row(value=None, currency=None, click=None)], 1).conversions[0]
    names = {field.name for field, _ in sent.ListFields()}
    assert names == {"conversion_action", "conversion_date_time", "order_id", "conversion_environment"}
    returning = requests.conversions_request(ACCOUNT, [row(new_customer=False)], 1).conversions[0]
    assert returning.customer_type == 3


def test_hashes_stay_here_when_denied_or_beside_a_braid() -> None:
    braid = row(click=Click(kind=ClickKind.GBRAID, id="abc"), email_sha256=HASH)
    denied = row(2, email_sha256=HASH, ad_user_data=ConsentStatus.DENIED)
    first, second = requests.conversions_request(ACCOUNT, [braid, denied], 1).conversions
    assert (first.gbraid, list(first.user_identifiers)) == ("abc", [])
    assert (list(second.user_identifiers), second.consent.ad_user_data) == ([], 3)


def test_adjustments_name_their_conversion_by_order_id() -> None:
    rows = [
        row(kind=UploadKind.RESTATEMENT, adjusted_at=NOW),
        row(2, kind=UploadKind.RETRACTION, adjusted_at=NOW, value=Decimal(0)),
        row(3, kind=UploadKind.RESTATEMENT, adjusted_at=NOW, currency=None),
    ]
    restated, retracted, bare = requests.adjustments_request(ACCOUNT, rows, 5).conversion_adjustments
    assert (restated.order_id, restated.adjustment_type, restated.adjustment_date_time) == (
        "order-1",
        3,
        "2026-10-20 12:00:00+00:00",
    )
    assert (restated.restatement_value.adjusted_value, restated.restatement_value.currency_code) == (19.99, "EUR")
    assert (retracted.adjustment_type, retracted.HasField("restatement_value")) == (2, False)
    assert not bare.restatement_value.HasField("currency_code")


def failure(*faults: tuple[Any, ...]) -> Any:
    """A GoogleAdsFailure of (family, name, index or None, field name of the row)."""
    made = messages.GoogleAdsFailure.pb()()
    for family, name, index, where in faults:
        error = made.errors.add()
        field = error.error_code.DESCRIPTOR.fields_by_name[family]
        setattr(error.error_code, family, field.enum_type.values_by_name[name].number)
        if where is not None:
            path = error.location.field_path_elements.add(field_name=where)
            if index is not None:
                path.index = index
    return made


def response(rows: int, *faults: tuple[Any, ...], failed: set[int] = ()) -> Any:
    made = service.UploadClickConversionsResponse.pb()(job_id=9)
    for index in range(rows):
        made.results.add(**({} if index in failed else {"gclid": "abc"}))
    if faults:
        made.partial_failure_error.code = 3
        made.partial_failure_error.details.add().Pack(failure(*faults))
    return made


def read(made: Any, rows: int) -> BatchAnswer:
    answer = answers.read_answer(made, [row(number) for number in range(rows)], NOW, "r-1")
    assert [one.upload_id for one in answer.rows] == list(range(rows))
    assert (answer.request_id, answer.job_id) == ("r-1", 9)
    return answer


def test_all_accepted() -> None:
    answer = read(response(2), 2)
    assert [one.verdict for one in answer.rows] == [Verdict.ACCEPTED] * 2
    assert (answer.request_id, answer.job_id, answer.verdict) == ("r-1", 9, None)


@pytest.mark.parametrize("index", [0, 2, 4])
def test_an_error_belongs_to_the_row_it_names(index: int) -> None:
    fault = ("conversion_upload_error", "UNPARSEABLE_GCLID", index or None, "conversions")  # index 0 may be left out
    answer = read(response(5, fault, failed={index}), 5)
    assert [one.verdict is Verdict.REJECTED for one in answer.rows] == [number == index for number in range(5)]
    assert answer.rows[index].code == "ConversionUploadError.UNPARSEABLE_GCLID"


def test_errors_in_another_order_than_the_rows() -> None:
    faults = [
        ("conversion_upload_error", "EXPIRED_EVENT", 2, "conversions"),
        ("field_error", "REQUIRED", 0, "conversions"),
    ]
    answer = read(response(3, *faults, failed={0, 2}), 3)
    assert [one.code for one in answer.rows] == ["FieldError.REQUIRED", None, "ConversionUploadError.EXPIRED_EVENT"]


def test_a_duplicate_is_delivered_only_as_the_sole_error() -> None:
    both = [
        ("conversion_upload_error", "ORDER_ID_ALREADY_IN_USE", 0, "conversions"),
        ("conversion_upload_error", "EXPIRED_EVENT", 0, "conversions"),
    ]
    assert read(response(1, *both, failed={0}), 1).rows[0].verdict is Verdict.EXPIRED
    assert read(response(1, both[0], failed={0}), 1).rows[0].verdict is Verdict.ALREADY_THERE


def test_an_error_without_a_row_is_that_of_the_rows_without_a_result() -> None:
    answer = read(response(3, ("internal_error", "TRANSIENT_ERROR", None, None), failed={1}), 3)
    assert [one.verdict for one in answer.rows] == [Verdict.ACCEPTED, Verdict.RETRY, Verdict.ACCEPTED]


def test_a_row_without_result_and_error_is_unknown() -> None:
    answer = read(response(3, ("field_error", "REQUIRED", 0, "conversions"), failed={0, 2}), 3)
    assert [one.verdict for one in answer.rows] == [Verdict.REJECTED, Verdict.ACCEPTED, Verdict.UNKNOWN]
    beyond = read(response(1, ("field_error", "REQUIRED", 7, "conversions"), failed={0}), 1)
    assert beyond.rows[0].verdict is Verdict.REJECTED


def test_an_error_code_that_nobody_knows() -> None:
    made = messages.GoogleAdsFailure.pb()()
    made.errors.add(message="?")
    fault = answers.fault_of(made.errors[0])
    assert fault.code == "ErrorCode.UNKNOWN"
    made.errors.add().error_code.conversion_upload_error = 9_999
    assert answers.fault_of(made.errors[1]).code == "ConversionUploadError.UNKNOWN_9999"


def test_a_call_that_did_not_end_is_unknown_for_every_row() -> None:
    answer = answers.read_failure(DeadlineExceeded("?"), [row(4), row(7)], NOW)
    assert [(one.upload_id, one.verdict) for one in answer.rows] == [(4, Verdict.UNKNOWN), (7, Verdict.UNKNOWN)]
    assert (answer.verdict, answer.code) == (Verdict.UNKNOWN, "grpc.DEADLINE_EXCEEDED")


class Raised(Exception):
    """As GoogleAdsException: the failure on the exception."""

    def __init__(self, found: Any) -> None:
        super().__init__("x" * 10)
        self.failure = found
        self.request_id = "r-2"


def test_an_error_whose_calls_tell_nothing_has_no_reason_of_google_s() -> None:
    error = DeadlineExceeded("?", errors=[object()])
    assert answers.failure_of(error) == answers.failure_of(ValueError("?")) == ([], None)


def test_a_refused_request_answers_for_every_row() -> None:
    error = Raised(failure(("not_allowlisted_error", "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE", None, None)))
    answer = answers.read_failure(error, [row(1), row(2)], NOW)
    assert (answer.verdict, answer.scope, answer.request_id) == (Verdict.FIX, Scope.ACCOUNT, "r-2")
    assert "data_manager" in answer.sentence
    assert [one.verdict for one in answer.rows] == [Verdict.FIX] * 2


@pytest.mark.parametrize("rows", [1, 40])
@pytest.mark.parametrize(
    "fault",
    [
        ("conversion_upload_error", "UNKNOWN", None, None),
        ("field_error", "UNSPECIFIED", None, None),
        ("field_error", "REQUIRED", None, "customer_id"),
        ("feed_item_error", "UNKNOWN", None, None),  # a family without a table
    ],
    ids=lambda fault: ".".join(str(part) for part in fault),
)
def test_a_refusal_that_nobody_understands_holds_every_row_and_rejects_none(fault: tuple[Any, ...], rows: int) -> None:
    answer = answers.read_failure(Raised(failure(fault)), [row(number) for number in range(rows)], NOW)
    assert (answer.verdict, answer.scope) == (Verdict.HOLD, Scope.ACCOUNT)
    assert {(one.verdict, one.code) for one in answer.rows} == {(Verdict.HOLD, answer.code)}
    assert answer.code in answer.sentence


def test_a_refused_request_that_names_a_row_spares_the_others() -> None:
    error = Raised(failure(("field_error", "INVALID_VALUE", 1, "conversions")))
    answer = answers.read_failure(error, [row(1), row(2)], NOW)
    assert [one.verdict for one in answer.rows] == [Verdict.RETRY, Verdict.REJECTED]
    assert answer.request_id == "r-2"
    assert answer.rows[0].code == "another_row_refused"
    assert answer.verdict is None


def test_who_may_not_adjust_may_still_send_conversions() -> None:
    error = Raised(failure(("not_allowlisted_error", "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE", None, None)))
    adjusts = row(1, kind=UploadKind.RETRACTION, adjusted_at=NOW)
    assert answers.read_failure(error, [adjusts], NOW).scope is Scope.ADJUSTMENTS


def test_the_failure_of_a_quota_error_stands_in_the_trailer() -> None:
    from google.api_core.exceptions import ResourceExhausted

    found = failure(("quota_error", "RESOURCE_TEMPORARILY_EXHAUSTED", None, None))
    found.errors[0].details.quota_error_details.retry_delay.seconds = 12
    found.errors[0].details.quota_error_details.retry_delay.nanos = 500_000_000

    class Call:
        def trailing_metadata(self) -> Any:
            return (
                ("request-id", "r-3"),
                ("google.ads.googleads.v26.errors.googleadsfailure-bin", found.SerializeToString()),
            )

    error = ResourceExhausted("quota", errors=[Call()])
    assert [fault.delay_s for fault in answers.failure_of(error)[0]] == [12.5]
    answer = answers.read_failure(error, [row()], NOW)
    assert (answer.code, answer.retry_after_s, answer.request_id) == (
        "QuotaError.RESOURCE_TEMPORARILY_EXHAUSTED",
        13,
        "r-3",
    )
    assert answer.rows[0].retry_at == NOW + timedelta(seconds=13)


def test_an_internal_error_of_a_request_is_no_answer() -> None:
    answer = answers.read_failure(Raised(failure(("internal_error", "INTERNAL_ERROR", None, None))), [row()], NOW)
    assert answer.verdict is Verdict.UNKNOWN


def test_a_defect_is_not_taken_for_an_answer() -> None:
    class Broken:
        def upload_click_conversions(self, **_: Any) -> None:
            raise KeyError("a defect")

        conversions = property(lambda self: self)

    lane = GoogleAdsLane(lambda _account: Broken())
    with pytest.raises(KeyError):
        lane.send(ACCOUNT, [row()], kind=RequestKind.CONVERSIONS, job_id=1, timeout_s=1, now=NOW)


def test_there_is_no_later_verdict_here_and_a_row_that_waits_for_one_is_sent_again() -> None:
    answer = GoogleAdsLane(lambda _account: None).poll(ACCOUNT, "r", [row(1)], timeout_s=1, now=NOW)
    assert (answer.verdict, answer.rows[0].verdict) == (None, Verdict.UNKNOWN)


def test_a_refusal_of_the_request_says_what_it_is_about() -> None:
    def whole(*fault: Any, rows: tuple[Conversion, ...] = (row(1), row(2))) -> BatchAnswer:
        return answers.read_failure(Raised(failure(fault)), rows, NOW)

    nameless = whole("field_error", "REQUIRED", None, None)
    assert "which is about a row and names none" in nameless.sentence
    assert nameless.rows[0].sentence == nameless.sentence
    beyond = whole("field_error", "REQUIRED", 2, "conversions")
    assert (beyond.verdict, beyond.code) == (Verdict.HOLD, "FieldError.REQUIRED")
    adjusts = (row(1, kind=UploadKind.RETRACTION, adjusted_at=NOW),)
    assert whole("authorization_error", "SERVICE_ACCESS_DENIED", None, None, rows=adjusts).scope is Scope.ADJUSTMENTS
    assert whole("authorization_error", "SERVICE_ACCESS_DENIED", None, None).scope is Scope.ACCOUNT
    assert whole("authorization_error", "USER_PERMISSION_DENIED", None, None, rows=adjusts).scope is Scope.ACCOUNT


def test_a_reading_that_failed_says_who_has_to_act_or_how_long_to_wait() -> None:
    forbidden = answers.read_failure(
        Raised(failure(("authorization_error", "USER_PERMISSION_DENIED", None, None))), [], NOW
    )
    to_mend = answers.not_read(forbidden)
    assert isinstance(to_mend, NeedsAction)
    assert to_mend.who == "ads account owner"
    assert "AuthorizationError.USER_PERMISSION_DENIED" in str(to_mend)
    for pause_s, wait_s in ((12, 12.0), (None, 0.0)):
        busy = BatchAnswer(rows=(), verdict=Verdict.RETRY, code="c", sentence="s", retry_after_s=pause_s)
        later = answers.not_read(busy)
        assert isinstance(later, Transient)
        assert later.retry_after_s == wait_s


def test_a_failure_in_google_s_own_class_is_read_as_the_bare_one() -> None:
    bare = failure(("field_error", "REQUIRED", 1, "conversions"))
    wrapped = messages.GoogleAdsFailure.wrap(bare)
    assert answers.failure_of(Raised(wrapped)) == answers.failure_of(Raised(bare)) != ([], "r-2")


def test_a_row_that_is_too_early_waits_from_the_answer_on() -> None:
    early = ("conversion_upload_error", "TOO_RECENT_CONVERSION_ACTION", 0, "conversions")
    some = read(response(1, early, failed={0}), 1)
    whole = answers.read_failure(Raised(failure(early)), [row()], NOW)
    assert some.rows[0].retry_at == whole.rows[0].retry_at == NOW + timedelta(hours=6)


def test_requests_are_meant_unless_they_only_ask() -> None:
    adjusts = [row(kind=UploadKind.RETRACTION, adjusted_at=NOW)]
    assert not requests.adjustments_request(ACCOUNT, adjusts, 5).validate_only
    assert requests.adjustments_request(ACCOUNT, adjusts, 5, validate_only=True).validate_only
