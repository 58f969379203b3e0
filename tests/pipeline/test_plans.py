"""Look-ups and changes are index probes, also with plans that were made while the tables were empty."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from custom_events.queries import counting, matching, rematch, understanding

InWorld = Callable[[Callable[[Any], Any]], None]

PROBES = [
    understanding.READ_BODIES,
    understanding.KNOWN_EVENTS,
    understanding.STORED_EVENTS,
    understanding.KNOWN_ORDERS,
    understanding.CHANGE_ORDERS,
    understanding.MOVE_ORDERS,
    understanding.KNOWN_REFUNDS,
    understanding.KNOWN_SUBSCRIPTIONS,
    understanding.KNOWN_CUSTOMERS,
    understanding.HEARD_OF_CONSENT,
    matching.CUSTOMER_HISTORY,
    matching.CUSTOMER_ORDERS,
    counting.WITH_CUSTOMERS,
    counting.DAYS,
    counting.ONE_BY_ONE,
    matching.CUSTOMER_EVENTS,
    matching.SITE_EVENTS,
    matching.KNOWN_CUSTOM_EVENTS,
    matching.KNOWN_TRANSACTIONS,
    rematch.LATER_EVENTS,
    rematch.EVENTS_OF_CUSTOMERS,
    rematch.EVENTS_OF_ORDERS,
    rematch.EVENTS_OF_SITES,
    rematch.EVENTS_BY_KEY,
    rematch.CUSTOM_EVENTS_OF,
    rematch.KEY_HOLDERS,
    rematch.TRANSACTION_HOLDERS,
]


@pytest.mark.parametrize(
    "query", PROBES, ids=lambda query: "-".join(re.findall(r"(?:UPDATE|FROM) (\w+\.\w+)", query)[:2])
)
def test_every_look_up_is_an_index_probe_whatever_the_planner_believes(in_world: InWorld, query: str) -> None:
    async def test(world: Any) -> None:
        await world.connection.execute("ANALYZE app.orders, app.event_keys, app.customers, app.commerce_events")
        await world.connection.execute(understanding.SESSION)
        parameters = len(set(re.findall(r"\$\d+", query)))
        await world.connection.execute(f"PREPARE probe AS {query}")
        arguments = ", ".join(["'[]'"] * parameters)
        plan = "\n".join(row[0] for row in await world.rows(f"EXPLAIN EXECUTE probe({arguments})"))
        assert "Seq Scan" not in plan, plan
        assert "Hash Join" not in plan, plan
        assert "Index" in plan, plan
        for condition in re.findall(r"Index Cond: (.*)", plan):
            assert re.search(r"\b[cegkmv]\.", condition), plan  # by the key that was given, or that it led to

    in_world(test)


def test_a_customer_s_history_is_found_by_customer_and_time(in_world: InWorld) -> None:
    async def test(world: Any) -> None:
        await world.connection.execute(understanding.SESSION)
        await world.connection.execute(f"PREPARE probe AS {matching.CUSTOMER_HISTORY}")
        arguments = ", ".join(["'[]'"] * 6)
        plan = "\n".join(row[0] for row in await world.rows(f"EXPLAIN EXECUTE probe({arguments})"))
        assert "ix_orders_customer" in plan, plan

    in_world(test)
