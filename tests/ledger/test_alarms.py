"""Every alarm is raised by what it is about, made to happen to a real ledger at the sandbox's Google; and by nothing before that."""

from datetime import timedelta
from typing import Any

import pytest

from custom_events.ledger import reconcile
from custom_events.ledger.reconcile import Reading
from custom_events.values.conversions import Lane
from custom_events.watching.alarms import WATCHES, Alarm, Watch, raised
from custom_events.watching.measure import measure
from sandbox.google_ads.faults import Fault, FaultKind
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.conftest import Ledger
from tests.ledger.quiet_troubles import QuietTrouble


class Trouble(QuietTrouble):
    """What can go wrong, each in a method named as its alarm."""

    def __init__(self, ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle) -> None:
        self.ledger, self.lanes, self.google = ledger, lanes, google

    def account_parked(self) -> None:
        self.google.state.customers["1234567890"].status = "CANCELED"
        self.ledger.order()
        self.ledger.settle(self.lanes)

    def action_parked(self) -> None:
        self.google.state.actions["7002"].status = "REMOVED"
        self.ledger.order(action="7002")
        self.ledger.settle(self.lanes)

    def conversions_expire_soon(self) -> None:
        self.ledger.order(deadline_at=self.ledger.clock() + timedelta(hours=47))

    def success_rate_low(self) -> None:
        self.ledger.orders(98)
        for number in range(2):
            self.ledger.order(click_id=f"EAIaIQobChMI{number}xxxxxxx")
        self.ledger.settle(self.lanes)

    def answers_missing(self) -> None:
        """For an hour every call ends without an answer, however often it is made."""
        self.google.state.faults.arm(Fault(kind=FaultKind.UNAVAILABLE, method="UploadClickConversions"))
        self.ledger.order()
        for _ in range(14):
            self.ledger.settle(self.lanes)
            self.ledger.clock.forward(minutes=5)
        self.ledger.settle(self.lanes)

    def uploads_stalled(self) -> None:
        self.ledger.order()
        self.ledger.clock.forward(minutes=61)

    def action_needed_at_google(self) -> None:
        self.ledger.order(click_id=self.ledger.gclid("2345678901"))
        self.ledger.settle(self.lanes)

    def reason_not_known(self) -> None:
        self.google.state.faults.arm(Fault(kind=FaultKind.UNKNOWN_REASON, method="UploadClickConversions", count=1))
        self.ledger.order()
        self.ledger.settle(self.lanes)

    def part_stopped(self) -> None:
        self.google.state.customers["1234567890"].terms_accepted = False
        self.ledger.order(email_sha256="b" * 64)
        self.ledger.settle(self.lanes)

    def verdicts_overdue(self) -> None:
        self.ledger.order(lane=Lane.DATA_MANAGER)
        self.ledger.settle(self.lanes)
        self.ledger.clock.forward(hours=2)

    def verdicts_missing(self) -> None:
        self.google.state.faults.arm(Fault(kind=FaultKind.UNAVAILABLE, method="RetrieveRequestStatus"))
        self.ledger.order(lane=Lane.DATA_MANAGER)
        for _ in range(27):
            self.ledger.settle(self.lanes)
            self.ledger.clock.forward(hours=1)
        self.ledger.settle(self.lanes)

    def refunds_stalled(self) -> None:
        self.ledger.order(order_id="A")
        self.ledger.settle(self.lanes)
        self.ledger.refund("A", "5")
        self.ledger.clock.forward(minutes=61)

    def calls_nearly_used_up(self) -> None:
        self.ledger.settings.google_ads_operations_per_day = 2
        self.ledger.settings.upload_batch_size = 1
        self.ledger.orders(2)
        self.ledger.settle(self.lanes)

    def pipeline_stalled(self) -> None:
        self.ledger.do(
            "INSERT INTO landing.raw_events (landed_week, id, received_at, site_id, dedup_key, signature, headers, body, body_bytes) "
            "VALUES (date_trunc('week', CAST(:t AS timestamptz) AT TIME ZONE 'UTC')::date, 1, :t, 1, 'x', 'verified', '{}', 'x', 1)",
            t=self.ledger.clock(),
        )
        self.ledger.do("INSERT INTO landing.raw_queue SELECT id, landed_week, site_id FROM landing.raw_events")
        self.ledger.clock.forward(minutes=16)

    def deliveries_parked(self) -> None:
        self.ledger.do(
            "INSERT INTO app.raw_outcomes (landed_week, raw_id, received_at, site_id, outcome, reason, new_events) "
            "VALUES (date_trunc('week', CAST(:t AS timestamptz) AT TIME ZONE 'UTC')::date, 1, :t, :s, 'parked', 'unknown_topic', 0)",
            t=self.ledger.clock(), s=self.ledger.site,
        )  # fmt: skip

    def store_forbids_reading(self) -> None:
        self.deliveries_parked()
        self.ledger.do("UPDATE app.raw_outcomes SET reason = 'rest_forbidden'")

    def privacy_request_open(self, days_left: int = 30) -> None:
        self.ledger.do(
            "INSERT INTO app.privacy_requests (raw_id, landed_week, site_id, kind, received_at, due_at) "
            "VALUES (1, '2026-11-16', :s, 'redact_shop', :t, CAST(:t AS timestamptz) + :days * interval '1 day')",
            t=self.ledger.clock(), s=self.ledger.site, days=days_left,
        )  # fmt: skip

    def privacy_request_due(self) -> None:
        self.privacy_request_open(days_left=6)

    def deliveries_refused(self) -> None:
        self.ledger.do(
            "INSERT INTO landing.refused_events (received_at, reason) SELECT :t, 'too_old' FROM generate_series(1, 21)",
            t=self.ledger.clock(),
        )

    def google_counts_fewer(self) -> None:
        self.ledger.orders(3)
        self.ledger.settle(self.lanes)
        for summary in self.google.state.diagnostics.actions("1234567890").values():
            for counts in summary.by_day.values():
                counts.successful -= 1
        self.ledger.clock.forward(days=4)
        self.read()

    def scheduled_job_missed(self) -> None:
        self.ledger.do(
            "UPDATE app.scheduled_jobs SET ended_at = :t WHERE name = 'build_reports'", t=self.ledger.clock()
        )
        self.ledger.clock.forward(hours=4)

    def google_counts_missing(self) -> None:
        self.ledger.order()
        self.ledger.settle(self.lanes)
        self.read()
        self.ledger.clock.forward(hours=51)

    def sums_disagree(self) -> None:
        self.ledger.do("INSERT INTO landing.receipts VALUES (:t, 5, 0, 0, 0)", t=self.ledger.clock())

    def read(self) -> Reading:
        return reconcile.reconcile(self.ledger.engine, self.lanes, self.ledger.settings, self.ledger.clock())


