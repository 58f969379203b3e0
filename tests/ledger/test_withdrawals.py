"""What a late event unmakes, from the webhook's body to Google: the first purchase that was not the first."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from custom_events.ledger.adjustments import adjust
from custom_events.pipeline.batch_figures import BatchFigures
from custom_events.values.conversions import Lane
from custom_events.watching.sums import sums
from sandbox.google_ads.faults import Fault, FaultKind
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.conftest import ADS_ACTION, ADS_CUSTOMER, Ledger
from tests.world import World

FIRST = {"conditions": {"field": "customer.orders_before", "op": "=", "value": 0}, "dedup": {"per": "customer"}}
SECOND_CHECKOUT = {"trigger": ["checkout.started"], "threshold": {"at_least": "2"}, "dedup": {"per": "event"}}
HELD = "SELECT order_id, withdrawn_reason, withdrawn_by FROM app.custom_events ORDER BY occurred_at"


class Store:
    """A store of our own making, whose webhooks go through the pipeline; one action of one account for all its events."""

    def __init__(self, url: str, ledger: Any) -> None:
        self._ledger, self._world = ledger, World(url, ledger.engine)
        ledger.clock.forward(seconds=(datetime.now(UTC) - ledger.clock()).total_seconds())
        self.site = self._world.site("late", "custom")

    def rule(self, key: str, **config: Any) -> None:
        self._world.rule(self.site, key, ads_action=f"{ADS_CUSTOMER}/{ADS_ACTION}", **config)

    def happens(self, *bodies: dict[str, Any]) -> BatchFigures:
        """The bodies arrive together, and are drained."""
        for body in bodies:
            self._world.land(self.site, body["type"], body)
        figures = self._world.drain()
        self._ledger.clock.forward(minutes=2)  # the database has a clock of its own
        return figures

    def order(self, number: str, days_ago: float, total: str = "100.00", **changes: Any) -> dict[str, Any]:
        at = self._ledger.clock() - timedelta(days=days_ago)
        order = {
            "id": number,
            "created_at": at.isoformat(),
            "paid_at": at.isoformat(),
            "currency": "EUR",
            "total": total,
        }
        return self._body("order.paid", f"order {number}", at) | {"order": order} | changes

    def refund(self, number: str, amount: str) -> dict[str, Any]:
        at = self._ledger.clock()
        refund = {"id": f"R-{number}", "order_id": number, "amount": amount, "currency": "EUR"}
        return {"type": "order.refunded", "id": f"refund {number}", "occurred_at": at.isoformat(), "refund": refund}

    def checkout(self, token: str, days_ago: float) -> dict[str, Any]:
        at = self._ledger.clock() - timedelta(days=days_ago)
        cart = {"token": token, "created_at": at.isoformat(), "currency": "EUR", "total": "40.00"}
        return self._body("checkout.started", f"checkout {token}", at) | {"cart": cart}

    def _body(self, kind: str, name: str, at: datetime) -> dict[str, Any]:
        clicked_at = at - timedelta(hours=3)
        hours = (self._ledger.clock() - clicked_at).total_seconds() / 3600
        return {
            "type": kind,
            "id": f"{kind} {name} {at.isoformat()}",
            "occurred_at": at.isoformat(),
            "customer": {"id": "K-7", "email": "lea@example.org"},
            "clicks": {"gclid": self._ledger.gclid(hours_before=hours), "clicked_at": clicked_at.isoformat()},
            "consent": {"ad_user_data": "granted", "ad_personalization": "granted"},
        }


@pytest.fixture(name="at_google")
def _orders_at_google(at_google: Any) -> Callable[[], dict[str, float]]:
    """By order: its transaction's id begins with the site's."""
    return lambda: {key.partition("-")[2]: value for key, value in at_google().items()}


@pytest.fixture
def store(database: str, ledger: Any) -> Store:
    return Store(database, ledger)


def agree(ledger: Any) -> bool:
    """Whether the sums after the receiver's agree, which took no part in this."""
    with ledger.engine.connect() as connection:
        return not [gap for gap in sums(connection).gaps if not gap.startswith("received")]


