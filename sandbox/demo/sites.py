"""The sites of the demo, as their stores see them."""

import msgspec
import sqlalchemy as sa

from custom_events.catalog.sample import SampleSite, seed_sample
from custom_events.settings import Settings
from custom_events.values.deliveries import Platform
from sandbox.demo.google import write_seed
from sandbox.stores.posts import Store


class Stores(msgspec.Struct, frozen=True, kw_only=True):
    """One store of each platform."""

    shopify: Store
    woocommerce: Store
    custom: Store


def prepare(connection: sa.Connection, settings: Settings) -> Stores:
    """Seeds definitions, sites and assignments where they are missing, and tells Google's stand-in of its accounts."""
    sample = seed_sample(connection, settings)
    write_seed(connection, settings)
    return Stores(
        shopify=_store(sample.site(Platform.SHOPIFY)),
        woocommerce=_store(sample.site(Platform.WOOCOMMERCE)),
        custom=_store(sample.site(Platform.CUSTOM)),
    )


def _store(site: SampleSite) -> Store:
    return Store(
        platform=site.platform,
        site_key=site.site_key,
        secret=site.secret.encode(),
        ads_customer_id=site.ads_customer_id,
        shop_domain=site.shop_domain,
        currency=site.currency,
    )
