"""The law of late events: any permutation and any batching of a history gives the same custom events and conversions, whatever the
store takes back in it: cancelled and not any more, trashed and restored, refunds that fail, shrink or go, payments that are lost."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_events.ledger.adjustments import adjust
from custom_events.pipeline import crowds, customers
from custom_events.postgres import connect
from custom_events.settings import Settings

PROMPT = Settings(retract_cancelled_after_h=0, retract_deleted_after_h=0, retract_payment_lost_after_h=0)
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
    "cancelled": {"trigger": ["order.cancelled"], "threshold": {"at_least": "2", "fires": "every_further"}},
    "refunds of the shop": {
        "trigger": ["order.refunded", "order.cancelled"],
        "threshold": {"at_least": "2", "scope": "site", "fires": "every_further"},
        "dedup": {"per": "event"},
    },
}
RULES["renewal"] = {"trigger": ["subscription.renewed"]}
# Rules that counters decide for a customer with many events, whatever comes late: nothing else looks back.
COUNTED: dict[str, dict[str, Any]] = {
    "purchase": {},
    "begun or paid": {"trigger": ["order.created", "order.paid"]},
    "every second": {"threshold": {"at_least": "2", "fires": "every_nth"}},
    "three a week": {"threshold": {"at_least": "3", "period": "rolling", "window_days": 7}},
    "month": {"threshold": {"measure": "sum", "at_least": "120", "period": "month"}, "dedup": {"per": "customer"}},
    "further": {
        "threshold": {"measure": "sum", "at_least": "150", "fires": "every_further"},
        "group": "g",
        "priority": 1,
    },
    "week": {"threshold": {"measure": "sum", "at_least": "100", "period": "week", "fires": "every_nth"}, "group": "g"},
    "fell": {
        "trigger": ["order.refunded", "order.paid"],
        "threshold": {"measure": "sum", "at_least": "60", "currency": "EUR"},
        "dedup": {"per": "event"},
    },
    "cancelled": {"trigger": ["order.cancelled"], "threshold": {"at_least": "2", "fires": "every_further"}},
}
Rules = dict[str, dict[str, Any]]
SHARED = ("purchase", "begun or paid")  # of one ads action: they want the same transactions

STANDING = """
SELECT d.key, e.dedup_key, e.order_id, e.occurred_at, e.value, e.currency, e.customer_key, e.withheld_reason,
  regexp_replace(u.transaction_id, '^(ce-.*|[0-9]+-)', 'the site, then '), u.conversion_at, u.value, u.currency, u.click_id, u.email_sha256, u.state,
  CASE WHEN u.state IN ('withheld', 'held') THEN u.reason END
FROM app.custom_events e
JOIN app.site_custom_events a ON a.id = e.assignment_id
JOIN app.custom_event_definitions d ON d.id = a.definition_id
JOIN app.conversion_uploads u ON u.custom_event_id = e.id AND u.sequence = 0
WHERE e.site_id = $1 AND e.withdrawn_at IS NULL
ORDER BY 1, 2, 3
"""
EVENTS = """
SELECT key, occurred_at, evidence_at, is_undone, regexp_replace(facts::text, '"raw_id":[0-9]+', '', 'g')
FROM app.commerce_events WHERE site_id = $1 ORDER BY 1
"""
ORDERS = """
SELECT order_id, state_at, status, financial_status, paid_at, cancelled_at, deleted_at, total, refunded, payment_lost_at,
  payment_state_at, cancellation_state_at, refunds_listed_at, shown_at, ARRAY(
    SELECT (r.refund_id, r.amount, r.seen_at, r.items::text)::text FROM app.order_refunds r
    WHERE r.site_id = o.site_id AND r.order_id = o.order_id AND r.amount > 0 AND r.seen_at >= coalesce(o.refunds_listed_at, r.seen_at)
    ORDER BY 1)
FROM app.orders o WHERE site_id = $1 ORDER BY 1
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
MISCOUNTED = """
SELECT count(*) FROM app.counted_days d
FULL JOIN (
  SELECT counter_id, day, currency, count(*) AS events, sum(coalesce(amount, 0)) AS amount, count(*) FILTER (WHERE amount < 0) AS falling
  FROM app.counted_events GROUP BY 1, 2, 3) e USING (counter_id, day, currency)
WHERE (d.events, d.amount, d.falling) IS DISTINCT FROM (coalesce(e.events, 0), coalesce(e.amount, 0), coalesce(e.falling, 0))
"""


REFUNDS = st.dictionaries(st.integers(1, 2), st.sampled_from(["30.00", "10.00", "pending", "failure"]), max_size=2)
SHOPIFY_STATUSES = ["paid", "paid", "paid", "pending", "voided", "partially_paid"]
WOO_STATUSES = [
    "processing",
    "completed",
    "processing",
    "cancelled",
    "trash",
    "failed",
    "on-hold",
    "refunded",
    "packed",
]


