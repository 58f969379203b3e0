"""A subscription is what its newest body says: one that is active again is not cancelled, and may be cancelled again."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_events.ledger.adjustments import adjust
from custom_events.postgres import connect

InWorld = Callable[[Callable[[Any], Any]], None]

SITES = count()
CANCELLATION = {"trigger": ["subscription.cancelled"], "value": {"source": "fixed", "fixed": "5", "currency": "EUR"}}
STANDING = """
SELECT e.withdrawn_at IS NULL, e.withdrawn_reason, u.state, u.reason FROM app.custom_events e
JOIN app.conversion_uploads u ON u.id = e.upload_id WHERE e.site_id = $1
"""
STATE = "SELECT status, cancelled_at FROM app.subscriptions WHERE site_id = $1"


def subscription(noon: datetime, minutes: int, status: str) -> dict[str, Any]:
    """A WooCommerce subscription as it was so many minutes after noon."""
    at = noon + timedelta(minutes=minutes)
    ended = "" if status in {"active", "on-hold"} else f"{at:%Y-%m-%dT%H:%M:%S}"
    return {
        "id": 12,
        "parent_id": 11,
        "status": status,
        "currency": "EUR",
        "start_date_gmt": f"{noon:%Y-%m-%dT%H:%M:%S}",
        "date_modified_gmt": f"{at:%Y-%m-%dT%H:%M:%S}",
        "date_paid_gmt": f"{noon:%Y-%m-%dT%H:%M:%S}",
        "cancelled_date_gmt": ended,
        "total": "32.00",
        "customer_id": 5,
        "billing": {"email": "person5@example.org", "country": "DE"},
        "billing_period": "month",
        "billing_interval": "1",
    }


def test_one_that_is_active_again_takes_its_cancellation_back_and_may_be_cancelled_again(
    in_world: InWorld, noon: datetime
) -> None:
    async def test(world: Any) -> None:
        site = world.site(platform="woocommerce")
        world.rule(site, "churn", **CANCELLATION, consent_needed="not_denied", ads_action=world.action())

        async def say(minutes: int, status: str) -> tuple[Any, ...]:
            world.land(site, "subscription.updated", subscription(noon, minutes, status))
            await world.batch()
            (row,) = await world.rows(STANDING, site)
            return row

        assert await say(1, "pending-cancel") == (True, None, "queued", None)
        assert await say(2, "active") == (False, "taken_back_by_store", "withheld", "taken_back_by_store")
        assert await world.rows(STATE, site) == [("active", None)]
        assert await say(3, "cancelled") == (True, None, "queued", None)
        assert await world.rows("SELECT is_undone FROM app.commerce_events WHERE type = 'subscription.cancelled'") == [
            (False,)
        ]
        assert await say(4, "trash") == (True, None, "queued", None)

    in_world(test)


def test_a_cancellation_that_was_sent_is_retracted_when_it_is_taken_back(in_world: InWorld, noon: datetime) -> None:
    async def test(world: Any) -> None:
        site = world.site(platform="woocommerce")
        world.rule(site, "churn", **CANCELLATION, consent_needed="not_denied", ads_action=world.action())
        world.land(site, "subscription.updated", subscription(noon, 1, "pending-cancel"))
        await world.batch()
        for state in ("claimed", "sent", "accepted"):
            await world.connection.execute("UPDATE app.conversion_uploads SET state = $1, attempts = 1", state)
        world.land(site, "subscription.updated", subscription(noon, 2, "active"))
        await world.batch()
        engine = connect.engine(world.url)

        def taken() -> None:
            with engine.begin() as connection:
                adjust(connection, datetime.now().astimezone())
            engine.dispose()

        await asyncio.to_thread(taken)
        assert await world.rows("SELECT kind FROM app.conversion_uploads WHERE sequence > 0") == [("retraction",)]

    in_world(test)


def test_contracts_and_a_custom_sender_say_it_in_their_own_ways(in_world: InWorld, noon: datetime) -> None:
    async def test(world: Any) -> None:
        shopify, custom = world.site("s"), world.site("c", platform="custom")
        for key, site in (("s", shopify), ("c", custom)):
            world.rule(site, key, **CANCELLATION)

        async def contract(minutes: int, verb: str, status: str) -> None:
            topic = f"subscription_contracts/{verb}"
            at = (noon + timedelta(minutes=minutes)).isoformat()
            body = {"id": 77, "origin_order_id": 1, "status": status, "customer_id": 7, "currency_code": "EUR"}
            world.land(shopify, topic, body, headers={"x-shopify-topic": topic, "x-shopify-triggered-at": at})
            await world.batch()

        async def told(minutes: int, kind: str, **fields: Any) -> None:
            at = (noon + timedelta(minutes=minutes)).isoformat()
            body = {"type": kind, "occurred_at": at, "subscription": {"id": "77", **fields}, "customer": {"id": "7"}}
            world.land(custom, kind, body, headers={})
            await world.batch()

        async def stand() -> list[bool]:
            return [row[0] for site in (shopify, custom) for row in await world.rows(STANDING, site)]

        await contract(1, "cancel", "cancelled")
        await told(1, "subscription.cancelled")
        assert await stand() == [True, True]
        await contract(2, "activate", "active")
        await told(2, "subscription.renewed", order_id="9")
        assert await stand() == [False, True], "a renewal that says no status says nothing of it"
        await told(3, "subscription.renewed", order_id="9", status="active")
        assert await stand() == [False, False]
        await told(4, "subscription.payment_failed", order_id="10", status="expired")
        assert await stand() == [False, True]

    in_world(test)


def test_any_order_and_any_batching_gives_the_same(in_world: InWorld, noon: datetime) -> None:
    async def outcome(world: Any, definition: int, batches: list[list[Any]]) -> Any:
        site = world.site(f"shop{next(SITES)}", platform="woocommerce")
        world.assignment(site, definition, "", ads_action=world.action(str(site)))
        for batch in batches:
            for minutes, status in batch:
                world.land(site, "subscription.updated", subscription(noon, minutes, status))
            await world.batch()
        standing = [row for row in await world.rows(STANDING, site) if row[0]]
        events = """SELECT key, occurred_at, is_undone, regexp_replace(facts::text, '"raw_id":[0-9]+', '', 'g')
          FROM app.commerce_events WHERE site_id = $1 ORDER BY 1"""
        return standing, await world.rows(STATE, site), await world.rows(events, site)

    async def test(world: Any) -> None:
        empty = world.site("empty", platform="woocommerce")
        rule = world.rule(empty, "churn", **CANCELLATION)
        definition = await world.value("SELECT definition_id FROM app.site_custom_events WHERE id = $1", rule)
        loop = asyncio.get_running_loop()
        moves = st.lists(
            st.tuples(st.integers(0, 3), st.sampled_from(["active", "pending-cancel", "cancelled", "on-hold"])),
            min_size=1,
            max_size=5,
        )

        @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(bodies=moves, data=st.data())
        def law(bodies: list[Any], data: st.DataObject) -> None:
            shuffled = data.draw(st.permutations(bodies))
            cut = data.draw(st.integers(0, len(bodies)))
            whole, split, single = (
                asyncio.run_coroutine_threadsafe(outcome(world, definition, batches), loop).result()
                for batches in (
                    [sorted(bodies)],
                    [batch for batch in (shuffled[:cut], shuffled[cut:]) if batch],
                    [[one] for one in shuffled],
                )
            )
            assert split == whole
            assert single == whole
            newest = max(minutes for minutes, _ in bodies)
            words = {status for minutes, status in bodies if minutes == newest}
            if len(words) == 1:
                assert bool(whole[0]) == (words <= {"pending-cancel", "cancelled"})

        await asyncio.to_thread(law)

    in_world(test)
