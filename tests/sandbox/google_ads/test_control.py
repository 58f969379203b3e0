"""The control endpoint and the token endpoint, over HTTP; and `load_from_env` unmodified."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.google_ads.faults import Fault, FaultKind
from sandbox.google_ads.server import SandboxGoogle, environment
from tests.sandbox.google_ads.conftest import Ads

TIMEOUT_S = 30


@pytest.fixture
def control(google: SandboxGoogle) -> Callable[..., Any]:
    """Sends an order and gives status and JSON."""

    def send(method: str, path: Path, document: Any = None) -> Any:
        data = None if document is None else json.dumps(document)
        answer = requests.request(method, f"{google.http_url}/control/{path}", data=data, timeout=TIMEOUT_S)
        return answer.status_code, answer.json()

    return send


def test_seed_adds_and_reset_forgets(google: SandboxGoogle, control: Callable[..., Any], ads: Ads) -> None:
    seed = {
        "customers": [{"customer_id": "888-888-8888", "currency": "USD"}],
        "actions": [{"customer_id": "8888888888", "action_id": "81"}],
        "tokens": [{"token": "t", "customers": ["888-888-8888"]}],
        "matched_users": ["AB" * 32],
        "switches": {"future_conversion_refused": False},
    }
    ads.upload(ads.row())
    assert control("POST", "seed", seed) == (200, {"ok": True})
    assert google.state.customers["8888888888"].conversion_customer_id == "8888888888"
    assert google.state.tokens["t"].customers == ["8888888888"]
    assert "ab" * 32 in google.state.matched_users
    assert len(google.state.conversions) == 1
    assert control("POST", "reset", seed)[0] == 200
    assert list(google.state.customers) == ["8888888888"]
    assert google.state.conversions == []
    assert not google.state.switches.future_conversion_refused
    assert control("POST", "reset")[0] == 200
    assert list(google.state.customers) == ["1234567890"]


@pytest.mark.parametrize(
    ("seed", "sentence"),
    [
        ({"customers": [{"customer_id": "12"}]}, "customer_id '12' is not made of ten digits"),
        (
            {"customers": [{"customer_id": "1234567890", "time_zone": "Mars"}]},
            "time_zone 'Mars' of customer 1234567890",
        ),
        ({"actions": [{"customer_id": "1234567890", "action_id": "x"}]}, "action_id 'x' is not a number"),
        (
            {"actions": [{"customer_id": "1234567890", "action_id": "9", "type": "UPLOAD"}]},
            "type of conversion action 9",
        ),
    ],
)
def test_an_impossible_seed_is_refused(control: Callable[..., Any], seed: dict[str, Any], sentence: str) -> None:
    status, answer = control("POST", "seed", seed)
    assert status == 400
    assert sentence in answer["error"]


def test_the_clock_is_moved_from_outside(google: SandboxGoogle, control: Callable[..., Any]) -> None:
    assert control("GET", "clock") == (200, {"now": "2026-11-20T12:00:00+00:00", "frozen": True})
    assert control("POST", "clock", {"move_seconds": 3600})[1]["now"] == "2026-11-20T13:00:00+00:00"
    assert control("POST", "clock", {"move_to": "2026-11-21T00:00:00Z"})[1]["now"] == "2026-11-21T00:00:00+00:00"
    status, answer = control("POST", "clock", {"move_seconds": -1})
    assert (status, "cannot go back" in answer["error"]) == (400, True)
    assert control("POST", "clock", {"run": True})[1]["frozen"] is False
    assert control("POST", "clock", {"freeze": True})[1]["frozen"] is True
    assert control("POST", "clock", {"freeze_at": "2026-12-01T00:00:00Z"})[1]["now"] == "2026-12-01T00:00:00+00:00"
    assert google.clock.frozen


def test_faults_are_armed_from_outside(google: SandboxGoogle, control: Callable[..., Any], ads: Ads) -> None:
    from google.api_core.exceptions import ServiceUnavailable

    assert (
        control("POST", "faults", [{"kind": "UNAVAILABLE", "count": 1}, {"kind": "SLOW", "probability": 0.0}])[0] == 200
    )
    assert [fault["kind"] for fault in control("GET", "faults")[1]] == ["UNAVAILABLE", "SLOW"]
    with pytest.raises(ServiceUnavailable):
        ads.upload(ads.row())
    assert control("DELETE", "faults") == (200, {"ok": True})
    assert control("GET", "faults") == (200, [])
    assert control("POST", "faults", [{"kind": "RAIN"}])[0] == 400


def test_switches_are_flipped_from_outside(google: SandboxGoogle, control: Callable[..., Any]) -> None:
    assert control("POST", "switches", {"click_not_found_in_row": True})[1]["click_not_found_in_row"] is True
    assert google.state.switches.click_not_found_in_row
    assert control("GET", "switches")[1]["click_not_found_in_row"] is True
    status, answer = control("POST", "switches", {"no_such_switch": True})
    assert (status, "no_such_switch" in answer["error"]) == (400, True)


def test_what_nobody_answers_is_404(google: SandboxGoogle, control: Callable[..., Any]) -> None:
    assert control("GET", "nothing")[0] == 404
    assert control("GET", "health") == (200, {"ok": True})
    assert requests.get(google.http_url, timeout=TIMEOUT_S).status_code == 404


def test_the_dump_has_everything(
    google: SandboxGoogle, control: Callable[..., Any], ads: Ads, hashed: Callable[..., Any]
) -> None:
    row = ads.row(order_id="o1", users=[hashed("a")])
    row.consent.ad_user_data = 2
    ads.upload(row, ads.row(order_id="o2"))
    ads.adjust(ads.adjustment(order_id="o2", value=70.0), ads.adjustment(order_id="o3", value=1.0))
    google.clock.move(timedelta(days=2))
    status, dump = control("GET", "dump")
    assert status == 200
    first, second = dump["conversions"]
    assert {
        name: first[name]
        for name in ("customer_id", "action_id", "order_id", "kind", "via", "user_identifiers", "consent")
    } == {
        "customer_id": "1234567890",
        "action_id": "1",
        "order_id": "o1",
        "kind": "user",
        "via": "google_ads",
        "user_identifiers": 1,
        "consent": "GRANTED",
    }
    assert (second["value"], second["original_value"], second["currency"], second["retracted"], second["counted"]) == (
        70.0,
        100.0,
        "EUR",
        False,
        True,
    )
    assert second["conversion_date_time"] == "2026-11-20 11:00:00+00:00"
    assert [adjustment["status"] for adjustment in dump["adjustments"]] == ["APPLIED", "FAILED"]
    assert dump["requests"] == {"UploadClickConversions": 1, "UploadConversionAdjustments": 1}
    assert dump["quota"]["operations_last_24_h"] == {"sandbox-project": 0}
    assert dump["faults_fired"] == {}


def test_a_token_is_given_out_until_the_grant_is_revoked(
    google: SandboxGoogle, control: Callable[..., Any], client: Callable[..., Any]
) -> None:
    google.state.switches.tokens_strict = True
    answer = requests.post(f"{google.http_url}/token", data={"grant_type": "refresh_token"}, timeout=TIMEOUT_S)
    document = answer.json()
    assert (document["token_type"], document["expires_in"]) == ("Bearer", 3600)
    ads = client(token=document["access_token"])
    assert ads.errors(ads.upload(ads.row())) == []
    control("POST", "grant", {"revoked": True})
    assert ads.refused(lambda: ads.upload(ads.row()))[1] == "authentication_error.OAUTH_TOKEN_REVOKED"
    refused = requests.post(f"{google.http_url}/token", timeout=TIMEOUT_S)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    control("POST", "grant", {"revoked": False})
    assert requests.post(f"{google.http_url}/token", timeout=TIMEOUT_S).status_code == 200


def test_faults_of_the_token_endpoint(google: SandboxGoogle) -> None:
    for kind in (FaultKind.INVALID_GRANT, FaultKind.UNAVAILABLE, FaultKind.SLOW):
        google.state.faults.arm(Fault(kind=kind, method="token", count=1))
    answers = [requests.post(f"{google.http_url}/token", timeout=TIMEOUT_S) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [400, 503, 200, 200]


def test_a_revoked_grant_looks_like_a_retryable_503(google: SandboxGoogle, client: Callable[..., Any]) -> None:
    from google.ads.googleads.client import GoogleAdsClient
    from google.api_core.exceptions import ServiceUnavailable
    from google.oauth2.credentials import Credentials

    google.state.revoke_grant(revoked=True)
    credentials = Credentials(
        token=None, refresh_token="r", client_id="c", client_secret="s", token_uri=f"{google.http_url}/token"
    )
    other = GoogleAdsClient(credentials=credentials, endpoint=google.grpc_endpoint, version="v26", use_proto_plus=False)
    ads = client()
    with pytest.raises(ServiceUnavailable, match="invalid_grant"):
        other.get_service("ConversionUploadService").upload_click_conversions(
            request=ads.request([ads.row()]), timeout=TIMEOUT_S
        )


def test_load_from_env_unmodified(
    google: SandboxGoogle, client: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from google.ads.googleads.client import GoogleAdsClient

    for name, value in environment(google, tmp_path).items():
        monkeypatch.setenv(name, value)
    google.state.switches.tokens_strict = True
    ads = client()
    service = GoogleAdsClient.load_from_env(version="v26").get_service("ConversionUploadService")
    response = service.upload_click_conversions(request=ads.request([ads.row()]), timeout=TIMEOUT_S)
    assert ads.errors(response) == []
    assert google.state.requests["token"] == 1
    key = json.loads((tmp_path / "service-account.json").read_text())["private_key"]
    environment(google, tmp_path)
    assert json.loads((tmp_path / "service-account.json").read_text())["private_key"] == key
