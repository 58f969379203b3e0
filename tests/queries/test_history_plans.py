"""Looking into a long history stays a matter of index probes: also with statistics, and of many events per site."""

import asyncio
import re
from itertools import pairwise
from typing import Any

import pytest

from custom_events.postgres import connect
from custom_events.queries import history, matching, rematch, understanding

EVENTS = 20_000  # every customer has four
SITES, MANY_SITES = 40, 1_000

# In a month that is over: on its first day a month has so few events that any index will do.
FILL = f"""
INSERT INTO app.commerce_events
  (occurred_at, site_id, type, key, evidence_at, order_id, customer_key, amount, currency, is_test, facts)
SELECT at, 1 + n % {{sites}}, 'order.paid', 'order.paid:' || n, at, n::text, 'c:' || n / (4 * {{sites}}), 1, 'EUR', false, '{{{{}}}}'
FROM (SELECT n, date_trunc('month', now()) - interval '1 day' - n * interval '20 seconds' AS at FROM generate_series(1, {EVENTS}) n) o;
INSERT INTO app.commerce_events (occurred_at, site_id, type, key, evidence_at, order_id, amount, currency, is_test, facts)
SELECT occurred_at, site_id, 'order.created', 'order.created:' || order_id, evidence_at, order_id, 1, 'EUR', false, '{{{{}}}}'
FROM app.commerce_events;
INSERT INTO app.customers (site_id, customer_key, first_seen_at)
SELECT site_id, customer_key, min(occurred_at) FROM app.commerce_events WHERE customer_key IS NOT NULL GROUP BY 1, 2
"""

CUSTOMER = ["[0]", "[1]", '["c:3"]', '["order.paid"]', "[null]", '["2100-01-01T00:00:00Z"]']
STRETCH = ["[0]", "[1]", '["c:3"]', '["order.paid"]', "[null]", "[null]"]
ORDER = ["[0]", "[1]", '["1000"]', '["order.paid"]', "[null]", "[null]"]
LOOKS: dict[str, tuple[str, list[str], str, int]] = {
    # statement, arguments, the column that the index has to find by, buffers at most
    "a customer's threshold": (matching.CUSTOMER_EVENTS, CUSTOMER, "customer_key", 100),
    "a customer matched again": (rematch.EVENTS_OF_CUSTOMERS, STRETCH, "customer_key", 100),
    "an order matched again": (rematch.EVENTS_OF_ORDERS, ORDER, "order_id", 100),
    "a page of a site": (
        history.EVENTS_PAGE,
        ["1", "{order.paid}", "2000-01-01T00:00:00Z", "", "2100-01-01T00:00:00Z", "50"],
        "type",
        1_000,
    ),
    "the newest of a site": (
        history.NEWEST_EVENTS,
        ["1", "{order.paid}", "2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "z", "50"],
        "type",
        400,
    ),
    "the newest of a site, while a rule is written": (history.RECENT_EVENTS, ["1", "{order.paid}", "50"], "type", 600),
}


OF_SOMEBODY = [name for name, (_, _, column, _) in LOOKS.items() if column != "type"]


@pytest.mark.parametrize(
    ("name", "sites"), [(name, SITES) for name in LOOKS] + [(name, MANY_SITES) for name in OF_SOMEBODY]
)
def test_a_look_into_a_long_history_is_an_index_probe(database: str, name: str, sites: int) -> None:
    statement, arguments, column, most = LOOKS[name]

    async def whole() -> list[str]:
        connection: Any = await connect.asyncpg_connect(database)
        try:
            await connection.execute(FILL.format(sites=sites))
            await connection.execute("ANALYZE")
            await connection.execute(understanding.SESSION)
            await connection.execute(f"PREPARE probe AS {statement}")
            given = ", ".join(f"'{one}'" for one in arguments)
            return [row[0] for row in await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS) EXECUTE probe({given})")]
        finally:
            await connection.close()

    plan = asyncio.run(whole())
    text = "\n".join(plan)
    assert "Seq Scan" not in text
    executed = [
        condition
        for node, condition in pairwise(plan)
        if "on commerce_events_" in node
        and "rows=0" not in node.partition("actual")[2]
        and "never" not in node
        and "_pkey" not in node
    ]
    assert executed, text
    assert all(re.search(rf"Index Cond: .*\b{column}\b", condition) for condition in executed), text
    buffers = sum(map(int, re.findall(r"shared hit=(\d+)", plan[1])))
    assert buffers <= most, text
