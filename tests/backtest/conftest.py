"""The world of `tests/world.py` with a past to look back at: rules by the catalog's functions, drafts among them, and days of orders."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.backtest.backtest import backtest_sync
from custom_events.backtest.result import Backtest
from custom_events.catalog import assignments, definitions, sites
from custom_events.history.drafts import PUBLISHED, Draft
from custom_events.values.deliveries import Platform
from tests import world as worlds
from tests.world import NOON, World

ME = "ana@example.org"


class PastWorld(World):
    """One database. Day 10 is the newest day of its orders."""

    def site(
        self,
        key: str | None = None,
        platform: str = "shopify",
        *,
        currency: str | None = "EUR",
        time_zone: str = "Europe/Berlin",
        **settings: Any,
    ) -> int:
        """As `World.site`, by the catalog's functions."""
        number = self.new_name("")
        with self.engine.begin() as connection:
            site = sites.create(
                connection,
                platform=Platform(platform),
                name=f"Shop {number}",
                shop_domain=f"shop-{number}.myshopify.com",
                currency=currency,
                time_zone=time_zone,
                settings=settings,
                site_key=key or f"shop-key-{number}",
                actor=ME,
            )
        return site.id

    def rule(self, site_id: int, key: str | None = None, label: str = "", **config: Any) -> int:
        """As `World.rule`, by the catalog's functions; the ads action is the assignment's, so that drafts leave it."""
        action = config.pop("ads_action", None)
        overrides = {} if action is None else {"ads_action": action}
        return self.assign(site_id, self.define(key, **config), label, **overrides)

    def define(self, key: str | None = None, *, published: bool = True, **config: Any) -> str:
        """A definition, by default for paid orders and published; its key."""
        key = key or self.new_name("rule")
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

    def order(self, site_id: int, number: int, day: int, **fields: Any) -> None:
        """A paid order on a day of the world."""
        self.land(site_id, "orders/paid", paid_order(number, day, **fields))

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
    at = NOON + timedelta(days=day - 10, seconds=number)
    return worlds.paid_order(number, at=at, customer_id=customer, **fields)


@pytest.fixture
def world(database: str, engine: sa.Engine) -> PastWorld:
    return PastWorld(database, engine)


@pytest.fixture
def body() -> Callable[..., dict[str, Any]]:
    """Makes a paid order's body: `body(number, day, customer=7, total_price="5.00")`."""
    return paid_order


@pytest.fixture
def day() -> Callable[[int], datetime]:
    """The beginning of a day of the world."""
    return day_of
