"""One small world for tests of every room: a database with sites, ads actions and rules, what stores deliver, batches and uploads.

    world = World(url, engine)
    site = world.site()
    world.rule(site, ads_action=world.action())
    world.land(site, "orders/paid", paid_order(1))
    world.drain()
    world.send(lanes, clock)

Everything is written straight into the tables, as receiver and catalog leave it: a test may so write what the catalog refuses today and
an older release took. What goes through the catalog itself (drafts, publishing) is in `tests/backtest/conftest.py`.
"""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
import zstandard

from custom_events.ledger import send
from custom_events.ledger.sender import Clock, Lanes
from custom_events.ledger.upload_figures import UploadFigures
from custom_events.pipeline.batch import drain_batch
from custom_events.pipeline.batch_figures import DrainFigures
from custom_events.pipeline.configuration import ConfigurationCache
from custom_events.postgres import connect
from custom_events.settings import Settings

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=2)
CUSTOMER_ID = "1234567890"  # of the ads account
SEND_STEPS = 80  # more than any test needs until nothing is due
JSON_COLUMNS = {"settings", "config", "overrides", "capabilities"}

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
    """One database. Every method is one short transaction."""

    def __init__(self, url: str, engine: sa.Engine) -> None:
        self.url, self.engine = url, engine
        self.settings = Settings(batch_size=500, shards=4)
        self._names: Counter[str] = Counter()
        self._landed = 0

    # ------------------------------------------------------------ what is configured
    def new_name(self, base: str) -> str:
        """`base`, the next time `base_2`; numbers where it is empty."""
        self._names[base] += 1
        number = self._names[base]
        if not base:
            return str(number)
        return base if number == 1 else f"{base}_{number}"

    def site(
        self,
        key: str | None = None,
        platform: str = "shopify",
        *,
        currency: str | None = "EUR",
        time_zone: str = "Europe/Berlin",
        **settings: Any,
    ) -> int:
        """A site; its id. Without a key it is `shop`, the next one `shop_2`."""
        key = key or self.new_name("shop")
        row = {
            "site_key": key,
            "platform": platform,
            "name": key,
            "shop_domain": f"{key}.myshopify.com",
            "currency": currency,
            "time_zone": time_zone,
            "settings": json.dumps(settings),
        }
        return self._insert("app.sites", row)

    def account(self, customer_id: str = CUSTOMER_ID, lane: str = "google_ads", **columns: Any) -> int:
        """An ads account, or the one of this customer id; its id."""
        row = {"customer_id": customer_id, "name": customer_id, "lane": lane, **columns}
        with self.engine.begin() as connection:
            known = connection.execute(
                sa.text("SELECT id FROM app.ads_accounts WHERE customer_id = :customer_id"),
                {"customer_id": customer_id},
            ).scalar_one_or_none()
            return known if known is not None else insert(connection, "app.ads_accounts", row)

    def action(self, action_id: str | None = None, customer_id: str = CUSTOMER_ID, **columns: Any) -> str:
        """An ads action, and its account where there is none yet; its reference. Without an id it is `1`, the next one `2`."""
        action_id = action_id or self.new_name("")
        row = {"ads_account_id": self.account(customer_id), "action_id": action_id, "name": action_id, **columns}
        self._insert("app.ads_actions", row)
        return f"{customer_id}/{action_id}"

    def rule(self, site_id: int, key: str | None = None, label: str = "", **config: Any) -> int:
        """A definition with this configuration, assigned to the site, both published; the assignment's id."""
        return self.assignment(site_id, self.definition(key, **config), label)

    def definition(self, key: str | None = None, **config: Any) -> int:
        """A published definition, of paid orders unless told otherwise; its id. Without a key it is `purchase`, the next one `purchase_2`."""
        key = key or self.new_name("purchase")
        config.setdefault("trigger", ["order.paid"])
        definition = self._insert("app.custom_event_definitions", {"key": key, "name": key})
        revision = {"definition_id": definition, "number": 1, "state": "published", "author": "test"}
        self._insert("app.definition_revisions", revision | {"config": json.dumps(config)})
        return definition

    def assignment(self, site_id: int, definition: int, label: str = "", **overrides: Any) -> int:
        """A definition applied to a site, published with these overrides; its id."""
        row = {"site_id": site_id, "definition_id": definition, "label": label}
        assignment = self._insert("app.site_custom_events", row)
        revision = {"assignment_id": assignment, "number": 1, "state": "published", "author": "test"}
        self._insert("app.assignment_revisions", revision | {"overrides": json.dumps(overrides)})
        return assignment

    # ------------------------------------------------------------ what happens
    def land(
        self,
        site_id: int,
        topic: str | None,
        body: Any,
        *,
        headers: Mapping[str, str] | None = None,
        triggered_at: datetime | None = NOON,
    ) -> int:
        """A delivery as the receiver leaves it: stored and in the queue; its raw id. `body`: bytes, or what becomes JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._landed += 1
        row = {
            "site": site_id,
            "topic": topic,
            "digest": hashlib.sha256(f"{self._landed}".encode()).digest()[:16],
            "delivery": f"delivery-{self._landed}",
            "at": triggered_at,
            "headers": json.dumps(headers or {"x-shopify-topic": topic or ""}),
            "body": zstandard.compress(raw),
            "size": len(raw),
        }
        with self.engine.begin() as connection:
            return connection.execute(LAND, row).scalar_one()

    def drain(self) -> DrainFigures:
        """Batches until the queue is empty."""

        async def whole() -> DrainFigures:
            connection = await connect.asyncpg_connect(self.url)
            figures, cache = DrainFigures(), ConfigurationCache()
            try:
                while (batch := await drain_batch(connection, cache, self.settings)).raw:
                    figures.add(batch)
                return figures
            finally:
                await connection.close()

        return asyncio.run(whole())

    def send(self, lanes: Lanes, clock: Clock) -> UploadFigures:
        """Uploads until nothing is due now."""
        return send_all(self.engine, self.settings, lanes, clock)

    # ------------------------------------------------------------ insides
    def _insert(self, table: str, row: Mapping[str, Any]) -> int:
        with self.engine.begin() as connection:
            return insert(connection, table, row)


def send_all(engine: sa.Engine, settings: Settings, lanes: Lanes, clock: Clock) -> UploadFigures:
    """Steps of the sender until nothing is due; their sum. Raises AssertionError where that takes too many."""
    total = UploadFigures()
    for _ in range(SEND_STEPS):
        figures = send.run_once(engine, settings, lanes=lanes, clock=clock)
        if figures.idle:
            return total
        total.add(figures)
    raise AssertionError(f"not settled after {SEND_STEPS} steps")


def insert(connection: sa.Connection, table: str, row: Mapping[str, Any]) -> int:
    """One row of these columns; its id. Columns of type jsonb take text."""
    names = ", ".join(row)
    marks = ", ".join(f"CAST(:{name} AS jsonb)" if name in JSON_COLUMNS else f":{name}" for name in row)
    return connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({marks}) RETURNING id"), row).scalar_one()


def paid_order(order_id: int = 1, *, at: datetime = NOON, customer_id: int = 7, **fields: Any) -> dict[str, Any]:
    """A paid Shopify order of 100 EUR with a click."""
    moment, email = at.isoformat(), f"person{customer_id}@example.org"
    return {
        "id": order_id,
        "created_at": moment,
        "updated_at": moment,
        "processed_at": moment,
        "total_price": "100.00",
        "currency": "EUR",
        "financial_status": "paid",
        "name": f"#{order_id}",
        "email": email,
        "customer": {"id": customer_id, "email": email},
        "note_attributes": [{"name": "gclid", "value": f"Cj0KCQ-test-{order_id}"}],
        "line_items": [{"id": order_id * 10, "sku": "A-1", "quantity": 1, "price": "100.00"}],
        "refunds": [],
        **fields,
    }
