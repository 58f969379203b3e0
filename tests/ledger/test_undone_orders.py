"""What a store takes back of a whole order, from the webhook's body to Google: deleted, marked, never paid, held, edited."""

from collections.abc import Callable
from typing import Any

import pytest

from custom_events.ledger import operator_actions
from custom_events.values.conversions import Lane
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.conftest import ADS_ACTION, Clocked, Ledger
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


DELETED = ("order.deleted", {"id": 5001})


@pytest.mark.parametrize("how", ["deleted", "trash", "both"])
@pytest.mark.parametrize("topic", ["order.restored", "order.updated"])
def test_trashed_and_restored(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any], how: str, topic: str
) -> None:
    one = shop()
    one.happens(one.woo("processing", 12))
    one.settle(lanes)
    trashed = {"deleted": [DELETED], "trash": [one.woo("trash", 5)], "both": [DELETED, one.woo("trash", 5)]}
    one.happens(*trashed[how])
    one.settle(lanes)
    assert one.rows()[1] == ("retraction", "held", "deletion_may_be_undone", 0)
    one.happens(one.woo("processing", 4, topic=topic))
    one.settle(lanes)
    assert one.rows()[1][1:3] == ("withheld", "superseded")
    assert at_google() == {"5001": 100.0}
    one.happens(one.woo("trash", 3))
    one.ledger.clock.forward(days=2)
    one.settle(lanes)
    assert at_google() == {"5001": 0.0}


def test_a_cancelled_order_in_the_trash_is_cancelled_still(shop: Callable[..., Any]) -> None:
    one = shop()
    one.rule("cancelled", trigger=["order.cancelled"], ads_action=None)
    one.happens(one.woo("cancelled", 12, paid=None))
    one.happens(one.woo("trash", 11, paid=None))
    assert one.standing() == [("order.cancelled:5001", None)]
    assert (one.order().status, one.order().cancelled_at is None) == ("trash", False)
    one.happens(one.woo("processing", 10, paid=10))
    assert one.standing() == [("order.cancelled:5001", "taken_back_by_store"), ("order.paid:5001", None)]
    (by,) = one.ledger.rows("SELECT withdrawn_by FROM app.custom_events WHERE withdrawn_at IS NOT NULL")
    assert by == ("order.paid:5001",)


@pytest.mark.parametrize("lane", BOTH)
def test_refunded_without_a_list_of_refunds(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any], lane: Lane
) -> None:
    one = shop(lane=lane)
    one.happens(one.woo("processing", 12))
    one.settle(lanes)
    one.happens(one.woo("refunded", 11))
    one.settle(lanes)
    assert at_google() == {"5001": 0.0}
    assert one.order().refunded == 100
    one.happens(one.woo("refunded", 10, refunds=[REFUND, {"id": 78, "total": "-60.00"}]))
    one.settle(lanes)
    assert one.order().refunded == 100
    assert [row[0] for row in one.rows()] == ["conversion", "retraction"]


