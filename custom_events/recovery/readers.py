"""How the orders of a site's store are read, platform by platform."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

import sqlalchemy as sa

from custom_events import secrets
from custom_events.catalog import store_api_keys
from custom_events.catalog.sites import Site
from custom_events.errors import NeedsAction
from custom_events.platforms.store_client import StoreClient
from custom_events.platforms.store_orders import OrderReader
from custom_events.platforms.woocommerce.rest_api import WooCommerceOrders
from custom_events.settings import Settings
from custom_events.values.platforms import Platform

OpenReader = Callable[[sa.Connection, Settings, Site], "Generator[OrderReader]"]


def _woocommerce(connection: sa.Connection, settings: Settings, site: Site) -> Generator[OrderReader]:
    url, key = store_api_keys.credentials(connection, site.id, secrets.key(settings))
    connection.rollback()  # no transaction lasts as long as a store answers
    auth = (key.consumer_key, key.consumer_secret)
    with StoreClient(url, allow_private=settings.store_api_private, auth=auth) as client:
        yield WooCommerceOrders(client)


READERS: dict[Platform, OpenReader] = {Platform.WOOCOMMERCE: _woocommerce}


@contextmanager
def reader_of(connection: sa.Connection, settings: Settings, site: Site) -> Generator[OrderReader]:
    """Reads the orders of a site's store until the end of the block. Raises NeedsAction for a platform without a reader, NotFound for a
    site without a key. The connection's transaction ends before the store is asked."""
    open_reader = READERS.get(site.platform)
    if open_reader is None:
        raise NeedsAction(f"The orders of a site of {site.platform} cannot be read: its deliveries are all there is.")
    yield from open_reader(connection, settings, site)
