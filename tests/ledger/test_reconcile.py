"""Google's counts beside ours: every number of a day, and why it is what it is."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from custom_events.errors import NeedsAction, Transient
from custom_events.ledger import differences, reconcile
from custom_events.ledger.differences import Day
from custom_events.ledger.reconcile import Reading
from custom_events.values.conversions import Lane
from custom_events.values.summaries import Alert, Counts
from sandbox.google_ads.click_ids import make_click_id
from sandbox.google_ads.faults import Fault, FaultKind
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.conftest import Ledger

TODAY = date(2026, 10, 20)  # the clock's day, in Berlin as in UTC


def read(ledger: Ledger, lanes: dict[Lane, Any], customer_id: str | None = None) -> Reading:
    return reconcile.reconcile(ledger.engine, lanes, ledger.settings, ledger.clock(), customer_id)


def days(ledger: Ledger, **narrowed: str) -> list[Day]:
    with ledger.engine.connect() as connection:
        return differences.days(connection, TODAY - timedelta(days=27), **narrowed)


def unknown_click(ledger: Ledger) -> Any:
    return make_click_id("gclid", "1234567890", ledger.clock() - timedelta(hours=30), 9_000_000) + "x"


def test_42_sent_and_google_shows_fewer(ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle) -> None:
    ledger.orders(31)
    for number in range(7):
        ledger.order(click_id=f"EAIaIQobChMI{number}xxxxxxx")
    ledger.orders(4, click_kind=None, click_id=None, clicked_at=None, email_sha256="a" * 64)
    ledger.settle(lanes)
    assert read(ledger, lanes).read == ("1234567890",)
    (day,) = days(ledger)
    assert (day.customer_id, day.action_id, day.day) == ("1234567890", "7001", TODAY)
    assert (day.sent, day.accepted, day.refused, day.events) == (42, 35, 7, 42)
    assert day.google == Counts(successful=31, failed=11)
    assert (day.without_click, day.reasons) == (4, {"ConversionUploadError.UNPARSEABLE_GCLID": 7})
    assert day.google_status == "NEEDS_ATTENTION"
    why = "\n".join(day.why)
    assert "7 x ConversionUploadError.UNPARSEABLE_GCLID: The gclid is not one" in why
    assert "Google names ConversionUploadError.CLICK_NOT_FOUND for 10% of all recent events: Nobody who clicked" in why
    assert "4 went with a hashed e-mail or phone alone" in why
    assert "on the day of its click" in why


def test_every_request_knows_what_google_counted_in_it(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    ledger.orders(3)
    ledger.order(action="7002")
    ledger.settle(lanes)
    read(ledger, lanes)
    (request,) = ledger.rows("SELECT counts FROM app.upload_requests")
    assert request.counts == {
        "7001": {"successful": 3, "failed": 0, "pending": 0},
        "7002": {"successful": 1, "failed": 0, "pending": 0},
    }
    assert {day.action_id: day.sent for day in days(ledger)} == {"7001": 3, "7002": 1}


def test_the_data_managers_counts_come_with_its_verdicts(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    uploads = ledger.orders(5, Lane.DATA_MANAGER)
    ledger.do("UPDATE app.conversion_uploads SET click_id = 'EAIaIQobChMIxxxxxxxx' WHERE id = :u", u=uploads[0])
    ledger.settle(lanes)
    read(ledger, lanes)
    (day,) = days(ledger)
    assert (day.sent, day.pending, day.google) == (5, 5, None)
    assert any("5 wait for Google's verdict" in one for one in day.why)
    assert any("its counts come with the verdict" in one for one in day.why)
    for _ in range(4):
        ledger.clock.forward(minutes=31)
        ledger.settle(lanes)
    read(ledger, lanes)
    (day,) = days(ledger)
    assert (day.sent, day.accepted, day.refused) == (5, 4, 1)
    assert day.google is not None
    assert day.google.total == day.events > 5
    assert any("sent more than once; Google counts every call" in one for one in day.why)


def test_days_are_those_of_the_account(ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle) -> None:
    """22:30 in UTC is the next day in Berlin, where the sandbox's account lives; the zone is learned from Google."""
    ledger.clock.forward(hours=10, minutes=30)
    ledger.orders(2)
    ledger.settle(lanes)
    read(ledger, lanes)
    (day,) = days(ledger)
    assert day.day == TODAY + timedelta(days=1)
    assert day.google == Counts(successful=2)
    assert ledger.rows("SELECT time_zone FROM app.ads_accounts WHERE customer_id = '1234567890'") == [
        ("Europe/Berlin",)
    ]


