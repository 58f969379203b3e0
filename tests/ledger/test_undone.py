"""What a store takes back, from the webhook's body to Google: cancelled, deleted, refunded, lost, and undone again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from custom_events.values.conversions import Lane
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.shop import Shop

REFUND = {"id": 77, "reason": "", "total": "-40.00"}
BOTH = list(Lane)
MayShop = Callable[..., Shop]


@pytest.fixture(name="at_google")
def _value_at_google(at_google: Any) -> Callable[[], dict[str, float]]:
    """By order: its transaction's id begins with the site's."""
    return lambda: {key.partition("-")[2]: value for key, value in at_google().items()}


@pytest.fixture
def shop(database: str, ledger: Any) -> MayShop:
    def make(platform: str = "woocommerce", lane: Lane = Lane.GOOGLE_ADS, **settings: Any) -> Shop:
        made = Shop(database, ledger, platform, lane, **settings)
        made.rule()
        return made

    return make


@pytest.mark.parametrize("lane", BOTH)
def test_cancelled_then_paid(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any], lane: Lane
) -> None:
    one = shop(lane=lane)
    one.happens(one.woo("cancelled", 10, paid=None))
    one.happens(one.woo("processing", 9, paid=9))
    assert (one.order().status, one.order().cancelled_at) == ("processing", None)
    one.settle(lanes)
    assert at_google() == {"5001": 100.0}
    one.happens(one.woo("processing", 8, paid=9, refunds=[{"id": 77, "total": "-10.00"}]))
    one.settle(lanes)
    assert at_google() == {"5001": 90.0}
    assert [row[0] for row in one.rows()] == ["conversion", "restatement"]
    assert one.agrees()


def test_cancelled_then_paid_out_of_order(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    one = shop()
    one.happens(one.woo("processing", 9, paid=9))
    one.happens(one.woo("cancelled", 10, paid=None))
    assert one.order().cancelled_at is None
    one.settle(lanes)
    assert at_google() == {"5001": 100.0}
    assert one.rows() == [("conversion", "accepted", None, 100)]


def test_paid_before_it_was_cancelled_and_told_of_later(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    one = shop()
    one.happens(one.woo("cancelled", 8, paid=None))
    one.happens(one.woo("processing", 9, paid=9))
    one.settle(lanes)
    assert at_google() == {}
    assert one.rows() == []
    assert one.standing() == [], "the newest body says that it was never paid"


@pytest.mark.parametrize("lane", BOTH)
def test_completed_cancelled_completed(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any], lane: Lane
) -> None:
    one = shop(lane=lane)
    one.happens(one.woo("completed", 12))
    one.settle(lanes)
    one.happens(one.woo("cancelled", 2))
    one.settle(lanes)
    if lane is Lane.GOOGLE_ADS:
        assert one.rows()[1] == ("retraction", "held", "cancellation_may_be_undone", 0)
        assert at_google() == {"5001": 100.0}
    else:
        assert at_google() == {"5001": 0.0}, "this lane's value can be set again, so nothing waits"
    one.happens(one.woo("completed", 1))
    one.settle(lanes)
    assert at_google() == {"5001": 100.0}
    if lane is Lane.GOOGLE_ADS:
        assert one.rows()[1][1:3] == ("withheld", "superseded")
    one.ledger.clock.forward(days=3)
    one.settle(lanes)
    assert at_google() == {"5001": 100.0}


def test_what_was_not_sent_yet_comes_back_with_its_key(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    one = shop()
    one.happens(one.woo("processing", 9))
    one.happens(one.woo("cancelled", 8))
    one.ledger.do("UPDATE app.conversion_uploads SET not_before = now() + interval '1 hour'")
    one.ledger.settle(lanes)
    assert one.rows() == [("conversion", "withheld", "fully_refunded_before_sending", 100)]
    one.happens(one.woo("processing", 7, refunds=[REFUND]))
    one.ledger.settle(lanes)
    assert one.rows() == [("conversion", "queued", None, 60)]
    assert one.ledger.rows("SELECT sequence FROM app.upload_keys") == [(0,)]
    one.ledger.clock.forward(hours=2)
    one.settle(lanes)
    assert at_google() == {"5001": 60.0}
    assert one.agrees()


def test_a_cancellation_that_stands_is_retracted_when_its_time_has_come(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    one = shop()
    one.happens(one.woo("processing", 12))
    one.settle(lanes)
    one.happens(one.woo("cancelled", 2))
    one.ledger.clock.forward(hours=16)
    one.settle(lanes)
    assert at_google() == {"5001": 100.0}
    one.ledger.clock.forward(hours=4)
    one.settle(lanes)
    assert at_google() == {"5001": 0.0}
    assert one.rows()[1][:2] == ("retraction", "accepted")


def test_money_given_back_does_not_wait(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    one = shop()
    one.happens(one.woo("processing", 12))
    one.settle(lanes)
    one.happens(one.woo("cancelled", 2))
    one.ledger.settle(lanes)
    assert one.rows()[1][1] == "held"
    one.happens(one.woo("cancelled", 1, refunds=[{"id": 77, "total": "-100.00"}]))
    one.ledger.settle(lanes)
    assert at_google() == {"5001": 0.0}
    assert one.rows()[1] == ("retraction", "accepted", None, 0)


def test_no_retraction_waits_beyond_google_s_deadline(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    one = shop()
    one.happens(one.woo("processing", 12))
    one.settle(lanes)
    one.ledger.settings = one.ledger.settings.model_copy(update={"retract_cancelled_after_h": 10_000.0})
    one.happens(one.woo("cancelled", 2))
    one.ledger.settle(lanes)
    (held,) = one.ledger.rows("SELECT not_before, deadline_at FROM app.conversion_uploads WHERE kind = 'retraction'")
    assert held.not_before == held.deadline_at - timedelta(hours=24)
    one.ledger.clock.forward(days=53)
    one.happens(one.woo("cancelled", 1, total="99.00"))
    one.settle(lanes)
    assert at_google() == {"5001": 0.0}


@pytest.mark.parametrize("lane", BOTH)
def test_a_refund_that_is_deleted(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any], lane: Lane
) -> None:
    one = shop(lane=lane)
    one.happens(one.woo("processing", 12))
    one.settle(lanes)
    one.happens(one.woo("processing", 11, refunds=[REFUND]))
    one.settle(lanes)
    assert at_google() == {"5001": 60.0}
    one.happens(one.woo("processing", 10))
    one.settle(lanes)
    assert at_google() == {"5001": 100.0}
    assert one.order().refunded == 0
    one.happens(one.woo("processing", 11, refunds=[REFUND]))
    one.settle(lanes)
    assert at_google() == {"5001": 100.0}, "told again by an older body, it is gone all the same"
    assert one.agrees()


def test_a_refund_that_is_deleted_before_it_was_sent(
    shop: Callable[..., Any], lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    one = shop()
    one.happens(one.woo("processing", 12))
    one.settle(lanes)
    calls = sum(google.state.requests.values())
    one.happens(one.woo("processing", 11, refunds=[REFUND]))
    one.happens(one.woo("processing", 10))
    one.settle(lanes)
    assert at_google() == {"5001": 100.0}
    assert sum(google.state.requests.values()) == calls


def test_an_order_that_failed_and_was_marked_refunded_was_never_paid(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    one = shop()
    first = {"conditions": {"field": "customer.orders_before", "op": "=", "value": 0}, "dedup": {"per": "customer"}}
    one.rule("first", ads_action=None, **first)
    someone = {"customer_id": 7}
    one.happens(one.woo("failed", 12, paid=None, **someone))
    one.happens(one.woo("refunded", 11, paid=None, refunds=[{"id": 7, "total": "-100.00"}], **someone))
    one.happens(one.woo("processing", 9, paid=9, order=5009, **someone))
    one.settle(lanes)
    assert at_google() == {"5009": 100.0}
    assert one.standing() == [("order.paid:5009", None), ("order.paid:5009", None)]


def test_a_pending_refund_that_fails(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> Any:
    one = shop("shopify")

    def refund(status: str) -> Any:
        line = {"quantity": 1, "subtotal": "40.00", "line_item": {"id": 1, "sku": "A", "quantity": 1, "price": "40.00"}}
        moved = {"amount": "40.00", "kind": "refund", "status": status, "currency": "EUR"}
        return {
            "id": 31,
            "order_id": 9001,
            "created_at": one.at(11).isoformat(),
            "refund_line_items": [line],
            "transactions": [moved],
        }

    one.rule("refunds", trigger=["order.refunded"], ads_action=None)
    one.happens(one.shopify(12, topic="orders/paid"))
    one.settle(lanes)
    one.happens(("refunds/create", refund("pending")))
    one.settle(lanes)
    assert at_google() == {"9001": 60.0}
    one.happens(one.shopify(10, refunds=[refund("failure")]))
    one.settle(lanes)
    assert at_google() == {"9001": 100.0}
    assert one.standing() == [("order.paid:9001", None), ("order.refunded:9001:31", "taken_back_by_store")]
    one.happens(one.shopify(9, refunds=[refund("success")]))
    one.settle(lanes)
    assert at_google() == {"9001": 60.0}
    assert one.standing() == [("order.paid:9001", None), ("order.refunded:9001:31", None)]


@pytest.mark.parametrize("lane", BOTH)
def test_paid_then_failed_is_retracted(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any], lane: Lane
) -> None:
    one = shop(lane=lane)
    one.happens(one.woo("processing", 20))
    one.settle(lanes)
    one.happens(one.woo("failed", 15))
    one.settle(lanes)
    assert one.standing() == [("order.paid:5001", None)], "it was paid"
    if lane is Lane.GOOGLE_ADS:
        assert one.rows()[1] == ("retraction", "held", "payment_may_come_back", 0)
        one.ledger.clock.forward(hours=60)
        one.settle(lanes)
    assert at_google() == {"5001": 0.0}


@pytest.mark.parametrize("lane", BOTH)
def test_paid_then_failed_then_paid_again(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any], lane: Lane
) -> None:
    one = shop(lane=lane)
    one.happens(one.woo("processing", 20))
    one.settle(lanes)
    one.happens(one.woo("on-hold", 15))
    one.settle(lanes)
    one.happens(one.woo("processing", 14))
    one.settle(lanes)
    one.ledger.clock.forward(days=4)
    one.settle(lanes)
    assert at_google() == {"5001": 100.0}


def test_paid_then_failed_is_kept_where_the_site_says(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    one = shop(payment_lost="keep")
    one.happens(one.woo("processing", 20))
    one.settle(lanes)
    one.happens(one.woo("failed", 15))
    one.settle(lanes)
    assert one.rows() == [("conversion", "accepted", None, 100)]
    assert at_google() == {"5001": 100.0}


def test_paid_then_failed_is_for_a_person_where_the_site_says(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    one = shop(payment_lost="hold", payment_lost_statuses=["disputed"])
    one.happens(one.woo("processing", 20))
    one.settle(lanes)
    one.happens(one.woo("disputed", 15))
    one.ledger.clock.forward(days=10)
    one.settle(lanes)
    assert one.rows()[1] == ("retraction", "held", "payment_lost", 0)
    assert at_google() == {"5001": 100.0}
    released = "UPDATE app.conversion_uploads SET not_before = :t WHERE reason = 'payment_lost'"
    one.ledger.do(released, t=one.ledger.clock())
    one.settle(lanes)
    assert at_google() == {"5001": 0.0}


def test_what_was_not_sent_yet_waits_for_a_person_too(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    one = shop(payment_lost="hold")
    one.happens(one.woo("processing", 20), one.woo("failed", 15))
    one.settle(lanes)
    assert one.rows() == [("conversion", "held", "payment_lost", 100)]
    one.happens(one.woo("failed", 14, refunds=[REFUND]))
    one.settle(lanes)
    assert one.rows() == [("conversion", "held", "payment_lost", 60)]
    one.happens(one.woo("processing", 13))
    one.settle(lanes)
    assert at_google() == {"5001": 100.0}


def test_a_lost_payment_before_it_was_sent(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    one = shop()
    one.happens(one.woo("processing", 20), one.woo("failed", 15))
    one.settle(lanes)
    assert one.rows() == [("conversion", "withheld", "payment_lost", 100)]
    one.happens(one.woo("processing", 14))
    one.settle(lanes)
    assert at_google() == {"5001": 100.0}


def test_a_voided_payment_of_shopify(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    one = shop("shopify")
    one.happens(one.shopify(20, topic="orders/paid"))
    one.settle(lanes)
    one.happens(one.shopify(15, financial_status="voided"))
    one.settle(lanes)
    assert one.rows()[1] == ("retraction", "held", "payment_may_come_back", 0)
    assert one.standing() == [("order.paid:9001", None)]
    one.happens(one.shopify(14, financial_status="partially_paid"))
    one.settle(lanes)
    assert one.rows()[1][1] == "held", "an order in part paid says nothing of it"
    one.happens(one.shopify(13))
    one.settle(lanes)
    one.ledger.clock.forward(days=4)
    one.settle(lanes)
    assert at_google() == {"9001": 100.0}
