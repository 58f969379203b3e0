"""Events as raw protobuf, refusals over gRPC and REST, and verdicts in counts."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import google.ads.datamanager_v1 as dm
import pytest
from google.api_core import exceptions as api
from google.api_core.exceptions import ResourceExhausted, TooManyRequests
from google.rpc import error_details_pb2

from custom_events.destinations.google_data_manager import answers, codes, requests, verdicts
from custom_events.destinations.google_data_manager.lane import DataManagerLane
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
ACCOUNT = AdsAccount(id=1, customer_id="1234567890", lane=Lane.DATA_MANAGER, login_customer_id="9999999999")
HASH = "b" * 64


def row(upload_id: int = 1, **changes: Any) -> Conversion:
    values = {
        "upload_id": upload_id,
        "kind": UploadKind.CONVERSION,
        "action_id": "8001",
        "transaction_id": f"order-{upload_id}",
        "occurred_at": NOW,
        "value": Decimal("19.99"),
        "currency": "EUR",
        "click": Click(kind=ClickKind.GCLID, id="abc"),
    }
    return Conversion(**(values | changes))


def test_an_event_field_by_field() -> None:
    made = requests.events_request(
        ACCOUNT,
        [
            row(
                email_sha256=HASH,
                phone_sha256=HASH,
                ad_user_data=ConsentStatus.GRANTED,
                ad_personalization=ConsentStatus.DENIED,
                new_customer=True,
            )
        ],
    )
    (destination,) = made.destinations
    assert (destination.reference, destination.product_destination_id) == ("8001", "8001")
    assert destination.operating_account.account_id == "1234567890"
    assert destination.login_account.account_id == "9999999999"
    (event,) = made.events
    assert (event.transaction_id, list(event.destination_references), event.event_source) == ("order-1", ["8001"], 1)
    assert event.event_timestamp.ToDatetime(UTC) == NOW
    assert (event.conversion_value, event.currency, event.ad_identifiers.gclid) == (19.99, "EUR", "abc")
    assert (event.consent.ad_user_data, event.consent.ad_personalization) == (1, 2)
    assert [(u.email_address, u.phone_number) for u in event.user_data.user_identifiers] == [(HASH, ""), ("", HASH)]
    assert event.user_properties.customer_type == 1


CART = Cart(
    merchant_id="55", country="DE", language="de", discount=Decimal("2.50"),
    items=(CartItem(id="a", quantity=2, unit_price=Decimal("9.99")), CartItem(id="b", quantity=1)),
)  # fmt: skip


def test_a_cart_line_by_line() -> None:
    cart = requests.events_request(ACCOUNT, [row(cart=CART)]).events[0].cart_data
    assert (cart.merchant_id, cart.merchant_feed_label, cart.merchant_feed_language_code) == ("55", "DE", "de")
    assert cart.transaction_discount == 2.5
    lines = [(item.merchant_product_id, item.quantity, item.unit_price) for item in cart.items]
    assert lines == [("a", 2, 9.99), ("b", 1, 0)]
    bare = requests.events_request(ACCOUNT, [row(cart=Cart(merchant_id="55"))]).events[0].cart_data
    assert requests.events_request(ACCOUNT, [row()]).encoding == requests.ENCODING_HEX
    assert [field.name for field, _ in bare.ListFields()] == ["merchant_id"]
    restated = row(cart=CART, kind=UploadKind.RESTATEMENT, adjusted_at=NOW, from_app=True)
    (event,) = requests.events_request(ACCOUNT, [restated]).events
    assert (event.HasField("cart_data"), event.event_source) == (False, 2)


def test_what_is_not_known_is_not_set() -> None:
    account = AdsAccount(id=1, customer_id="1234567890", lane=Lane.DATA_MANAGER)
    bare = row(
        value=None, currency=None, click=None, new_customer=False, email_sha256=HASH, ad_user_data=ConsentStatus.DENIED
    )
    made = requests.events_request(account, [bare])
    assert not made.destinations[0].HasField("login_account")
    event = made.events[0]
    assert (event.HasField("conversion_value"), event.HasField("user_data"), event.currency) == (False, False, "")
    assert event.user_properties.customer_type == 2


def test_a_retraction_is_the_value_zero() -> None:
    rows = [
        row(kind=UploadKind.RETRACTION, adjusted_at=NOW),
        row(kind=UploadKind.RESTATEMENT, adjusted_at=NOW, value=Decimal(7)),
    ]
    gone, less = requests.events_request(ACCOUNT, rows).events
    assert (gone.HasField("conversion_value"), gone.conversion_value, less.conversion_value) == (True, 0.0, 7.0)
    assert less.last_updated_timestamp.ToDatetime(UTC) == NOW


def refused(
    *violations: tuple[str, ...],
    reason: str = "INVALID_ARGUMENT",
    kind: type[ResourceExhausted] | type[TooManyRequests] = api.InvalidArgument,
    delay_s: int | None = None,
    rest: bool = False,
) -> Any:
    """An exception as the real client raises it: messages over gRPC, dicts over REST."""
    bad = error_details_pb2.BadRequest()
    for field, why in violations:
        bad.field_violations.add(field=field, reason=why, description="...")
    info = error_details_pb2.ErrorInfo(reason=reason)
    details = [info, bad, error_details_pb2.RequestInfo(request_id="r-9")]
    if delay_s is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromSeconds(delay_s)
        details.append(retry)
    if rest:
        from google.protobuf.json_format import MessageToDict

        details = [{"@type": "x"} | MessageToDict(detail) for detail in details]
    return kind("refused", details=details)


@pytest.mark.parametrize("rest", [False, True])
@pytest.mark.parametrize("index", [0, 2])
def test_a_named_row_gets_its_reason_and_the_others_go_again(rest: bool, index: int) -> None:
    error = refused((f"events.events[{index}].currency", "INVALID_CURRENCY_CODE"), rest=rest)
    answer = answers.read_failure(error, [row(number) for number in range(3)], NOW)
    assert answer.rows[index].verdict is Verdict.REJECTED
    assert answer.rows[index].code == "ErrorReason.INVALID_CURRENCY_CODE"
    others = [one for number, one in enumerate(answer.rows) if number != index]
    assert [(one.verdict, one.retry_at) for one in others] == [(Verdict.RETRY, NOW)] * 2
    assert (answer.verdict, answer.request_id) == (None, "r-9")


def test_a_named_destination_stands_for_its_rows() -> None:
    error = refused(("destinations[1].product_destination_id", "INVALID_CONVERSION_ACTION_TYPE"))
    answer = answers.read_failure(error, [row(1), row(2, action_id="8002"), row(3)], NOW)
    assert [one.verdict for one in answer.rows] == [Verdict.RETRY, Verdict.FIX, Verdict.RETRY]
    assert answer.rows[1].scope is Scope.ACTION


def test_a_destination_of_the_wrong_account_concerns_all() -> None:
    error = refused(("destinations[0].operating_account", "INVALID_DESTINATION"), reason="INVALID_DESTINATION")
    answer = answers.read_failure(error, [row(1), row(2)], NOW)
    assert (answer.verdict, answer.scope) == (Verdict.FIX, Scope.ACCOUNT)


def test_a_reason_without_a_row_is_looked_for() -> None:
    answer = answers.read_failure(refused(reason="INVALID_CURRENCY_CODE"), [row(1), row(2)], NOW)
    assert (answer.verdict, answer.code) == (Verdict.SPLIT, "ErrorReason.INVALID_CURRENCY_CODE")
    alone = answers.read_failure(refused(reason="INVALID_CURRENCY_CODE"), [row(1)], NOW)
    assert alone.rows[0].verdict is Verdict.REJECTED
    beyond = answers.read_failure(refused(("events.events[9].x", "INVALID_EVENT")), [row(1), row(2)], NOW)
    assert beyond.verdict is Verdict.SPLIT
    strange = answers.read_failure(refused(("destinations[9].x", "INVALID_EVENT")), [row(1), row(2)], NOW)
    assert strange.verdict is Verdict.SPLIT


@pytest.mark.parametrize("rest", [False, True])
@pytest.mark.parametrize("rows", [1, 40])
@pytest.mark.parametrize(
    ("violations", "reason", "code"),
    [
        ((), "SOMETHING_NEW", "ErrorReason.SOMETHING_NEW"),
        ((), "INVALID_ARGUMENT", "ErrorReason.INVALID_ARGUMENT"),
        ((), "ERROR_REASON_UNSPECIFIED", "ErrorReason.ERROR_REASON_UNSPECIFIED"),
        ((("", "SOMETHING_NEW"),), "INVALID_ARGUMENT", "ErrorReason.SOMETHING_NEW"),
        ((("encoding", "INVALID_FORMAT"),), "INVALID_ARGUMENT", "ErrorReason.INVALID_FORMAT"),
    ],
)
def test_a_refusal_that_nobody_understands_holds_every_row_and_rejects_none(
    violations: tuple[Any, ...], reason: str, code: str, rows: int, rest: bool
) -> None:
    error = refused(*violations, reason=reason, rest=rest)
    answer = answers.read_failure(error, [row(number) for number in range(rows)], NOW)
    assert (answer.verdict, answer.code, answer.scope) == (Verdict.HOLD, code, Scope.ACCOUNT)
    assert {(one.verdict, one.code, one.retry_at) for one in answer.rows} == {(Verdict.HOLD, code, None)}
    assert code in answer.sentence


def test_a_bad_request_without_any_reason_holds_every_row() -> None:
    answer = answers.read_failure(api.InvalidArgument("?"), [row(1), row(2)], NOW)
    assert (answer.verdict, answer.code) == (Verdict.HOLD, "grpc.INVALID_ARGUMENT")


def test_a_new_reason_of_one_row_holds_it_and_the_others_go_again() -> None:
    error = refused(("events.events[1].x", "SOMETHING_NEW"))
    answer = answers.read_failure(error, [row(1), row(2)], NOW)
    assert [one.verdict for one in answer.rows] == [Verdict.RETRY, Verdict.FIX]
    assert answer.rows[1].code == "ErrorReason.SOMETHING_NEW"


@pytest.mark.parametrize("rest", [False, True])
def test_terms_for_hashes_concern_only_rows_with_hashes(rest: bool) -> None:
    reason = "DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED"
    rows = [row(1), row(2, email_sha256=HASH), row(3, email_sha256=HASH, ad_user_data=ConsentStatus.DENIED)]
    for error in (
        refused(reason=reason, rest=rest),
        refused(("destinations[0]", reason), rest=rest),
        refused(("events.events[1].user_data", reason), rest=rest),
    ):
        answer = answers.read_failure(error, rows, NOW)
        assert [one.verdict for one in answer.rows] == [Verdict.RETRY, Verdict.FIX, Verdict.RETRY]
        assert answer.rows[1].scope is Scope.USER_DATA
    nobody = answers.read_failure(refused(reason=reason, rest=rest), rows[:1], NOW)
    assert (nobody.verdict, nobody.scope) == (Verdict.FIX, Scope.ACCOUNT)


def test_what_google_remarks_on_is_kept_with_its_row() -> None:
    response = dm.IngestEventsResponse(request_id="r-1")
    for field, reason in (
        ("events.events[1].cart_data", 3),
        ("events.events[1].x", 6),
        ("events.events[0].x", 99),
        ("encoding", 6),
        ("events.events[9].x", 6),
    ):
        response.field_warnings.append(dm.FieldWarning(field=field, reason=reason, description="so and so"))
    found = answers.accepted([row(1), row(2), row(3)], "r-1", answers.warnings_of(response))
    assert [(one.verdict, one.code) for one in found.rows] == [
        (Verdict.PENDING, "WarningReason.UNKNOWN_99"),
        (Verdict.PENDING, "WarningReason.CART_DATA_NOT_SUPPORTED_WITH_GBRAID_OR_WBRAID"),
        (Verdict.PENDING, None),
    ]
    assert "so and so" in found.rows[1].sentence


def test_a_quota_in_google_s_general_words_is_no_message_too_large() -> None:
    error = refused(reason="RATE_LIMIT_EXCEEDED", kind=api.ResourceExhausted)
    answer = answers.read_failure(error, [row(1), row(2)], NOW)
    assert (answer.verdict, answer.scope, answer.code) == (Verdict.RETRY, Scope.PROJECT, "grpc.RESOURCE_EXHAUSTED")
    assert answers.read_failure(api.ResourceExhausted("?"), [row(1), row(2)], NOW).verdict is Verdict.SPLIT


def test_a_quota_names_its_delay() -> None:
    error = refused(reason="RESOURCE_EXHAUSTED", kind=api.TooManyRequests, delay_s=17, rest=True)
    answer = answers.read_failure(error, [row()], NOW)
    assert (answer.verdict, answer.scope, answer.retry_after_s) == (Verdict.RETRY, Scope.PROJECT, 17)


def test_a_violation_without_words_is_a_bad_request_of_nobody() -> None:
    error = api.InvalidArgument("refused", details=[{"fieldViolations": [{}]}])
    assert answers.refusal_of(error).violations == (answers.Violation("INVALID_ARGUMENT"),)


def test_every_answer_names_its_rows_and_its_request() -> None:
    rows = [row(4), row(7)]
    unknown = verdicts.read_poll_failure(refused(reason="INVALID_REQUEST_ID"), rows, "r-9")
    later = verdicts.read_poll_failure(refused(reason="RESOURCE_EXHAUSTED"), rows, "r-9")
    found = [
        answers.accepted(rows, "r-9"),
        answers.read_failure(refused(("events.events[1].currency", "INVALID_CURRENCY_CODE")), rows, NOW),
        answers.read_failure(refused(reason="INVALID_CURRENCY_CODE"), rows, NOW),
        verdicts.read_status(dm.RetrieveRequestStatusResponse(), rows, NOW, "r-9"),
        verdicts.read_status(status(("8001", verdicts.SUCCESS, ())), rows, NOW, "r-9"),
        unknown,
        later,
    ]
    for answer in found:
        assert [one.upload_id for one in answer.rows] == [4, 7]
        assert answer.request_id == "r-9"
    assert {one.verdict for one in unknown.rows} == {Verdict.UNKNOWN}
    assert (later.verdict, later.code) == (Verdict.PENDING, "ErrorReason.RESOURCE_EXHAUSTED")
    assert later.sentence == codes.RULES["ErrorReason.RESOURCE_EXHAUSTED"].sentence
    left_out = answers.next_request(row(4), NOW)
    assert (left_out.upload_id, left_out.verdict, left_out.code) == (4, Verdict.RETRY, "next_request")


def status(*parts: tuple[Any, ...]) -> Any:
    made = dm.RetrieveRequestStatusResponse()
    for action, state, counts in parts:
        part = dm.RequestStatusPerDestination(request_status=state)
        part.destination.product_destination_id = action
        part.error_info.error_counts = [
            dm.ErrorCount(record_count=number, reason=f"PROCESSING_ERROR_REASON_{reason}") for reason, number in counts
        ]
        made.request_status_per_destination.append(part)
    return made


def verdict_of(rows: list[Conversion], *parts: tuple[Any, ...]) -> BatchAnswer:
    return verdicts.read_status(status(*parts), rows, NOW, "r-1")


def test_verdicts_by_action() -> None:
    rows = [row(1), row(2, action_id="8002"), row(3, action_id="8003"), row(4, action_id="8003")]
    answer = verdict_of(
        rows,
        ("8001", "SUCCESS", []),
        ("8002", "FAILED", [("TOO_RECENT_CLICK", 1)]),
        ("8003", "PARTIAL_SUCCESS", [("INVALID_GCLID", 1)]),
    )
    assert [one.verdict for one in answer.rows] == [Verdict.ACCEPTED, Verdict.HOLD, Verdict.SPLIT, Verdict.SPLIT]
    assert answer.rows[1].retry_at == NOW + timedelta(hours=6)
    assert {one.action_id: (one.counts.successful, one.counts.failed, one.reasons) for one in answer.counts} == {
        "8001": (1, 0, {}),
        "8002": (0, 1, {"ProcessingErrorReason.TOO_RECENT_CLICK": 1}),
        "8003": (1, 1, {"ProcessingErrorReason.INVALID_GCLID": 1}),
    }


def test_counts_of_a_whole_request_are_certain_of_no_row_when_some_of_it_were_settled_otherwise() -> None:
    """Another worker took four of the eight rows since: whether its four that match nobody are these, nobody knows."""
    made = status(("8001", "PARTIAL_SUCCESS", [("CLICK_NOT_FOUND", 4)]))
    made.request_status_per_destination[0].events_ingestion_status.record_count = 8
    rows = [row(number) for number in range(4)]
    answer = verdicts.read_status(made, rows, NOW, "r")
    assert {(one.verdict, one.code) for one in answer.rows} == {(Verdict.ACCEPTED, None)}
    assert "4 of the request's 8 rows" in answer.rows[0].sentence
    certain = verdicts.read_status(status(("8001", "FAILED", [("CLICK_NOT_FOUND", 4)])), rows, NOW, "r")
    assert {one.code for one in certain.rows} == {"ProcessingErrorReason.CLICK_NOT_FOUND"}


def test_a_failure_without_reasons_counts_every_event() -> None:
    (told,) = verdict_of([row(1), row(2)], ("8001", "FAILED", [])).counts
    assert (told.counts.successful, told.counts.failed) == (0, 2)


@pytest.mark.parametrize(
    ("state", "counts", "verdict"),
    [
        ("PROCESSING", [], Verdict.PENDING),
        ("REQUEST_STATUS_UNKNOWN", [], Verdict.PENDING),
        ("PARTIAL_SUCCESS", [("DUPLICATE_TRANSACTION_ID", 1)], Verdict.ALREADY_THERE),
        ("FAILED", [("INVALID_GCLID", 1)], Verdict.REJECTED),
        ("FAILED", [("INVALID_GCLID", 1), ("EVENT_TOO_OLD", 1)], Verdict.REJECTED),
        ("FAILED", [], Verdict.FIX),
        ("PARTIAL_SUCCESS", [("INTERNAL_ERROR", 1)], Verdict.RETRY),
    ],
)
def test_a_single_row_gets_a_verdict_of_its_own(state: str, counts: list[Any], verdict: Verdict) -> None:
    assert verdict_of([row()], ("8001", state, counts)).rows[0].verdict is verdict


def test_an_answer_that_says_nothing() -> None:
    assert verdict_of([row()]).verdict is Verdict.PENDING
    assert verdict_of([row()], ("8002", "SUCCESS", [])).rows[0].verdict is Verdict.FIX
    assert {one.verdict for one in verdict_of([row(), row(2)], ("8001", "FAILED", [])).rows} == {Verdict.FIX}
    assert verdict_of([row(), row(2)], ("8002", "SUCCESS", [])).rows[0].verdict is Verdict.SPLIT
    raw = dm.RetrieveRequestStatusResponse.pb(status(("8001", "SUCCESS", [])))
    assert verdicts.read_status(raw, [row()], NOW, "r").rows[0].verdict is Verdict.ACCEPTED


def test_a_reason_that_the_client_does_not_know_keeps_its_number_or_its_word() -> None:
    rows = [row(1), row(2)]
    numbered = status(("8001", "FAILED", []))
    part = dm.RetrieveRequestStatusResponse.pb(numbered).request_status_per_destination[0]
    part.error_info.error_counts.add(record_count=2, reason=99)
    answer = verdicts.read_status(numbered, rows, NOW, "r")
    assert {(one.verdict, one.code) for one in answer.rows} == {(Verdict.FIX, "ProcessingErrorReason.UNKNOWN_99")}
    part.error_info.error_counts[0].reason = 0
    words = {(0, 0): "PROCESSING_ERROR_REASON_BRAND_NEW"}
    answer = verdicts.read_status(numbered, rows, NOW, "r", lambda: words)
    assert {(one.verdict, one.code) for one in answer.rows} == {(Verdict.FIX, "ProcessingErrorReason.BRAND_NEW")}
    assert answer.counts[0].reasons == {"ProcessingErrorReason.BRAND_NEW": 2}
    unread = verdicts.read_status(numbered, rows, NOW, "r")
    assert {one.code for one in unread.rows} == {"ProcessingErrorReason.UNSPECIFIED"}


def test_a_failed_poll_keeps_the_rows_waiting() -> None:
    for error, code in (
        (api.ServiceUnavailable("away"), "grpc.UNAVAILABLE"),
        (refused(reason="RESOURCE_EXHAUSTED", kind=api.ResourceExhausted), "ErrorReason.RESOURCE_EXHAUSTED"),
    ):
        answer = verdicts.read_poll_failure(error, [row()], "r-1")
        assert (answer.verdict, answer.code) == (Verdict.PENDING, code)
    for reason in ("INVALID_REQUEST_ID", "REQUEST_TOO_OLD"):
        forgotten = verdicts.read_poll_failure(refused(reason=reason), [row()], "r-1")
        assert (forgotten.verdict, forgotten.rows[0].verdict) == (None, Verdict.UNKNOWN)


def test_a_defect_is_not_taken_for_an_answer() -> None:
    class Broken:
        def ingest_events(self, **_: Any) -> None:
            raise KeyError("a defect")

        retrieve_request_status = ingest_events

    lane = DataManagerLane(Broken)
    with pytest.raises(KeyError):
        lane.send(ACCOUNT, [row()], kind=RequestKind.CONVERSIONS, job_id=1, timeout_s=1, now=NOW)
    with pytest.raises(KeyError):
        lane.poll(ACCOUNT, "r", [row()], timeout_s=1, now=NOW)
