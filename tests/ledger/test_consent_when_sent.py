"""Consent is checked when a row is sent: what was refused while it was claimed, unknown or at Google, and before a later refund."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_events.ledger import send
from custom_events.ledger.sender import Sender
from custom_events.ledger.upload_rows import Request
from custom_events.values.conversions import Lane
from custom_events.values.identifiers import email_sha256, phone_sha256
from sandbox.google_ads.faults import Fault, FaultKind
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.arrivals import Arrivals
from tests.ledger.conftest import Ledger
from tests.ledger.consent_shop import Shop

CALLS = {Lane.GOOGLE_ADS: "UploadClickConversions", Lane.DATA_MANAGER: "IngestEvents"}


@pytest.fixture(autouse=True)
def known(google: Any) -> None:
    """Google knows the shop's customer: a conversion that matches nobody has nothing to adjust."""
    google.state.matched_users.update({email_sha256("lea@example.org"), phone_sha256("+49301234567", None)})


@pytest.fixture(params=list(Lane))
def lane(request: pytest.FixtureRequest) -> Lane:
    return request.param


@pytest.fixture
def shop(database: str, ledger: Any, lane: Lane) -> Shop:
    return Shop(database, ledger, lane, consent_needed="not_denied")


@pytest.fixture
def sender(ledger: Any, lanes: Any) -> Sender:
    return Sender(ledger.engine, ledger.settings, lanes, ledger.clock)


def run(ledger: Any, lanes: Any) -> None:
    """Until nothing is due, verdicts that come later included."""
    for _ in range(3):
        ledger.settle(lanes)
        ledger.clock.forward(minutes=35)
    ledger.settle(lanes)


def claimed(sender: Sender) -> Request:
    """The next request, ready to be called."""
    taken = sender.take()
    assert taken is not None
    made = sender.make(taken)
    assert made is not None
    prepared = sender.prepared(made)
    assert prepared is not None
    return prepared


def test_a_refusal_between_claim_and_call(
    shop: Shop, sender: Sender, ledger: Ledger, lanes: dict[Lane, Any], arrivals: Arrivals
) -> None:
    refused, other = shop.order(ad_user_data="granted"), shop.order(ad_user_data="granted")
    request = claimed(sender)
    refused.says(ad_user_data="denied")
    left = sender.allowed(request)
    assert [row.conversion.transaction_id for row in left.rows] == [f"{shop.site}-{other.number}"]
    sender.write(left, sender.call(left))
    run(ledger, lanes)
    assert refused.stands == [("conversion", "withheld", "consent_denied")]
    assert other.stands == [("conversion", "accepted", None)]
    assert arrivals.of(refused.number) == []
    (row,) = refused.uploads
    assert (row.ad_user_data, row.attempts) == ("denied", 0)


def test_a_refusal_of_all_that_a_request_holds_makes_no_call(
    shop: Shop, sender: Sender, ledger: Ledger, lanes: dict[Lane, Any], arrivals: Arrivals
) -> None:
    order = shop.order(ad_user_data="granted")
    request = claimed(sender)
    order.says(ad_user_data="denied")
    assert sender.allowed(request) is None
    run(ledger, lanes)
    assert order.stands == [("conversion", "withheld", "consent_denied")]
    assert (arrivals.rows, ledger.rows("SELECT * FROM app.upload_requests")) == ([], [])


