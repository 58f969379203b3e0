"""The pipeline's side of the world in `tests/world.py`: batch by batch, on one connection."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from custom_events.pipeline.batch import drain_batch
from custom_events.pipeline.batch_figures import BatchFigures
from custom_events.pipeline.configuration import ConfigurationCache
from custom_events.postgres import connect
from tests.world import NOON, World, paid_order


class PipelineWorld(World):
    """A world with the connection of its batches. What it is made of is written at once; what is awaited runs on this connection."""

    def __init__(self, url: str, engine: sa.Engine, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        super().__init__(url, engine)
        self.connection = connection
        self.cache = ConfigurationCache()

    async def batch(self) -> BatchFigures:
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


@pytest.fixture
def order() -> Callable[..., dict[str, Any]]:
    """Makes a Shopify order: `order(1, total_price="5.00")`."""
    return paid_order


@pytest.fixture
def noon() -> datetime:
    """When the orders of the world were made, paid and changed last."""
    return NOON


@pytest.fixture
def in_world(database: str) -> Callable[[Callable[[PipelineWorld], Awaitable[None]]], None]:
    """Run an async test in a world of its own."""

    def run(test: Callable[[PipelineWorld], Awaitable[None]]) -> None:
        async def whole() -> None:
            async with world_of(database) as world:
                await test(world)

        asyncio.run(whole())

    return run


@asynccontextmanager
async def world_of(url: str) -> AsyncIterator[PipelineWorld]:
    engine = connect.engine(url, name="tests")
    connection = await connect.asyncpg_connect(url)
    try:
        yield PipelineWorld(url, engine, connection)
    finally:
        await connection.close()
        engine.dispose()
