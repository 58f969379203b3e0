"""What the pipeline's benchmark runs on: 1,000 sites with 5 assignments each, and landed orders waiting in the queue."""

import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Any

import psycopg
import zstandard
from psycopg.types.json import Json

from benchmarks.bodies import shopify_orders

ZSTD_LEVEL = -1  # as the receiver compresses (ingest_api/groups.py)
PARTS = 10  # pieces that the bodies are generated in, by as many processes as there are cores
HEADERS = {
    "x-shopify-topic": "orders/paid",
    "x-shopify-api-version": "2026-10",
    "x-shopify-triggered-at": "2026-11-20T12:00:00.000000000Z",
    "x-shopify-webhook-id": "b1d7f2b0-0000-4000-8000-000000000000",
    "x-shopify-event-id": "b1d7f2b0-0000-4000-8000-000000000001",
    "content-type": "application/json",
    "user-agent": "Shopify-Captain-Hook",
}

# Five rules as shops have them: everything, regular customers, large baskets, a range of products, something nested. An order
# satisfies 1.8 of them on average, as in the measurements that the targets come from (docs/reference/performance.md 5).
DEFINITIONS: dict[str, dict[str, Any]] = {
    "purchase": {},
    "repeat_purchase": {"conditions": {"field": "customer.orders_before", "op": ">=", "value": 1}},
    "large_basket": {"conditions": {"field": "order.total", "op": ">=", "value": "300"}},
    "range": {
        "conditions": {
            "any_item": {
                "all": [
                    {"field": "item.sku", "op": "starts_with", "value": "VIP-"},
                    {"field": "item.price", "op": ">=", "value": "60"},
                ]
            }
        }
    },
    "nested": {
        "conditions": {
            "all": [
                {"field": "order.currency", "op": "in", "value": ["EUR", "CHF"]},
                {
                    "any": [
                        {"field": "order.tags", "op": "contains", "value": "vip"},
                        {"field": "order.discount_codes", "op": "contains", "value": "VIP20"},
                    ]
                },
            ]
        }
    },
}


def configure(url: str, sites: int) -> None:
    """Sites, their ads accounts and actions, the five definitions, and an assignment of each to every site. The least
    basket differs from site to site, so that conditions are not all alike."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO app.sites (id, site_key, platform, name, shop_domain, currency, time_zone)"
            " SELECT n, 'shop-' || n, 'shopify', 'Shop ' || n, 'shop-' || n - 1 || '.myshopify.com', 'EUR', 'Europe/Berlin'"
            " FROM generate_series(1, %s) n",
            [sites],
        )
        cursor.execute(
            "INSERT INTO app.ads_accounts (id, customer_id, name, lane)"
            " SELECT n, '2' || lpad(n::text, 9, '0'), 'Account ' || n, 'google_ads' FROM generate_series(1, %s) n",
            [sites],
        )
        cursor.execute(
            "INSERT INTO app.ads_actions (ads_account_id, action_id, name)"
            " SELECT n, n || '0' || k, 'Action' FROM generate_series(1, %s) n, generate_series(1, 5) k",
            [sites],
        )
        for place, (key, config) in enumerate(DEFINITIONS.items(), start=1):
            _define(cursor, place, key, {"trigger": ["order.paid"], **config})
            cursor.execute(
                "INSERT INTO app.site_custom_events (id, site_id, definition_id, label)"
                " SELECT n * 10 + %(place)s, n, %(place)s, '' FROM generate_series(1, %(sites)s) n",
                {"place": place, "sites": sites},
            )
            rows = [(site * 10 + place, json.dumps(_overrides(place, key, site))) for site in range(1, sites + 1)]
            cursor.executemany(
                "INSERT INTO app.assignment_revisions (assignment_id, number, state, overrides, author, published_by,"
                " published_at) VALUES (%s, 1, 'published', %s, 'bench', 'bench', now())",
                rows,
            )


def _define(cursor: Any, definition_id: int, key: str, config: dict[str, Any]) -> None:
    cursor.execute(
        "INSERT INTO app.custom_event_definitions (id, key, name) VALUES (%s, %s, %s)", [definition_id, key, key]
    )
    cursor.execute(
        "INSERT INTO app.definition_revisions (definition_id, number, state, config, author, published_by, published_at)"
        " VALUES (%s, 1, 'published', %s, 'bench', 'bench', now())",
        [definition_id, json.dumps(config)],
    )


def _overrides(place: int, key: str, site: int) -> dict[str, Any]:
    overrides: dict[str, Any] = {"ads_action": f"2{site:09d}/{site}0{place}"}
    if key == "large_basket":
        overrides["conditions"] = {"field": "order.total", "op": ">=", "value": str(200 + site % 200)}
    return overrides


def land(url: str, count: int, sites: int, seed: int = 1) -> None:
    """`count` bodies, one of each site in turn, as the receiver lands them; all wait in the queue."""
    with (
        ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool,
        psycopg.connect(url) as connection,
        connection.cursor() as cursor,
    ):
        parts = pool.map(_compressed, *zip(*[(count, sites, seed, part) for part in range(PARTS)], strict=True))
        week = _monday()
        headers = Json(HEADERS)
        with cursor.copy(
            "COPY landing.raw_events (landed_week, id, site_id, topic, dedup_key, delivery_id, triggered_at, signature,"
            " headers, body, body_bytes) FROM STDIN WITH (FORMAT binary)"
        ) as copy:
            copy.set_types(
                ["date", "int8", "int8", "text", "bytea", "text", "timestamptz", "text", "json", "bytea", "int4"]
            )
            now = datetime.now(UTC)
            for part in parts:
                for number, body, size in part:
                    key = sha256(str(number).encode()).digest()[:16]
                    site = number % sites + 1
                    copy.write_row(
                        (week, number + 1, site, "orders/paid", key, str(number), now, "verified", headers, body, size)
                    )
        cursor.execute(
            "INSERT INTO landing.raw_queue (raw_id, landed_week, site_id) SELECT id, landed_week, site_id"
            " FROM landing.raw_events ORDER BY id"
        )
        cursor.execute("SELECT setval('landing.raw_events_id_seq', %s)", [count])
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def _compressed(count: int, sites: int, seed: int, part: int) -> list[tuple[int, bytes, int]]:
    """(number, compressed body, its size before) of one part; order ids of parts do not meet."""
    compress = zstandard.ZstdCompressor(ZSTD_LEVEL).compress
    first, last = part * count // PARTS, (part + 1) * count // PARTS
    bodies: Iterator[bytes] = islice(shopify_orders(last - first, seed + part, sites, first=first), last - first)
    return [(first + place, compress(body), len(body)) for place, body in enumerate(bodies)]


def _monday() -> Any:
    today = datetime.now(UTC).date()
    return today - timedelta(days=today.weekday())