def test_the_first_purchase_that_was_not_the_first_is_retracted(
    store: Store, ledger: Ledger, lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    store.rule("first", **FIRST)
    store.happens(store.order("B", 2))
    ledger.settle(lanes)
    assert at_google() == {"B": 100.0}
    figures = store.happens(store.order("A", 3, "60.00"))
    assert (figures.custom_events, figures.withdrawn) == ({"first": 1}, {"invalidated_by_late_event": 1})
    ledger.settle(lanes)
    assert at_google() == {"A": 60.0, "B": 0.0}
    assert ledger.rows(HELD) == [("A", None, None), ("B", "invalidated_by_late_event", "order.paid:A")]
    assert [(row.kind, row.state) for row in ledger.of_order("B")] == [
        ("conversion", "accepted"),
        ("retraction", "accepted"),
    ]
    assert agree(ledger)


def test_what_another_assignment_sends_under_the_same_key_stays_with_its_value(
    store: Store, ledger: Ledger, lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    """Google takes one conversion of an order and action, and nothing more of one that was retracted."""
    store.rule("first", **FIRST)
    store.rule("purchase", value={"factor": "0.5"})
    store.happens(store.order("B", 2))
    ledger.settle(lanes)
    assert at_google() == {"B": 100.0}
    store.happens(store.order("A", 3, "60.00"))
    ledger.settle(lanes)
    assert at_google() == {"A": 60.0, "B": 50.0}
    assert sorted((row.kind, row.state, row.reason or "") for row in ledger.of_order("B")) == [
        ("conversion", "accepted", ""),
        ("conversion", "withheld", "same_transaction_other_assignment"),
        ("restatement", "accepted", ""),
    ]
    assert agree(ledger)
    store.happens(store.refund("B", "40.00"))
    ledger.settle(lanes)
    assert at_google() == {"A": 60.0, "B": 30.0}


def test_what_was_not_sent_yet_is_withheld(
    store: Store, ledger: Ledger, lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    store.rule("first", **FIRST)
    store.happens(store.order("B", 2))
    store.happens(store.order("A", 3))
    (row,) = ledger.of_order("B")
    assert (row.state, row.reason) == ("withheld", "invalidated_by_late_event")
    assert "(order.paid:A)" in row.sentence
    ledger.settle(lanes)
    assert at_google() == {"A": 100.0}
    assert agree(ledger)


def test_while_nobody_knows_whether_it_arrived_the_retraction_waits_for_the_answer(
    store: Store, ledger: Ledger, google: SandboxGoogle, lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    store.rule("first", **FIRST)
    store.happens(store.order("B", 2))
    google.state.faults.arm(Fault(kind=FaultKind.APPLY_THEN_DROP, count=1))
    ledger.once(lanes)
    assert [row.state for row in ledger.of_order("B")] == ["unknown"]
    store.happens(store.order("A", 3))
    with ledger.engine.begin() as connection:
        adjust(connection, ledger.clock())
    assert [(row.kind, row.state) for row in ledger.of_order("B")] == [
        ("conversion", "unknown"),
        ("retraction", "queued"),
    ]
    ledger.clock.forward(hours=1)
    ledger.settle(lanes)
    assert at_google() == {"A": 100.0, "B": 0.0}


def test_a_conversion_without_an_order_is_retracted_too(store: Store, ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    store.rule("second checkout", **SECOND_CHECKOUT)
    store.happens(store.checkout("c1", 3), store.checkout("c2", 2))
    ledger.settle(lanes)
    assert ledger.states() == {"accepted": 1}
    store.happens(store.checkout("c0", 4))
    ledger.settle(lanes)
    kinds = ledger.rows("SELECT kind, state FROM app.conversion_uploads ORDER BY custom_event_id, sequence")
    assert kinds == [("conversion", "accepted"), ("retraction", "accepted"), ("conversion", "accepted")]
    assert ledger.rows("SELECT withdrawn_by FROM app.custom_events WHERE withdrawn_at IS NOT NULL") == [
        ("checkout.started:c0",)
    ]
    assert ledger.rows("SELECT * FROM app.withdrawn_without_order") == []


def test_an_order_edited_upwards_is_restated(
    store: Store, ledger: Ledger, lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    store.rule("purchase")
    paid = store.order("A", 2)
    store.happens(paid)
    ledger.settle(lanes)
    edited = paid["order"] | {"total": "130.00", "updated_at": ledger.clock().isoformat()}
    store.happens(paid | {"id": "later", "order": edited})
    ledger.settle(lanes)
    assert at_google() == {"A": 130.0}
    assert [(row.kind, row.state) for row in ledger.of_order("A")] == [
        ("conversion", "accepted"),
        ("restatement", "accepted"),
    ]


def test_a_correction_after_sending_restates_the_value(
    store: Store, ledger: Ledger, lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    store.rule("purchase")
    paid = store.order("A", 2)
    later = paid["order"] | {"updated_at": ledger.clock().isoformat()}
    store.happens(paid | {"order": later})
    ledger.settle(lanes)
    # Older evidence of the payment, and the order's newest state is what it was worth when it was sent.
    store.happens(paid | {"id": "older", "order": paid["order"] | {"total": "80.00"}})
    (found,) = ledger.rows("SELECT value FROM app.custom_events")
    assert found.value == 80
    ledger.settle(lanes)
    assert at_google() == {"A": 100.0}
    assert len(ledger.of_order("A")) == 1
    assert ledger.rows("SELECT * FROM app.value_changes") == []


def test_what_was_withdrawn_stands_again(
    store: Store, ledger: Ledger, lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    big = {"field": "order.total", "op": ">=", "value": "50"}
    store.rule("first big one", conditions=big, dedup={"per": "customer"})
    store.happens(store.order("B", 2))
    paid = store.order("A", 3)
    store.happens(paid | {"order": paid["order"] | {"updated_at": ledger.clock().isoformat()}})
    assert [row.state for row in ledger.of_order("B")] == ["withheld"]
    # Older evidence says that the earlier order was a small one.
    store.happens(paid | {"id": "older", "order": paid["order"] | {"total": "10.00"}})
    assert ledger.rows(HELD) == [("A", "invalidated_by_correction", "order.paid:A"), ("B", None, None)]
    assert [row.state for row in ledger.of_order("B")] == ["queued"]
    ledger.settle(lanes)
    assert at_google() == {"B": 100.0}
    assert agree(ledger)
