"""Sites whose stores have an API of their own; and a WooCommerce shop that sells, and tells of it by webhooks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events import secrets
from custom_events.catalog import store_api_keys
from custom_events.platforms.woocommerce.delivery import SOURCE, TOPIC
from custom_events.recovery.run import Recovery, recover
from custom_events.settings import Settings
from sandbox.google_ads.click_ids import make_click_id
from sandbox.stores import woocommerce
from sandbox.stores.clicks import Visit
from sandbox.stores.people import PRODUCTS, person
from sandbox.stores.posts import minified
from sandbox.stores.woocommerce_rest import WooCommerceShop, serve
from tests.ledger.conftest import _ingestion, _services, google, lanes
from tests.world import World

__all__ = ["_ingestion", "_services", "google", "lanes"]

KEY, SECRET = "ck_" + "1" * 40, "cs_" + "2" * 40


def backdate_site(engine: sa.Engine, site_id: int, moment: datetime) -> None:
    """The site was made at this moment."""
    with engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE app.sites SET created_at = :moment WHERE id = :site"), {"moment": moment, "site": site_id}
        )


class StoreApiWorld(World):
    """A site of a platform whose orders are read by a key. Times are minutes ago."""

    def __init__(self, url: str, engine: sa.Engine, platform: str, key: str, secret: str) -> None:
        super().__init__(url, engine)
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.site_id = self.site(platform=platform, time_zone="UTC")
        backdate_site(engine, self.site_id, self.now - timedelta(days=30))
        # Its key file stays the same one, wherever a test goes.
        self.settings = Settings(
            local_directory=Path(".local").absolute(), batch_size=500, shards=4, store_api_private=True
        )
        self._key, self._secret = key, secret

    def connect(self, url: str) -> None:
        """Enter the key for the store at this address."""
        with self.engine.begin() as connection:
            store_api_keys.put(
                connection,
                self.site_id,
                store_url=url,
                consumer_key=self._key,
                consumer_secret=self._secret,
                key=secrets.key(self.settings),
                actor="ana@example.org",
                allow_private=True,
            )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query))]


class ShopWorld(StoreApiWorld):
    """A site `shop`, and the WooCommerce shop behind it."""

    def __init__(self, url: str, engine: sa.Engine) -> None:
        super().__init__(url, engine, "woocommerce", KEY, SECRET)
        self.shop = WooCommerceShop(KEY, SECRET)

    def order(
        self, number: int, *, ago: float = 300, changed_ago: float | None = None, **fields: Any
    ) -> dict[str, Any]:
        """A paid order of the shop, as its REST resource; the shop has it from now on."""
        at = self.now - timedelta(minutes=ago)
        clicked_at = at - timedelta(hours=20)
        click_id = make_click_id("gclid", "1234567890", clicked_at, number)
        refunds = [(refund, Decimal(amount)) for refund, amount in fields.pop("refunds", {}).items()]
        body = woocommerce.order(
            order_id=number,
            who=person(Random(number), number),
            lines=[(PRODUCTS[1], 2)],
            seen=Visit(place="attribute", click_id=click_id, clicked_at=clicked_at, consent="granted"),
            status=fields.pop("status", "processing"),
            created_at=at,
            modified_at=at if changed_ago is None else self.now - timedelta(minutes=changed_ago),
            paid_at=fields.pop("paid_at", at),
            refunds=refunds,
        )
        body |= fields
        self.shop.put(body)
        return body

    def webhook(self, body: dict[str, Any], topic: str = "order.updated") -> int:
        """What WooCommerce's own webhook would send of it, landed."""
        headers = {TOPIC: topic, SOURCE: "https://shop.example/"}
        return self.land(self.site_id, topic, minified(body), headers=headers, triggered_at=None)

    def recover(self, **options: Any) -> Recovery:
        return recover(self.engine, self.settings, self.site_id, options.pop("now", self.now), **options)


@pytest.fixture
def world(database: str, engine: sa.Engine) -> Iterator[ShopWorld]:
    shop_world = ShopWorld(database, engine)
    with serve(shop_world.shop) as url:
        shop_world.connect(url)
        yield shop_world
