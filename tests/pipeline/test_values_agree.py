"""Ledger, backtest and explanation say the same of what every conversion is worth, whatever became of its order: edits, exchanges,
refunds of items, of shipping and of plain money, pending and failed ones, cancellations and what undoes them; taxes in the prices or
beside them."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_events.backtest.backtest import backtest
from custom_events.explain.find import trace_of
from custom_events.history.reading import reading
from custom_events.ledger.adjustments import adjust
from custom_events.postgres import connect
from custom_events.settings import Settings
from custom_events.values.reasons import WORTH_NOTHING

InWorld = Callable[[Callable[[Any], Any]], None]

PROMPT = Settings(retract_cancelled_after_h=0, retract_deleted_after_h=0, retract_payment_lost_after_h=0)
ONLY_A = {"field": "item.sku", "op": "=", "value": "A"}
VALUES: dict[str, dict[str, Any]] = {
    "whole": {},
    "net": {"without_tax": True, "without_shipping": True},
    "without shipping": {"without_shipping": True, "factor": "0.5"},
    "before discounts": {"without_discounts": True},
    "items": {"source": "items_total"},
    "one item": {"source": "items_total", "items": ONLY_A},
    "clamped": {"at_least": "30", "at_most": "90"},
    "as sold": {"refunds_lower_it": False},
    "fixed": {"source": "fixed", "fixed": "12.50", "currency": "EUR"},
}
MADE = """
SELECT a.id, e.occurred_at, u.state, u.reason, u.value FROM app.custom_events e
JOIN app.site_custom_events a ON a.id = e.assignment_id
JOIN app.conversion_uploads u ON u.custom_event_id = e.id AND u.sequence = 0
WHERE e.site_id = $1 AND e.withdrawn_at IS NULL AND e.value IS NOT NULL AND e.order_id = $2
"""
SITES = count()


@st.composite
def lives(draw: st.DrawFn) -> list[dict[str, Any]]:
    """The bodies of one order, oldest first. Prices are in cents without tax; 20 % come on top, or are in what is sent."""
    sold = {"A": draw(st.sampled_from([4_000, 6_000])), "B": draw(st.sampled_from([0, 2_500]))}
    shipping, discount = draw(st.sampled_from([0, 500])), draw(st.sampled_from([0, 1_000]))
    told: list[dict[str, Any]] = []
    refunds: dict[int, dict[str, Any]] = {}
    for version in range(draw(st.integers(1, 4))):
        if version and draw(st.booleans()):
            kind = draw(st.sampled_from(["A", "B", "shipping", "money"]))
            refunds = {
                **refunds,
                draw(st.integers(1, 2)): {
                    "of": kind,
                    "how": draw(st.sampled_from(["success", "success", "pending", "failure"])),
                },
            }
        elif version and refunds and draw(st.booleans()):
            refunds = dict(list(refunds.items())[1:])
        told.append(
            {
                "version": version,
                "sold": sold,
                "shipping": shipping,
                "discount": discount,
                "refunds": refunds,
                "taken_out": sorted(draw(st.sets(st.sampled_from(["A", "B"]), max_size=1))) if version else [],
                "cancelled": version > 0 and draw(st.integers(0, 4)) == 0,
                "paid": version == 0 or draw(st.integers(0, 4)) > 0,
            }
        )
    return told


def money(cents: float) -> str:
    return f"{Decimal(round(cents)) / 100:.2f}"


def price(body: dict[str, Any], name: str, tax: float) -> float:
    """What is written for an item: its share of the discount is off; B is worth nothing where it was not sold."""
    share = body["discount"] if name == "A" else 0
    return (body["sold"][name] - share) * tax


def shopify(body: dict[str, Any], noon: datetime, *, included: bool) -> dict[str, Any]:
    gross = 1.2
    at = (noon + timedelta(minutes=body["version"])).isoformat()
    written = gross if included else 1.0
    whole = {name: price(body, name, gross) for name in ("A", "B")}
    total = sum(whole.values()) + body["shipping"] * gross
    left = total - sum(whole[name] for name in body["taken_out"])
    refunds = []
    for number, refund in body["refunds"].items():
        of, amount = refund["of"], {**whole, "shipping": body["shipping"] * gross, "money": 700}[refund["of"]]
        line = {
            "quantity": 1,
            "subtotal": money(price(body, of, written)) if of in whole else "0",
            "total_tax": money(price(body, of, 0.2)) if of in whole else "0",
            "line_item": {"id": 1, "sku": of, "quantity": 1, "price": money(body["sold"].get(of, 0) * written)},
        }
        refunds.append(
            {
                "id": number,
                "created_at": at,
                "transactions": [
                    {"kind": "refund", "status": refund["how"], "amount": money(amount), "currency": "EUR"}
                ],
                "refund_line_items": [line] if of in whole else [],
                "refund_shipping_lines": [
                    {"subtotal_amount_set": {"shop_money": {"amount": money(amount), "currency_code": "EUR"}}}
                ]
                if of == "shipping"
                else [],
            }
        )
    return {
        "id": 1,
        "created_at": noon.isoformat(),
        "processed_at": noon.isoformat(),
        "updated_at": at,
        "currency": "EUR",
        "taxes_included": included,
        "total_price": money(total),
        "current_total_price": money(left),
        "total_tax": money(total / gross * 0.2),
        "total_discounts": money(body["discount"] * written),
        "financial_status": "paid" if body["paid"] else "voided",
        "cancelled_at": at if body["cancelled"] else None,
        "customer": {"id": 7, "email": "person7@example.org"},
        "note_attributes": [{"name": "gclid", "value": "Cj0KCQ-test-1"}],
        "shipping_lines": [
            {
                "price": money(body["shipping"] * written),
                "discounted_price": money(body["shipping"] * written),
                "tax_lines": [{"price": money(body["shipping"] * 0.2)}],
            }
        ]
        if body["shipping"]
        else [],
        "line_items": [
            {
                "id": place,
                "sku": name,
                "quantity": 1,
                "price": money(body["sold"][name] * written),
                "total_discount": "0.00",
                "discount_allocations": [{"amount": money(body["discount"] * written)}]
                if name == "A" and body["discount"]
                else [],
                "tax_lines": [{"price": money(price(body, name, 0.2))}],
            }
            for place, name in enumerate(("A", "B"), start=1)
        ],
        "refunds": refunds,
    }


def woocommerce(body: dict[str, Any], noon: datetime, *, included: bool) -> dict[str, Any]:
    at, gmt = noon + timedelta(minutes=body["version"]), "%Y-%m-%dT%H:%M:%S"
    whole = {name: price(body, name, 1.2) for name in ("A", "B")}
    amounts = {**whole, "shipping": body["shipping"] * 1.2, "money": 700}
    kept = [name for name in ("A", "B") if name not in body["taken_out"]]
    total = sum(whole[name] for name in kept) + body["shipping"] * 1.2
    return {
        "id": 1,
        "number": "1",
        "status": "cancelled" if body["cancelled"] else "processing" if body["paid"] else "failed",
        "currency": "EUR",
        "prices_include_tax": included,
        "total": money(total),
        "total_tax": money(total / 6),
        "discount_total": money(body["discount"]),
        "discount_tax": money(body["discount"] * 0.2),
        "shipping_total": money(body["shipping"]),
        "shipping_tax": money(body["shipping"] * 0.2),
        "date_created_gmt": noon.strftime(gmt),
        "date_modified_gmt": at.strftime(gmt),
        "date_paid_gmt": noon.strftime(gmt),
        "payment_method": "card",
        "customer_id": 7,
        "billing": {"email": "person7@example.org", "country": "US"},
        "meta_data": [{"id": 1, "key": "_gclid", "value": "Cj0KCQ-test-1"}],
        "line_items": [
            {
                "id": place,
                "sku": name,
                "quantity": 1,
                "subtotal": money(body["sold"][name]),
                "total": money(price(body, name, 1)),
                "total_tax": money(price(body, name, 0.2)),
            }
            for place, name in enumerate(("A", "B"), start=1)
            if name in kept
        ],
        "refunds": [
            {"id": number, "total": f"-{money(amounts[refund['of']])}"}
            for number, refund in body["refunds"].items()
            if refund["how"] == "success"
        ],
    }


PLATFORMS: dict[str, tuple[str, Callable[..., dict[str, Any]]]] = {
    "shopify": ("orders/updated", shopify),
    "woocommerce": ("order.updated", woocommerce),
}


async def shop(world: Any, platform: str, definitions: dict[str, int]) -> int:
    site = world.site(f"shop{next(SITES)}", platform)
    for place, (key, definition) in enumerate(definitions.items()):
        world.assignment(site, definition, "", ads_action=world.action(f"{site}{place:03}"), value=VALUES[key])
    return site


async def receive(world: Any, site: int, topic: str, bodies: list[dict[str, Any]], noon: datetime) -> None:
    """Each body a batch, brought to the ledger."""
    engine = connect.engine(world.url)
    for body in bodies:
        headers = {"x-shopify-topic": topic, "x-wc-webhook-topic": topic}
        world.land(site, topic, body, triggered_at=noon, headers=headers)
        while (await world.batch()).raw:
            pass
        with engine.begin() as connection:
            while adjust(connection, datetime.now(UTC), PROMPT):
                pass
    engine.dispose()


async def agreed(world: Any, site: int, noon: datetime) -> None:
    ledger = {
        (assignment, at): Decimal(0) if state == "withheld" else value
        for assignment, at, state, reason, value in await world.rows(MADE, site, "1")
        if state != "withheld" or reason in WORTH_NOTHING
    }
    async with reading(world.url) as connection:
        told = await trace_of(connection, "1", site_id=site)
        seen = await backtest(connection, since=noon - timedelta(days=1), until=noon + timedelta(days=1), sites=[site])
    explained = {
        (decision.assignment_id, event.occurred_at): made.value_now
        for event in told.events
        for decision in event.decisions
        for made in decision.custom_events
        if made.withdrawn_at is None and made.value is not None
    }
    assert ledger == {key: value for key, value in explained.items() if key in ledger}
    assert not seen.counts.differs, seen.samples
    assert seen.effects == ()


@pytest.mark.parametrize("platform", list(PLATFORMS))
def test_whatever_becomes_of_an_order(in_world: InWorld, noon: datetime, platform: str) -> None:
    topic, as_sent = PLATFORMS[platform]

    async def test(world: Any) -> None:
        loop = asyncio.get_running_loop()
        empty = world.site("empty")
        definitions: dict[str, int] = {}
        for key in VALUES:
            assignment = world.rule(empty, key)
            definitions[key] = await world.value(
                "SELECT definition_id FROM app.site_custom_events WHERE id = $1", assignment
            )

        @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
        @given(lives(), st.booleans(), st.randoms())
        def law(told: list[dict[str, Any]], included: bool, random: Any) -> None:
            async def both() -> None:
                values: list[Any] = []
                for bodies in (told, random.sample(told, len(told))):
                    site = await shop(world, platform, definitions)
                    await receive(world, site, topic, [as_sent(one, noon, included=included) for one in bodies], noon)
                    await agreed(world, site, noon)
                    values.append([row[1:] for row in await world.rows(f"{MADE} ORDER BY a.id", site, "1")])
                assert values[0] == values[1]

            asyncio.run_coroutine_threadsafe(both(), loop).result()

        await asyncio.to_thread(law)

    in_world(test)
