"""What a refusal stops: the rows that it is about, until what was refused is taken; the others go meanwhile."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from custom_events.destinations.registry import destinations
from custom_events.ledger import operator_actions, send, waiting
from custom_events.ledger.overview import AccountOverview, overview
from custom_events.ledger.upload_figures import UploadFigures
from custom_events.settings import Settings
from custom_events.values.conversions import Conversion, Lane
from sandbox.google_ads.seed import Action, Customer
from sandbox.google_ads.server import SandboxGoogle
from sandbox.google_ads.service_account import write_service_account
from tests.ledger.conftest import Ledger

ADS, DM = Lane.GOOGLE_ADS, Lane.DATA_MANAGER
CUSTOMERS = {ADS: "1234567890", DM: "2345678901"}
HASH = "b" * 64
BY_HASH = {"click_id": None, "click_kind": None, "clicked_at": None, "email_sha256": HASH}


@pytest.fixture(params=[ADS, DM])
def lane(request: Any) -> Lane:
    return request.param


@pytest.fixture(params=["terms_accepted", "enhanced_conversions", "data_policy_prohibits"])
def refusal(request: Any, google: SandboxGoogle, lane: Lane) -> Callable[..., Any]:
    """What keeps an account from sending hashes; a function that mends it."""
    customer = google.state.customers[CUSTOMERS[lane]]
    setattr(customer, request.param, request.param == "data_policy_prohibits")
    google.state.matched_users.add(HASH)
    return lambda: setattr(customer, request.param, request.param != "data_policy_prohibits")


def drained(ledger: Ledger, lanes: dict[Lane, Any]) -> UploadFigures:
    return send.drain(ledger.engine, ledger.settings, until_idle_s=0, limit_s=60, lanes=lanes, clock=ledger.clock)


def parked(ledger: Ledger) -> Any:
    return ledger.rows(
        "SELECT (SELECT count(parked_reason) FROM app.ads_accounts), (SELECT count(parked_reason) FROM app.ads_actions),"
        " (SELECT count(*) FROM app.upload_stops WHERE recheck_at IS NOT NULL)"
    )[0]


def calls(google: SandboxGoogle) -> int:
    return google.state.requests["UploadClickConversions"] + google.state.requests["IngestEvents"]


def test_hashes_wait_and_clicks_go_until_it_is_mended(
    ledger: Ledger,
    lanes: dict[Lane, Any],
    google: SandboxGoogle,
    at_google: Callable[..., Any],
    lane: Lane,
    refusal: Callable[..., Any],
) -> None:
    ledger.settings.upload_batch_size = 5
    clicks = ledger.orders(6, lane)
    both = ledger.orders(3, lane, email_sha256=HASH)
    alone = ledger.orders(3, lane, **BY_HASH)
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            drained(ledger, lanes)
            clicks += ledger.orders(2, lane)
            both += ledger.orders(2, lane, email_sha256=HASH)
            ledger.clock.forward(minutes=16)
        for _ in range(8):
            drained(ledger, lanes)
            ledger.clock.forward(minutes=16)
    assert {ledger.upload(upload).state for upload in clicks} == {"accepted"}
    waiting = [ledger.upload(upload) for upload in both + alone]
    assert {row.state for row in waiting} == {"held"}
    assert len({(row.reason, row.sentence) for row in waiting}) == 1
    assert parked(ledger) == (0, 0, 1)
    assert [entry["event"] for entry in logs].count("uploads_parked") == 1, "it flaps"
    assert max(row.attempts for row in waiting) <= 2
    (account,) = (one for one in the_overview(ledger) if one.customer_id == CUSTOMERS[lane])
    assert [part.concerns for part in account.stopped_parts] == ["user_data"]
    refusal()
    ledger.clock.forward(minutes=16)
    drained(ledger, lanes)
    assert parked(ledger) == (0, 0, 0)
    ledger.clock.forward(minutes=31)
    drained(ledger, lanes)
    assert ledger.states() == {"accepted": len(clicks + both + alone)}
    assert len(at_google()) == len(clicks + both + alone)


def the_overview(ledger: Ledger) -> list[AccountOverview]:
    with ledger.engine.connect() as connection:
        return overview(connection, ledger.clock())


def test_a_consent_that_was_denied_concerns_no_terms(
    ledger: Ledger, lanes: dict[Lane, Any], lane: Lane, refusal: Callable[..., Any]
) -> None:
    ledger.orders(2, lane, email_sha256=HASH)
    denied = ledger.orders(2, lane, email_sha256=HASH, ad_user_data="denied")
    drained(ledger, lanes)
    ledger.clock.forward(minutes=31)
    drained(ledger, lanes)
    assert {ledger.upload(upload).state for upload in denied} == {"withheld"}, (
        "nothing goes of who refused, on either lane"
    )


def test_a_person_may_let_it_go_on_as_well(
    ledger: Ledger, lanes: dict[Lane, Any], lane: Lane, refusal: Callable[..., Any]
) -> None:
    uploads = ledger.orders(2, lane, email_sha256=HASH)
    drained(ledger, lanes)
    refusal()
    with ledger.engine.begin() as connection:
        operator_actions.release_account(connection, ledger.accounts[lane], ledger.clock(), actor="anna")
    drained(ledger, lanes)
    assert parked(ledger) == (0, 0, 0)
    assert {ledger.upload(upload).state for upload in uploads} <= {"accepted", "sent"}


def test_a_row_that_may_be_there_is_not_forgotten_while_it_is_held(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, lane: Lane, refusal: Callable[..., Any]
) -> None:
    from sandbox.google_ads.faults import Fault, FaultKind

    customer = google.state.customers[CUSTOMERS[lane]]
    before = {
        name: getattr(customer, name) for name in ("terms_accepted", "enhanced_conversions", "data_policy_prohibits")
    }
    refusal()
    upload = ledger.order(lane=lane, email_sha256=HASH)
    google.state.faults.arm(Fault(kind=FaultKind.APPLY_THEN_DROP, count=1))
    drained(ledger, lanes)
    for name, value in before.items():
        setattr(customer, name, value)
    ledger.order(lane=lane, email_sha256=HASH)
    ledger.clock.forward(minutes=1)
    drained(ledger, lanes)
    ledger.clock.forward(minutes=10)
    drained(ledger, lanes)
    row = ledger.upload(upload)
    assert (row.state, row.reason) in {("unknown", "no_answer"), ("held", row.reason)}
    refusal()
    for _ in range(3):
        ledger.clock.forward(hours=25)
        drained(ledger, lanes)
    ledger.clock.forward(minutes=31)
    drained(ledger, lanes)
    assert ledger.states() == {"accepted": 2}
    assert len(google.state.conversions) == 2


def test_adjustments_alone(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    """Google does not let the account adjust, and takes its conversions."""
    ledger.order(order_id="A")
    drained(ledger, lanes)
    ledger.refund("A", "30.00")
    real, refusing = lanes[ADS], [True]

    class NoAdjustments:
        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def _refused(self, account: int, rows: int, now: datetime) -> Any:
            from google.ads.googleads.v26.errors.types import errors

            from custom_events.destinations.google_ads import answers

            failure = errors.GoogleAdsFailure.pb()()
            failure.errors.add().error_code.not_allowlisted_error = 2

            class Raised(Exception):
                request_id = "r"

            error = Raised()
            error.failure = failure
            return answers.read_failure(error, rows, now)

        def send(self, account: int, rows: int, *, now: datetime, **options: Any) -> Any:
            if refusing and rows[0].kind != "conversion":
                return self._refused(account, rows, now)
            return real.send(account, rows, now=now, **options)

        def rehearse(self, account: int, row: Conversion, *, now: datetime, **options: Any) -> Any:
            if refusing and row.kind != "conversion":
                return self._refused(account, [row], now)
            return real.rehearse(account, row, now=now, **options)

    stopped = {**lanes, ADS: NoAdjustments()}
    with structlog.testing.capture_logs() as logs:
        for _ in range(4):
            drained(ledger, stopped)
            ledger.order()
            ledger.clock.forward(minutes=16)
        drained(ledger, stopped)
    assert [entry["event"] for entry in logs].count("uploads_parked") == 1
    assert ledger.states() == {"accepted": 5, "queued": 1}
    assert ledger.rows("SELECT concerns FROM app.upload_stops") == [("adjustments",)]
    with ledger.engine.connect() as connection:
        assert not waiting.has_work(connection, ledger.clock())
    refusing.clear()
    ledger.clock.forward(minutes=16)
    drained(ledger, stopped)
    assert (parked(ledger), at_google()["A"]) == ((0, 0, 0), 70.0)


@pytest.mark.parametrize("lane_", [ADS, DM])
def test_what_was_parked_resumes_without_a_row_that_waits(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, lane_: Lane
) -> None:
    """The rows of the action were withdrawn meanwhile: it goes on by itself all the same."""
    action, customer = ("7002", CUSTOMERS[ADS]) if lane_ is ADS else ("8002", CUSTOMERS[DM])
    ledger.order(lane=lane_, action=action)
    google.state.actions[action].type = "WEBPAGE"
    drained(ledger, lanes)
    google.state.customers[customer].manager_id = "9999999999"  # through whom we do not come
    ledger.order(lane=lane_)
    ledger.clock.forward(minutes=1)
    drained(ledger, lanes)
    assert parked(ledger) == (1, 1, 0)
    ledger.do("UPDATE app.conversion_uploads SET state = 'withheld' WHERE state = 'queued'")
    google.state.customers[customer].manager_id = None
    google.state.actions[action].type = "UPLOAD_CLICKS"
    for _ in range(2):
        ledger.clock.forward(minutes=16)
        drained(ledger, lanes)
        drained(ledger, lanes)
    assert parked(ledger) == (0, 0, 0)


def test_hashes_resume_without_a_row_that_waits(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, lane: Lane, refusal: Callable[..., Any]
) -> None:
    ledger.order(lane=lane, email_sha256=HASH)
    drained(ledger, lanes)
    ledger.do("UPDATE app.conversion_uploads SET state = 'withheld' WHERE state = 'held'")
    ledger.clock.forward(minutes=16)
    drained(ledger, lanes)
    assert parked(ledger) == (0, 0, 1)
    refusal()
    ledger.clock.forward(minutes=16)
    drained(ledger, lanes)
    assert parked(ledger) == (0, 0, 0)


def test_another_reason_by_now_is_the_one_to_mend(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    customer = google.state.customers[CUSTOMERS[ADS]]
    customer.terms_accepted = customer.enhanced_conversions = False
    ledger.order(email_sha256=HASH)
    drained(ledger, lanes)
    customer.terms_accepted = True
    ledger.clock.forward(minutes=16)
    drained(ledger, lanes)
    (stop,) = ledger.rows("SELECT code, reason FROM app.upload_stops")
    assert stop.code == "ConversionUploadError.CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS"
    assert "Turn on enhanced conversions" in stop.reason
    customer.enhanced_conversions = True
    ledger.clock.forward(minutes=16)
    drained(ledger, lanes)
    assert ledger.states() == {"accepted": 1}


@pytest.fixture
def real_lanes(google: SandboxGoogle, tmp_path: Path) -> dict[Lane, Any]:
    key_file = write_service_account(tmp_path, f"{google.http_url}/token")
    return destinations(
        Settings(
            GOOGLE_ADS_JSON_KEY_FILE_PATH=key_file,
            GOOGLE_ADS_ENDPOINT=google.grpc_endpoint,
            data_manager_endpoint=google.grpc_endpoint,
        )
    )


def many(ledger: Ledger, google: SandboxGoogle, lane: Lane) -> None:
    """Three more accounts of the lane, each with three actions and an order on the first; none was ever asked about."""
    for number in range(3):
        customer = f"777000000{number}"
        google.state.customers[customer] = Customer(customer_id=customer)
        account = ledger.account(customer, lane)
        for place in range(3):
            action = f"97{number}{place}"
            google.state.actions[action] = Action(customer_id=customer, action_id=action)
            ledger.action(account, action)
        ledger.order(lane=lane, action=f"97{number}0", ads_account_id=account, click_id=ledger.gclid(customer))
    ledger.do("UPDATE app.ads_accounts SET capabilities = NULL")


def test_credentials_are_asked_about_once_and_everything_resumes(
    ledger: Ledger, real_lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any], lane: Lane
) -> None:
    many(ledger, google, lane)

    def refuse(*, refused: Any) -> None:  # the Data Manager's client signs its own tokens, and asks nobody for them
        google.state.revoke_grant(revoked=refused)
        google.state.switches.tokens_strict = refused

    refuse(refused=True)
    with structlog.testing.capture_logs() as logs:
        drained(ledger, real_lanes)
    assert calls(google) <= 1
    assert [entry["event"] for entry in logs].count("uploads_parked") == 1
    scope = ledger.rows("SELECT DISTINCT parked_scope FROM app.ads_accounts WHERE lane = :l", l=lane.value)
    assert scope == [("project",)]
    assert parked(ledger) == (4, 0, 0)
    refuse(refused=False)
    ledger.clock.forward(minutes=16)
    drained(ledger, real_lanes)
    assert parked(ledger) == (0, 0, 0)
    ledger.clock.forward(minutes=31)
    drained(ledger, real_lanes)
    assert ledger.states() == {"accepted": 3}


def test_a_refusal_of_the_account_is_no_finding_of_each_action(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, lane: Lane
) -> None:
    many(ledger, google, lane)
    google.state.customers["7770000000"].status = "CANCELED"
    google.state.customers["7770000000"].manager_id = "9999999999"
    drained(ledger, lanes)
    assert parked(ledger) == (1, 0, 0)
    google.state.customers["7770000000"].status = "ENABLED"
    google.state.customers["7770000000"].manager_id = None
    ledger.clock.forward(minutes=16)
    drained(ledger, lanes)
    assert parked(ledger) == (0, 0, 0)
    ledger.clock.forward(minutes=31)
    drained(ledger, lanes)
    assert ledger.states() == {"accepted": 3}


def test_an_action_that_is_gone_stops_itself_and_not_its_account(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, lane: Lane
) -> None:
    first = "7001" if lane is ADS else "8001"
    second = "7002" if lane is ADS else "8002"
    google.state.actions[first].status = "REMOVED"
    ledger.do("UPDATE app.ads_accounts SET capabilities = NULL")
    ledger.order(lane=lane, action=first)
    good = ledger.order(lane=lane, action=second)
    drained(ledger, lanes)
    ledger.clock.forward(minutes=31)
    drained(ledger, lanes)
    assert ledger.upload(good).state == "accepted"
    assert parked(ledger) == (0, 1, 0)
