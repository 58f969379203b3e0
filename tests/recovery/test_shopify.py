"""Orders of a Shopify shop that no webhook brought, by the app's own tokens."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.recovery.run import recover, recover_all
from custom_events.settings import Settings
from custom_events.shopify_app.connecting import Connected
from sandbox.stores.shopify_admin.server import ShopifyAdmin
from sandbox.stores.shopify_admin.state import FaultKind, Shop
from tests.platforms.shopify_orders import order_body
from tests.recovery.conftest import backdate_site
from tests.shopify_app.conftest import clock, connected, settings, shop, store
from tests.world import World

__all__ = ["clock", "connected", "settings", "shop", "store"]

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(autouse=True)
def _site_of_last_month(engine: sa.Engine, connected: Connected) -> None:
    backdate_site(engine, connected.site.id, NOW - timedelta(days=30))


def sold(shop: Shop, number: int, ago: timedelta, **changes: Any) -> str:
    """An order of the shop, made and changed then; its id."""
    body = order_body(number, NOW - ago, **changes)
    body |= {"created_at": (NOW - timedelta(hours=4)).isoformat()}
    shop.put_order(body)
    return str(body["id"])


def test_orders_are_listed_and_read_whole_where_something_is_missing(
    engine: sa.Engine, database: str, store: ShopifyAdmin, shop: Shop, settings: Settings, connected: Connected
) -> None:
    world = World(database, engine)
    site = connected.site.id
    order = sold(shop, 1, timedelta(hours=3))
    first = recover(engine, settings, site, NOW)
    assert (first.read, first.missing, first.landed, first.problem) == (1, {"order": 1}, 1, None)
    world.drain()
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT outcome FROM app.raw_outcomes")).scalars().all() == ["understood"]
        assert connection.execute(sa.text("SELECT order_id FROM app.orders")).scalars().all() == [order]
    requests = store.admin.requests.total()
    store.admin.arm(FaultKind.UNAUTHORIZED)  # the token is renewed, and the work done again
    again = recover(engine, settings, site, NOW, since=NOW - timedelta(days=1))
    assert (again.read, again.missing, again.problem) == (1, {}, None)
    assert store.admin.requests.total() - requests <= 4, "no order was read whole"
    gone = sold(shop, 2, timedelta(hours=1))
    listed = recover(engine, settings, site, NOW, dry_run=True)
    assert listed.sample_orders == [gone]
    assert [entry.landed for entry in recover_all(engine, settings, NOW)] == [1]


def test_an_order_that_was_paid_within_the_second_of_what_landed(
    engine: sa.Engine, database: str, store: ShopifyAdmin, shop: Shop, settings: Settings, connected: Connected
) -> None:
    world = World(database, engine)
    site = connected.site.id
    order = sold(shop, 1, timedelta(hours=3), financial_status="pending")
    assert recover(engine, settings, site, NOW).missing == {"order": 1}
    world.drain()
    sold(shop, 1, timedelta(hours=3), financial_status="paid")
    again = recover(engine, settings, site, NOW, since=NOW - timedelta(days=1))
    assert (again.missing, again.sample_orders, again.landed) == ({"change": 1}, [order], 1)


def test_an_order_that_was_paid_later_and_stays_open(
    engine: sa.Engine, database: str, store: ShopifyAdmin, shop: Shop, settings: Settings, connected: Connected
) -> None:
    world = World(database, engine)
    sold(shop, 1, timedelta(hours=3), financial_status="pending")
    recover(engine, settings, connected.site.id, NOW)
    world.drain()
    sold(shop, 1, timedelta(hours=2), financial_status="paid")  # an invoice was paid, and no delivery told of it
    assert recover(engine, settings, connected.site.id, NOW, since=NOW - timedelta(days=1)).missing == {"change": 1}
    world.drain()
    with engine.connect() as connection:
        keys = connection.execute(sa.text("SELECT key FROM app.event_keys")).scalars().all()
    assert any(key.startswith("order.paid:") for key in keys)


@pytest.mark.parametrize("hours", [3, 2], ids=["within the second of what landed", "later"])
def test_an_order_that_was_shipped_and_no_delivery_told_of_it(
    engine: sa.Engine,
    database: str,
    store: ShopifyAdmin,
    shop: Shop,
    settings: Settings,
    connected: Connected,
    hours: int,
) -> None:
    world = World(database, engine)
    site, yesterday = connected.site.id, NOW - timedelta(days=1)
    sold(shop, 1, timedelta(hours=3))
    recover(engine, settings, site, NOW)
    world.drain()
    order = sold(shop, 1, timedelta(hours=hours), shipped_at=NOW - timedelta(hours=2))
    again = recover(engine, settings, site, NOW, since=yesterday)
    assert (again.missing, again.sample_orders, again.landed) == ({"change": 1}, [order], 1)
    world.drain()
    with engine.connect() as connection:
        fulfilled = "SELECT occurred_at FROM app.event_keys WHERE key = :key"
        at = connection.execute(sa.text(fulfilled), {"key": f"order.fulfilled:{order}"}).scalar_one()
    assert at == NOW - timedelta(hours=2)
    requests = store.admin.requests.total()
    assert recover(engine, settings, site, NOW, since=yesterday).missing == {}
    assert store.admin.requests.total() - requests == 1, "no order was read whole"


def test_an_order_of_before_the_app_came_is_not_even_read_whole(
    engine: sa.Engine, database: str, store: ShopifyAdmin, shop: Shop, settings: Settings, connected: Connected
) -> None:
    backdate_site(engine, connected.site.id, NOW - timedelta(hours=3))
    order = sold(shop, 1, timedelta(hours=1))  # made four hours ago, changed since
    requests = store.admin.requests.total()
    first = recover(engine, settings, connected.site.id, NOW)
    assert (first.read, first.missing) == (1, {})
    assert store.admin.requests.total() - requests == 1
    assert recover(engine, settings, connected.site.id, NOW, since=NOW - timedelta(hours=5)).sample_orders == [order]


def test_a_shop_without_our_app(engine: sa.Engine, settings: Settings, connected: Connected) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM app.shopify_installations"))
    assert recover(engine, settings, connected.site.id, NOW).problem is not None
    assert recover_all(engine, settings, NOW) == []
