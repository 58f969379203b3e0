"""How the orders of a site's store are read, platform by platform."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

import sqlalchemy as sa

from custom_events import secrets
from custom_events.catalog import store_api_keys
from custom_events.catalog.sites import Site
from custom_events.errors import NeedsAction
from custom_events.platforms.bigcommerce.orders_api import TOKEN_HEADER, BigCommerceOrders
from custom_events.platforms.shopify.changed_orders import ShopifyOrders
from custom_events.platforms.store_client import StoreClient
from custom_events.platforms.store_orders import OrderReader
from custom_events.platforms.woocommerce.rest_api import WooCommerceOrders
from custom_events.settings import Settings
from custom_events.shopify_app.asking import with_api
from custom_events.values.platforms import Platform

OpenReader = Callable[[sa.Engine, Settings, Site], "Generator[OrderReader]"]


def _key(engine: sa.Engine, settings: Settings, site: Site) -> tuple[str, store_api_keys.Credentials]:
    with engine.connect() as connection:
        return store_api_keys.credentials(connection, site.id, secrets.key(settings))


def _woocommerce(engine: sa.Engine, settings: Settings, site: Site) -> Generator[OrderReader]:
    url, key = _key(engine, settings, site)
    auth = (key.consumer_key, key.consumer_secret)
    with StoreClient(url, allow_private=settings.store_api_private, auth=auth) as client:
        yield WooCommerceOrders(client)


def _shopify(engine: sa.Engine, settings: Settings, site: Site) -> Generator[OrderReader]:
    yield ShopifyOrders(lambda work: with_api(engine, settings, site.id, work))


def _bigcommerce(engine: sa.Engine, settings: Settings, site: Site) -> Generator[OrderReader]:
    url, key = _key(engine, settings, site)
    headers = {TOKEN_HEADER: key.consumer_secret}
    with StoreClient(url, allow_private=settings.store_api_private, headers=headers) as client:
        yield BigCommerceOrders(client)


READERS: dict[Platform, OpenReader] = {
    Platform.WOOCOMMERCE: _woocommerce,
    Platform.SHOPIFY: _shopify,
    Platform.BIGCOMMERCE: _bigcommerce,
}


@contextmanager
def reader_of(engine: sa.Engine, settings: Settings, site: Site) -> Generator[OrderReader]:
    """Reads the orders of a site's store until the end of the block. Raises NeedsAction for a platform without a reader, NotFound for a
    site without a key or an installation of our app. No transaction is open while the store is asked."""
    open_reader = READERS.get(site.platform)
    if open_reader is None:
        raise NeedsAction(f"The orders of a site of {site.platform} cannot be read: its deliveries are all there is.")
    yield from open_reader(engine, settings, site)
