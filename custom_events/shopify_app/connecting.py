"""A shop's owner has agreed: the shop becomes a site, or is bound to the one that has its domain, with the app's secret and tokens."""

import msgspec
import sqlalchemy as sa

from custom_events import secrets
from custom_events.catalog import audit, signing, sites
from custom_events.catalog.sites import Site
from custom_events.errors import CustomEventsError, NeedsAction, NotFound
from custom_events.platforms.shopify.admin_queries import API_VERSION, INSTALLATION
from custom_events.queries import shopify_app as sql
from custom_events.settings import Settings
from custom_events.shopify_app import installation, watching
from custom_events.shopify_app.app_settings import app_of
from custom_events.shopify_app.asking import with_api
from custom_events.shopify_app.token_endpoint import Grant
from custom_events.shopify_app.watching import Look
from custom_events.values.platforms import Platform


class Connected(msgspec.Struct, frozen=True, kw_only=True):
    """A shop that is a site now; `is_new`: it was none before. `look` is what was registered there at once."""

    site: Site
    is_new: bool
    look: Look


def connect(engine: sa.Engine, settings: Settings, shop: str, grant: Grant, *, actor: str) -> Connected:
    """Store what Shopify gave, then register webhooks and pixel. What goes wrong with that is a problem of the installation, and tried again by
    the watch. Raises NeedsAction where a site of another platform has the domain."""
    app, key = app_of(settings), secrets.key(settings)
    with engine.begin() as connection:
        site, is_new = _site(connection, shop, actor)
        if not signing.holds(connection, site.id, app.client_secret, key=key):
            signing.add(connection, site.id, app.client_secret, key=key, actor=actor, key_id="shopify-app")
        values = {
            "site": site.id,
            "shop": shop,
            "scopes": list(grant.scopes),
            "tokens": installation.encrypted(grant.tokens, site.id, shop, key),
            "access_expires_at": grant.access_expires_at,
            "refresh_expires_at": grant.refresh_expires_at,
            "version": API_VERSION,
        }
        connection.execute(sql.LEAVE_OTHERS, {"shop": shop, "site": site.id})
        connection.execute(sql.INSTALL, values)
        audit.record(
            connection,
            actor=actor,
            action="shopify_app.install",
            subject=f"site:{site.id}",
            detail={"shop": shop, "scopes": list(grant.scopes)},
            site_id=site.id,
        )
    if is_new:
        site = _named(engine, settings, site, actor)
    return Connected(site=site, is_new=is_new, look=watching.watch(engine, settings, site.id, actor=actor))


def _site(connection: sa.Connection, shop: str, actor: str) -> tuple[Site, bool]:
    try:
        site = sites.by_domain(connection, shop)
    except NotFound:
        name = shop.partition(".")[0]
        return sites.create(connection, platform=Platform.SHOPIFY, name=name, actor=actor, shop_domain=shop), True
    if site.platform is not Platform.SHOPIFY:
        raise NeedsAction(
            f"The domain {shop} is that of site {site.id}, which is a {site.platform} site: change it there first."
        )
    if site.removed_at is not None:
        site = sites.resume(connection, site.id, actor=actor, reason="its owner installed the app again")
    return site, False


def _named(engine: sa.Engine, settings: Settings, site: Site, actor: str) -> Site:
    """With the shop's own name, currency and time zone, where Shopify says them now and they can be used; a person may set them as well."""
    try:
        shop = with_api(engine, settings, site.id, lambda api: api.ask(INSTALLATION)["shop"])
        with engine.begin() as connection:
            return sites.update(
                connection,
                site.id,
                actor=actor,
                name=shop["name"],
                currency=shop["currencyCode"],
                time_zone=shop["ianaTimezone"],
            )
    except CustomEventsError:
        return site
