"""What rules make of events, by docs/reference/rules.md and nothing else: no code of the product is imported, nothing is clever.

Events and rules are plain dicts: rules as in files (`{"trigger": ["order.paid"], "threshold": {"at_least": "3"}}`) with an `id`, events as

    {"type", "key", "at", "test", "taken_back", "order", "refund", "subscription", "cart", "customer", "clicks", "consent", "properties"}

Times are aware datetimes, amounts text or None. Every question is answered from the whole history, in the square of its length.
Beside this file, which says what stands: `reading.py` (events and conditions), `worth.py` (values), `sending.py` (conversions).
"""

import math
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from tests.oracle.reading import (
    Event,
    Rule,
    World,
    amount_of,
    currency_of,
    customer_of,
    in_time,
    local,
    number,
    order_of,
    place,
)


# ---------------------------------------------------------------- what counts
def counts(rule: Rule, event: Event, world: World) -> bool:
    """Steps 1 to 4."""
    if event["type"] not in rule["trigger"] or event.get("test") or event.get("taken_back"):
        return False
    day = local(event["at"], world.zone).date().isoformat()
    if rule.get("valid_from") is not None and day < rule["valid_from"]:
        return False
    if rule.get("valid_until") is not None and day > rule["valid_until"]:
        return False
    return world.holds(rule.get("conditions"), event)


# ---------------------------------------------------------------- thresholds
def period(kind: str, moment: datetime, zone: str) -> tuple[int, ...]:
    """Which day, week, month, quarter or year of the site it is; the same for all of them in a lifetime."""
    day = local(moment, zone).date()
    match kind:
        case "day":
            return day.year, day.month, day.day
        case "week":
            year, week, _ = day.isocalendar()
            return year, week
        case "month":
            return day.year, day.month
        case "quarter":
            return day.year, (day.month + 2) // 3
        case "year":
            return (day.year,)
    return ()


def measure(threshold: dict[str, Any], event: Event, world: World) -> tuple[str | None, Fraction]:
    """In which currency ("": a count) an event is measured, and as how much."""
    if threshold.get("measure", "count") == "count":
        return "", Fraction(1)
    if threshold.get("field") is None:
        return currency_of(event), amount_of(event) or Fraction(0)
    value, currency = world.read(threshold["field"], event, None)
    if threshold["field"].startswith("properties."):
        currency = currency_of(event)
    return currency, number(value) or Fraction(0)


def fires(rule: Rule, event: Event, counting: list[Event], world: World) -> bool:
    """Step 5. `counting`: all events of the site that count for the rule, this one among them."""
    threshold = rule.get("threshold")
    if threshold is None:
        return True
    customer, kind = customer_of(event), threshold.get("period", "lifetime")
    per_customer = threshold.get("scope", "customer") == "customer"
    if per_customer and customer is None:
        return False
    currency, own = measure(threshold, event, world)
    if currency != "" and threshold.get("currency") not in (None, currency):
        return False
    earlier = [
        one
        for one in counting
        if place(one) < place(event)
        and (not per_customer or customer_of(one) == customer)
        and measure(threshold, one, world)[0] == currency
    ]
    if kind == "rolling":
        begins = event["at"] - timedelta(days=threshold["window_days"])
        before = [one for one in earlier if one["at"] >= begins]
        inside = [one for one in earlier if one["at"] > begins]
    else:
        here = period(kind, event["at"], world.zone)
        before = inside = [one for one in earlier if period(kind, one["at"], world.zone) == here]
    low = sum((measure(threshold, one, world)[1] for one in before), Fraction(0))
    high = sum((measure(threshold, one, world)[1] for one in inside), Fraction(0)) + own
    least = Fraction(threshold["at_least"])
    match threshold.get("fires", "on_reaching"):
        case "on_reaching":
            return low < least <= high
        case "every_further":
            return high >= least
        case _:
            following = max(math.floor(low / least) + 1, 1)  # the first multiple above `low`
            return following * least <= high


# ---------------------------------------------------------------- groups and deduplication
def matching(events: Iterable[Event], rules: list[Rule], world: World) -> Iterator[tuple[Event, Rule, str]]:
    """Steps 1 to 6: every match in the order of time, with its key."""
    history = in_time(events)
    counting = {rule["id"]: [one for one in history if counts(rule, one, world)] for rule in rules}
    firing = {
        rule["id"]: [one for one in counting[rule["id"]] if fires(rule, one, counting[rule["id"]], world)]
        for rule in rules
    }
    for event in history:
        here = [rule for rule in rules if event in firing[rule["id"]]]
        for rule in here:
            group = rule.get("group")
            rivals = [one for one in here if group is not None and one.get("group") == group]
            if rivals and min(rivals, key=lambda one: (-one.get("priority", 0), one["id"])) is not rule:
                continue
            yield event, rule, key_of(rule, event, firing[rule["id"]])


def key_of(rule: Rule, event: Event, firing: list[Event]) -> str:
    dedup = rule.get("dedup") or {}
    customer, order = customer_of(event), order_of(event)
    match dedup.get("per", "order"):
        case "order" if order is not None:
            return f"order {order}"
        case "customer" if customer is not None:
            return f"customer {customer}"
        case "subscription_period" if event.get("subscription") is not None and order is not None:
            return f"period {event['subscription']['id']} {order}"
        case "customer_window" if customer is not None:
            opened: Event | None = None
            for one in firing:
                if customer_of(one) == customer and place(one) <= place(event):
                    ends = None if opened is None else opened["at"] + timedelta(days=dedup["window_days"])
                    opened = one if ends is None or one["at"] >= ends else opened
            assert opened is not None
            return f"window {customer} {opened['key']}"
    return f"event {event['key']}"


def standing(events: Iterable[Event], rules: list[Rule], world: World) -> list[tuple[Event, Rule, str]]:
    """Steps 1 to 7: the custom events, in the order of time; of one event by the rule's id."""
    found: dict[tuple[int, str], tuple[Event, Rule, str]] = {}
    for event, rule, key in matching(events, rules, world):
        found.setdefault((rule["id"], key), (event, rule, key))
    return sorted(found.values(), key=lambda one: (*place(one[0]), one[1]["id"]))