def test_a_drain_looks_before_every_call(
    shop: Shop, ledger: Ledger, lanes: dict[Lane, Any], arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """The refusal is committed when the message is made already."""
    orders = [shop.order(ad_user_data="granted") for _ in range(3)]
    refused = iter(orders[1:2])
    real = Sender.prepared

    def prepared(sender: Sender, request: Request) -> Request | None:
        made = real(sender, request)
        for order in refused:
            order.says(ad_user_data="denied")
        return made

    monkeypatch.setattr(Sender, "prepared", prepared)
    send.drain(ledger.engine, ledger.settings, until_idle_s=0.0, limit_s=30.0, lanes=lanes, clock=ledger.clock)
    assert [len(arrivals.of(order.number)) for order in orders] == [1, 0, 1]
    assert orders[1].stands == [("conversion", "withheld", "consent_denied")]


def test_a_refusal_while_nobody_knows_whether_it_arrived(
    shop: Shop, ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, arrivals: Arrivals
) -> None:
    order = shop.order(ad_user_data="granted")
    google.state.faults.arm(Fault(kind=FaultKind.APPLY_THEN_DROP, count=1, method=CALLS[shop.lane]))
    ledger.once(lanes)
    assert [row.state for row in order.uploads] == ["unknown"]
    order.says(ad_user_data="denied")
    before = len(arrivals.rows)
    ledger.clock.forward(hours=1)
    run(ledger, lanes)
    assert arrivals.of(order.number, before) == []
    (row,) = order.uploads
    assert (row.state, row.reason, row.attempts) == ("withheld", "consent_denied", 1)
    assert "an earlier call had no answer, and may have delivered it" in row.sentence


def test_a_refusal_while_it_is_tried_again(
    shop: Shop, ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, arrivals: Arrivals
) -> None:
    order = shop.order(ad_user_data="granted")
    google.state.faults.arm(Fault(kind=FaultKind.QUOTA_RATE, count=1, seconds=60.0, method=CALLS[Lane.GOOGLE_ADS]))
    google.state.switches.data_manager_requests_per_minute = 0
    ledger.once(lanes)
    google.state.switches.data_manager_requests_per_minute = 300
    before = len(arrivals.rows)
    order.says(ad_user_data="denied")
    ledger.clock.forward(hours=1)
    run(ledger, lanes)
    assert arrivals.of(order.number, before) == []
    assert order.stands == [("conversion", "withheld", "consent_denied")]


def test_a_refusal_before_a_refund(
    shop: Shop, ledger: Ledger, lanes: dict[Lane, Any], arrivals: Arrivals, at_google: Callable[..., Any]
) -> None:
    """Over the Google Ads API an order id is enough. The Data Manager's event must hold what the conversion held: the click goes,
    and the refusal with it; what Google makes of that is Google's, and its answer is kept."""
    order = shop.order(ad_user_data="granted", ad_personalization="granted")
    run(ledger, lanes)
    order.says(ad_user_data="denied", ad_personalization="denied")
    before = len(arrivals.rows)
    order.refunded("30.00")
    run(ledger, lanes)
    (arrived,) = arrivals.of(order.number, before)
    assert (arrived.adjusts, arrived.hashes, arrived.value) == (True, 0, 70.0)
    if shop.lane is Lane.GOOGLE_ADS:
        assert list(at_google().values()) == [70.0]
        assert order.stands[1] == ("restatement", "accepted", None)
    else:
        assert (arrived.ad_user_data, arrived.ad_personalization) == ("denied", "denied")
        assert arrived.click == arrivals.of(order.number)[0].click
        assert order.stands[1] == ("restatement", "rejected", "ProcessingErrorReason.DENIED_CONSENT")


def test_a_refund_that_could_go_with_hashes_only(
    shop: Shop, ledger: Ledger, lanes: dict[Lane, Any], arrivals: Arrivals, at_google: Callable[..., Any]
) -> None:
    order = shop.order(click=False, ad_user_data="granted")
    run(ledger, lanes)
    order.says(ad_user_data="denied")
    before = len(arrivals.rows)
    order.refunded("100.00")
    run(ledger, lanes)
    if shop.lane is Lane.GOOGLE_ADS:
        assert list(at_google().values()) == [0.0]
        return
    assert arrivals.of(order.number, before) == []
    assert order.stands[1] == ("retraction", "withheld", "consent_denied")
    assert "its value at Google stays" in order.uploads[1].sentence


def test_a_yes_that_comes_while_it_waits_is_told(
    shop: Shop, ledger: Ledger, lanes: dict[Lane, Any], arrivals: Arrivals
) -> None:
    order = shop.order()
    order.says(ad_user_data="granted", ad_personalization="denied")
    run(ledger, lanes)
    (arrived,) = arrivals.of(order.number)
    assert (arrived.ad_user_data, arrived.hashes) == ("granted", 2)
    assert arrived.ad_personalization == (None if shop.lane is Lane.GOOGLE_ADS else "denied")


def test_a_yes_that_comes_after_a_try_is_told(
    shop: Shop, ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, arrivals: Arrivals
) -> None:
    order = shop.order()
    google.state.faults.arm(Fault(kind=FaultKind.UNAVAILABLE, count=1, method=CALLS[shop.lane]))
    ledger.once(lanes)
    order.says(ad_user_data="granted")
    ledger.clock.forward(hours=1)
    run(ledger, lanes)
    assert [arrived.ad_user_data for arrived in arrivals.of(order.number)][-1] == "granted"
    assert [row.ad_user_data for row in order.uploads] == ["granted"]


def test_clicks_go_alone_until_somebody_says_yes(
    database: str, ledger: Ledger, lanes: dict[Lane, Any], lane: Lane, arrivals: Arrivals
) -> None:
    shop = Shop(database, ledger, lane)  # by the default policy
    silent, allowed = shop.order(), shop.order()
    allowed.says(ad_user_data="granted")
    run(ledger, lanes)
    assert [(row.hashes, row.ad_user_data) for row in arrivals.of(silent.number)] == [(0, None)]
    assert [(row.hashes, row.ad_user_data) for row in arrivals.of(allowed.number)] == [(2, "granted")]


def test_nobody_who_refused_is_asked_about_when_an_account_is_tried_again(
    shop: Shop, ledger: Ledger, lanes: dict[Lane, Any], arrivals: Arrivals
) -> None:
    order = shop.order(ad_user_data="granted")
    ledger.do("UPDATE app.conversion_uploads SET reason = 'delay'")
    order.says(ad_user_data="denied")
    ledger.do(
        "UPDATE app.conversion_uploads SET state = 'queued', ad_user_data = 'granted'"
    )  # as if it had missed that
    ledger.do("UPDATE app.ads_accounts SET parked_reason = 'x', recheck_at = :now", now=ledger.clock())
    ledger.once(lanes)
    assert [row for row in arrivals.rows if not row.transaction.startswith("probe-")] == [], (
        "a probe of our own names nobody"
    )


MOVES = (
    "granted",
    "denied",
    "ads denied",
    "silent",
    "claim",
    "call",
    "lose",
    "fail",
    "abandon",
    "unclaim",
    "refund",
    "wait",
)


class Interleaved:
    """One order, told of and sent step by step; what arrives is judged by what had been committed before."""

    def __init__(
        self, shop: Shop, sender: Sender, ledger: Any, lanes: Any, google: Any, arrivals: Any, **first: str
    ) -> None:
        self._sender, self._ledger, self._lanes, self._google, self._arrivals = sender, ledger, lanes, google, arrivals
        self._request: Request | None = None
        self._marks: dict[str, int] = {}
        self._agreed_at_claim = False
        self._claimed_before: set[int] = set()  # rows that arrived as they were claimed before the yes
        self.order = shop.order(**first)
        self._heard(first)

    def _heard(self, consent: dict[str, str]) -> None:
        for name, word in consent.items():
            self._marks.setdefault(f"{name} {word}", len(self._arrivals.rows))

    def says(self, **consent: str) -> None:
        self.order.says(**consent)
        self._heard(consent)

    def move(self, name: str) -> None:
        """One step; one that is not possible now does nothing."""
        match name:
            case "granted":
                self.says(ad_user_data="granted", ad_personalization="granted")
            case "denied":
                self.says(ad_user_data="denied", ad_personalization="denied")
            case "ads denied":
                self.says(ad_user_data="granted", ad_personalization="denied")
            case "silent":
                self.says()
            case "refund":
                self.order.refunded("10.00")
                self._sender.run_maintenance()
            case "wait":
                self._ledger.clock.forward(hours=1)
                self._sender.run_maintenance()
                while not self._sender.ask().idle:
                    pass
            case "claim" if self._request is None:
                taken = self._sender.take()
                made = None if taken is None else self._sender.make(taken)
                self._request = None if made is None else self._sender.prepared(made)
                self._agreed_at_claim = "ad_user_data granted" in self._marks
            case "call" | "lose" | "fail":
                self._call({"lose": FaultKind.APPLY_THEN_DROP, "fail": FaultKind.UNAVAILABLE}.get(name))
            case "abandon" if self._request is not None:
                self._request = None
                self._ledger.clock.forward(minutes=5)
                self._sender.run_maintenance()
            case "unclaim" if self._request is not None:
                self._sender.unclaim(self._request)
                self._request = None

    def _call(self, fault: FaultKind | None) -> None:
        request = None if self._request is None else self._sender.allowed(self._request)
        self._request = None
        if request is None:
            return
        if fault is not None:
            self._google.state.faults.arm(Fault(kind=fault, count=1))
        began = len(self._arrivals.rows)
        self._sender.write(request, self._sender.call(request))
        if not self._agreed_at_claim:
            self._claimed_before |= set(range(began, len(self._arrivals.rows)))

    def finish(self) -> None:
        """Whatever is under way ends, and everything that is due is sent."""
        self.move("call")
        for _ in range(4):
            self._ledger.clock.forward(hours=2)
            self._ledger.settle(self._lanes)

    def check(self) -> None:
        rows = enumerate(self._arrivals.rows)
        own = [(place, row) for place, row in rows if row.transaction.endswith(f"-{self.order.number}")]
        never = len(self._arrivals.rows)
        for place, row in own:
            if place >= self._marks.get("ad_user_data denied", never):
                assert (row.hashes, row.ad_user_data in {None, "denied"}) == (0, True), row
                assert row.adjusts, row
            elif place >= self._marks.get("ad_user_data granted", never) and self._tells_consent(place, row):
                assert row.ad_user_data == "granted", row
            if place >= self._marks.get("ad_personalization denied", never):
                assert row.ad_personalization in {None, "denied"}, row
        for row in self.order.uploads:
            assert row.state in {"accepted", "withheld", "rejected"}, row
            if row.state != "accepted":
                assert None not in (row.reason, row.sentence), row

    def _tells_consent(self, place: int, row: Any) -> bool:
        """Adjustments over the Google Ads API name the order and nothing else."""
        return place not in self._claimed_before and not (row.adjusts and self.order.shop.lane is Lane.GOOGLE_ADS)


@pytest.mark.untraced
def test_whatever_happens_in_whatever_order(
    database: str,
    ledger: Ledger,
    lanes: dict[Lane, Any],
    lane: Lane,
    google: SandboxGoogle,
    arrivals: Arrivals,
    sender: Sender,
) -> None:
    """No row that leaves after a refusal was committed carries hashes or a yes; a yes that came before is told."""
    shop = Shop(database, ledger, lane, consent_needed="click_only_in_europe")

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from([{}, {"ad_user_data": "granted"}]), st.lists(st.sampled_from(MOVES), min_size=2, max_size=9))
    def law(first: dict[str, str], moves: list[str]) -> None:
        told = Interleaved(shop, sender, ledger, lanes, google, arrivals, **first)
        for name in moves:
            told.move(name)
        told.finish()
        told.check()

    law()
