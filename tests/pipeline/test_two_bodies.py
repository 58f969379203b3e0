"""Two bodies of one event, through the real pipeline: the event, its custom event and its conversion are what both say together."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from custom_events.queries.stored_facts import facts_of
from custom_events.values.events import from_json, to_json

InWorld = Callable[[Callable[[Any], Any]], None]

RENEWALS = {"trigger": ["subscription.renewed"], "dedup": {"per": "order"}}
SENT = """
SELECT e.value = 11.70, e.currency, e.withheld_reason, u.state, u.value = 11.70, u.currency, u.email_sha256 IS NOT NULL, k.upload_id IS NOT NULL
FROM app.custom_events e JOIN app.conversion_uploads u ON u.id = e.upload_id
LEFT JOIN app.upload_keys k ON k.upload_id = u.id AND k.sequence = 0
WHERE e.withdrawn_at IS NULL
"""
FACTS = f"SELECT key, {facts_of('c')} FROM app.commerce_events c ORDER BY key"


def renewal(order: Any, at: datetime, **fields: Any) -> dict[str, Any]:
    stamp = at.isoformat()
    sold = {"created_at": stamp, "processed_at": stamp, "updated_at": stamp, "source_name": "subscription_contract"}
    return order(900, total_price="11.70", **sold, **fields)


def billing_attempt() -> dict[str, Any]:
    return {"id": None, "idempotency_key": "r-77-900", "order_id": 900, "subscription_contract_id": 77, "ready": True}


async def land_attempt(world: Any, site: int, at: datetime) -> None:
    topic = "subscription_billing_attempts/success"
    triggered = {"x-shopify-topic": topic, "x-shopify-triggered-at": at.isoformat()}
    world.land(site, topic, billing_attempt(), headers=triggered)


@pytest.mark.parametrize("attempt_minutes", [-1, 0, 1], ids=["older", "as old", "younger"])
@pytest.mark.parametrize("batches", [1, 2])
@pytest.mark.parametrize("order_first", [True, False], ids=["order first", "attempt first"])
def test_a_renewal_goes_with_its_value_whichever_body_comes_first(
    in_world: InWorld, order: Any, noon: datetime, order_first: bool, batches: int, attempt_minutes: int
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, "renewal", **RENEWALS, consent_needed="not_denied", ads_action=world.action())
        for place in range(2):
            if (place == 0) == order_first:
                world.land(site, "orders/paid", renewal(order, noon))
            else:
                await land_attempt(world, site, noon + timedelta(minutes=attempt_minutes))
            if batches == 2 or place == 1:
                await world.batch()
        (row,) = await world.rows(SENT)
        assert row == (True, "EUR", None, "queued", True, "EUR", True, True)
        event = from_json(dict(await world.rows(FACTS))["subscription.renewed:order:900:900"])
        assert event.subscription is not None
        assert event.subscription.id == "77", "the contract, which the order does not name"
        assert event.order is not None
        assert str(event.order.total) == "11.70"

    in_world(test)


def test_a_renewal_that_was_sent_is_not_called_withheld_by_its_poorer_body(
    in_world: InWorld, order: Any, noon: datetime
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, "renewal", **RENEWALS, consent_needed="not_denied", ads_action=world.action())
        world.land(site, "orders/paid", renewal(order, noon))
        await world.batch()
        for state in ("claimed", "sent", "accepted"):
            await world.connection.execute("UPDATE app.conversion_uploads SET state = $1, attempts = 1", state)
        await land_attempt(world, site, noon - timedelta(minutes=1))
        await world.batch()
        (row,) = await world.rows(SENT)
        assert row[:5] == (True, "EUR", None, "accepted", True)

    in_world(test)


def refund(noon: datetime, **fields: Any) -> dict[str, Any]:
    given = {"kind": "refund", "status": "success", "amount": "30.00", "currency": "EUR"}
    return {"id": 31, "order_id": 1, "created_at": noon.isoformat(), "transactions": [given], **fields}


def test_bodies_of_one_event_in_any_order_and_any_batching(in_world: InWorld, order: Any, noon: datetime) -> None:
    """A refund and the order around it, a checkout and its update, a customer and its update, a renewal and its attempt."""
    later = (noon + timedelta(seconds=3)).isoformat()
    checkout = {"token": "t", "created_at": noon.isoformat(), "total_price": "9.00", "currency": "EUR"}
    landing = "/?gclid=Cj0KCQ-test-of-a-checkout"
    bodies = [
        ("refunds/create", refund(noon)),
        (
            "orders/updated",
            order(updated_at=later, financial_status="partially_refunded", refunds=[refund(noon, note="late")]),
        ),
        ("checkouts/create", {**checkout, "updated_at": noon.isoformat()}),
        (
            "checkouts/update",
            {**checkout, "updated_at": later, "email": "person7@example.org", "landing_site": landing},
        ),
        ("customers/create", {"id": 7, "created_at": noon.isoformat(), "updated_at": noon.isoformat()}),
        ("customers/update", {"id": 7, "created_at": noon.isoformat(), "updated_at": later, "email": "p7@example.org"}),
    ]

    async def facts(world: Any, number: int, ordered: tuple[int, ...], size: int) -> list[tuple[Any, ...]]:
        site = world.site(f"shop{number}")
        for place, index in enumerate(ordered, start=1):
            world.land(site, *bodies[index])
            if place % size == 0 or place == len(ordered):
                await world.batch()
        return await world.rows(
            """SELECT key, e.occurred_at, e.evidence_at, customer_key, amount, currency,
              regexp_replace(facts::text, '"raw_id":[0-9]+', '', 'g'), k.parts, e.packed
              FROM app.commerce_events e JOIN app.event_keys k USING (site_id, key) WHERE e.site_id = $1 ORDER BY key""",
            site,
        )

    async def test(world: Any) -> None:
        expected = await facts(world, 0, tuple(range(6)), 6)
        by_key = {row[0]: row for row in expected}
        assert by_key["order.refunded:1:31"][3] == "c:7", "the customer, of whom refunds/create knows nothing"
        assert by_key["checkout.started:t"][3] is not None
        assert "Cj0KCQ-test-of-a-checkout" in by_key["checkout.started:t"][6]
        assert '"email_sha256"' in by_key["customer.created:7"][6]
        for number, (shuffled, size) in enumerate(
            [(one, size) for one in list(permutations(range(6)))[:: 720 // 12] for size in (1, 2, 3)], start=1
        ):
            assert await facts(world, number, shuffled, size) == expected, (shuffled, size)

    in_world(test)


def test_a_younger_order_body_is_not_compared_and_one_that_adds_a_click_is(
    in_world: InWorld, order: Any, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, consent_needed="not_denied", ads_action=world.action())
        world.land(site, "orders/paid", order(note_attributes=[], email=None, customer={"id": 7}))
        await world.batch()
        assert await world.rows("SELECT state, reason FROM app.conversion_uploads") == [
            ("withheld", "no_click_or_identifier")
        ]
        asked: list[str] = []
        fetch = type(world.connection).fetch

        async def counting(self: Any, query: str, *values: Any, **options: Any) -> Any:
            asked.append(query)
            return await fetch(self, query, *values, **options)

        monkeypatch.setattr(type(world.connection), "fetch", counting)
        later = (noon + timedelta(minutes=1)).isoformat()
        world.land(site, "orders/updated", order(note_attributes=[], email=None, customer={"id": 7}, updated_at=later))
        await world.batch()
        assert not [query for query in asked if ", s.raw_id, s.raw_landed_week" in query]
        asked.clear()
        latest = (noon + timedelta(minutes=2)).isoformat()
        world.land(site, "orders/updated", order(email=None, customer={"id": 7}, updated_at=latest))
        await world.batch()
        assert [query for query in asked if ", s.raw_id, s.raw_landed_week" in query]
        assert await world.rows("SELECT state, click_id FROM app.conversion_uploads") == [("queued", "Cj0KCQ-test-1")]
        assert await world.rows("SELECT click_id FROM app.clicks") == [("Cj0KCQ-test-1",)]

    in_world(test)


def test_a_body_understood_again_takes_back_what_it_said_of_an_event_that_others_tell_of_too(
    in_world: InWorld, order: Any, noon: datetime
) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, "renewal", **RENEWALS, consent_needed="not_denied", ads_action=world.action())
        await land_attempt(world, site, noon - timedelta(minutes=1))
        raw_id = world.land(site, "orders/paid", renewal(order, noon))
        await world.batch()
        # As if an earlier parser had read another total.
        for key, facts in await world.rows(FACTS):
            misread = to_json(from_json(facts)).decode().replace('"total":"11.70"', '"total":"1170"')
            await world.connection.execute(
                "UPDATE app.commerce_events SET facts = $2::json, packed = NULL WHERE key = $1", key, misread
            )
        await world.connection.execute("DELETE FROM app.raw_outcomes WHERE raw_id = $1", raw_id)
        await world.connection.execute(
            "INSERT INTO landing.raw_queue (raw_id, landed_week, site_id)"
            " SELECT id, landed_week, site_id FROM landing.raw_events WHERE id = $1",
            raw_id,
        )
        await world.batch()
        (row,) = await world.rows(SENT)
        assert row[:5] == (True, "EUR", None, "queued", True)
        assert await world.value(
            "SELECT (facts::jsonb)->'subscription'->>'id' FROM app.commerce_events WHERE type = 'subscription.renewed'"
        ) == "77"  # fmt: skip

    in_world(test)
