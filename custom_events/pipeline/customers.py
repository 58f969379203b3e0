"""What our own state knows about customers before an event, by the store's time."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import tzinfo
from decimal import Decimal
from typing import Final

import msgspec

from custom_events.conditions.facts import Facts
from custom_events.matching.compiled_rules import CompiledRules
from custom_events.pipeline.bulk_rows import Connection, columns_of
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
