"""What a poll of the Data Manager tells of a request's rows where it has no verdict, and whether a request only asks."""

from datetime import UTC, datetime
from decimal import Decimal

import google.ads.datamanager_v1 as dm
import pytest
from google.api_core import exceptions as api
from google.rpc import error_details_pb2

from custom_events.destinations.google_data_manager import requests, verdicts
from custom_events.destinations.google_data_manager.codes import RULES
from custom_events.values.clicks import Click, ClickKind
from custom_events.values.conversions import AdsAccount, Conversion, Lane, Scope, UploadKind, Verdict
from custom_events.values.reasons import REQUEST_FORGOTTEN

NOW = datetime(2026, 10, 20, 12, 0, tzinfo=UTC)
ROWS = [
    Conversion(
        upload_id=number,
        kind=UploadKind.CONVERSION,
        action_id="8001",
        transaction_id=f"order-{number}",
        occurred_at=NOW,
        value=Decimal("19.99"),
        currency="EUR",
        click=Click(kind=ClickKind.GCLID, id="abc"),
    )
    for number in (1, 2)
]


def refused(reason: str) -> api.InvalidArgument:
    return api.InvalidArgument("refused", details=[error_details_pb2.ErrorInfo(reason=reason)])


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (api.ServiceUnavailable("Socket closed"), "grpc.UNAVAILABLE", "The call ended without an answer; it may have been applied"),
        (refused("RESOURCE_EXHAUSTED"), "ErrorReason.RESOURCE_EXHAUSTED", RULES["ErrorReason.RESOURCE_EXHAUSTED"].sentence),
    ],
)  # fmt: skip
def test_a_poll_that_failed_says_nothing_of_any_row(error: Exception, code: str, sentence: str) -> None:
    answer = verdicts.read_poll_failure(error, ROWS, "r-1")
    assert (answer.verdict, answer.code, answer.sentence) == (Verdict.PENDING, code, sentence)
    assert (answer.request_id, answer.scope) == ("r-1", Scope.ROW)
    assert [(row.upload_id, row.verdict, row.code) for row in answer.rows] == [
        (1, Verdict.PENDING, None),
        (2, Verdict.PENDING, None),
    ]


@pytest.mark.parametrize("reason", ["INVALID_REQUEST_ID", "REQUEST_TOO_OLD"])
def test_of_a_request_that_google_has_forgotten_each_row_says_so(reason: str) -> None:
    answer = verdicts.read_poll_failure(refused(reason), ROWS, "r-1")
    assert (answer.request_id, answer.verdict) == ("r-1", None)
    assert [(row.upload_id, row.verdict, row.code, row.sentence) for row in answer.rows] == [
        (number, Verdict.UNKNOWN, f"ErrorReason.{reason}", REQUEST_FORGOTTEN) for number in (1, 2)
    ]


def test_what_is_processed_still_names_its_request_and_no_reason() -> None:
    answer = verdicts.read_status(dm.RetrieveRequestStatusResponse(), ROWS, NOW, "r-1")
    assert (answer.request_id, answer.verdict, answer.code, answer.sentence) == ("r-1", Verdict.PENDING, None, None)
    assert answer.scope is Scope.ROW


def test_a_request_only_asks_where_it_is_to() -> None:
    account = AdsAccount(id=1, customer_id="1234567890", lane=Lane.DATA_MANAGER)
    assert not requests.events_request(account, ROWS).validate_only
    assert requests.events_request(account, ROWS, validate_only=True).validate_only
