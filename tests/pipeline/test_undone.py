"""Events that later bodies take back: which, and that nobody pays for it whose orders are new."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from custom_events.pipeline.state import OrderState, RefundState
from custom_events.pipeline.undone import UNDOABLE, is_undone
from custom_events.queries import rematch, understanding
from custom_events.values.events import CommerceEvent, EventType, Order, Refund, Subscription

InWorld = Callable[[Callable[[Any], Any]], None]
START = datetime(2026, 11, 1, tzinfo=UTC)
LATER = START + timedelta(hours=1)
ORDER = Order(id="1", created_at=START, updated_at=START)
REFUND = Refund(id="5", order_id="1", amount=Decimal(4))
SAID = OrderState(state_at=LATER, payment_state_at=LATER, cancellation_state_at=LATER, refunds_listed_at=LATER)


def event(kind: EventType, **parts: Any) -> CommerceEvent:
    return CommerceEvent(type=kind, key=kind, occurred_at=START, evidence_at=START, **{"order": ORDER} | parts)


@pytest.mark.parametrize("kind", list(EventType))
def test_what_nobody_speaks_of_holds(kind: EventType) -> None:
    assert not is_undone(event(kind, refund=REFUND), OrderState(), None)


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (EventType.ORDER_PAID, SAID),
        (EventType.SUBSCRIPTION_RENEWED, SAID),
        (EventType.ORDER_CANCELLED, SAID),
        (EventType.ORDER_REFUNDED, SAID),
    ],
)
def test_the_newest_state_says_that_it_does_not_hold(kind: EventType, state: OrderState) -> None:
    seen = RefundState(Decimal(4), "EUR", START, START)
    assert kind in UNDOABLE
    assert is_undone(event(kind), state, seen)
    again = state._replace(paid_at=START, cancelled_at=START, refunds_listed_at=START)
    assert not is_undone(event(kind), again, seen)
    assert not is_undone(event(EventType.ORDER_CREATED), state, seen)
    assert not is_undone(event(EventType.ORDER_FULFILLED), state, seen)


def test_a_lost_payment_was_one_and_a_billing_attempt_is_no_matter_of_the_order() -> None:
    assert not is_undone(event(EventType.ORDER_PAID), SAID._replace(payment_lost_at=LATER), None)
    attempt = event(EventType.SUBSCRIPTION_RENEWED, order=None, subscription=Subscription(id="7", order_id="1"))
    assert not is_undone(attempt, SAID, None)


RARE = (understanding.KNOWN_REFUNDS, rematch.EVENTS_OF_ORDERS, rematch.UNDO_EVENT, rematch.HAS_UNDONE)


def test_a_batch_of_new_orders_asks_nothing_more(in_world: InWorld, order: Any, noon: datetime) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, dedup={"per": "customer"})
        given = {
            "id": 5,
            "created_at": noon.isoformat(),
            "transactions": [{"kind": "refund", "status": "success", "amount": "30"}],
        }
        for number in range(1, 6):
            at = (noon + timedelta(hours=1)).isoformat()
            world.land(site, "orders/paid", order(number))
            world.land(site, "orders/updated", order(number, updated_at=at, cancelled_at=at, refunds=[given]))
        asked: list[str] = []
        with world.connection.query_logger(lambda one: asked.append(one.query)):
            await world.batch()
        assert not [query for query in RARE if query in asked]
        at = (noon + timedelta(hours=2)).isoformat()
        world.land(site, "orders/updated", order(1, updated_at=at))
        with world.connection.query_logger(lambda one: asked.append(one.query)):
            await world.batch()
        assert [query for query in RARE if query in asked] == list(RARE)
        undone = await world.rows("SELECT key FROM app.commerce_events WHERE is_undone ORDER BY 1")
        assert undone == [("order.cancelled:1",), ("order.refunded:1:5",)]
        assert await world.rows("SELECT order_id FROM app.orders WHERE has_undone") == [("1",)]
        at = (noon + timedelta(hours=3)).isoformat()
        world.land(site, "orders/updated", order(1, updated_at=at, cancelled_at=at, refunds=[given]))
        await world.batch()
        assert await world.value("SELECT count(*) FROM app.commerce_events WHERE is_undone") == 0
        assert await world.value("SELECT count(*) FROM app.orders WHERE has_undone") == 0

    in_world(test)
