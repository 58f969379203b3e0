"""A small world for the pipeline: sites, rules and landed bodies, straight into the tables."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import zstandard

from custom_events.pipeline.batch import drain_batch
from custom_events.pipeline.batch_figures import BatchFigures
from custom_events.pipeline.configuration import ConfigurationCache
from custom_events.postgres import connect
from custom_events.settings import Settings

LAND = """
WITH landed AS (
  INSERT INTO landing.raw_events
    (landed_week, site_id, topic, dedup_key, delivery_id, triggered_at, signature, headers, body, body_bytes)
  VALUES (date_trunc('week', now() AT TIME ZONE 'UTC')::date, $1, $2, $3, $4, $5, 'verified', $6, $7, $8)
  RETURNING id, landed_week, site_id)
INSERT INTO landing.raw_queue (raw_id, landed_week, site_id) SELECT * FROM landed RETURNING raw_id
"""
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=2)


class World:
    """One database with what the pipeline reads. Every method is one small INSERT or SELECT."""

    def __init__(self, url: str, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self.url, self.connection = url, connection
        self.settings = Settings(batch_size=500, shards=4)
        self.cache = ConfigurationCache()
        self.landed = 0

    async def site(self, key: str = "shop", platform: str = "shopify", **settings: Any) -> int:
        return await self.connection.fetchval(
            "INSERT INTO app.sites (site_key, platform, name, shop_domain, currency, time_zone, settings)"
            " VALUES ($1, $2, $1, $3, 'EUR', 'Europe/Berlin', $4) RETURNING id",
            key,
            platform,
            f"{key}.myshopify.com",
            json.dumps(settings),
        )

    async def action(self, action_id: str = "1", customer_id: str = "1234567890", **columns: Any) -> str:
        account = await self.connection.fetchval(
            "INSERT INTO app.ads_accounts (customer_id, name, lane) VALUES ($1, $1, 'google_ads')"
            " ON CONFLICT (customer_id) DO UPDATE SET name = excluded.name RETURNING id",
            customer_id,
        )
        row = {"ads_account_id": account, "action_id": action_id, "name": action_id, **columns}
        places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
        await self.connection.execute(
            f"INSERT INTO app.ads_actions ({', '.join(row)}) VALUES ({places})", *row.values()
        )
        return f"{customer_id}/{action_id}"

    async def rule(self, site_id: int, key: str = "purchase", label: str = "", **config: Any) -> int:
        """A definition with this configuration, assigned to the site; both published."""
        config.setdefault("trigger", ["order.paid"])
        definition = await self.connection.fetchval(
            "INSERT INTO app.custom_event_definitions (key, name) VALUES ($1, $1) RETURNING id", key
        )
        await self.connection.execute(
            "INSERT INTO app.definition_revisions (definition_id, number, state, config, author)"
            " VALUES ($1, 1, 'published', $2, 'test')",
            definition,
            json.dumps(config),
        )
        return await self.assignment(site_id, definition, label)

    async def assignment(self, site_id: int, definition: int, label: str, **overrides: Any) -> int:
        assignment = await self.connection.fetchval(
            "INSERT INTO app.site_custom_events (site_id, definition_id, label) VALUES ($1, $2, $3) RETURNING id",
            site_id,
            definition,
            label,
        )
        await self.connection.execute(
            "INSERT INTO app.assignment_revisions (assignment_id, number, state, overrides, author)"
            " VALUES ($1, 1, 'published', $2, 'test')",
            assignment,
            json.dumps(overrides),
        )
        return assignment

    async def land(
        self,
        site_id: int,
        topic: str | None,
        body: Any,
        *,
        headers: dict[str, str] | None = None,
        triggered_at: datetime | None = NOON,
    ) -> int:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.landed += 1
        return await self.connection.fetchval(
            LAND,
            site_id,
            topic,
            hashlib.sha256(f"{self.landed}".encode()).digest()[:16],
            f"delivery-{self.landed}",
            triggered_at,
            json.dumps(headers or {"x-shopify-topic": topic or ""}),
            zstandard.compress(raw),
            len(raw),
        )

    async def drain(self) -> BatchFigures:
        """One batch."""
        return await drain_batch(self.connection, self.cache, self.settings)

    async def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.connection.fetch(query, *values)]

    async def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """What must not differ after a redelivery: keys, state and the ledger."""
        return {
            name: await self.rows(query)
            for name, query in {
                "events": "SELECT site_id, key, event_id, evidence_at FROM app.event_keys ORDER BY 1, 2",
                "orders": "SELECT site_id, order_id, total, refunded, paid_at, updated_at FROM app.orders ORDER BY 1, 2",
                "refunds": "SELECT * FROM app.order_refunds ORDER BY 1, 2, 3",
                "customers": "SELECT * FROM app.customers ORDER BY 1, 2",
                "clicks": "SELECT seen_at, site_id, click_id FROM app.clicks ORDER BY 1, 2, 3",
                "custom_events": "SELECT assignment_id, dedup_key, id FROM app.custom_events ORDER BY 1, 2",
                "uploads": "SELECT ads_action_id, transaction_id, state, id FROM app.conversion_uploads ORDER BY 1, 2",
                "upload_keys": "SELECT * FROM app.upload_keys ORDER BY 1, 2",
            }.items()
        }

    async def value(self, query: str, *values: Any) -> Any:
        return await self.connection.fetchval(query, *values)


def paid_order(order_id: int = 1, **fields: Any) -> dict[str, Any]:
    """A paid Shopify order of 100 EUR with a click, of customer 7."""
    at = NOON.isoformat()
    return {
        "id": order_id,
        "created_at": at,
        "updated_at": at,
        "processed_at": at,
        "total_price": "100.00",
        "currency": "EUR",
        "financial_status": "paid",
        "name": f"#{order_id}",
        "email": "person7@example.org",
        "customer": {"id": 7, "email": "person7@example.org"},
        "note_attributes": [{"name": "gclid", "value": f"Cj0KCQ-test-{order_id}"}],
        "line_items": [{"id": order_id * 10, "sku": "A-1", "quantity": 1, "price": "100.00"}],
        "refunds": [],
        **fields,
    }


@pytest.fixture
def order() -> Callable[..., dict[str, Any]]:
    """Makes a Shopify order: `order(1, total_price="5.00")`."""
    return paid_order


@pytest.fixture
def noon() -> datetime:
    """When the orders of this world were made, paid and changed last."""
    return NOON


@pytest.fixture
def in_world(database: str) -> Callable[[Callable[[World], Awaitable[None]]], None]:
    """Run an async test in a world of its own."""

    def run(test: Callable[[World], Awaitable[None]]) -> None:
        async def whole() -> None:
            async with world_of(database) as world:
                await test(world)

        asyncio.run(whole())

    return run


@asynccontextmanager
async def world_of(url: str) -> AsyncIterator[World]:
    connection = await connect.asyncpg_connect(url)
    try:
        yield World(url, connection)
    finally:
        await connection.close()
