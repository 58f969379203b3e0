"""Events and rules for the matching's benchmark, and the same rules in three other languages.

Shapes as in docs/reference/performance.md 4: three leaves on average (`total >=`, currency in, item sku starts with, tag
contains, nested groups). The peers get plain dicts made before the clock starts, with floats instead of decimals.
"""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from custom_events.matching.threshold import Occurrence
from custom_events.values.clicks import Click, ClickKind
from custom_events.values.definitions import Assignment, DefinitionConfig, Threshold, ThresholdPeriod
from custom_events.values.events import CommerceEvent, Customer, EventType, LineItem, Order

START = datetime(2026, 11, 1, tzinfo=UTC)
CURRENCIES = ("EUR", "USD", "GBP", "SEK")
PREFIXES = ("VIP", "STD", "SALE", "NEW", "GIFT")
TAGS = ("vip", "wholesale", "newsletter", "gift", "preorder", "staff")
THRESHOLD = Threshold(at_least=Decimal(3), period=ThresholdPeriod.ROLLING, window_days=30)
EARLIER_ORDERS = 5  # of each customer, given to thresholds

Tree = dict[str, Any]


class World(NamedTuple):
    """A workload: events with their site, the rules, and how many distinct conditions they have."""

    name: str
    events: list[tuple[CommerceEvent, int]]
    assignments: list[Assignment]


def world(
    name: str,
    events: list[CommerceEvent],
    sites: int,
    per_site: int,
    distinct: int,
    *,
    thresholds: bool = False,
    seed: int = 1,
) -> World:
    """The events spread over `sites` sites with `per_site` assignments each, out of `distinct` conditions."""
    rng = random.Random(seed)  # speed, not secrecy
    trees = [tree(rng) for _ in range(distinct)]
    assignments = [
        Assignment(
            assignment_id=site * per_site + place,
            site_id=site,
            label="bench",
            definition_key="purchase",
            definition_revision_id=1,
            assignment_revision_id=1,
            config=DefinitionConfig(
                trigger=(EventType.ORDER_PAID,),
                conditions=rng.choice(trees),
                threshold=THRESHOLD if thresholds and place % 5 == 0 else None,
                ads_action="1234567890/1",
            ),
        )
        for site in range(sites)
        for place in range(per_site)
    ]
    return World(name, [(event, number % sites) for number, event in enumerate(events)], assignments)


def paid_orders(count: int, seed: int = 1) -> list[CommerceEvent]:
    """So many events; the same seed gives the same."""
    rng = random.Random(seed)  # speed, not secrecy
    return [paid_order(number, rng) for number in range(count)]


def paid_order(number: int, rng: random.Random) -> CommerceEvent:
    """One paid order of one to four lines."""
    at = START + timedelta(seconds=number)
    items = tuple(
        LineItem(
            sku=f"{rng.choice(PREFIXES)}-{rng.randrange(10_000)}",
            quantity=rng.choice((1, 1, 2)),
            total=Decimal(rng.randrange(500, 20_000)) / 100,
        )
        for _ in range(rng.randrange(1, 5))
    )
    total = sum((item.total or Decimal(0) for item in items), Decimal(0))
    order = Order(id=str(number), created_at=at, updated_at=at, currency=rng.choice(CURRENCIES), total=total, items=items,
                  tags=tuple(rng.sample(TAGS, rng.randrange(3))))  # fmt: skip
    return CommerceEvent(type=EventType.ORDER_PAID, key=f"order.paid:{number}", occurred_at=at, evidence_at=at, order=order,
                         customer=Customer(key=f"c:{number % 997}"), clicks=(Click(kind=ClickKind.GCLID, id="x"),))  # fmt: skip


def earlier(event: CommerceEvent) -> list[Occurrence]:
    """A few earlier orders of the event's customer."""
    return [
        Occurrence(
            occurred_at=event.occurred_at - timedelta(days=7 * number),
            key=f"order.paid:e{number}",
            customer=event.customer_key,
        )
        for number in range(1, EARLIER_ORDERS + 1)
    ]


def tree(rng: random.Random) -> Tree:
    """A condition of one to five leaves, three on average, every second one nested."""
    leaves = [leaf(rng) for _ in range(rng.randrange(1, 6))]
    if len(leaves) > 2 and rng.random() < 0.5:
        return {"all": [leaves[0], {"any": leaves[1:-1]}, {"not": leaves[-1]}]}
    return {rng.choice(("all", "all", "any")): leaves}


