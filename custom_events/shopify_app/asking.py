"""A shop's Admin API for a site, with a token that is good: a refused one is renewed once and the work done again."""

from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

from custom_events.platforms.shopify.admin_api import AdminApi, TokenRefused
from custom_events.settings import Settings
from custom_events.shopify_app import tokens

Result = TypeVar("Result")


def with_api(engine: sa.Engine, settings: Settings, site_id: int, work: Callable[[AdminApi], Result]) -> Result:
    """What `work` gives for the shop's API. It may be begun twice: it must bear that.

    Raises NotFound, NeedsAction, Transient and what `work` raises; no transaction is open while Shopify is asked, but for renewing.
    """
    shop, token = tokens.access_token(engine, settings, site_id)
    try:
        with _api(settings, shop, token) as api:
            return work(api)
    except TokenRefused:
        shop, token = tokens.access_token(engine, settings, site_id, renew=True)
    with _api(settings, shop, token) as api:
        return work(api)


def _api(settings: Settings, shop: str, token: str) -> AdminApi:
    return AdminApi(shop, token, base_url=settings.shopify_url, timeout_s=settings.shopify_timeout_s)