def alarms(ledger: Ledger) -> list[Alarm]:
    with ledger.engine.connect() as connection:
        return list(raised(measure(connection, ledger.settings, ledger.clock(), with_sums=True)))


def method_of(watch: Watch) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in watch.name).lstrip("_")


@pytest.mark.parametrize("watch", WATCHES, ids=lambda watch: watch.name)
def test_an_alarm_is_raised_by_what_it_is_about(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle, watch: Watch
) -> None:
    assert alarms(ledger) == []
    getattr(Trouble(ledger, lanes, google), method_of(watch))()
    found = alarms(ledger)
    assert watch.name in {alarm.name for alarm in found}
    (alarm,) = (alarm for alarm in found if alarm.name == watch.name)
    assert "{" not in alarm.sentence


def test_a_row_that_was_answered_since_is_no_longer_without_answer(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    Trouble(ledger, lanes, google).answers_missing()
    google.state.faults.disarm()
    ledger.clock.forward(hours=1, minutes=20)
    ledger.settle(lanes)
    assert "AnswersMissing" not in {alarm.name for alarm in alarms(ledger)}


def test_an_account_whose_counts_were_never_read_is_told_of_as_well(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    google.state.faults.arm(Fault(kind=FaultKind.UNAVAILABLE, method="SearchStream"))
    google.state.faults.arm(Fault(kind=FaultKind.UNAVAILABLE, method="Search"))
    trouble = Trouble(ledger, lanes, google)
    ledger.order()
    ledger.settle(lanes)
    assert trouble.read().not_read
    assert alarms(ledger) == []
    ledger.clock.forward(days=3)
    assert trouble.read().not_read
    (alarm,) = alarms(ledger)
    assert alarm.name == "GoogleCountsMissing"


def test_an_account_that_has_nothing_to_send_is_read_all_the_same(
    ledger: Ledger, lanes: dict[Lane, Any], google: SandboxGoogle
) -> None:
    """Google's days are old by then; its summary is of today."""
    ledger.order()
    ledger.settle(lanes)
    for _ in range(10):
        Trouble(ledger, lanes, google).read()
        for summary in google.state.diagnostics.actions("1234567890").values():
            summary.by_day.clear()
        ledger.clock.forward(days=1)
    assert "GoogleCountsMissing" not in {alarm.name for alarm in alarms(ledger)}
