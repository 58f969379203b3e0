"""The law of late events: any permutation and any batching of a history gives the same custom events and conversions."""

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

BEFORE = {"field": "customer.orders_before", "op": "=", "value": 0}
RULES: dict[str, dict[str, Any]] = {
    "purchase": {},
    "begun or paid": {"trigger": ["order.created", "order.paid"]},
    "first": {"conditions": BEFORE, "dedup": {"per": "customer"}},
    "repeat": {"conditions": {"not": BEFORE}},
    "once a customer": {
        "conditions": {"field": "order.total", "op": ">=", "value": "60"},
        "dedup": {"per": "customer"},
    },
    "spender": {
        "conditions": {"field": "customer.spent_before", "op": ">=", "value": "150"},
        "dedup": {"per": "customer"},
    },
    "every second": {"threshold": {"at_least": "2", "fires": "every_nth"}},
    "three a week": {"threshold": {"at_least": "3", "period": "rolling", "window_days": 7}},
    "a fortnight": {"dedup": {"per": "customer_window", "window_days": 14}, "group": "g", "priority": 1},
    "rich": {"threshold": {"measure": "sum", "at_least": "200", "fires": "every_further"}, "group": "g", "priority": 2},
    "third of the shop": {"threshold": {"at_least": "3", "scope": "site"}, "dedup": {"per": "customer"}},
    "busy day": {"threshold": {"at_least": "2", "scope": "site", "period": "day", "fires": "every_nth"}},
    "takings": {
        "threshold": {
            "measure": "sum",
            "at_least": "150",
            "scope": "site",
            "period": "rolling",
            "window_days": 3,
            "fires": "every_nth",
        }
    },
    "new of the shop": {
        "threshold": {"at_least": "2", "scope": "site", "period": "week", "fires": "every_further"},
        "dedup": {"per": "customer_window", "window_days": 2},
        "conditions": {"field": "customer.orders_before", "op": "<=", "value": 1},
    },
    "refunded twice": {"trigger": ["order.refunded"], "threshold": {"at_least": "2"}, "dedup": {"per": "event"}},
}
SHARED = ("purchase", "begun or paid")  # of one ads action: they want the same transactions

STANDING = """
SELECT d.key, e.dedup_key, e.order_id, e.occurred_at, e.value, e.currency, e.customer_key, e.withheld_reason,
  regexp_replace(u.transaction_id, '^(ce-.*|[0-9]+-)', 'the site, then '), u.conversion_at, u.value, u.currency, u.click_id, u.email_sha256, u.state,
  CASE WHEN u.state = 'withheld' THEN u.reason END
FROM app.custom_events e
JOIN app.site_custom_events a ON a.id = e.assignment_id
JOIN app.custom_event_definitions d ON d.id = a.definition_id
JOIN app.conversion_uploads u ON u.custom_event_id = e.id AND u.sequence = 0
WHERE e.site_id = $1 AND e.withdrawn_at IS NULL
ORDER BY 1, 2, 3
"""
KEYS = """
SELECT count(*) FROM app.custom_event_keys k
FULL JOIN (SELECT * FROM app.custom_events WHERE withdrawn_at IS NULL) e
  ON e.assignment_id = k.assignment_id AND e.dedup_key = k.dedup_key AND e.id = k.custom_event_id
  AND e.occurred_at = k.occurred_at
WHERE e.id IS NULL OR k.custom_event_id IS NULL
"""
TRANSACTIONS = """
SELECT count(*) FROM (SELECT * FROM app.upload_keys WHERE sequence = 0) k
FULL JOIN (SELECT * FROM app.conversion_uploads
           WHERE sequence = 0 AND ads_action_id IS NOT NULL AND state IN ('new', 'held', 'queued')) u
  ON u.ads_action_id = k.ads_action_id AND u.transaction_id = k.transaction_id AND u.id = k.upload_id
  AND u.created_at = k.created_at
WHERE k.upload_id IS NULL
"""
LEFT_STANDING = """
SELECT count(*) FROM app.custom_events e JOIN app.conversion_uploads u ON u.custom_event_id = e.id
WHERE e.withdrawn_at IS NOT NULL AND (u.state <> 'withheld' OR e.withdrawn_reason IS NULL OR e.withdrawn_by IS NULL)
"""


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """What a store sends of one to four orders of two customers: each body shows its order as it was at some time."""
    bodies: list[dict[str, Any]] = []
    for number in range(1, draw(st.integers(2, 4)) + 1):
        born = {"number": number, "customer": draw(st.integers(7, 8)), "day": draw(st.integers(0, 9))}
        bodies += [
            {
                **born,
                "version": version,
                "total": draw(st.sampled_from([50, 50, 80, 120])),
                "paid": version > 0 or draw(st.booleans()),
                "refund": draw(st.booleans()) and version > 0,
                "cancelled": draw(st.integers(0, 5)) == 0,
                "click": draw(st.booleans()),
            }
            for version in range(draw(st.integers(1, 3)))
        ]
    return bodies


