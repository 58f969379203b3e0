"""Trees of conditions: any JSON has a verdict, and whoever judges (compiled, leaf by leaf, explained) says the same."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final

import msgspec

from custom_events.conditions.compile import clear, compile_condition, compile_item_filter
from custom_events.conditions.explain import explain_condition
from custom_events.conditions.facts import NO_FACTS, Facts
from custom_events.conditions.field_lookup import fields_by_name
from custom_events.conditions.interpret import interpret
from custom_events.conditions.problems import Severity
from custom_events.conditions.render import render
from custom_events.conditions.runtime import items_of
from custom_events.conditions.validate import MEASURE_OPERATORS, validate
from custom_events.platforms.registry import PLATFORMS
from custom_events.values.deliveries import RawDelivery, SiteContext
from custom_events.values.events import CommerceEvent
from custom_events.values.platforms import Platform
from fuzzing import seeds
from fuzzing.target import Target, require

_KNOWN: Final = Facts(orders_before=2, spent_before=Decimal("99.90"), first_seen=datetime(2026, 1, 2, tzinfo=UTC))
_CURRENCIES: Final = ("EUR", "USD")
_MOST_EVENTS: Final = 8
# Properties as a sender may write them: numbers that none is, lists, texts.
_ODD: Final = (
    b'{"type":"customer.created","occurred_at":"2026-01-01T00:00:00Z","customer":{"id":"u1"},'
    b'"properties":{"level":1e99999999999999999999,"deep":{"list":[1,"2",null,true,-0.0]},"empty":{},"text":"\\u00df"}}'
)
_MOST_CHOSEN: Final = 200  # of compiled conditions that one run keeps, so that it does not grow

_TREES: Final[tuple[Any, ...]] = (
    {"field": "order.total", "op": ">=", "value": "200.00", "currency": "EUR"},
    {"all": [{"field": "order.tags", "op": "contains", "value": "vip"}, {"not": {"field": "customer.email_sha256", "op": "exists"}}]},
    {"any": [{"field": "order.created_at", "op": "on_or_after", "value": "2026-01-01"}, {"field": "event.is_test", "op": "=", "value": False}]},
    {"any_item": {"field": "item.sku", "op": "matches", "value": "^(a|b)+$", "ignore_case": True}},
    {"no_item": {"field": "item.price", "op": "between", "value": ["1", "9.99"]}},
    {"measure": "total", "items": {"field": "item.quantity", "op": ">", "value": 1}, "op": ">=", "value": "10"},
    {"field": "customer.orders_before", "op": "=", "value": 0},
    {"field": "properties.deep.list.0", "op": "in", "value": ["1", 2, True, None]},
)  # fmt: skip


@cache
def events() -> tuple[CommerceEvent, ...]:
    """Events of the samples, of several kinds."""
    by_type: dict[str, CommerceEvent] = {}
    for platform in (Platform.SHOPIFY, Platform.CUSTOM):
        site = SiteContext(site_id=1, platform=platform, currency="EUR")
        for topic, body in seeds.of_platform(platform):
            for event in PLATFORMS[platform].understand(RawDelivery(topic=topic, body=body), site).events:
                by_type.setdefault(event.type, event)
    site = SiteContext(site_id=1, platform=Platform.CUSTOM)
    odd = PLATFORMS[Platform.CUSTOM].understand(RawDelivery(topic=None, body=_ODD), site).events
    return (*odd, *by_type.values())[:_MOST_EVENTS]


def judge(tree: Any, event: CommerceEvent, known: Facts) -> None:
    """The law for one tree and one event."""
    problems = validate(tree, currencies=_CURRENCIES)
    condition = compile_condition(tree)
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    require(bool(errors) or tree is None or condition.node is not None, "what has no error is compiled")
    require(all(problem.wrong and problem.right and str(problem) for problem in problems), "problems say what is right")
    verdict: Any = condition.holds(event, known)
    require(isinstance(verdict, bool), "a verdict is true or false")
    if condition.node is not None:
        require(interpret(condition.node, event, known) is verdict, "compiled and leaf by leaf say the same")
    elif tree is not None:
        require(not verdict, "what cannot be read never holds")
    require(explain_condition(tree, event, known).holds is verdict, "and so does the explanation")
    line = render(tree)
    require(bool(line) and "\n" not in line, "a condition is one line")
    chosen = compile_item_filter(tree)
    if chosen is not None:
        for item in items_of(event) or ():
            chosen(item, event, known)


_runs = [0]


def check(data: bytes) -> None:
    """The law for one input; what is no JSON is no tree."""
    try:
        tree: Any = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    judge(tree, events()[0], _KNOWN)
    judge(tree, events()[len(data) % len(events())], NO_FACTS)  # one of the others: all of them take long
    _runs[0] = (_runs[0] + 1) % _MOST_CHOSEN
    if not _runs[0]:
        clear()


def _seeds() -> Iterator[bytes]:
    for tree in _TREES:
        yield msgspec.json.encode(tree)
    yield msgspec.json.encode({"all": list(_TREES)})


TARGETS: Final = (
    Target(
        name="conditions",
        law="any JSON: problems that say what is right, or one verdict, whoever judges; nothing is raised",
        run=check,
        seeds=_seeds,
        words=(
            *(f'"{name}"' for name in list(fields_by_name())[:150]),
            *(f'"{word}"' for word in MEASURE_OPERATORS),
            *('"all"', '"any"', '"not"', '"any_item"', '"all_items"', '"no_item"', '"measure"', '"field"', '"op"', '"value"'),
            *('"currency"', '"ignore_case"', '"matches"', '"in"', '"not_in"', '"contains"', '"exists"', '"missing"'),
        ),
        most_bytes=2_048,
    ),
)  # fmt: skip
