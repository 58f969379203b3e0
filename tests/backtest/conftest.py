"""A small world to look back at: sites, rules by the catalog's functions, landed orders, drained by the pipeline itself."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
import zstandard

from custom_events.backtest.backtest import backtest_sync
from custom_events.backtest.result import Backtest
from custom_events.catalog import ads, assignments, definitions, sites
from custom_events.history.drafts import PUBLISHED, Draft
from custom_events.pipeline.batch import drain_batch
from custom_events.pipeline.configuration import ConfigurationCache
from custom_events.postgres import connect
from custom_events.settings import Settings
from custom_events.values.conversions import Lane
from custom_events.values.deliveries import Platform

ME = "ana@example.org"
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=2)
LAND = sa.text("""
WITH landed AS (
  INSERT INTO landing.raw_events
    (landed_week, site_id, topic, dedup_key, delivery_id, triggered_at, signature, headers, body, body_bytes)
  VALUES (date_trunc('week', now() AT TIME ZONE 'UTC')::date, :site, :topic, :digest, :delivery, :at, 'verified', :headers,
          :body, :size)
  RETURNING id, landed_week, site_id)
INSERT INTO landing.raw_queue (raw_id, landed_week, site_id) SELECT * FROM landed RETURNING raw_id
""")


class World:
    """One database. Day 10 is the newest day of its orders."""

    def __init__(self, url: str, engine: sa.Engine) -> None:
        self.url, self.engine = url, engine
        self.settings = Settings(batch_size=500, shards=4)
        self._numbers = count(1)
        with engine.begin() as connection:
            ads.create_account(connection, customer_id="1234567890", name="Ads", lane=Lane.GOOGLE_ADS, actor=ME)

    def site(self, time_zone: str = "Europe/Berlin") -> int:
        number = next(self._numbers)
        with self.engine.begin() as connection:
            made = sites.create(
                connection,
                platform=Platform.SHOPIFY,
                name=f"Shop {number}",
                shop_domain=f"shop-{number}.myshopify.com",
                currency="EUR",
                time_zone=time_zone,
                actor=ME,
                site_key=f"shop-key-{number}",
            )
        return made.id

    def action(self) -> str:
        with self.engine.begin() as connection:
            return ads.create_action(
                connection, customer_id="1234567890", action_id=str(next(self._numbers)), name="Action", actor=ME
            ).reference

    def define(self, key: str | None = None, *, published: bool = True, **config: Any) -> str:
        """A definition, by default for paid orders and published; its key."""
        key = key or f"rule_{next(self._numbers)}"
        config.setdefault("trigger", ["order.paid"])
        with self.engine.begin() as connection:
            definitions.create(connection, key=key, name=key, config=config, author=ME)
            if published:
                definitions.publish(connection, key, 1, by=ME)
        return key

    def draft(self, key: str, **config: Any) -> int:
        """A further draft of a definition; its number."""
        config.setdefault("trigger", ["order.paid"])
        with self.engine.begin() as connection:
            newest = definitions.get(connection, key).newest_number
            return definitions.draft(connection, key, config, expected=newest, author=ME).number

    def publish(self, key: str, number: int) -> None:
        with self.engine.begin() as connection:
            definitions.publish(connection, key, number, by=ME)

    def assign(self, site_id: int, key: str, label: str = "", **overrides: Any) -> int:
        with self.engine.begin() as connection:
            return assignments.assign(connection, site_id, key, label or key, author=ME, overrides=overrides).id

    def rule(self, site_id: int, *, ads_action: str | None = None, **config: Any) -> int:
        """A definition on a site, both published; the assignment's id."""
        overrides = {} if ads_action is None else {"ads_action": ads_action}
        return self.assign(site_id, self.define(**config), **overrides)

    def land(self, site_id: int, topic: str, body: dict[str, Any]) -> int:
        raw, number = json.dumps(body).encode(), next(self._numbers)
        with self.engine.begin() as connection:
            return connection.execute(
                LAND,
                {
                    "site": site_id,
                    "topic": topic,
                    "digest": hashlib.sha256(str(number).encode()).digest()[:16],
                    "delivery": f"delivery-{number}",
                    "at": NOON,
                    "headers": json.dumps({"x-shopify-topic": topic}),
                    "body": zstandard.compress(raw),
                    "size": len(raw),
                },
            ).scalar_one()

    def order(self, site_id: int, number: int, day: int, **fields: Any) -> None:
        """A paid order on a day of the world."""
        self.land(site_id, "orders/paid", paid_order(number, day, **fields))

    def drain(self) -> None:
        """Batches until the queue is empty."""

        async def whole() -> None:
            connection = await connect.asyncpg_connect(self.url)
            try:
                cache = ConfigurationCache()
                while (await drain_batch(connection, cache, self.settings)).raw:
                    pass
            finally:
                await connection.close()

        asyncio.run(whole())

    def backtest(self, draft: Draft = PUBLISHED, *, first: int = 0, last: int = 11, **how: Any) -> Backtest:
        """From the first day to before the last one."""
        return backtest_sync(self.url, draft, since=day_of(first), until=day_of(last), **how)

    def rows(self, query: str, **values: Any) -> Sequence[Any]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query), values)]

    def execute(self, query: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text(query), values)

    def written(self) -> dict[str, Any]:
        """How many rows each table has that a look back must not touch, with the newest transaction that wrote to it."""
        return {
            table: self.rows(f"SELECT count(*), coalesce(sum(xmin::text::bigint), 0) FROM {table}")
            for table in (
                "app.commerce_events", "app.custom_events", "app.custom_event_keys", "app.conversion_uploads",
                "app.upload_keys", "app.value_changes", "app.orders", "app.customers", "app.audit_entries",
                "landing.raw_queue", "app.raw_outcomes",
            )
        }  # fmt: skip


def day_of(number: int) -> datetime:
    """The beginning of a day of the world, 12 hours before its orders."""
    return NOON + timedelta(days=number - 10, hours=-12)


def paid_order(number: int, day: int, customer: int = 7, **fields: Any) -> dict[str, Any]:
    """A paid Shopify order of 100 EUR at noon of its day, with a click."""
    at = (NOON + timedelta(days=day - 10, seconds=number)).isoformat()
    return {
        "id": number,
        "created_at": at,
        "updated_at": at,
        "processed_at": at,
        "total_price": "100.00",
        "currency": "EUR",
        "financial_status": "paid",
        "name": f"#{number}",
        "email": f"person{customer}@example.org",
        "customer": {"id": customer, "email": f"person{customer}@example.org"},
        "note_attributes": [{"name": "gclid", "value": f"Cj0KCQ-test-{number}"}],
        "line_items": [{"id": number * 10, "sku": "A-1", "quantity": 1, "price": "100.00"}],
        "refunds": [],
        **fields,
    }


@pytest.fixture
def world(database: str, engine: sa.Engine) -> World:
    return World(database, engine)


@pytest.fixture
def body() -> Callable[..., dict[str, Any]]:
    """Makes a paid order's body: `body(number, day, customer=7, total_price="5.00")`."""
    return paid_order


@pytest.fixture
def day() -> Callable[[int], datetime]:
    """The beginning of a day of the world."""
    return day_of