def leaf(rng: random.Random) -> Tree:
    """One comparison."""
    kind = rng.randrange(4)
    if kind == 0:
        return {"field": "order.total", "op": ">=", "value": rng.randrange(10, 400)}
    if kind == 1:
        return {"field": "order.currency", "op": "in", "value": rng.sample(CURRENCIES, 2)}
    if kind == 2:
        return {"any_item": {"field": "item.sku", "op": "starts_with", "value": f"{rng.choice(PREFIXES)}-"}}
    return {"field": "order.tags", "op": "contains", "value": rng.choice(TAGS)}


def plain(event: CommerceEvent) -> dict[str, Any]:
    """The event for the peers."""
    order = event.order
    if order is None or order.total is None:
        raise ValueError("the benchmark's events are orders with totals")
    items = [{"sku": item.sku} for item in order.items]
    return {
        "order": {"total": float(order.total), "currency": order.currency, "tags": list(order.tags), "items": items}
    }


# ---------------------------------------------------------------- the same rules elsewhere
Asked = Callable[[Any], bool]


class Peer(NamedTuple):
    """A library: how it takes a rule and how it takes an event."""

    name: str
    compile: Callable[[Tree], Asked]
    convert: Callable[[dict[str, Any]], Any]


def peers() -> list[Peer]:
    """JSON logic, rule-engine and cel-python."""
    return [
        Peer("json_logic", _json_logic, lambda facts: facts),
        Peer("rule_engine", _rule_engine, lambda facts: facts),
        Peer("cel_python", _cel(), _to_cel),
    ]


def _json_logic(condition: Tree) -> Asked:
    from json_logic import jsonLogic

    rule = _logic(condition)
    return lambda facts: bool(jsonLogic(rule, facts))


def _logic(condition: Tree) -> Any:
    word, below = next(iter(condition.items()))
    if word in ("all", "any"):
        return {"and" if word == "all" else "or": [_logic(child) for child in below]}
    if word == "not":
        return {"!": [_logic(below)]}
    if word == "any_item":
        start = below["value"]
        return {"some": [{"var": "order.items"}, {"==": [{"substr": [{"var": "sku"}, 0, len(start)]}, start]}]}
    value, name = condition["value"], {"var": condition["field"]}
    return (
        {">=": [name, value]}
        if condition["op"] == ">="
        else {"in": [name, value]}
        if condition["op"] == "in"
        else {"in": [value, name]}
    )


def _rule_engine(condition: Tree) -> Asked:
    import rule_engine

    context = rule_engine.Context(resolver=rule_engine.resolve_item)
    return rule_engine.Rule(
        _text(condition, "and", "or", "not", '$any([i["sku"].starts_with({}) for i in order["items"]])', 'order["{}"]'),
        context=context,
    ).matches


def _cel() -> Callable[[Tree], Asked]:
    import celpy

    environment = celpy.Environment()

    def compiled(condition: Tree) -> Asked:
        text = _text(condition, "&&", "||", "!", "order.items.exists(i, i.sku.startsWith({}))", "order.{}")
        program = environment.program(environment.compile(text))
        return lambda facts: bool(program.evaluate(facts))

    return compiled


def _to_cel(facts: dict[str, Any]) -> Any:
    from celpy.adapter import json_to_cel

    return {"order": json_to_cel(facts["order"])}


def _text(condition: Tree, and_: str, or_: str, not_: str, some: str, name: str) -> str:
    """The condition in a language with infix operators."""
    word, below = next(iter(condition.items()))
    if word in ("all", "any"):
        joined = f" {and_ if word == 'all' else or_} ".join(
            _text(child, and_, or_, not_, some, name) for child in below
        )
        return f"({joined})"
    if word == "not":
        return f"{not_} ({_text(below, and_, or_, not_, some, name)})"
    if word == "any_item":
        return some.format(json.dumps(below["value"]))
    field = name.format(condition["field"].removeprefix("order."))
    if condition["op"] == ">=":
        return f"{field} >= {condition['value']}.0"
    if condition["op"] == "in":
        return f"{field} in {json.dumps(condition['value'])}"
    return f"{json.dumps(condition['value'])} in {field}"
