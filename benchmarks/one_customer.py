"""One customer with many orders, and thresholds over whole sites: what an order costs, however many came before it, and in whatever order.

    python -m benchmarks.one_customer [--quick] [--sizes N ...] [--paths NAME ...]

Orders of one month, spread over its days, come a hundred to a batch: as they happened, newest first, or shuffled. The rule fires once, when
the month's sum reaches 0.6 of what all of them come to; `past` has no threshold and asks how many orders its customer had before, which fires on
the later half. Seconds are the processor's: of the worker, and of its backend (from /proc), so they
grow with what is done and hardly with what else the machine does. The exponent between two sizes says how they grow: 1 is linear.
"""

import argparse
import asyncio
import json
import math
import os
import random
import tempfile
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import psycopg
import structlog
import zstandard
from psycopg import sql
from psycopg.types.json import Json

from benchmarks.bodies import order
from benchmarks.pipeline_world import HEADERS, ZSTD_LEVEL
from custom_events.pipeline.batch import drain_batch
from custom_events.pipeline.configuration import ConfigurationCache
from custom_events.postgres import connect, embedded, migrate
from custom_events.queries.understanding import SESSION
from custom_events.settings import Settings

SIZES, QUICK_SIZES, BATCH = (500, 1_000, 2_000, 5_000, 10_000), (100, 300), 100
ANALYZED = 10  # batches between two looks at the tables' statistics, outside the clock
DAYS = 28
AMOUNT = 100
ORDERS_OF = ("in_order", "newest_first", "shuffled")
SCOPES = ("customer", "site", "past")
TARGET = 1.25  # an exponent
RESULT = Path(".local/bench/one_customer.json")

LAND = """
WITH landed AS (
  INSERT INTO landing.raw_events
    (landed_week, site_id, topic, dedup_key, delivery_id, triggered_at, signature, headers, body, body_bytes)
  VALUES (date_trunc('week', now() AT TIME ZONE 'UTC')::date, 1, 'orders/paid', %s, %s, now(), 'verified', %s, %s, %s)
  RETURNING id, landed_week, site_id)
INSERT INTO landing.raw_queue (raw_id, landed_week, site_id) SELECT * FROM landed
"""
OUTCOME = "SELECT order_id FROM app.custom_events WHERE withdrawn_at IS NULL ORDER BY occurred_at, order_id"  # by the store's time


def run(quick: bool = False, *, sizes: Sequence[int] = SIZES, paths: Iterable[str] | None = None) -> dict[str, Any]:
    """Measure and write RESULT; its content. `paths`: "<scope> <order>"; all unless named."""
    sizes = QUICK_SIZES if quick else sizes
    chosen = list(paths or (f"{scope} {how}" for scope in SCOPES for how in ORDERS_OF))
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    seconds: dict[str, list[tuple[float, float]]] = {}
    ends: dict[tuple[str, int], list[Any]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="bench-customer-", ignore_cleanup_errors=True) as place,
        embedded.start(Path(place) / "postgres", fast=True) as server,
    ):
        migrate.upgrade(server.url)
        for path in chosen:
            scope, how = path.split()
            for size in sizes:
                worker, backend, end = asyncio.run(_measure(_empty(server.url), scope, how, size))
                if ends.setdefault((scope, size), end) != end:
                    raise AssertionError(f"{path}, {size}: another result than in another order of arrival")
                seconds.setdefault(path, []).append((worker, backend))
                figures = f"worker {worker:7.2f} s, Postgres {backend:7.2f} s"
                print(
                    f"{path:22} {size:>6,}: {figures}, {(worker + backend) / size * 1e6:8,.0f} us an order", flush=True
                )
    result = _result(sizes, seconds)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2))
    for path, exponents in result["exponents"].items():
        print(f"{path:22} exponents {exponents}")
    return result


def _result(sizes: Sequence[int], seconds: dict[str, list[tuple[float, float]]]) -> dict[str, Any]:
    exponents: dict[str, list[float]] = {}
    for path, measured in seconds.items():
        totals = [sum(pair) for pair in measured]
        steps = zip(sizes, sizes[1:], totals, totals[1:], strict=False)
        exponents[path] = [
            round(math.log(after / before) / math.log(more / less), 2) for less, more, before, after in steps
        ]
    ratios = {f"exponent of {path}": steps[-1] for path, steps in exponents.items() if steps}
    targets = dict.fromkeys(ratios, TARGET)
    return {
        "sizes": list(sizes),
        "seconds": {
            path: [[round(value, 3) for value in pair] for pair in measured] for path, measured in seconds.items()
        },
        "exponents": exponents,
        "ratios": ratios,
        "targets": targets,
        "reached": {name: figure <= TARGET for name, figure in ratios.items()},
    }


