"""S9 and S23: faults on demand, and what the real client makes of them."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from sandbox.google_ads.failures import Refused
from sandbox.google_ads.fault_answers import drop_connection, suffer
from sandbox.google_ads.faults import Fault, FaultBox, FaultKind
from sandbox.google_ads.server import SandboxGoogle
from sandbox.google_ads.state import State
from tests.sandbox.google_ads.conftest import Ads, Events

UPLOAD, INGEST = "UploadClickConversions", "IngestEvents"


def test_unavailable_and_then_fine(google: SandboxGoogle, ads: Ads) -> None:
    from google.api_core.exceptions import ServiceUnavailable

    google.state.faults.arm(Fault(kind=FaultKind.UNAVAILABLE, method=UPLOAD, count=1))
    with pytest.raises(ServiceUnavailable):
        ads.upload(ads.row())
    assert google.state.conversions == []
    assert ads.errors(ads.upload(ads.row())) == []
    assert google.state.faults.fired == {"UNAVAILABLE": 1}


def test_internal_with_and_without_the_failure(google: SandboxGoogle, ads: Ads) -> None:
    from google.api_core.exceptions import InternalServerError

    google.state.faults.arm(Fault(kind=FaultKind.INTERNAL, count=1))
    google.state.faults.arm(Fault(kind=FaultKind.INTERNAL_WITHOUT_FAILURE, count=1))
    key = "google.ads.googleads.v26.errors.googleadsfailure-bin"
    trailers = []
    for _ in range(2):
        with pytest.raises(InternalServerError) as caught:
            ads.upload(ads.row())
        trailers.append(dict(caught.value.errors[0].trailing_metadata()))
    assert [key in trailer for trailer in trailers] == [True, False]
    assert all(trailer["request-id"] for trailer in trailers)


def test_a_deadline_on_either_side(google: SandboxGoogle, ads: Ads) -> None:
    from google.api_core.exceptions import DeadlineExceeded

    google.state.faults.arm(Fault(kind=FaultKind.DEADLINE, count=1))
    with pytest.raises(DeadlineExceeded):
        ads.upload(ads.row())
    google.state.faults.arm(Fault(kind=FaultKind.SLOW, seconds=0.4, count=1))
    with pytest.raises(DeadlineExceeded):
        ads.send(ads.request([ads.row()]), timeout=0.1)


def test_a_request_that_waited_over_a_reset_leaves_nothing_behind() -> None:
    state = State()
    with pytest.raises(Refused, match="began anew"):
        suffer(Fault(kind=FaultKind.SLOW), state, lambda _: state.reset(), pytest.fail)
    assert suffer(Fault(kind=FaultKind.SLOW), state, lambda _: None, pytest.fail) is None


def test_a_slow_answer_is_an_answer(google: SandboxGoogle, ads: Ads) -> None:
    google.state.faults.arm(Fault(kind=FaultKind.SLOW, seconds=0.05, count=1))
    before = time.monotonic()
    assert ads.errors(ads.upload(ads.row())) == []
    assert time.monotonic() - before >= 0.05


def test_apply_then_drop_leaves_one_conversion(google: SandboxGoogle, ads: Ads) -> None:
    from google.api_core.exceptions import ServiceUnavailable

    google.state.faults.arm(Fault(kind=FaultKind.APPLY_THEN_DROP, method=UPLOAD, count=1))
    rows = [ads.row(order_id="a"), ads.row(order_id="b")]
    with pytest.raises(ServiceUnavailable):
        ads.upload(*rows)
    assert ads.names(ads.upload(*rows)) == ["ORDER_ID_ALREADY_IN_USE"] * 2
    assert len(google.state.conversions) == 2


def test_reasons_that_came_after_the_installed_packages(
    google: SandboxGoogle, ads: Ads, events: Events, event: Callable[..., Any]
) -> None:
    from google.ads.googleads.errors import GoogleAdsException
    from google.api_core.exceptions import InvalidArgument

    google.state.faults.arm(Fault(kind=FaultKind.UNKNOWN_REASON, count=2))
    google.state.faults.arm(Fault(kind=FaultKind.NO_REASON, count=2))
    with pytest.raises(GoogleAdsException) as known:
        ads.upload(ads.row())
    assert known.value.failure._pb.errors[0].error_code.conversion_upload_error == 9_999
    assert events.refused(lambda: events.ingest(event())) == ([], "BRAND_NEW_REASON")
    with pytest.raises(InvalidArgument):
        ads.upload(ads.row())
    assert events.refused(lambda: events.ingest(event())) == ([], None)
    assert google.state.conversions == []


def test_reasons_of_rows_that_came_after_the_installed_packages(
    google: SandboxGoogle, ads: Ads, events: Events, event: Callable[..., Any], transport: str
) -> None:
    """A number over gRPC; a word over REST, which the client's parser drops."""
    google.state.faults.arm(Fault(kind=FaultKind.ROW_UNKNOWN_REASON, count=2))
    (packed,) = ads.upload(ads.row()).partial_failure_error.details
    (error,) = ads.failure(packed.value).errors
    assert error.error_code.conversion_upload_error == 9_999
    request_id = events.ingest(event()).request_id
    google.clock.move(timedelta(minutes=30))
    response = events.client.retrieve_request_status(request={"request_id": request_id}, retry=None)._pb
    (entry,) = response.request_status_per_destination
    reasons = [(count.reason, count.record_count) for count in entry.error_info.error_counts]
    failed, new = 3, 9_999 if transport == "grpc" else 0
    assert (entry.request_status, reasons) == (failed, [(new, 1)])
    assert google.state.diagnostics.account("1234567890").counts.failed == 1