def as_sent(told: dict[str, Any], order: Any, noon: datetime) -> dict[str, Any]:
    born = noon - timedelta(days=10 - told["day"])
    changed = (born + timedelta(hours=told["version"])).isoformat()
    given = {
        "id": told["number"],
        "created_at": changed,
        "transactions": [{"kind": "refund", "status": "success", "amount": "30.00"}],
    }
    return order(
        told["number"],
        created_at=born.isoformat(),
        processed_at=(born + timedelta(minutes=told["number"] % 2)).isoformat(),
        updated_at=changed,
        total_price=f"{told['total']}.00",
        financial_status="paid" if told["paid"] else "pending",
        cancelled_at=changed if told["cancelled"] else None,
        refunds=[given] if told["refund"] else [],
        customer={"id": told["customer"], "email": f"person{told['customer']}@example.org"},
        email=f"person{told['customer']}@example.org",
        note_attributes=[{"name": "gclid", "value": f"Cj0KCQ-test-{told['number']}"}] if told["click"] else [],
    )


SITES = count()


async def define(world: Any) -> dict[str, int]:
    """Definitions of all the rules, by key; the site they are first assigned to gets no orders."""
    empty = await world.site("empty")
    definitions: dict[str, int] = {}
    for key, config in RULES.items():
        assignment = await world.rule(empty, key, **config)
        definitions[key] = await world.value(
            "SELECT definition_id FROM app.site_custom_events WHERE id = $1", assignment
        )
    return definitions


async def shop(world: Any, definitions: dict[str, int]) -> int:
    """A site with all the rules and ads actions of its own."""
    site = await world.site(f"shop{next(SITES)}")
    actions = {key: await world.action(f"{site}{place:03}") for place, key in enumerate(RULES)}
    for key, definition in definitions.items():
        await world.assignment(site, definition, "", ads_action=actions["purchase" if key in SHARED else key])
    return site


async def outcome(world: Any, site: int, batches: list[list[dict[str, Any]]]) -> list[tuple[Any, ...]]:
    for bodies in batches:
        for body in bodies:
            await world.land(site, "orders/updated", body)
        while (await world.drain()).raw:
            pass
    engine = connect.engine(world.url)
    with engine.begin() as connection:
        while adjust(connection, datetime.now().astimezone()):
            pass
    engine.dispose()
    return await world.rows(STANDING, site)


def test_any_permutation_and_any_batching_gives_the_same(in_world: InWorld, order: Any, noon: datetime) -> None:
    async def test(world: Any) -> None:
        loop = asyncio.get_running_loop()
        definitions = await define(world)

        @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
        @given(histories(), st.data())
        def law(history: list[dict[str, Any]], data: st.DataObject) -> None:
            in_time = [
                as_sent(told, order, noon) for told in sorted(history, key=lambda told: (told["day"], told["version"]))
            ]
            shuffled = data.draw(st.permutations(in_time))
            cuts = sorted(data.draw(st.sets(st.integers(1, len(shuffled)), max_size=4)))
            batches = [shuffled[start:end] for start, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]

            async def both() -> None:
                expected = await outcome(world, await shop(world, definitions), [in_time])
                found = await outcome(world, await shop(world, definitions), batches)
                assert [row for row in found if row not in expected] == [row for row in expected if row not in found]
                assert [await world.value(query) for query in (KEYS, TRANSACTIONS, LEFT_STANDING)] == [0, 0, 0]

            asyncio.run_coroutine_threadsafe(both(), loop).result()

        await asyncio.to_thread(law)

    in_world(test)