@st.composite
def histories(draw: st.DrawFn, statuses: list[str]) -> list[dict[str, Any]]:
    """What a store sends of one to four orders of two customers: each body shows its order as it was at some time, and any state may
    follow any other; some orders are deleted in between. Some bodies are about an event of the order and do not have it: a refund,
    or the billing attempt of an order that renews a subscription."""
    told: list[dict[str, Any]] = []
    for number in range(1, draw(st.integers(2, 4)) + 1):
        born = {"number": number, "customer": draw(st.integers(7, 8)), "day": draw(st.integers(0, 9))}
        born["renews"] = draw(st.integers(0, 2)) == 0
        told += [
            {**born, "version": draw(st.integers(0, 3)), "body": {alone: draw(st.sampled_from([1, 2]))}}
            for alone in sorted(draw(st.sets(st.sampled_from(["attempt", "refund"]))))
        ]
        for version in range(draw(st.integers(1, 4))):
            body = {
                "total": draw(st.sampled_from([50, 50, 80, 120])),
                "status": draw(st.sampled_from(statuses)),
                "paid": draw(st.integers(0, 3)) > 0,
                "refunds": draw(REFUNDS) if version > 0 else {},
                "lists": draw(st.integers(0, 3)) > 0,
                "cancelled": draw(st.integers(0, 3)) == 0,
                "click": draw(st.booleans()),
            }
            told.append({**born, "version": version, "body": None if draw(st.integers(0, 9)) == 0 else body})
    return told


Delivery = tuple[str, dict[str, Any], datetime]  # topic, body, and when it was triggered


def times_of(told: dict[str, Any], noon: datetime) -> tuple[datetime, datetime]:
    born = noon - timedelta(days=10 - told["day"])
    return born, born + timedelta(hours=told["version"])


def by_shopify(told: dict[str, Any], order: Any, noon: datetime) -> Delivery:
    born, changed = times_of(told, noon)
    body, at = told["body"], changed.isoformat()
    if body is None:
        return "orders/delete", {"id": told["number"]}, changed + timedelta(minutes=1)
    if "attempt" in body:
        renewed = {"order_id": told["number"] if told["renews"] else None, "idempotency_key": f"a{told['number']}"}
        return (
            "subscription_billing_attempts/success",
            {**renewed, "subscription_contract_id": 70 + told["number"]},
            changed,
        )

    def refund(number: int, how: str) -> dict[str, Any]:
        status, amount = (how, "40.00") if how in ("pending", "failure") else ("success", how)
        return {
            "id": number,
            "created_at": born.isoformat(),
            "transactions": [{"kind": "refund", "status": status, "amount": amount}],
            "refund_line_items": [
                {"quantity": 1, "subtotal": amount, "line_item": {"id": 1, "sku": "A", "price": amount}}
            ],
        }

    if "refund" in body:
        return "refunds/create", {**refund(body["refund"], "10.00"), "order_id": told["number"]}, changed

    found = order(
        told["number"],
        source_name="subscription_contract" if told["renews"] else "web",
        created_at=born.isoformat(),
        processed_at=(born + timedelta(minutes=told["number"] % 2)).isoformat(),
        updated_at=at,
        total_price=f"{body['total']}.00",
        financial_status=body["status"],
        cancelled_at=at if body["cancelled"] else None,
        refunds=[refund(number, how) for number, how in body["refunds"].items()],
        customer={"id": told["customer"], "email": f"person{told['customer']}@example.org"},
        email=f"person{told['customer']}@example.org",
        note_attributes=[{"name": "gclid", "value": f"Cj0KCQ-test-{told['number']}"}] if body["click"] else [],
    )
    if not (body["lists"] or body["refunds"]):
        del found["refunds"]
    return "orders/updated", found, changed


def by_woocommerce(told: dict[str, Any], _order: Any, noon: datetime) -> Delivery:
    born, changed = times_of(told, noon)
    body, gmt = told["body"], "%Y-%m-%dT%H:%M:%S"
    if body is None:
        return "order.deleted", {"id": told["number"]}, changed + timedelta(minutes=1)
    if "attempt" in body:  # there is no such body here
        body = {"refund": body["attempt"]}
    if "refund" in body:
        own = {
            "id": body["refund"],
            "parent_id": told["number"],
            "amount": "10.00",
            "date_created_gmt": changed.strftime(gmt),
        }
        return "order_refund", own, changed
    paid_at = (born + timedelta(minutes=told["number"] % 2)).strftime(gmt)
    refunds = [{"id": number, "total": f"-{how}"} for number, how in body["refunds"].items() if how[0].isdigit()]
    found = {
        "id": told["number"],
        "status": body["status"],
        "total": f"{body['total']}.00",
        "currency": "EUR",
        "number": str(told["number"]),
        "date_created_gmt": born.strftime(gmt),
        "date_modified_gmt": changed.strftime(gmt),
        "date_paid_gmt": paid_at if body["paid"] else None,
        "payment_method": "cod" if told["number"] == 1 else "card",
        "customer_id": told["customer"],
        "billing": {"email": f"person{told['customer']}@example.org", "country": "US"},
        "meta_data": [
            *([{"id": 1, "key": "_gclid", "value": f"Cj0KCQ-test-{told['number']}"}] if body["click"] else []),
            *([{"id": 2, "key": "_subscription_renewal", "value": "70"}] if told["renews"] else []),
        ],
        "line_items": [{"id": 1, "product_id": 9, "quantity": 1, "subtotal": "50.00", "total": "50.00"}],
        "refunds": refunds if body["lists"] or refunds else None,
    }
    return "order.updated", found, changed