def test_a_broken_connection(google: SandboxGoogle, ads: Ads) -> None:
    from google.api_core.exceptions import ServiceUnavailable
    from google.api_core.retry import Retry, if_exception_type

    google.state.faults.arm(Fault(kind=FaultKind.CONNECTION_RESET, after_apply=True, count=1))
    with pytest.raises(ServiceUnavailable):
        ads.upload(ads.row(order_id="a"))
    # A call made before the client knows that its connection is gone is unavailable as well.
    again = Retry(predicate=if_exception_type(ServiceUnavailable), initial=0.05, timeout=30.0)(ads.upload)
    assert ads.names(again(ads.row(order_id="a"))) == ["ORDER_ID_ALREADY_IN_USE"]
    assert not drop_connection("unix:/somewhere")
    assert not drop_connection("ipv4:127.0.0.1:1")


def test_quota_faults(google: SandboxGoogle, ads: Ads) -> None:
    from google.api_core.exceptions import ResourceExhausted

    for kind in (FaultKind.QUOTA_RATE, FaultKind.QUOTA_DAILY, FaultKind.RESOURCE_EXHAUSTED_WITHOUT_FAILURE):
        google.state.faults.arm(Fault(kind=kind, seconds=30.5, count=1))
    found = []
    for _ in range(3):
        with pytest.raises(ResourceExhausted) as caught:
            ads.upload(ads.row())
        data = dict(caught.value.errors[0].trailing_metadata()).get(
            "google.ads.googleads.v26.errors.googleadsfailure-bin"
        )
        error = None if data is None else ads.failure(data).errors[0]
        found.append(
            None
            if error is None
            else (
                error.error_code.quota_error,
                error.details.quota_error_details.retry_delay.ToTimedelta().total_seconds(),
            )
        )
    assert found == [(4, 30.5), (2, 30.5), None]


def test_a_version_that_is_no_longer_served(google: SandboxGoogle, ads: Ads) -> None:
    google.state.faults.arm(Fault(kind=FaultKind.UNSUPPORTED_VERSION, count=1))
    assert ads.refused(lambda: ads.upload(ads.row()))[:2] == ("INVALID_ARGUMENT", "request_error.UNSUPPORTED_VERSION")


