"""What our own state knows about customers before an event, by the store's time."""

from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import tzinfo
from decimal import Decimal
from typing import Final

import msgspec

from custom_events.conditions.facts import Facts
from custom_events.matching.compiled_rules import CompiledRules
from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.pipeline.paid_orders import AskedOften, paid_orders
from custom_events.pipeline.state import CustomerState, OrderState
from custom_events.pipeline.understanding import Key
from custom_events.queries import matching as sql
from custom_events.values.events import CommerceEvent


class Asked(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Whose facts are asked for: the customer at a moment, seen from an order."""

    site_id: int
    event: CommerceEvent


class NewCustomers:
    """Customers of whom nothing was stored before this batch: all that our state knows about them came with it. Most orders are by
    such; asking about one takes 8 us of Postgres and half of that of ours."""

    def __init__(
        self, keys: AbstractSet[Key], customers: Mapping[Key, CustomerState], orders: Mapping[Key, OrderState]
    ) -> None:
        """`customers` and `orders`: the batch's, by site and key; the orders merged with what was stored."""
        self._keys, self._customers = keys, customers
        self._only: dict[Key, str] = {}  # order
        self._regular: set[Key] = set()  # with several orders in the batch
        for (site_id, order_id), order in orders.items():
            if (customer := order.customer_key) is not None and (key := (site_id, customer)) in keys:
                if key in self._only:
                    self._regular.add(key)
                self._only[key] = order_id

    def facts(self, asked: "Asked", zone: tzinfo) -> Facts | None:
        """The facts about an event of somebody new who has no other order; None: the database has to be asked."""
        customer = asked.event.customer
        if customer is None or customer.key is None:
            return None
        key = asked.site_id, customer.key
        if key not in self._keys or key in self._regular:
            return None
        order_id = asked.event.order_id
        if self._only.get(key, order_id) != order_id:
            return None
        return Facts(zone=zone, orders_before=0, spent_before=_NOTHING, first_seen=self._customers[key].first_seen_at)


_NOTHING: Final = Decimal(0)
# Events of one customer in one question: from then on their orders are read once, instead of once for each.
OFTEN: Final = 3
NOBODY_NEW: Final = NewCustomers(frozenset(), {}, {})


async def customer_facts(
    connection: Connection, compiled_rules: CompiledRules, asked: list[Asked], new_customers: NewCustomers = NOBODY_NEW
) -> dict[Key, Facts]:
    """Facts by site and key of the event. Events of nobody known have none."""
    by_event: dict[Key, Facts] = {}
    known: list[Asked] = []
    for question in asked:
        facts = new_customers.facts(question, compiled_rules.sites[question.site_id].facts.zone)
        if facts is not None:
            by_event[question.site_id, question.event.key] = facts
        elif question.event.customer_key is not None:
            known.append(question)
    known = await _asked_often(connection, compiled_rules, known, by_event)
    if not known:
        return by_event
    rows = [
        (
            place,
            question.site_id,
            question.event.customer_key,
            question.event.occurred_at,
            question.event.order_id or "",
            question.event.currency,
        )
        for place, question in enumerate(known)
    ]
    for place, orders, spent, first_seen in await connection.fetch(sql.CUSTOMER_HISTORY, *columns_of(rows)):
        question = known[place]
        site = compiled_rules.sites[question.site_id]
        by_event[question.site_id, question.event.key] = Facts(
            zone=site.facts.zone, orders_before=orders, spent_before=spent, first_seen=first_seen
        )
    return by_event


async def _asked_often(
    connection: Connection, compiled_rules: CompiledRules, known: list[Asked], by_event: dict[Key, Facts]
) -> list[Asked]:
    """Answer the questions about customers with many of them, into `by_event`; those that are left."""
    numbers = Counter((question.site_id, question.event.customer_key) for question in known)
    if not numbers or max(numbers.values()) < OFTEN:
        return known
    by_customer: dict[Key, list[Asked]] = {}
    left: list[Asked] = []
    for question in known:
        customer = question.event.customer_key
        if customer is not None and numbers[question.site_id, customer] >= OFTEN:
            by_customer.setdefault((question.site_id, customer), []).append(question)
        else:
            left.append(question)
    often = [
        AskedOften(
            *key,
            min(question.event.occurred_at for question in questions),
            max(question.event.occurred_at for question in questions),
            [question.event.order_id for question in questions if question.event.order_id is not None],
        )
        for key, questions in by_customer.items()
    ]
    histories = await paid_orders(connection, often)
    for (key, questions), history in zip(by_customer.items(), histories, strict=True):
        zone = compiled_rules.sites[key[0]].facts.zone
        for question in questions:
            event = question.event
            orders, spent, first_seen = history.before(event.occurred_at, event.order_id or "", event.currency)
            by_event[key[0], event.key] = Facts(
                zone=zone, orders_before=orders, spent_before=spent, first_seen=first_seen
            )
    return left
