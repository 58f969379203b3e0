"""Matching stored events again: by the rules of their time or by today's, and what is told of it."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from custom_events.pipeline.rematch import run as rematch_module
from custom_events.pipeline.rematch.run import Rules, Scope, rematch
from custom_events.pipeline.rematch.stored import Cause
from custom_events.postgres import connect
from custom_events.values.reasons import Reason

InWorld = Callable[[Callable[[Any], Any]], None]

PUBLISH = """
WITH retired AS (
  UPDATE app.definition_revisions SET state = 'retired', retired_at = clock_timestamp()
  WHERE definition_id = $1 AND state = 'published' RETURNING definition_id)
INSERT INTO app.definition_revisions (definition_id, number, state, config, author, published_at)
SELECT definition_id, 2, 'draft', $2, 'test', NULL FROM retired RETURNING id
"""
BEFORE = {"field": "customer.orders_before", "op": "=", "value": 0}
REPLAY = Cause(Reason.INVALIDATED_BY_REPLAY, "replay:1")
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
LIMIT_S = 60.0
STANDING = "SELECT order_id FROM app.custom_events WHERE withdrawn_at IS NULL ORDER BY 1"


def day(order: Any, noon: datetime, number: int, days: int, **fields: Any) -> dict[str, Any]:
    at = (noon + timedelta(days=days - 10)).isoformat()
    return order(number, created_at=at, updated_at=at, processed_at=at, **fields)


async def publish(world: Any, assignment: int, config: dict[str, Any]) -> None:
    definition = await world.value("SELECT definition_id FROM app.site_custom_events WHERE id = $1", assignment)
    revision = await world.value(PUBLISH, definition, json.dumps(config))
    await world.connection.execute(
        "UPDATE app.definition_revisions SET state = 'published', published_at = clock_timestamp() WHERE id = $1",
        revision,
    )


async def again(world: Any, site: int, *, rules: Rules = Rules.PUBLISHED) -> Any:
    async with world.connection.transaction():
        configuration = await world.cache.current(world.connection)
        scope = Scope(site, REPLAY, since=datetime(2020, 1, 1, tzinfo=UTC))
        return await rematch(world.connection, configuration, [scope], datetime.now(UTC), rules=rules)


def test_a_replay_by_todays_rules_changes_what_differs_and_nothing_twice(
    in_world: InWorld, order: Any, noon: datetime
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        action = world.action()
        rule = world.rule(site, ads_action=action)
        for number, total in enumerate(("20.00", "60.00", "90.00"), start=1):
            world.land(site, "orders/paid", day(order, noon, number, number, total_price=total))
        await world.batch()
        big = {"field": "order.total", "op": ">=", "value": "50"}
        await publish(world, rule, {"trigger": ["order.paid"], "conditions": big, "ads_action": action})
        assert not (await again(world, site, rules=Rules.OF_THEIR_TIME)).any
        assert await world.rows(STANDING) == [("1",), ("2",), ("3",)]
        told = await again(world, site)
        assert ([one.row.order_id for one in told.withdrawn], told.unchanged, told.judged) == (["1"], 2, 3)
        assert [one.cause for one in told.withdrawn] == [REPLAY]
        assert await world.rows(STANDING) == [("2",), ("3",)]
        assert not (await again(world, site)).any

    in_world(test)


def test_nothing_to_do_asks_nothing(in_world: InWorld) -> None:
    async def test(world: Any) -> None:
        configuration = await world.cache.current(world.connection)
        assert not (await rematch(world.connection, configuration, [], datetime.now(UTC))).any

    in_world(test)


def test_a_late_event_does_not_carry_todays_rules_into_last_month(
    in_world: InWorld, order: Any, noon: datetime
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        rule = world.rule(site, conditions=BEFORE)
        world.land(site, "orders/paid", day(order, noon, 2, 2))
        world.land(site, "orders/paid", day(order, noon, 3, 3))
        await world.batch()
        await publish(world, rule, {"trigger": ["order.paid"]})
        world.rule(site, "new", conditions={"not": BEFORE})
        await world.connection.execute(
            "UPDATE app.assignment_revisions SET published_at = clock_timestamp() WHERE assignment_id <> $1", rule
        )
        world.land(site, "orders/paid", day(order, noon, 1, 1))
        figures = await world.batch()
        # Order 1 is matched by today's rules; order 2 by the rule that made it; order 3 gets nothing of the new ones.
        assert (figures.custom_events, figures.withdrawn) == ({"purchase": 1}, {"invalidated_by_late_event": 1})
        assert await world.rows(STANDING) == [("1",)]

    in_world(test)


def test_a_paused_assignment_makes_nothing_new_and_what_it_made_is_still_judged(
    in_world: InWorld, order: Any, noon: datetime
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        second = world.rule(site, "second", threshold={"at_least": "2"}, dedup={"per": "event"})
        world.rule(site, "repeat", conditions={"not": BEFORE})
        for number in (3, 4):
            world.land(site, "orders/paid", day(order, noon, number, number))
        await world.batch()
        await world.connection.execute("UPDATE app.site_custom_events SET is_active = false WHERE id = $1", second)
        world.land(site, "orders/paid", day(order, noon, 1, 1))
        figures = await world.batch()
        assert (figures.custom_events, figures.withdrawn) == ({"repeat": 1}, {"invalidated_by_late_event": 1})

    in_world(test)


def test_an_order_of_the_same_key_moves_within_its_transaction(in_world: InWorld, order: Any, noon: datetime) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        rule = world.rule(site, trigger=["order.created", "order.fulfilled"], ads_action=world.action())
        made = day(order, noon, 1, 1)
        shipped = {"fulfillment_status": "fulfilled", "fulfillments": [{"created_at": noon.isoformat()}]}
        world.land(site, "orders/fulfilled", made | shipped)
        await world.batch()
        before = await world.rows("SELECT id, custom_event_id FROM app.conversion_uploads")
        # The event that it was made of is not there: as if the store had told of the shipment alone.
        await world.connection.execute("DELETE FROM app.event_keys WHERE key = 'order.created:1'")
        await world.connection.execute(
            "UPDATE app.custom_events SET occurred_at = e.occurred_at, commerce_event_id = e.id"
            " FROM app.commerce_events e WHERE e.type = 'order.fulfilled'"
        )
        await world.connection.execute("UPDATE app.custom_event_keys SET occurred_at = $1", noon)
        await world.connection.execute("DELETE FROM app.commerce_events WHERE type = 'order.created'")
        world.land(site, "orders/create", made)
        figures = await world.batch()
        assert (figures.corrected, figures.withdrawn, figures.custom_events) == (1, {}, {})
        assert await world.rows("SELECT id, custom_event_id FROM app.conversion_uploads") == before
        (at,) = await world.rows("SELECT conversion_at FROM app.conversion_uploads")
        assert at[0] == noon - timedelta(days=9)
        assert await world.rows("SELECT assignment_id, dedup_key FROM app.custom_event_keys") == [(rule, "o:1")]

    in_world(test)


def test_the_earlier_of_two_assignments_has_the_transaction(in_world: InWorld, order: Any, noon: datetime) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        action = world.action()
        world.rule(site, "paid", ads_action=action)
        world.rule(
            site,
            "first",
            trigger=["order.created"],
            ads_action=action,
            conditions={"field": "order.total", "op": "<", "value": "50"},
        )
        at = (noon - timedelta(hours=1)).isoformat()
        body = order(1, created_at=at, processed_at=noon.isoformat())
        world.land(site, "orders/paid", body)
        await world.batch()
        # Older evidence: when it was made its total was small, so that the earlier event satisfies its rule now.
        small = body | {"total_price": "20.00", "updated_at": at, "financial_status": "pending"}
        world.land(site, "orders/create", small)
        await world.batch()
        states = await world.rows(
            "SELECT d.key, u.state, u.reason FROM app.conversion_uploads u JOIN app.site_custom_events a ON a.id ="
            " u.assignment_id JOIN app.custom_event_definitions d ON d.id = a.definition_id ORDER BY 1"
        )
        assert states == [("first", "queued", None), ("paid", "withheld", "same_transaction_other_assignment")]
        holders = await world.rows(
            "SELECT u.assignment_id = a.id FROM app.upload_keys k JOIN app.conversion_uploads u ON u.id = k.upload_id,"
            " app.site_custom_events a JOIN app.custom_event_definitions d ON d.id = a.definition_id WHERE d.key = 'first'"
        )
        assert holders == [(True,)]

    in_world(test)


def test_a_transaction_stays_with_an_earlier_event_that_is_not_judged_again(
    in_world: InWorld, order: Any, noon: datetime
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        action = world.action()
        world.rule(site, "begun", trigger=["order.created"], ads_action=action)
        world.rule(site, "repeat", conditions={"not": BEFORE}, ads_action=action)
        paid_at = (noon - timedelta(days=7)).isoformat()
        world.land(site, "orders/paid", day(order, noon, 2, 2) | {"processed_at": paid_at})
        await world.batch()
        between = day(order, noon, 1, 2) | {"processed_at": (noon - timedelta(days=7, hours=12)).isoformat()}
        world.land(site, "orders/paid", between)
        await world.batch()
        states = await world.rows(
            "SELECT d.key, e.order_id, u.state, u.reason FROM app.custom_events e JOIN app.conversion_uploads u ON"
            " u.custom_event_id = e.id JOIN app.site_custom_events a ON a.id = e.assignment_id"
            " JOIN app.custom_event_definitions d ON d.id = a.definition_id ORDER BY 1, 2"
        )
        assert states == [
            ("begun", "1", "queued", None),
            ("begun", "2", "queued", None),
            ("repeat", "2", "withheld", "same_transaction_other_assignment"),
        ]

    in_world(test)


def test_a_correction_never_calls_a_conversion_withheld_that_was_sent(
    in_world: InWorld, order: Any, noon: datetime
) -> None:
    """Nor does it give it another currency, in which Google cannot be told of it, or none."""

    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        world.land(site, "orders/paid", order(1))
        await world.batch()
        for state in ("claimed", "sent", "accepted"):
            await world.connection.execute("UPDATE app.conversion_uploads SET state = $1, attempts = 1", state)
        refused = [{"name": "consent_ad_user_data", "value": "denied"}]
        older = (noon - timedelta(minutes=1)).isoformat()
        body = order(1, total_price="90.00", updated_at=older, note_attributes=refused)
        world.land(site, "orders/updated", body)
        await world.batch()
        says = "SELECT withheld_reason, value::float, currency FROM app.custom_events"
        assert await world.rows(says) == [(None, 90, "EUR")]
        oldest = (noon - timedelta(minutes=2)).isoformat()
        world.land(site, "orders/updated", order(1, total_price="95.00", currency="USD", updated_at=oldest))
        await world.batch()
        assert await world.rows(says) == [(None, 90, "EUR")]
        assert await world.rows("SELECT state, value::float FROM app.conversion_uploads") == [("accepted", 100)]

    in_world(test)


def test_a_conversion_that_a_worker_claims_while_it_is_judged_is_not_called_withheld(
    in_world: InWorld, order: Any, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        world.land(site, "orders/paid", order(1))
        await world.batch()
        other = await connect.asyncpg_connect(world.url)
        settled = rematch_module.decide_changes

        async def late(*args: Any) -> Any:
            changes = await settled(*args)
            await other.execute("UPDATE app.conversion_uploads SET state = 'claimed', attempts = 1")
            return changes

        monkeypatch.setattr(rematch_module, "decide_changes", late)
        refused = [{"name": "consent_ad_user_data", "value": "denied"}]
        older = (noon - timedelta(minutes=1)).isoformat()
        world.land(site, "orders/updated", order(1, updated_at=older, note_attributes=refused))
        await world.batch()
        rows = "SELECT m.withheld_reason, u.state FROM app.custom_events m JOIN app.conversion_uploads u ON u.id = m.upload_id"
        assert await world.rows(rows) == [(None, "claimed")]
        await other.close()

    in_world(test)


def test_a_conversion_that_is_being_claimed_keeps_its_transaction(
    in_world: InWorld, order: Any, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its key no refund of what was sent would ever go, and another conversion could take the transaction."""

    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        world.land(site, "orders/paid", order(1))
        await world.batch()
        keys = "SELECT transaction_id, upload_id FROM app.upload_keys"
        before = await world.rows(keys)
        sender, watcher = await connect.asyncpg_connect(world.url), await connect.asyncpg_connect(world.url)
        settled = rematch_module.decide_changes
        claims: list[asyncio.Task[None]] = []

        async def commit_once_waited_for(claim: Any) -> None:
            async with asyncio.timeout(LIMIT_S):
                while not await watcher.fetchval(WAITS):
                    await asyncio.sleep(0.01)
            await claim.commit()

        async def late(*args: Any) -> Any:
            changes = await settled(*args)
            claim = sender.transaction()
            await claim.start()
            await sender.execute("UPDATE app.conversion_uploads SET state = 'claimed', attempts = 1")
            claims.append(asyncio.create_task(commit_once_waited_for(claim)))
            return changes

        monkeypatch.setattr(rematch_module, "decide_changes", late)
        refused = [{"name": "consent_ad_user_data", "value": "denied"}]
        older = (noon - timedelta(minutes=1)).isoformat()
        world.land(site, "orders/updated", order(1, updated_at=older, note_attributes=refused))
        await world.batch()
        await asyncio.gather(*claims)
        assert await world.rows("SELECT state FROM app.conversion_uploads") == [("claimed",)]
        assert len(before) == 1
        assert await world.rows(keys) == before
        await sender.close()
        await watcher.close()

    in_world(test)
