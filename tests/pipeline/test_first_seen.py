"""What a batch takes for new without asking: keys of orders that nobody told of before, and the past of new customers."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from custom_events.pipeline import batch
from custom_events.pipeline.customers import Asked, customer_facts

InWorld = Callable[[Callable[[Any], Awaitable[None]]], None]


def _counting(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each try of a batch trusted."""
    tries: list[bool] = []
    process = batch.process

    async def counted(*args: Any, skip_lookups: bool) -> Any:
        tries.append(skip_lookups)
        return await process(*args, skip_lookups=skip_lookups)

    monkeypatch.setattr(batch, "process", counted)
    return tries


def test_keys_that_were_known_after_all_are_looked_up_by_a_second_try(
    in_world: InWorld, order: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = _counting(monkeypatch)

    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        world.land(site, "orders/paid", order(1))
        await world.batch()
        before = await world.everything()
        await world.connection.execute("DELETE FROM app.orders")  # no program does
        world.land(site, "orders/paid", order(1))
        world.land(site, "orders/paid", order(2))
        figures = await world.batch()
        assert tries == [True, True, False]
        assert (figures.parked, figures.understood, figures.queued) == ({}, 2, 1)
        after = await world.everything()
        for name in ("events", "clicks", "custom_events", "uploads", "upload_keys"):
            assert set(before[name]) <= set(after[name])
            assert len(after[name]) == 2 * len(before[name])

    in_world(test)


def test_an_order_whose_billing_attempt_came_first_is_no_surprise(
    in_world: InWorld, order: Any, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = _counting(monkeypatch)

    async def test(world: Any) -> None:
        site = world.site()
        world.rule(
            site,
            trigger=["order.paid", "subscription.renewed"],
            dedup={"per": "order"},
            ads_action=world.action(),
        )
        headers = {"x-shopify-triggered-at": noon.isoformat()}
        attempt = {"id": 5, "subscription_contract_id": 9, "order_id": 1}
        world.land(site, "subscription_billing_attempts/success", attempt, headers=headers)
        await world.batch()
        world.land(site, "orders/paid", order(1))
        await world.batch()
        assert tries == [True, True]
        assert await world.rows("SELECT dedup_key FROM app.custom_events WHERE withdrawn_at IS NULL") == [("o:1",)]

    in_world(test)


def test_the_past_of_new_customers_is_what_the_database_says(
    in_world: InWorld, order: Any, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    match, unasked = batch.match_events, 0

    async def compared(
        connection: Any, compiled_rules: Any, site_events: Any, needs: Any, new_customers: Any, *more: Any
    ) -> Any:
        nonlocal unasked
        asked = [Asked(one.site_id, one.event) for one in site_events]
        assert await customer_facts(connection, compiled_rules, asked, new_customers) == await customer_facts(
            connection, compiled_rules, asked
        )
        unasked += sum(
            new_customers.facts(one, compiled_rules.sites[one.site_id].facts.zone) is not None for one in asked
        )
        return await match(connection, compiled_rules, site_events, needs, new_customers, *more)

    monkeypatch.setattr(batch, "match_events", compared)

    def by(customer: int | None, number: int, minutes: int = 0, **fields: Any) -> dict[str, Any]:
        at = (noon + timedelta(minutes=minutes)).isoformat()
        who = {"customer": {"id": customer}, "email": None} if customer else {"customer": None, "email": None}
        return order(number, created_at=at, updated_at=at, processed_at=at, **who, **fields)

    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, conditions={"field": "customer.orders_before", "op": ">=", "value": 1})
        world.land(site, "orders/paid", by(1, 1))
        world.land(site, "orders/paid", by(2, 2, 5))
        world.land(site, "orders/paid", by(2, 3, 1))
        world.land(site, "orders/paid", by(3, 4, 2, currency="USD"))
        world.land(site, "orders/paid", by(4, 5, test=True))
        world.land(site, "orders/paid", by(4, 6, 3))
        world.land(site, "orders/paid", by(None, 7))
        customer = {"id": 1, "created_at": (noon - timedelta(days=1)).isoformat(), "updated_at": noon.isoformat()}
        world.land(site, "customers/create", customer)
        await world.batch()
        assert unasked == 4  # created and paid of customers 1 and 3; an account names no order, 2 and 4 have two
        assert await world.rows("SELECT order_id FROM app.custom_events") == [("2",)]
        world.land(site, "orders/paid", by(1, 8, 9))
        world.land(site, "orders/paid", by(5, 9, 9))
        await world.batch()
        assert unasked == 6
        assert await world.rows("SELECT order_id FROM app.custom_events ORDER BY 1") == [("2",), ("8",)]

    in_world(test)
