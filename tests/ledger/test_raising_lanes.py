"""Nothing that one account or request does ends a drain for the others: with a lane that raises, they end as they would alone."""

from collections.abc import Callable
from typing import Any

import pytest
import structlog
from google.api_core import exceptions as api

from custom_events.destinations.google_ads.lane import GoogleAdsLane
from custom_events.destinations.google_data_manager.lane import DataManagerLane
from custom_events.errors import NeedsAction, Permanent, Transient
from custom_events.ledger import reconcile, send
from custom_events.ledger.upload_figures import UploadFigures
from custom_events.values.conversions import BatchAnswer, Lane, RowAnswer, Verdict
from sandbox.google_ads.seed import Action, Customer
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.conftest import Ledger

ADS, DM = Lane.GOOGLE_ADS, Lane.DATA_MANAGER
BAD = {ADS: "5550001111", DM: "5550002222"}
ERRORS = [
    NotImplementedError("no such thing"),
    KeyError("lane"),
    api.PermissionDenied("no"),
    NeedsAction("something of ours is missing"),
    Transient("later"),
    Permanent("never"),
    RecursionError("deep"),
]
METHODS = ["validate", "carries_user_data", "prepare", "send", "probe", "poll", "rehearse", "summaries"]


class Raising:
    """A lane that raises `error` in `method` for one account; of rows that name none, for those of its transaction ids."""

    def __init__(self, real: DataManagerLane | GoogleAdsLane, method: str, customer_id: str, error: Any) -> None:
        self._real, self._method, self._customer_id, self._error = real, method, customer_id, error

    def __getattr__(self, name: str) -> Callable[..., Any]:
        real = getattr(self._real, name)
        if name != self._method:
            return real

        def raising(first: Lane, *rest: Any, **options: Any) -> Any:
            whose = getattr(first, "customer_id", None) or getattr(first, "transaction_id", "")
            if whose.startswith(("bad", self._customer_id)):
                raise self._error
            return real(first, *rest, **options)

        return raising


def add_account(ledger: Ledger, google: SandboxGoogle, lane: Lane) -> int:
    """Another account of the lane, with orders of its own, refused for hashes, parked or with a verdict to come."""
    customer = BAD[lane]
    google.state.customers[customer] = Customer(customer_id=customer, terms_accepted=False)
    google.state.actions["9001"] = Action(customer_id=customer, action_id="9001")
    account = ledger.account(customer, lane)
    ledger.action(account, "9001")
    ledger.do("UPDATE app.ads_accounts SET capabilities = NULL WHERE id = :a", a=account)
    for number in range(4):
        ledger.order(
            order_id=f"bad-{number}",
            action="9001",
            lane=lane,
            ads_account_id=account,
            click_id=ledger.gclid(customer),
            email_sha256="b" * 64 if number % 2 else None,
        )
    return account


def drained(ledger: Ledger, lanes: dict[str, Any]) -> UploadFigures:
    return send.drain(ledger.engine, ledger.settings, until_idle_s=0, limit_s=60, lanes=lanes, clock=ledger.clock)


# Each method of each lane raises two of the errors, and each error is raised by several methods.
CASES = [
    (lane, method, ERRORS[(2 * number + more) % len(ERRORS)])
    for number, (lane, method) in enumerate((lane, method) for method in METHODS for lane in (ADS, DM))
    for more in range(2)
    if (lane, method) != (DM, "summaries")  # this API keeps none
]


@pytest.mark.parametrize(("lane", "method", "error"), CASES, ids=lambda value: getattr(value, "value", None))
def test_the_others_end_as_they_would_alone(
    ledger: Ledger,
    lanes: dict[Lane, Any],
    google: SandboxGoogle,
    at_google: Callable[..., Any],
    lane: Lane,
    method: str,
    error: Any,
) -> None:
    account = add_account(ledger, google, lane)
    good = [ledger.order(order_id=f"good-{lane}-{number}", lane=lane) for lane in Lane for number in range(5)]
    raising = {**lanes, lane: Raising(lanes[lane], method, BAD[lane], error)}
    with structlog.testing.capture_logs() as logs:
        for step in range(3):
            drained(ledger, raising)
            if step == 0:
                ledger.refund("good-google_ads-1", "30.00")
                ledger.refund("good-data_manager-1", "30.00")
            ledger.clock.forward(minutes=31)
        drained(ledger, raising)
    assert {ledger.upload(upload).state for upload in good} == {"accepted"}
    there = at_google()
    assert {order: value for order, value in there.items() if order.startswith("good")} == {
        f"good-{lane}-{number}": 70.0 if number == 1 else 100.0 for lane in Lane for number in range(5)
    }
    read = reconcile.reconcile(ledger.engine, raising, ledger.settings, ledger.clock())
    assert {"1234567890", "2345678901"} <= set(read.read)
    assert said_why(ledger, account), "the account stands still and says nothing"
    told = [entry for entry in logs if entry.get("exc_info")]
    assert len(told) <= 6  # four runs: once in each at most, and twice where it is met in two places
    released(ledger, lanes, google, account)