SITES = count()


async def define(world: Any, rules: Rules = RULES) -> dict[str, int]:
    """Definitions of the rules, by key; the site they are first assigned to gets no orders."""
    empty = world.site("empty")
    definitions: dict[str, int] = {}
    for key, config in rules.items():
        assignment = world.rule(empty, key, **config)
        definitions[key] = await world.value(
            "SELECT definition_id FROM app.site_custom_events WHERE id = $1", assignment
        )
    return definitions


async def shop(world: Any, definitions: dict[str, int], platform: str, payment_lost: str) -> int:
    """A site with these rules and ads actions of its own."""
    site = world.site(f"shop{next(SITES)}", platform, payment_lost=payment_lost)
    actions = {key: world.action(f"{site}{place:03}") for place, key in enumerate(definitions)}
    for key, definition in definitions.items():
        world.assignment(site, definition, "", ads_action=actions["purchase" if key in SHARED else key])
    return site


async def outcome(world: Any, site: int, batches: list[list[Delivery]]) -> list[list[tuple[Any, ...]]]:
    """What there is after these batches, each brought to the ledger."""
    engine = connect.engine(world.url)
    for deliveries in batches:
        for topic, body, triggered_at in deliveries:
            headers = {"x-shopify-topic": topic, "x-shopify-triggered-at": triggered_at.isoformat()}
            world.land(site, topic, body, triggered_at=triggered_at, headers=headers)
        while (await world.batch()).raw:
            pass
        with engine.begin() as connection:
            while adjust(connection, datetime.now().astimezone(), PROMPT):
                pass
    engine.dispose()
    return [await world.rows(query, site) for query in (STANDING, EVENTS, ORDERS)]


PLATFORMS = {"shopify": (by_shopify, SHOPIFY_STATUSES), "woocommerce": (by_woocommerce, WOO_STATUSES)}


@pytest.mark.parametrize("platform", list(PLATFORMS))
@pytest.mark.parametrize("rules", [RULES, COUNTED], ids=["all rules", "counted customers"])
def test_any_permutation_and_any_batching_gives_the_same(
    in_world: InWorld, monkeypatch: pytest.MonkeyPatch, order: Any, noon: datetime, rules: Rules, platform: str
) -> None:
    as_sent, statuses = PLATFORMS[platform]
    monkeypatch.setattr(crowds, "MANY_EVENTS", 1)
    monkeypatch.setattr(customers, "OFTEN", 2)

    async def test(world: Any) -> None:
        loop = asyncio.get_running_loop()
        definitions = await define(world, rules)

        @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
        @given(histories(statuses), st.sampled_from(["keep", "hold", "retract"]), st.data())
        def law(history: list[dict[str, Any]], payment_lost: str, data: st.DataObject) -> None:
            in_time = [
                as_sent(told, order, noon) for told in sorted(history, key=lambda told: (told["day"], told["version"]))
            ]
            shuffled = data.draw(st.permutations(in_time))
            cuts = sorted(data.draw(st.sets(st.integers(1, len(shuffled)), max_size=4)))
            batches = [shuffled[start:end] for start, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]

            async def both() -> None:
                expected = await outcome(world, await shop(world, definitions, platform, payment_lost), [in_time])
                found = await outcome(world, await shop(world, definitions, platform, payment_lost), batches)
                for ours, theirs in zip(found, expected, strict=True):
                    assert [row for row in ours if row not in theirs] == [row for row in theirs if row not in ours]
                assert [await world.value(query) for query in (KEYS, TRANSACTIONS, LEFT_STANDING)] == [0, 0, 0]
                assert await world.value(MISCOUNTED) == 0

            asyncio.run_coroutine_threadsafe(both(), loop).result()

        await asyncio.to_thread(law)
        assert await world.value("SELECT count(*) FROM app.threshold_counters WHERE customer_key <> ''") > 0

    in_world(test)
