"""What an exception without a reason of Google's own means: by its text, not by its class alone."""

from pathlib import Path
from typing import Any

import grpc
import pytest
import requests
from google.api_core import exceptions as api
from google.auth import exceptions as auth

from custom_events.destinations import transport_errors
from custom_events.destinations.google_credentials import ADS_SCOPE, service_account
from custom_events.destinations.google_data_manager import client as dm_client
from custom_events.errors import NeedsAction
from custom_events.values.conversions import Scope, Verdict

PLUGIN = "Getting metadata from plugin failed with error: "


@pytest.mark.parametrize(
    ("error", "verdict", "code"),
    [
        (api.ServiceUnavailable(PLUGIN + "('invalid_grant: Token has been revoked')"), Verdict.FIX, "auth.credentials"),
        (api.ServiceUnavailable(PLUGIN + "TransportError: Max retries exceeded"), Verdict.RETRY, "auth.credentials"),
        (api.ServiceUnavailable(PLUGIN + "something else"), Verdict.FIX, "auth.credentials"),
        (auth.RefreshError("invalid_grant"), Verdict.FIX, "auth.credentials"),
        (auth.TransportError("Connection refused"), Verdict.RETRY, "auth.credentials"),
        (api.ServiceUnavailable("Ssl handshake failed: CERTIFICATE_VERIFY_FAILED"), Verdict.FIX, "tls.not_trusted"),
        (api.ServiceUnavailable("failed to connect to all addresses"), Verdict.RETRY, "grpc.UNAVAILABLE"),
        (api.ServiceUnavailable("Socket closed"), Verdict.UNKNOWN, "grpc.UNAVAILABLE"),
        (api.DeadlineExceeded("Deadline Exceeded"), Verdict.UNKNOWN, "grpc.DEADLINE_EXCEEDED"),
        (api.GatewayTimeout("late"), Verdict.UNKNOWN, "grpc.DEADLINE_EXCEEDED"),
        (api.InternalServerError("Stream removed"), Verdict.UNKNOWN, "grpc.INTERNAL"),
        (api.Unknown("Stream removed"), Verdict.UNKNOWN, "grpc.UNKNOWN"),
        (api.ResourceExhausted("too large"), Verdict.SPLIT, "grpc.RESOURCE_EXHAUSTED"),
        (api.TooManyRequests("too many"), Verdict.SPLIT, "grpc.RESOURCE_EXHAUSTED"),
        (api.Unauthenticated("who?"), Verdict.FIX, "grpc.UNAUTHENTICATED"),
        (api.Unauthorized("who?"), Verdict.FIX, "grpc.UNAUTHENTICATED"),
        (api.PermissionDenied("no"), Verdict.FIX, "grpc.PERMISSION_DENIED"),
        (api.InvalidArgument("bad"), Verdict.HOLD, "grpc.INVALID_ARGUMENT"),
        (api.MethodNotImplemented("what?"), Verdict.FIX, "grpc.UNIMPLEMENTED"),
        (requests.ConnectionError("NewConnectionError: Connection refused"), Verdict.RETRY, "grpc.UNAVAILABLE"),
        (requests.ConnectionError("Remote end closed connection"), Verdict.UNKNOWN, "client.ConnectionError"),
        (requests.ReadTimeout("read timed out"), Verdict.UNKNOWN, "client.ReadTimeout"),
        (api.RetryError("gave up", cause=None), Verdict.UNKNOWN, "client.RetryError"),
    ],
)
def test_classify(error: Any, verdict: Verdict, code: str) -> None:
    found = transport_errors.classify(error)
    assert (found.rule.verdict, found.code) == (verdict, code)
    assert transport_errors.is_foreseen(error)


class NewConnectionError(requests.ConnectionError):
    """As urllib3 names it: what happened is in the name alone."""


def test_the_name_of_an_error_says_what_happened_too() -> None:
    verdict = transport_errors.classify(NewConnectionError())
    assert (verdict.code, verdict.rule) == ("grpc.UNAVAILABLE", transport_errors.NOT_SENT)
    assert transport_errors.classify(requests.exceptions.SSLError()).rule is transport_errors.NOT_TRUSTED


def test_reach() -> None:
    assert transport_errors.classify(api.MethodNotImplemented("what?")).rule.scope is Scope.PROJECT
    assert transport_errors.classify(api.PermissionDenied("no")).rule.scope is Scope.ACCOUNT


def test_a_status_by_http_number_alone() -> None:
    error = api.from_http_status(418, "teapot")
    assert error.grpc_status_code is None
    assert transport_errors.status_of(error) == "UNKNOWN"
    assert transport_errors.status_of(api.from_grpc_status(grpc.StatusCode.ABORTED, "x")) == "ABORTED"
    assert transport_errors.status_of(ValueError()) is None
    assert not transport_errors.is_foreseen(ValueError())


def test_missing_or_broken_credentials_say_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(NeedsAction, match="set GOOGLE_ADS_JSON_KEY_FILE_PATH"):
        service_account(None, ADS_SCOPE)
    broken = tmp_path / "key.json"
    with pytest.raises(NeedsAction, match="not a readable service account key"):
        service_account(broken, ADS_SCOPE)
    broken.write_text("{}")
    with pytest.raises(NeedsAction, match=r"key\.json"):
        service_account(broken, ADS_SCOPE)


def test_the_endpoints_form_selects_the_transport() -> None:
    from google.auth.credentials import AnonymousCredentials

    kinds = {
        endpoint: dm_client.connect(AnonymousCredentials(), endpoint).transport.kind
        for endpoint in ("localhost:1", "http://localhost:1", None)
    }
    assert kinds == {"localhost:1": "grpc", "http://localhost:1": "rest", None: "grpc"}
