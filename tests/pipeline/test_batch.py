"""What a batch makes of landed bodies: events, state, custom events, the ledger's rows, and an outcome for every raw event."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from custom_events.pipeline.merging import write_clicks
from custom_events.pipeline.understanding import CandidateEvent, Delivered
from custom_events.values.clicks import Click, ClickKind, Consent, ConsentStatus
from custom_events.values.deliveries import Understood
from custom_events.values.events import CommerceEvent, EventType

InWorld = Callable[[Callable[[Any], Any]], None]


def refund(refund_id: int, amount: str, at: datetime) -> dict[str, Any]:
    return {
        "id": refund_id,
        "created_at": at.isoformat(),
        "transactions": [{"amount": amount, "kind": "refund", "status": "success", "currency": "EUR"}],
    }


def test_a_paid_order_becomes_a_queued_conversion(in_world: InWorld, order: Any, noon: datetime) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        assignment = world.rule(site, ads_action=world.action())
        raw = world.land(site, "orders/paid", order(1))
        figures = await world.batch()
        assert (figures.raw, figures.understood, figures.queued) == (1, 1, 1)
        assert figures.events == {"order.created": 1, "order.paid": 1}
        assert figures.custom_events == {"purchase": 1}
        assert await world.rows("SELECT raw_id, outcome, reason, new_events FROM app.raw_outcomes") == [
            (raw, "understood", None, 2)
        ]
        assert await world.rows("SELECT order_id, paid_at, total, customer_key, refunded FROM app.orders") == [
            ("1", noon, Decimal(100), "c:7", Decimal(0))
        ]
        assert await world.rows("SELECT customer_key, first_seen_at FROM app.customers") == [("c:7", noon)]
        assert await world.rows("SELECT kind, click_id, subject, seen_at FROM app.clicks") == [
            ("gclid", "Cj0KCQ-test-1", "order:1", noon)
        ]
        (upload,) = await world.rows(
            "SELECT u.state, u.transaction_id, u.value, u.currency, u.click_id, u.conversion_at, u.sequence, e.dedup_key,"
            " e.assignment_id, c.key FROM app.conversion_uploads u JOIN app.custom_events e ON e.id = u.custom_event_id"
            " JOIN app.commerce_events c ON c.id = e.commerce_event_id"
        )
        assert upload == (
            "queued", f"{site}-1", Decimal(100), "EUR", "Cj0KCQ-test-1", noon, 0, "o:1", assignment, "order.paid:1",
        )  # fmt: skip
        assert await world.value("SELECT count(*) FROM app.upload_keys") == 1
        assert await world.value("SELECT count(*) FROM landing.raw_queue") == 0

    in_world(test)


def test_delivered_and_replayed_again_nothing_is_doubled(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        world.land(site, "orders/paid", order(1))
        await world.batch()
        before = await world.everything()
        world.land(site, "orders/paid", order(1))
        await world.connection.execute(
            "INSERT INTO landing.raw_queue (raw_id, landed_week, site_id) SELECT raw_id, landed_week, site_id FROM app.raw_outcomes"
        )
        figures = await world.batch()
        assert (figures.raw, figures.events, figures.custom_events, figures.revised) == (2, {}, {}, 0)
        assert await world.everything() == before
        assert await world.rows("SELECT outcome, new_events FROM app.raw_outcomes") == [("understood", 0)] * 2

    in_world(test)


def test_what_cannot_be_understood_is_parked_and_what_is_of_no_use_ignored(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        for topic, body in (("orders/paid", b"{"), ("strange/topic", {}), ("products/update", {"id": 1}), (None, b"")):
            world.land(site, topic, body)
        world.land(site + 1, "orders/paid", order(1))
        figures = await world.batch()
        assert figures.understood == 0
        assert figures.parked["unknown_site"] == 1
        assert figures.parked["unreadable_body"] == 1
        assert sum(figures.parked.values()) + sum(figures.ignored.values()) == 5
        assert figures.ignored, "a product topic is known and of no use"

    in_world(test)


def test_a_body_that_is_no_zstd_and_one_that_retention_took(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        raw = world.land(site, "orders/paid", order(1))
        await world.connection.execute("UPDATE landing.raw_events SET body = 'no zstd' WHERE id = $1", raw)
        gone = world.land(site, "orders/paid", order(2))
        await world.connection.execute("DELETE FROM landing.raw_events WHERE id = $1", gone)
        figures = await world.batch()
        assert figures.parked == {"internal_error": 1, "body_gone": 1}
        assert await world.rows("SELECT detail FROM app.raw_outcomes WHERE reason = 'internal_error'") == [
            ("ZstdError",)
        ]

    in_world(test)


def test_a_refund_that_comes_before_its_order_is_counted_when_the_order_is_known(
    in_world: InWorld, order: Any, noon: datetime
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        at = noon + timedelta(hours=1)
        world.land(site, "refunds/create", {"order_id": 1, **refund(5, "30.00", at)})
        await world.batch()
        assert await world.rows("SELECT ordered_at, refunded FROM app.orders") == [(None, Decimal(30))]
        assert await world.rows("SELECT order_id FROM app.value_changes") == [("1",)]
        await world.connection.execute("DELETE FROM app.value_changes")
        world.land(site, "orders/updated", order(1, refunds=[refund(5, "30.00", at), refund(6, "20.00", at)]))
        await world.batch()
        assert await world.rows("SELECT ordered_at, refunded FROM app.orders") == [(noon, Decimal(50))]
        assert await world.rows("SELECT refund_id, amount FROM app.order_refunds ORDER BY 1") == [
            ("5", Decimal(30)),
            ("6", Decimal(20)),
        ]
        assert await world.rows("SELECT order_id FROM app.value_changes") == [("1",)]
        assert await world.value("SELECT count(*) FROM app.commerce_events WHERE type = 'order.refunded'") == 2

    in_world(test)


def test_value_changes_name_cancelled_edited_and_deleted_orders_only(
    in_world: InWorld, order: Any, noon: datetime
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        for number in range(1, 5):
            world.land(site, "orders/paid", order(number))
        await world.batch()
        assert await world.value("SELECT count(*) FROM app.value_changes") == 0
        later = (noon + timedelta(hours=1)).isoformat()
        world.land(site, "orders/updated", order(1, updated_at=later, tags="vip"))
        world.land(site, "orders/cancelled", order(2, updated_at=later, cancelled_at=later))
        world.land(site, "orders/updated", order(3, updated_at=later, total_price="80.00"))
        world.land(site, "orders/delete", {"id": 4})
        await world.batch()
        assert await world.rows("SELECT order_id FROM app.value_changes ORDER BY 1") == [("2",), ("3",), ("4",)]
        assert await world.value("SELECT total FROM app.orders WHERE order_id = '3'") == Decimal(80)

    in_world(test)


def test_older_evidence_corrects_an_event_in_place(in_world: InWorld, order: Any, noon: datetime) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        later = (noon + timedelta(hours=1)).isoformat()
        world.land(site, "orders/updated", order(1, updated_at=later, total_price="120.00"))
        await world.batch()
        world.land(site, "orders/paid", order(1))
        figures = await world.batch()
        assert (figures.revised, figures.events, figures.custom_events) == (2, {}, {})
        assert await world.rows("SELECT DISTINCT amount FROM app.commerce_events") == [(Decimal(100),)]
        assert await world.rows("SELECT DISTINCT evidence_at FROM app.event_keys") == [(noon,)]
        assert await world.value("SELECT total FROM app.orders") == Decimal(120), "the newest state stands"
        assert await world.rows("SELECT order_id FROM app.value_changes") == [("1",)]
        world.land(site, "orders/updated", order(1, updated_at=later, total_price="130.00"))
        assert (await world.batch()).revised == 0
        assert await world.value("SELECT count(*) FROM app.conversion_uploads") == 1

    in_world(test)


def test_an_event_whose_partition_was_dropped_stays_known(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.land(site, "orders/paid", order(1))
        await world.batch()
        await world.connection.execute("DELETE FROM app.commerce_events")
        world.land(site, "orders/paid", order(1, total_price="1.00"))
        figures = await world.batch()
        assert (figures.events, figures.revised) == ({}, 0)

    in_world(test)


def test_older_evidence_may_satisfy_a_rule_that_the_newer_did_not(
    in_world: InWorld, order: Any, noon: datetime
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        large = {"field": "order.total", "op": ">=", "value": "90"}
        world.rule(site, ads_action=world.action(), conditions=large)
        later = (noon + timedelta(hours=1)).isoformat()
        world.land(site, "orders/updated", order(1, updated_at=later, total_price="80.00"))
        assert (await world.batch()).custom_events == {}
        world.land(site, "orders/paid", order(1))
        assert (await world.batch()).custom_events == {"purchase": 1}

    in_world(test)


def test_one_transaction_goes_to_an_action_once(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        action = world.action()
        world.rule(site, "purchase", ads_action=action)
        world.rule(site, "also", trigger=["order.created"], ads_action=action)
        world.rule(site, "elsewhere", ads_action=world.action("2"))
        world.land(site, "orders/create", order(1, financial_status="pending"))
        assert (await world.batch()).queued == 1
        world.land(site, "orders/paid", order(1))
        world.land(site, "orders/paid", order(2))
        figures = await world.batch()
        assert figures.custom_events == {"purchase": 2, "also": 1, "elsewhere": 2}
        assert figures.withheld == {"same_transaction_other_assignment": 2}
        assert figures.queued == 3
        assert await world.value("SELECT count(*) FROM app.upload_keys") == 4
        assert await world.value("SELECT count(*) FROM app.custom_events WHERE withheld_reason IS NOT NULL") == 2

    in_world(test)


@pytest.mark.parametrize(
    ("config", "fields", "state", "reason"),
    [
        ({}, {}, "withheld", "no_ads_action"),
        ({"ads_action": "9999999999/1"}, {}, "withheld", "unknown_ads_action"),
        ({"ads_action": "1234567890/1", "delay_minutes": 60 * 24 * 5}, {}, "held", "delay"),
    ],
)
def test_what_is_not_sent_is_in_the_ledger_all_the_same(
    in_world: InWorld, order: Any, config: dict[str, Any], fields: dict[str, Any], state: str, reason: str
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.action()
        world.rule(site, **config)
        world.land(site, "orders/paid", order(1, **fields))
        figures = await world.batch()
        assert figures.custom_events == {"purchase": 1}
        assert (figures.held if state == "held" else figures.withheld) == {reason: 1}
        ((found, why, sentence, settled),) = await world.rows(
            "SELECT state, reason, sentence, settled_at FROM app.conversion_uploads"
        )
        assert (found, why) == (state, reason)
        assert sentence
        assert (settled is not None) == (state == "withheld")

    in_world(test)


def test_a_test_order_is_stored_and_matches_nothing(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        site = world.site(take_test_orders=False)
        world.rule(site)
        world.land(site, "orders/paid", order(1, test=True))
        figures = await world.batch()
        assert figures.custom_events == {}
        assert await world.value("SELECT count(*) FROM app.commerce_events WHERE NOT is_test") == 0

    in_world(test)


def test_subscriptions_and_carts(in_world: InWorld, noon: datetime) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        contract = {"id": 55, "status": "active", "customer_id": 7, "origin_order_id": 1, "currency_code": "EUR"}
        headers = {"x-shopify-triggered-at": noon.isoformat().replace("+00:00", "Z")}
        world.land(site, "subscription_contracts/create", contract, headers=headers)
        cart = {
            "token": "t1",
            "id": "t1",
            "created_at": noon.isoformat(),
            "updated_at": noon.isoformat(),
            "line_items": [{"id": 9, "key": "9:a", "quantity": 1, "price": "5.00"}],
        }
        world.land(site, "carts/update", cart)
        checkout = {
            **cart,
            "total_price": "5.00",
            "currency": "EUR",
            "note_attributes": [{"name": "gclid", "value": "Cj0KCQ-checkout-1"}],
        }
        world.land(site, "checkouts/create", checkout)
        await world.batch()
        world.land(site, "subscription_contracts/cancel", {**contract, "status": "cancelled"}, headers=headers)
        await world.batch()
        types = {row[0] for row in await world.rows("SELECT type FROM app.commerce_events")}
        assert {"subscription.started", "subscription.cancelled", "checkout.started", "cart.item_added"} <= types
        assert await world.rows("SELECT status FROM app.subscriptions") == [("cancelled",)]
        assert await world.rows("SELECT subject FROM app.clicks") == [("cart:t1",)]

    in_world(test)


def test_a_click_on_what_is_neither_order_nor_cart(in_world: InWorld, noon: datetime) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        click = Click(kind=ClickKind.WBRAID, id="0AAA-test")
        event = CommerceEvent(
            type=EventType.CUSTOMER_CREATED,
            key="customer.created:7",
            occurred_at=noon,
            evidence_at=noon,
            clicks=(click,),
            consent=Consent(ad_user_data=ConsentStatus.GRANTED),
        )
        candidate = CandidateEvent(site, event, Delivered(noon.date(), 1, noon, site, Understood()))
        await write_clicks(world.connection, [candidate, candidate], set())
        await write_clicks(world.connection, [candidate], set())
        assert await world.rows("SELECT subject, seen_at, consent->>'ad_user_data' FROM app.clicks") == [
            ("customer.created:7", noon, "granted")
        ]

    in_world(test)
