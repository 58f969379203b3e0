"""S1-S7 and S10: what refuses a whole request, and that every answer has a request id."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from sandbox.google_ads.seed import Token
from sandbox.google_ads.server import SandboxGoogle
from tests.sandbox.google_ads.conftest import Ads

CHILD, MANAGER, OTHER = "3333333333", "9999999999", "2222222222"


def test_s1_a_missing_token_is_invalid(client: Callable[..., Any]) -> None:
    ads = client(token=None)
    assert ads.refused(lambda: ads.upload(ads.row()))[:2] == (
        "UNAUTHENTICATED",
        "authentication_error.OAUTH_TOKEN_INVALID",
    )


@pytest.mark.parametrize(
    ("status", "name"),
    [
        ("EXPIRED", "OAUTH_TOKEN_EXPIRED"),
        ("REVOKED", "OAUTH_TOKEN_REVOKED"),
        ("DISABLED", "OAUTH_TOKEN_DISABLED"),
        ("NOT_ADS_USER", "NOT_ADS_USER"),
    ],
)
def test_s1_a_known_token_is_what_the_seed_says(
    google: SandboxGoogle, client: Callable[..., Any], status: str, name: str
) -> None:
    google.state.tokens["t"] = Token(token="t", status=status)
    ads = client(token="t")
    assert ads.refused(lambda: ads.upload(ads.row()))[:2] == ("UNAUTHENTICATED", f"authentication_error.{name}")


def test_s1_an_unknown_token_is_refused_when_strict(google: SandboxGoogle, client: Callable[..., Any]) -> None:
    google.state.switches.tokens_strict = True
    ads = client(token="never-seen")
    assert ads.refused(lambda: ads.upload(ads.row()))[1] == "authentication_error.OAUTH_TOKEN_INVALID"
    google.state.tokens["never-seen"] = Token(token="never-seen")
    assert ads.errors(ads.upload(ads.row())) == []


@pytest.mark.parametrize(
    ("customer", "status", "name"),
    [
        ("123", "INVALID_ARGUMENT", "request_error.INVALID_CUSTOMER_ID"),
        ("1112223334", "UNAUTHENTICATED", "authentication_error.CUSTOMER_NOT_FOUND"),
    ],
)
def test_s2_customer_ids(ads: Ads, customer: str, status: str, name: str) -> None:
    assert ads.refused(lambda: ads.upload(ads.row(), customer=customer))[:2] == (status, name)


def test_s2_a_managed_account_needs_the_login_customer_id(client: Callable[..., Any]) -> None:
    ads = client()
    row = ads.row(conversion_action=f"customers/{CHILD}/conversionActions/31")
    denied = ("PERMISSION_DENIED", "authorization_error.USER_PERMISSION_DENIED")
    assert ads.refused(lambda: ads.upload(row, customer=CHILD))[:2] == denied
    wrong = client(login=OTHER)
    assert wrong.refused(lambda: wrong.upload(row, customer=CHILD))[:2] == denied
    through_manager = client(login=MANAGER)
    assert through_manager.names(through_manager.upload(row, customer=CHILD)) == ["INVALID_CUSTOMER_FOR_CLICK"]


def test_s2_a_token_reaches_its_own_accounts_only(google: SandboxGoogle, client: Callable[..., Any]) -> None:
    google.state.tokens["one"] = Token(token="one", customers=[OTHER])
    ads = client(token="one")
    assert ads.refused(lambda: ads.upload(ads.row()))[1] == "authorization_error.USER_PERMISSION_DENIED"


@pytest.mark.parametrize(
    ("status", "name"),
    [("CANCELED", "CUSTOMER_NOT_ENABLED"), ("SUSPENDED", "ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT")],
)
def test_s2_accounts_that_are_not_enabled(google: SandboxGoogle, ads: Ads, status: str, name: str) -> None:
    google.state.customers["1234567890"].status = status
    assert ads.refused(lambda: ads.upload(ads.row()))[:2] == ("PERMISSION_DENIED", f"authorization_error.{name}")


def test_s2_a_test_project_on_a_production_account(google: SandboxGoogle, client: Callable[..., Any]) -> None:
    google.state.customers["1234567890"].access_level = "TEST"
    new, old = client("v26"), client("v24")
    assert (
        new.refused(lambda: new.upload(new.row()))[1] == "authorization_error.CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION"
    )
    assert old.refused(lambda: old.upload(old.row()))[1] == "authorization_error.ACTION_NOT_PERMITTED"
    google.state.customers["1234567890"].test_account = True
    assert new.errors(new.upload(new.row())) == []


def test_s2_a_token_without_the_scope(google: SandboxGoogle, client: Callable[..., Any]) -> None:
    from google.api_core.exceptions import PermissionDenied

    google.state.tokens["dm"] = Token(token="dm", scopes=["https://www.googleapis.com/auth/datamanager"])
    ads = client(token="dm")
    with pytest.raises(PermissionDenied, match="insufficient authentication scopes"):
        ads.upload(ads.row())


def test_s3_a_developer_token_is_accepted_and_not_needed(google: SandboxGoogle, client: Callable[..., Any]) -> None:
    without, with_one = client(), client(developer_token="anything")
    assert without.errors(without.upload(without.row())) == []
    assert with_one.errors(with_one.upload(with_one.row())) == []
    google.state.switches.legacy_developer_token_required = True
    assert (
        without.refused(lambda: without.upload(without.row()))[1] == "authorization_error.DEVELOPER_TOKEN_NOT_APPROVED"
    )
    assert with_one.errors(with_one.upload(with_one.row())) == []


def test_s4_a_project_that_may_not_import(google: SandboxGoogle, ads: Ads) -> None:
    google.state.customers["1234567890"].allowlisted = False
    name = "not_allowlisted_error.CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE"
    assert ads.refused(lambda: ads.upload(ads.row()))[:2] == ("PERMISSION_DENIED", name)
    assert ads.errors(ads.adjust(ads.adjustment(order_id="o", value=1.0))) == []
    google.state.switches.not_allowlisted_per_row = True
    assert ads.errors(ads.upload(ads.row(), ads.row())) == [(0, name, ""), (1, name, "")]


def test_s5_partial_failure_is_required_and_so_are_rows(ads: Ads) -> None:
    required = ads.refused(lambda: ads.upload(ads.row(), partial_failure=False))
    assert required[:2] == ("INVALID_ARGUMENT", "partial_failure_error.PARTIAL_FAILURE_MODE_REQUIRED")
    assert ads.refused(ads.upload)[:2] == ("INVALID_ARGUMENT", "field_error.REQUIRED")


def test_s6_2000_rows_pass_and_2001_do_not(google: SandboxGoogle, ads: Ads) -> None:
    rows = [ads.row() for _ in range(2001)]
    assert ads.errors(ads.upload(*rows[:2000])) == []
    too_many = ads.refused(lambda: ads.upload(*rows))
    assert too_many[:2] == ("INVALID_ARGUMENT", "conversion_upload_error.TOO_MANY_CONVERSIONS_IN_REQUEST")
    adjustments = [ads.adjustment(order_id=f"o{index}", value=1.0) for index in range(2001)]
    name = "conversion_adjustment_upload_error.TOO_MANY_ADJUSTMENTS_IN_REQUEST"
    assert ads.refused(lambda: ads.adjust(*adjustments))[1] == name
    assert len(google.state.conversions) == 2000


def test_s7_job_ids(ads: Ads) -> None:
    for wrong in (0, -1):
        refused = ads.refused(lambda wrong=wrong: ads.upload(ads.row(), job_id=wrong))
        assert refused[1] == "conversion_upload_error.INVALID_JOB_ID"
    refused = ads.refused(lambda: ads.adjust(ads.adjustment(order_id="o", value=1.0), job_id=0))
    assert refused[1] == "conversion_adjustment_upload_error.INVALID_JOB_ID"
    assert ads.upload(ads.row()).job_id >= 2**31
    assert ads.upload(ads.row(), job_id=77).job_id == 77
    assert ads.adjust(ads.adjustment(order_id="o", value=1.0), job_id=78).job_id == 78


def test_s10_every_answer_has_a_request_id(google: SandboxGoogle, ads: Ads) -> None:
    exception = ads.refused(ads.upload)[2]
    assert exception.request_id.startswith("sandbox-")
    assert exception.failure.request_id == exception.request_id
    ads.upload(ads.row())
    assert google.state.conversions[-1].request_id != exception.request_id
    (chunk,) = ads.stream("SELECT customer.id FROM customer")
    assert chunk.request_id.startswith("sandbox-")


def test_a_method_that_is_not_served_is_not_implemented(google: SandboxGoogle, client: Callable[..., Any]) -> None:
    from google.ads.googleads.client import GoogleAdsClient
    from google.api_core.exceptions import MethodNotImplemented
    from google.oauth2.credentials import Credentials

    other = GoogleAdsClient(credentials=Credentials(token="t"), endpoint=google.grpc_endpoint, version="v26")
    with pytest.raises(MethodNotImplemented):
        other.get_service("CustomerService").list_accessible_customers(timeout=30)


def test_a_seed_says_where_it_is_wrong() -> None:
    from sandbox.google_ads.seed import read_seed

    with pytest.raises(msgspec.ValidationError, match=r"unknown field `colour` - at `\$.customers\[0\]`"):
        read_seed(b'{"customers": [{"customer_id": "1234567890", "colour": "red"}]}')


@pytest.mark.parametrize("version", ["v23", "v25"])
def test_the_other_versions_are_answered_under_their_own_name(
    google: SandboxGoogle, client: Callable[..., Any], version: str
) -> None:
    """v24 and v26 have tests with their own clients; loading each further version costs seconds and 40 MiB."""
    import grpc
    from google.ads.googleads.v26.services.types import conversion_upload_service as service

    ads = client()
    channel = grpc.secure_channel(google.grpc_endpoint, grpc.ssl_channel_credentials(google.ca_file.read_bytes()))
    path = f"/google.ads.googleads.{version}.services.ConversionUploadService/UploadClickConversions"
    with channel:
        upload = channel.unary_unary(path, response_deserializer=service.UploadClickConversionsResponse.pb().FromString)
        request, metadata = ads.request([ads.row(order_id="")]), [("authorization", "Bearer any")]
        response = upload(request.SerializeToString(), metadata=metadata, timeout=30)
        request.partial_failure = False
        with pytest.raises(grpc.RpcError) as caught:
            upload(request.SerializeToString(), metadata=metadata, timeout=30)
    (packed,) = response.partial_failure_error.details
    assert packed.type_url == f"type.googleapis.com/google.ads.googleads.{version}.errors.GoogleAdsFailure"
    assert f"google.ads.googleads.{version}.errors.googleadsfailure-bin" in dict(caught.value.trailing_metadata())
