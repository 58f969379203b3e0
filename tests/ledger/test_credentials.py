"""Credentials that Google refuses stop the account once; a token service that is away, or a missing setting, stops nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from custom_events.destinations.registry import destinations
from custom_events.ledger import operator_actions
from custom_events.settings import Settings
from custom_events.values.conversions import Lane
from sandbox.google_ads.server import SandboxGoogle
from sandbox.google_ads.service_account import write_service_account
from tests.ledger.conftest import Ledger


@pytest.fixture
def real_lanes(google: SandboxGoogle, tmp_path: Path) -> dict[Lane, Any]:
    """The lanes as the product makes them, with a service account whose tokens come from the sandbox."""
    key_file = write_service_account(tmp_path, f"{google.http_url}/token")
    return destinations(
        Settings(
            GOOGLE_ADS_JSON_KEY_FILE_PATH=key_file,
            GOOGLE_ADS_ENDPOINT=google.grpc_endpoint,
            data_manager_endpoint=google.grpc_endpoint,
        )
    )


@pytest.mark.parametrize("lane", list(Lane))
def test_sends_with_a_service_account(
    ledger: Ledger, real_lanes: dict[Lane, Any], at_google: Callable[..., Any], lane: Lane
) -> None:
    ledger.orders(2, lane)
    ledger.settle(real_lanes)
    assert len(at_google()) == 2


def test_a_revoked_grant_parks_the_account_until_it_is_mended(
    ledger: Ledger, real_lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    upload = ledger.order()
    google.state.revoke_grant(revoked=True)
    ledger.settle(real_lanes)
    account = ledger.rows("SELECT id, parked_reason, parked_at FROM app.ads_accounts WHERE lane = 'google_ads'")[0]
    assert "credentials" in account.parked_reason
    assert (ledger.upload(upload).state, ledger.upload(upload).reason) == ("queued", "auth.credentials")
    google.state.revoke_grant(revoked=False)
    ledger.clock.forward(minutes=14)
    assert ledger.once(real_lanes).idle
    with ledger.engine.begin() as connection:
        operator_actions.release_account(connection, account.id, ledger.clock(), actor="anna")
    ledger.settle(real_lanes)
    assert ledger.upload(upload).state == "accepted"
    assert len(at_google()) == 1


def test_a_grant_that_is_mended_resumes_by_itself(
    ledger: Ledger, real_lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    ledger.orders(3)
    google.state.revoke_grant(revoked=True)
    for _ in range(3):
        ledger.settle(real_lanes)
        ledger.clock.forward(minutes=20)
    assert google.state.requests["UploadClickConversions"] == 0
    google.state.revoke_grant(revoked=False)
    ledger.settle(real_lanes)
    assert ledger.rows("SELECT count(parked_reason) FROM app.ads_accounts") == [(0,)]
    assert ledger.states() == {"accepted": 3}
    assert len(at_google()) == 3


def test_without_credentials_rows_wait_and_are_looked_at_again(ledger: Ledger, at_google: Callable[..., Any]) -> None:
    upload = ledger.order()
    lanes = destinations(Settings())
    ledger.settle(lanes)
    row = ledger.upload(upload)
    assert (row.state, row.reason, row.attempts) == ("queued", "configuration", 0)
    assert "GOOGLE_ADS_JSON_KEY_FILE_PATH" in row.sentence
    assert ledger.rows("SELECT count(parked_reason) FROM app.ads_accounts") == [(0,)]
    ledger.clock.forward(seconds=61)
    assert not ledger.once(lanes).idle


def test_without_credentials_a_poll_only_waits(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    ledger.order(lane=Lane.DATA_MANAGER)
    ledger.settle(lanes)
    ledger.clock.forward(minutes=31)
    ledger.settle(destinations(Settings()))
    assert ledger.states() == {"sent": 1}


def test_a_token_service_that_is_away_is_no_reason_to_park(
    ledger: Ledger, google: SandboxGoogle, tmp_path: Path
) -> None:
    upload = ledger.order()
    key_file = write_service_account(tmp_path, "http://127.0.0.1:9/token")
    lanes = destinations(Settings(GOOGLE_ADS_JSON_KEY_FILE_PATH=key_file, GOOGLE_ADS_ENDPOINT=google.grpc_endpoint))
    ledger.settings.upload_timeout_s = 5
    ledger.once(lanes)
    assert ledger.upload(upload).state in ("queued", "unknown")
    assert ledger.rows("SELECT count(parked_reason) FROM app.ads_accounts") == [(0,)]


def test_release_of_an_unknown_account_says_so(ledger: Ledger) -> None:
    with ledger.engine.begin() as connection, pytest.raises(Exception, match="there is no ads account 99"):
        operator_actions.release_account(connection, 99, ledger.clock(), actor="anna")