def said_why(ledger: Ledger, account: int) -> bool:
    """A reason stands with the account, its rows or its requests."""
    stands = ledger.rows("SELECT parked_reason, paused_reason FROM app.ads_accounts WHERE id = :a", a=account)[0]
    rows = ledger.rows(
        "SELECT sentence FROM app.conversion_uploads WHERE ads_account_id = :a AND state NOT IN ('accepted', 'sent')",
        a=account,
    )
    return any(stands) or all(row.sentence for row in rows)


def released(ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, account: int) -> None:
    """With what was wrong mended, the account ends as it would have without it."""
    google.state.customers[BAD[ADS] if BAD[ADS] in google.state.customers else BAD[DM]].terms_accepted = True
    for _ in range(8):
        ledger.clock.forward(hours=4)
        drained(ledger, lanes)
    ledger.clock.forward(minutes=31)
    drained(ledger, lanes)
    states = dict(
        ledger.rows(
            "SELECT state, count(*) FROM app.conversion_uploads WHERE ads_account_id = :a GROUP BY 1", a=account
        )
    )
    assert states == {"accepted": 4}


class Answering(Raising):
    """A lane that answers what is none."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        real = getattr(self._real, name)
        if name != "send":
            return real
        return lambda account, rows, **options: (
            self._error if account.customer_id == self._customer_id else real(account, rows, **options)
        )


@pytest.mark.parametrize(
    "answer",
    [
        None,
        BatchAnswer(rows=()),
        BatchAnswer(rows=tuple("abcd")),  # pyright: ignore[reportArgumentType]
        BatchAnswer(
            rows=tuple(RowAnswer(upload_id=0, verdict=Verdict.REJECTED, code="X", sentence="NUL \0") for _ in range(4))
        ),
        BatchAnswer(rows=tuple(RowAnswer(upload_id=0, verdict="?", code="X") for _ in range(4))),  # pyright: ignore[reportArgumentType]
    ],
    ids=["nothing", "too few", "no answers", "a text that Postgres does not take", "no verdict"],
)
def test_an_answer_that_is_none_counts_as_none(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, answer: BatchAnswer | None
) -> None:
    google_account = add_account(ledger, google, ADS)
    google.state.customers[BAD[ADS]].terms_accepted = True
    good = ledger.orders(5)
    drained(ledger, {**lanes, ADS: Answering(lanes[ADS], "send", BAD[ADS], answer)})
    assert {ledger.upload(upload).state for upload in good} == {"accepted"}
    rows = ledger.rows(
        "SELECT state, reason, count(*) FROM app.conversion_uploads WHERE ads_account_id = :a GROUP BY 1, 2",
        a=google_account,
    )
    assert rows == [("unknown", "no_answer", 4)]
    released(ledger, lanes, google, google_account)


def test_a_lane_that_this_installation_does_not_have(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    good, bad = ledger.orders(3), ledger.orders(3, DM)
    drained(ledger, {ADS: lanes[ADS]})
    assert {ledger.upload(upload).state for upload in good} == {"accepted"}
    assert {(ledger.upload(upload).state, ledger.upload(upload).reason) for upload in bad} == {("queued", "our_error")}
    ledger.clock.forward(minutes=2)
    drained(ledger, lanes)
    assert {ledger.upload(upload).state for upload in bad} == {"sent"}
    ledger.clock.forward(minutes=31)
    drained(ledger, {ADS: lanes[ADS]})  # its verdicts cannot be asked for
    (request,) = ledger.rows("SELECT code, sentence FROM app.upload_requests WHERE lane = 'data_manager'")
    assert request.code == "our_error"
    ledger.clock.forward(hours=2)
    drained(ledger, lanes)
    assert {ledger.upload(upload).state for upload in bad} == {"accepted"}