def test_a_row_sent_again_on_another_day_moves_there(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    bare = {"click_id": None, "click_kind": None, "clicked_at": None, "email_sha256": "a" * 64}
    uploads = ledger.orders(2, conversion_at=ledger.clock() - timedelta(hours=1), **bare)
    ledger.do(
        "UPDATE app.conversion_uploads SET click_kind = 'gclid', click_id = :c WHERE id = :u",
        c=make_click_id("gclid", "1234567890", ledger.clock() - timedelta(hours=3), 77),
        u=uploads[0],
    )
    ledger.settle(lanes)
    read(ledger, lanes)
    (day,) = days(ledger)
    assert (day.sent, day.accepted, day.again, day.events) == (2, 1, 1, 2)
    ledger.clock.forward(days=1)
    ledger.settle(lanes)
    read(ledger, lanes)
    newest, day = days(ledger)
    assert (day.sent, day.accepted, day.again, day.events) == (1, 1, 0, 2)
    assert (newest.sent, newest.accepted, newest.google) == (1, 1, Counts(successful=1))


def test_lost_answers_may_be_counted_there(ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle) -> None:
    ledger.orders(3)
    google.state.faults.arm(Fault(kind=FaultKind.APPLY_THEN_DROP, count=1))
    ledger.once(lanes)
    read(ledger, lanes)
    (day,) = days(ledger)
    assert (day.sent, day.unknown, day.events, day.unanswered) == (3, 3, 0, 3)
    assert any("3 rows were in calls whose answer was lost" in one for one in day.why)
    assert any("No answer came; it is sent again" in one for one in day.why)


def test_an_account_that_cannot_be_read_holds_up_no_other(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    ledger.orders(1)
    ledger.orders(1, Lane.DATA_MANAGER)
    ledger.settle(lanes)
    google.state.faults.arm(Fault(kind=FaultKind.UNAVAILABLE, method="SearchStream", count=1))
    found = read(ledger, lanes)
    assert found.read == ("2345678901",)
    assert "could not be read" in found.not_read["1234567890"]
    assert len(days(ledger)) == 2
    assert "its summaries follow hours later" in "\n".join(days(ledger, customer_id="1234567890")[0].why)
    assert read(ledger, lanes, "1234567890").read == ("1234567890",)


@pytest.mark.parametrize(
    ("arrange", "error"),
    [
        (lambda google: google.state.faults.arm(Fault(kind=FaultKind.UNAVAILABLE, count=1)), Transient),
        (lambda google: setattr(google.state.customers["1234567890"], "status", "CANCELED"), NeedsAction),
    ],
)
def test_a_reading_that_fails_says_who_must_act(
    ledger: Ledger,
    lanes: dict[Lane, Any],
    google: SandboxGoogle,
    arrange: Callable[..., Any],
    error: type[NeedsAction] | type[Transient],
) -> None:
    from custom_events.values.conversions import AdsAccount

    arrange(google)
    account = AdsAccount(id=1, customer_id="1234567890", lane=Lane.GOOGLE_ADS)
    with pytest.raises(error, match="Google Ads could not be read"):
        lanes[Lane.GOOGLE_ADS].summaries(account, timeout_s=5)


def test_another_systems_uploads_are_named(ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle) -> None:
    ledger.orders(2)
    ledger.settle(lanes)
    with google.state.lock:
        google.state.diagnostics.actions("1234567890")["7001"].by_day[TODAY.isoformat()].successful += 5
    read(ledger, lanes)
    (day,) = days(ledger)
    assert any("5 more than we sent: another system" in one for one in day.why)


def test_reading_twice_changes_nothing(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    ledger.orders(3)
    ledger.settle(lanes)
    read(ledger, lanes)
    before = days(ledger)
    read(ledger, lanes)
    assert days(ledger) == before
    with ledger.engine.connect() as connection:
        assert differences.all_days(connection, ledger.clock()) == before
    assert ledger.states() == {"accepted": 3}


def day_of(**changes: Any) -> Day:
    counts = dict.fromkeys(
        ("sent", "accepted", "pending", "refused", "unknown", "again", "ended", "unattributable", "already_there",
         "without_click", "retracted", "events", "unanswered"), 0)  # fmt: skip
    plain = {
        "customer_id": "1234567890", "account": "A", "lane": Lane.GOOGLE_ADS, "action_id": "7001", "action": "P",
        "one_per_click": False, "day": TODAY, "reasons": {}, "google": Counts(), "google_status": "GOOD",
        "google_alerts": (), "google_read_at": None,
    }  # fmt: skip
    return differences.Day(**(counts | plain | changes))


@pytest.mark.parametrize(
    ("day", "word"),
    [
        (day_of(sent=2, accepted=2, unattributable=2), "not attributable"),
        (day_of(google=Counts(pending=3), events=3), "3 are pending at Google"),
        (day_of(events=3), "3 fewer than it answered"),
        (day_of(accepted=1, one_per_click=True), "one conversion a click"),
        (day_of(accepted=1, retracted=1), "1 are retractions"),
        (day_of(reasons={"invented": 1}), "1 x invented: see the rows"),
        (day_of(google_alerts=(Alert(code="DateError.UNKNOWN", share=0.5),)), "50% of all recent events"),
        (day_of(lane=Lane.DATA_MANAGER, google=None), "come with the verdict"),
    ],
)
def test_causes(day: Day, word: str) -> None:
    assert any(word in cause for cause in differences.causes(day)), list(differences.causes(day))


def test_nothing_sent_needs_no_words() -> None:
    assert list(differences.causes(day_of())) == []
    assert msgspec.json.encode(day_of())
