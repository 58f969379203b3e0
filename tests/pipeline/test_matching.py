"""Rules that ask for more than the event: customer facts and thresholds, from our own state, by the store's time."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

InWorld = Callable[[Callable[[Any], Any]], None]


def on_day(order: Any, noon: datetime, number: int, day: int, **fields: Any) -> dict[str, Any]:
    at = (noon + timedelta(days=day - 10)).isoformat()
    return order(number, created_at=at, updated_at=at, processed_at=at, **fields)


def test_first_and_repeat_purchases_also_within_one_batch(in_world: InWorld, order: Any, noon: datetime) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        orders_before = {"field": "customer.orders_before", "op": "=", "value": 0}
        world.rule(site, "first", conditions=orders_before, dedup={"per": "customer"})
        world.rule(site, "repeat", conditions={"not": orders_before})
        world.rule(site, "spender", conditions={"field": "customer.spent_before", "op": ">=", "value": "200"})
        other = {"id": 8, "email": "person8@example.org"}
        for number, customer in enumerate(({"id": 7}, {"id": 7}, other, {"id": 7}), start=1):
            world.land(site, "orders/paid", on_day(order, noon, number, number, customer=customer))
        guest = on_day(order, noon, 9, 1, customer=None, email=None)
        world.land(site, "orders/paid", guest)
        figures = await world.batch()
        assert figures.custom_events == {"first": 2, "repeat": 3, "spender": 1}
        found = await world.rows(
            "SELECT d.key, e.order_id FROM app.custom_events e JOIN app.site_custom_events a ON a.id = e.assignment_id"
            " JOIN app.custom_event_definitions d ON d.id = a.definition_id WHERE e.order_id <> '9' ORDER BY 1, 2"
        )
        assert found == [("first", "1"), ("first", "3"), ("repeat", "2"), ("repeat", "4"), ("spender", "4")]

    in_world(test)


def test_orders_in_another_currency_make_the_spend_unknown(in_world: InWorld, order: Any, noon: datetime) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, "spender", conditions={"field": "customer.spent_before", "op": ">=", "value": "1"})
        world.land(site, "orders/paid", on_day(order, noon, 1, 1, currency="USD"))
        world.land(site, "orders/paid", on_day(order, noon, 2, 2))
        assert (await world.batch()).custom_events == {}

    in_world(test)


def test_every_third_order_of_a_customer_over_batches(in_world: InWorld, order: Any, noon: datetime) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(
            site,
            "third",
            threshold={"at_least": "3", "fires": "every_nth"},
            conditions={"field": "order.total", "op": ">=", "value": "50"},
        )
        repeated = {"field": "customer.orders_before", "op": ">=", "value": 1}
        world.rule(
            site, "regular", threshold={"at_least": "2", "period": "rolling", "window_days": 30}, conditions=repeated
        )
        for number in range(1, 7):
            world.land(site, "orders/paid", on_day(order, noon, number, number))
        small = on_day(order, noon, 7, 7, total_price="5.00")
        world.land(site, "orders/paid", small)
        world.settings.batch_size = 4
        await world.batch()
        await world.batch()
        fired = await world.rows(
            "SELECT d.key, e.order_id FROM app.custom_events e JOIN app.site_custom_events a ON a.id = e.assignment_id"
            " JOIN app.custom_event_definitions d ON d.id = a.definition_id ORDER BY 1, 2"
        )
        assert fired == [("regular", "3"), ("third", "3"), ("third", "6")]

    in_world(test)


def test_a_threshold_over_the_whole_site_and_a_window_of_deduplication(
    in_world: InWorld, order: Any, noon: datetime
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, "site", threshold={"at_least": "2", "scope": "site"})
        world.rule(site, "window", dedup={"per": "customer_window", "window_days": 3})
        for number, day in ((1, 1), (2, 2), (3, 5)):
            world.land(site, "orders/paid", on_day(order, noon, number, day, customer={"id": 7 if number != 2 else 8}))
        world.land(site, "orders/paid", on_day(order, noon, 4, 6))
        await world.batch()
        found = await world.rows(
            "SELECT d.key, e.order_id FROM app.custom_events e JOIN app.site_custom_events a ON a.id = e.assignment_id"
            " JOIN app.custom_event_definitions d ON d.id = a.definition_id ORDER BY 1, 2"
        )
        assert found == [("site", "2"), ("window", "1"), ("window", "2"), ("window", "3")]

    in_world(test)