def test_a_version_that_never_was_ours(google: SandboxGoogle) -> None:
    import grpc

    channel = grpc.secure_channel(google.grpc_endpoint, grpc.ssl_channel_credentials(google.ca_file.read_bytes()))
    with channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/google.ads.googleads.v22.services.ConversionUploadService/UploadClickConversions")(
            b"", timeout=30
        )
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    keys = [key for key, _ in caught.value.trailing_metadata()]
    assert "google.ads.googleads.v22.errors.googleadsfailure-bin" in keys


def test_s23_rows_fail_at_random(google: SandboxGoogle, ads: Ads) -> None:
    google.state.faults.arm(Fault(kind=FaultKind.ROW_INTERNAL_ERROR, method=UPLOAD, count=1))
    google.state.faults.arm(Fault(kind=FaultKind.ROW_TRANSIENT_ERROR, method=UPLOAD, count=1, after_apply=True))
    rows = [ads.row(order_id=text) for text in "abc"]
    response = ads.upload(*rows)
    assert ads.errors(response) == [(0, "internal_error.INTERNAL_ERROR", ""), (1, "internal_error.TRANSIENT_ERROR", "")]
    assert response.partial_failure_error.message.endswith("An internal error has occurred., at conversions[0]")
    assert [conversion.order_id for conversion in google.state.conversions] == ["b", "c"]
    assert ads.names(ads.upload(*rows)) == ["ORDER_ID_ALREADY_IN_USE"] * 2


def test_s23_adjustment_rows_too(google: SandboxGoogle, ads: Ads) -> None:
    ads.upload(ads.row(order_id="a"))
    google.state.faults.arm(Fault(kind=FaultKind.ROW_TRANSIENT_ERROR, method="UploadConversionAdjustments", count=1))
    row = ads.adjustment(order_id="a", value=1.0)
    assert ads.names(ads.adjust(row)) == ["TRANSIENT_ERROR"]
    assert google.state.conversions[0].value == 100.0
    assert ads.errors(ads.adjust(row)) == []


def test_a_share_of_requests_repeats_with_the_seed() -> Any:
    def fired(seed: dict[str, Any]) -> Any:
        box = FaultBox(seed)
        box.arm(Fault(kind=FaultKind.UNAVAILABLE, probability=0.3))
        return [box.draw(UPLOAD) is not None for _ in range(200)]

    assert fired(1) == fired(1)
    assert fired(1) != fired(2)
    assert 30 < sum(fired(1)) < 90


def test_which_requests_a_fault_hits() -> None:
    box = FaultBox()
    box.arm(Fault(kind=FaultKind.UNAVAILABLE, method=INGEST))
    box.arm(Fault(kind=FaultKind.SLOW, customer_id="1", count=2))
    assert box.draw(UPLOAD, "2") is None
    assert [fault.kind for fault in (box.draw(UPLOAD, "1"), box.draw(INGEST), box.draw(UPLOAD, "1")) if fault] == [
        "SLOW",
        "UNAVAILABLE",
        "SLOW",
    ]
    assert box.draw(UPLOAD, "1") is None
    assert box.draw("token") is None
    assert [fault.kind for fault in box.armed()] == ["UNAVAILABLE"]
    box.disarm()
    assert box.armed() == []


def test_row_faults_stop_when_they_are_used_up() -> None:
    box = FaultBox()
    assert box.rows(UPLOAD) is None
    box.arm(Fault(kind=FaultKind.ROW_INTERNAL_ERROR, count=1))
    draw = box.rows(UPLOAD)
    assert [draw() is not None for _ in range(3)] == [True, False, False]
    assert box.draw(UPLOAD) is None


@pytest.mark.parametrize("wrong", ['{"kind":"SLOW","count":0}', '{"kind":"SLOW","probability":1.5}', '{"kind":"RAIN"}'])
def test_wrong_faults_are_refused(wrong: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(wrong, type=Fault)