def _empty(url: str) -> str:
    """The URL of a database as the migrations leave it, and nothing in it."""
    template = urlsplit(url)
    with psycopg.connect(template._replace(path="/template1").geturl(), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS bench WITH (FORCE)")
        connection.execute(sql.SQL("CREATE DATABASE bench TEMPLATE {}").format(sql.Identifier(template.path[1:])))
    return template._replace(path="/bench").geturl()


async def _measure(url: str, scope: str, how: str, size: int) -> tuple[float, float, list[Any]]:
    """Processor's seconds of worker and backend for all orders, and which custom events stand."""
    bodies = _bodies(scope, size)
    if how == "newest_first":
        bodies.reverse()
    elif how == "shuffled":
        random.Random(3).shuffle(bodies)
    _configure(url, scope, size)
    connection = await connect.asyncpg_connect(url)
    await connection.execute(SESSION)
    cache, settings = ConfigurationCache(), Settings.model_validate({"batch_size": BATCH})
    pid = await connection.fetchval("SELECT pg_backend_pid()")
    worker = backend = 0.0
    for begin in range(0, size, BATCH):
        _land(url, bodies[begin : begin + BATCH])
        if begin % (ANALYZED * BATCH) == 0:  # as autovacuum does, which this server has not: plans follow the tables
            await connection.execute("ANALYZE")
        own, theirs = time.process_time(), _processor_s(pid)
        while (await drain_batch(connection, cache, settings)).raw:
            pass
        worker, backend = worker + time.process_time() - own, backend + _processor_s(pid) - theirs
    end = [row[0] for row in await connection.fetch(OUTCOME)]
    await connection.close()
    return worker, backend, end


def _processor_s(pid: int) -> float:
    """What a process has used of the processor (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _bodies(scope: str, size: int) -> list[tuple[int, bytes]]:
    """(number, body) by the store's time."""
    rng = random.Random(1)
    first = (datetime.now(UTC).replace(day=1) - timedelta(days=1)).replace(
        day=1, hour=1, minute=0, second=0, microsecond=0
    )
    bodies: list[tuple[int, bytes]] = []
    for number in range(1, size + 1):
        at = first + timedelta(days=DAYS) * (number - 1) / size
        body = order(number, 0, rng, at)
        customer = number if scope == "site" else 7
        email = f"person{customer}@example.org"
        body["customer"] = {"id": customer, "email": email}
        body |= {"id": number, "email": email, "total_price": f"{AMOUNT}.00", "current_total_price": f"{AMOUNT}.00"}
        bodies.append((number, msgspec.json.encode(body)))
    return bodies


def _configure(url: str, scope: str, size: int) -> None:
    threshold = {"measure": "sum", "at_least": str(size * AMOUNT * 6 // 10), "period": "month", "scope": scope}
    past = {"conditions": {"field": "customer.orders_before", "op": ">=", "value": size // 2}}
    config = {"trigger": ["order.paid"], **(past if scope == "past" else {"threshold": threshold})}
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO app.sites (id, site_key, platform, name, shop_domain, currency, time_zone)"
            " VALUES (1, 'shop', 'shopify', 'Shop', 'shop-0.myshopify.com', 'EUR', 'Europe/Berlin')"
        )
        connection.execute("INSERT INTO app.custom_event_definitions (id, key, name) VALUES (1, 'month', 'month')")
        connection.execute(
            "INSERT INTO app.definition_revisions (definition_id, number, state, config, author, published_by, published_at)"
            " VALUES (1, 1, 'published', %s, 'bench', 'bench', now())",
            [json.dumps(config)],
        )
        connection.execute(
            "INSERT INTO app.site_custom_events (id, site_id, definition_id, label) VALUES (1, 1, 1, '')"
        )
        connection.execute(
            "INSERT INTO app.assignment_revisions (assignment_id, number, state, overrides, author, published_by, published_at)"
            " VALUES (1, 1, 'published', '{}', 'bench', 'bench', now())"
        )


def _land(url: str, bodies: Sequence[tuple[int, bytes]]) -> None:
    compress = zstandard.ZstdCompressor(ZSTD_LEVEL).compress
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        rows = [
            (sha256(str(number).encode()).digest()[:16], str(number), Json(HEADERS), compress(body), len(body))
            for number, body in bodies
        ]
        cursor.executemany(LAND, rows)


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description="One customer with many orders, and site-wide thresholds.")
    parser.add_argument("--quick", action="store_true", help="small rounds, only to see that everything works")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N", help="orders, smallest first")
    parser.add_argument("--paths", nargs="+", metavar="NAME", help='of "customer in_order" ... "site shuffled"')
    chosen = parser.parse_args()
    run(chosen.quick, sizes=chosen.sizes, paths=chosen.paths)


if __name__ == "__main__":
    main()