def test_an_order_that_its_newest_body_says_was_never_paid(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    """Cash on delivery counts as paid when it is packed; the customer did not take it."""
    one = shop()
    cash = {"payment_method": "cod"}
    one.happens(one.woo("processing", 12, paid=None, **cash))
    one.settle(lanes)
    assert at_google() == {"5001": 100.0}
    one.happens(one.woo("failed", 10, paid=None, **cash))
    one.settle(lanes)
    assert one.standing() == [("order.paid:5001", "taken_back_by_store")]
    assert one.rows()[1] == ("retraction", "held", "payment_may_come_back", 0)
    one.happens(one.woo("completed", 9, paid=9, date_completed_gmt=one.at(9).strftime("%Y-%m-%dT%H:%M:%S"), **cash))
    one.settle(lanes)
    assert one.standing() == [("order.paid:5001", None)]
    assert one.rows()[1][1:3] == ("withheld", "superseded")
    assert at_google() == {"5001": 100.0}
    assert one.agrees()


def test_what_was_held_is_held_again(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    one = shop()
    one.happens(one.woo("processing", 12))
    held = (
        "UPDATE app.conversion_uploads SET state = 'held', reason = 'held_by_hand', sentence = 'Held by hand: Ana',"
        " not_before = deadline_at"
    )
    one.ledger.do(held)
    one.happens(one.woo("cancelled", 11))
    one.ledger.settle(lanes)
    assert one.rows() == [("conversion", "withheld", "fully_refunded_before_sending", 100)]
    one.happens(one.woo("processing", 10))
    one.settle(lanes)
    (row,) = one.ledger.rows("SELECT * FROM app.conversion_uploads")
    assert (row.state, row.reason, row.sentence) == ("held", "held_by_hand", "Held by hand: Ana")
    assert row.not_before == row.deadline_at
    assert at_google() == {}


def test_a_wait_for_consent_outlasts_holding_undoing_and_releasing(
    shop: Callable[..., Any], lanes: dict[Lane, Any], clock: Clocked, at_google: Callable[..., Any]
) -> None:
    """Held by hand, cancelled, and worth something again: releasing it is still no yes of the customer."""
    one = shop()
    one.happens(one.woo("processing", 12))
    one.ledger.do(
        "UPDATE app.conversion_uploads SET state = 'held', reason = 'consent_unknown_in_europe', not_before = deadline_at,"
        " ad_user_data = 'unknown'"
    )
    account = one.ledger.accounts[Lane.GOOGLE_ADS]
    with one.ledger.engine.begin() as connection:
        assert (
            operator_actions.hold_rows(connection, account, "a test", actor="anna", now=clock(), order_id="5001") == 1
        )
    one.happens(one.woo("cancelled", 11))
    one.ledger.settle(lanes)
    assert one.rows() == [("conversion", "withheld", "fully_refunded_before_sending", 100)]
    one.happens(one.woo("processing", 10))
    one.settle(lanes)
    assert one.rows() == [("conversion", "held", "held_by_hand", 100)]
    with one.ledger.engine.begin() as connection:
        assert operator_actions.release_held(connection, account, clock(), actor="anna") == 1
    one.ledger.settle(lanes)
    assert one.rows() == [("conversion", "held", "consent_unknown_in_europe", 100)]
    assert at_google() == {}


def test_what_a_person_holds_stays_held_when_its_custom_event_stands_again(
    shop: Callable[..., Any], lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    one = shop()
    cash = {"payment_method": "cod"}
    one.happens(one.woo("processing", 12, paid=None, **cash))
    one.ledger.do("UPDATE app.conversion_uploads SET state = 'held', reason = 'held_by_hand', not_before = deadline_at")
    one.happens(one.woo("failed", 11, paid=None, **cash))
    assert one.rows() == [("conversion", "withheld", "taken_back_by_store", 100)]
    one.happens(one.woo("processing", 10, paid=None, **cash))
    assert one.rows() == [("conversion", "held", "held_by_hand", 100)]


def test_a_restatement_that_google_refuses_for_good_keeps_no_retraction_waiting(
    shop: Callable[..., Any], lanes: dict[Lane, Any], google: SandboxGoogle, at_google: Callable[..., Any]
) -> None:
    one = shop()
    one.happens(one.woo("processing", 12))
    one.settle(lanes)
    google.state.actions[ADS_ACTION].always_use_default_value = True
    one.happens(one.woo("processing", 11, refunds=[REFUND]))
    one.settle(lanes)
    assert one.rows()[1][:2] == ("restatement", "rejected")
    one.happens(one.woo("processing", 10, refunds=[REFUND, {"id": 78, "total": "-60.00"}]))
    one.ledger.settle(lanes)
    assert [row[:2] for row in one.rows()[1:]] == [("restatement", "rejected"), ("retraction", "accepted")]
    assert at_google() == {"5001": 0.0}


def test_a_value_by_items_is_lowered_by_its_own_items_alone(
    database: str, ledger: Ledger, lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> Any:
    one = Shop(database, ledger, "shopify")
    one.rule(value={"source": "items_total", "items": {"field": "item.sku", "op": "=", "value": "A"}})
    items = [
        {"id": 1, "sku": "A", "quantity": 1, "price": "60.00"},
        {"id": 2, "sku": "B", "quantity": 1, "price": "40.00"},
    ]

    def refund(number: int, of: int) -> dict[str, Any]:
        item = items[of]
        line = {"quantity": 1, "subtotal": item["price"], "line_item": item}
        moved = {"amount": item["price"], "kind": "refund", "status": "success", "currency": "EUR"}
        return {
            "id": number,
            "order_id": 9001,
            "created_at": one.at(11).isoformat(),
            "refund_line_items": [line],
            "transactions": [moved],
        }

    one.happens(one.shopify(12, line_items=items))
    one.settle(lanes)
    one.happens(one.shopify(11, line_items=items, refunds=[refund(31, 1)]))
    one.settle(lanes)
    assert (at_google(), len(one.rows())) == ({"9001": 60.0}, 1)
    one.happens(one.shopify(10, line_items=items, refunds=[refund(31, 1), refund(32, 0)]))
    one.settle(lanes)
    assert at_google() == {"9001": 0.0}


@pytest.mark.parametrize("lane", BOTH)
def test_what_an_order_is_worth_now_by_the_store_s_count(
    database: str, ledger: Ledger, lanes: dict[Lane, Any], at_google: Callable[..., Any], lane: Lane
) -> None:
    """Amounts of exchanges and edits are in `current_total`; a refund of money lowers it no further."""
    one = Shop(database, ledger, "custom", lane)
    one.rule()
    one.happens(custom(one, "order.paid", 12))
    one.settle(lanes)
    one.ledger.do("UPDATE app.orders SET current_total = 60")
    one.ledger.do("INSERT INTO app.value_changes VALUES (:s, '7001', now())", s=one.site)
    one.settle(lanes)
    assert at_google() == {"7001": 60.0}


def custom(one: Shop, kind: str, hours_ago: float, **order: Any) -> tuple[str, dict[str, Any]]:
    """A body of a sender of its own."""
    at = one.at(hours_ago).isoformat()
    return kind, {
        "type": kind,
        "id": f"{kind} {hours_ago}",
        "occurred_at": at,
        "order": {"id": "7001", "created_at": one.at(21).isoformat(), "total": "100.00", "currency": "EUR"} | order,
        "customer": {"id": "K-7", "email": "lea@example.org"},
        "clicks": {"gclid": one.click("7001")},
    }


def test_a_sender_of_its_own_takes_back_what_it_says(
    database: str, ledger: Ledger, lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    one = Shop(database, ledger, "custom")
    one.rule()
    one.happens(custom(one, "order.paid", 12))
    one.settle(lanes)
    one.happens(custom(one, "order.cancelled", 4))
    one.settle(lanes)
    assert one.rows()[1][:3] == ("retraction", "held", "cancellation_may_be_undone")
    one.happens(custom(one, "order.fulfilled", 3))
    one.settle(lanes)
    assert one.rows()[1][1] == "held", "what is not in a body is not said by it"
    one.happens(custom(one, "order.fulfilled", 2, cancelled_at=None))
    one.settle(lanes)
    assert one.rows()[1][1:3] == ("withheld", "superseded")
    assert at_google() == {"7001": 100.0}
