"""A sample to try the product out: three sites, two ads accounts (one for each lane to Google), assignments of everything.

The sites' secrets follow from the installation's own key: known to whoever runs it, of no use anywhere else.
"""

import base64
import hmac
from typing import Any

import msgspec
import sqlalchemy as sa

from custom_events import secrets
from custom_events.catalog import ads, assignments, signing, sites
from custom_events.catalog.seed import AUTHOR, seed_system_definitions
from custom_events.catalog.sites import Site
from custom_events.errors import NotFound
from custom_events.settings import Settings
from custom_events.values.conversions import Lane
from custom_events.values.deliveries import Platform

GOOGLE_ADS_ACCOUNT = "1234567890"
DATA_MANAGER_ACCOUNT = "2345678901"
CURRENCY = "EUR"
TIME_ZONE = "Europe/Berlin"
SHORT_WINDOW_DAYS = 30


class SampleSite(msgspec.Struct, frozen=True, kw_only=True):
    """A site as its store knows it. `secret` signs its deliveries."""

    site_id: int
    platform: Platform
    site_key: str
    shop_domain: str | None
    secret: str
    ads_customer_id: str
    currency: str


class SampleData(msgspec.Struct, frozen=True, kw_only=True):
    """What there is after seeding."""

    sites: tuple[SampleSite, ...]
    ads_customer_ids: tuple[str, ...]
    assignments: int

    def site(self, platform: Platform) -> SampleSite:
        """The sample's site of a platform."""
        return next(site for site in self.sites if site.platform is platform)


class _Site(msgspec.Struct, frozen=True, kw_only=True):
    platform: Platform
    name: str
    shop_domain: str | None
    customer_id: str


class _Assignment(msgspec.Struct, frozen=True, kw_only=True):
    platform: Platform
    definition: str
    label: str
    action: str | None = None  # within the site's account; None: recorded, not sent
    overrides: dict[str, Any] = {}


_SITES = (
    _Site(platform=Platform.SHOPIFY, name="Sample: Shopify", shop_domain="sample-custom-events.myshopify.com", customer_id=GOOGLE_ADS_ACCOUNT),
    _Site(platform=Platform.WOOCOMMERCE, name="Sample: WooCommerce", shop_domain="woocommerce.sample.example", customer_id=DATA_MANAGER_ACCOUNT),
    _Site(platform=Platform.CUSTOM, name="Sample: custom", shop_domain=None, customer_id=GOOGLE_ADS_ACCOUNT),
)  # fmt: skip

_ACCOUNTS = (
    (GOOGLE_ADS_ACCOUNT, "Sample: Google Ads API", Lane.GOOGLE_ADS),
    (DATA_MANAGER_ACCOUNT, "Sample: Data Manager API", Lane.DATA_MANAGER),
)

# (action, name, click-through window in days), in each of the accounts
_ACTIONS = (
    ("7001", "Purchase", ads.WINDOW_LIMIT_DAYS),
    ("7002", "New customer", SHORT_WINDOW_DAYS),
    ("7003", "Repeat purchase", ads.WINDOW_LIMIT_DAYS),
    ("7004", "High-value order", ads.WINDOW_LIMIT_DAYS),
    ("7005", "Subscription", ads.WINDOW_LIMIT_DAYS),
    ("7006", "Renewal", ads.WINDOW_LIMIT_DAYS),
    ("7007", "Sign-up", SHORT_WINDOW_DAYS),
    ("7008", "App purchase", ads.WINDOW_LIMIT_DAYS),
    ("7009", "Loyal customer", ads.WINDOW_LIMIT_DAYS),
)

_SHORT = {"click_window_days": SHORT_WINDOW_DAYS}


def _order_from(amount: str, **others: Any) -> dict[str, Any]:
    tree = {"field": "order.total", "op": ">=", "value": amount, "currency": CURRENCY}
    return {"conditions": tree, **others}


def _fixed(amount: str) -> dict[str, Any]:
    return {"value": {"source": "fixed", "fixed": amount, "currency": CURRENCY}}


_ASSIGNMENTS = (
    _Assignment(platform=Platform.SHOPIFY, definition="purchase", label="all orders", action="7001"),
    _Assignment(platform=Platform.SHOPIFY, definition="first_purchase", label="new customers", action="7002", overrides=_SHORT),
    _Assignment(platform=Platform.SHOPIFY, definition="repeat_purchase", label="at the margin", action="7003", overrides={"value": {"factor": "0.35"}}),
    # One definition twice; of one group only the assignment with the highest priority fires.
    _Assignment(platform=Platform.SHOPIFY, definition="high_value_order", label="from 200 EUR", action="7004", overrides=_order_from("200.00", group="high value")),
    _Assignment(platform=Platform.SHOPIFY, definition="high_value_order", label="from 400 EUR counts more", action="7004", overrides=_order_from("400.00", group="high value", priority=10, value={"factor": "1.2"})),
    _Assignment(platform=Platform.SHOPIFY, definition="subscription_start", label="subscriptions", action="7005"),
    _Assignment(platform=Platform.SHOPIFY, definition="subscription_renewal", label="renewals", action="7006", overrides={"value": {"factor": "0.5"}}),
    _Assignment(platform=Platform.SHOPIFY, definition="subscription_cancel", label="recorded"),
    _Assignment(platform=Platform.SHOPIFY, definition="checkout_start", label="recorded"),
    _Assignment(platform=Platform.SHOPIFY, definition="refund", label="recorded"),
    _Assignment(platform=Platform.WOOCOMMERCE, definition="purchase", label="all orders", action="7001"),
    _Assignment(platform=Platform.WOOCOMMERCE, definition="high_value_order", label="from 150 EUR", action="7004", overrides=_order_from("150.00")),
    _Assignment(platform=Platform.WOOCOMMERCE, definition="subscription_start", label="subscriptions", action="7005"),
    _Assignment(platform=Platform.WOOCOMMERCE, definition="subscription_renewal", label="renewals", action="7006"),
    _Assignment(platform=Platform.WOOCOMMERCE, definition="subscription_cancel", label="recorded"),
    _Assignment(platform=Platform.WOOCOMMERCE, definition="customer_signup", label="worth 5 EUR", action="7007", overrides={**_SHORT, **_fixed("5.00")}),
    _Assignment(platform=Platform.CUSTOM, definition="purchase", label="from the app", action="7008", overrides={"also": {"field": "properties.channel", "op": "=", "value": "app"}}),
    _Assignment(platform=Platform.CUSTOM, definition="purchase", label="third order", action="7009", overrides={"threshold": {"measure": "count", "at_least": 3, "scope": "customer"}, **_fixed("25.00")}),
    _Assignment(platform=Platform.CUSTOM, definition="customer_signup", label="worth 2 EUR", action="7007", overrides={**_SHORT, **_fixed("2.00")}),
    _Assignment(platform=Platform.CUSTOM, definition="add_to_cart", label="recorded"),
)  # fmt: skip


def seed_sample(connection: sa.Connection, settings: Settings) -> SampleData:
    """Make what of the sample is missing; what people changed stays as they left it."""
    seed_system_definitions(connection)
    key = secrets.key(settings)
    for customer_id, name, lane in _ACCOUNTS:
        _account(connection, customer_id, name, lane)
    made = tuple(_site(connection, wanted, key) for wanted in _SITES)
    count = sum(_assign(connection, site) for site in made)
    return SampleData(sites=made, ads_customer_ids=tuple(account[0] for account in _ACCOUNTS), assignments=count)


def action_number(customer_id: str, action: str) -> str:
    """Google's ids of actions are unique over all accounts, so each account's begin with a digit of its own."""
    return f"{customer_id[0]}{action}"


def sample_secret(site_key: str, key: bytes) -> str:
    """The secret of a sample's site in this installation."""
    digest = hmac.digest(key, f"sample secret of {site_key}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _account(connection: sa.Connection, customer_id: str, name: str, lane: Lane) -> None:
    try:
        ads.get_account(connection, customer_id)
    except NotFound:
        ads.create_account(
            connection,
            customer_id=customer_id,
            name=name,
            lane=lane,
            actor=AUTHOR,
            currency=CURRENCY,
            time_zone=TIME_ZONE,
        )
    known = {action.action_id for action in ads.actions(connection, customer_id)}
    for action_id, action, window in _ACTIONS:
        if action_number(customer_id, action_id) not in known:
            ads.create_action(
                connection,
                customer_id=customer_id,
                action_id=action_number(customer_id, action_id),
                name=action,
                actor=AUTHOR,
                click_window_days=window,
            )


def _site(connection: sa.Connection, wanted: _Site, key: bytes) -> SampleSite:
    site = _found_or_created(connection, wanted)
    secret = sample_secret(site.site_key, key)
    if not signing.holds(connection, site.id, secret, key=key):
        signing.add(connection, site.id, secret, key=key, actor=AUTHOR, key_id="sample")
    return SampleSite(
        site_id=site.id,
        platform=site.platform,
        site_key=site.site_key,
        shop_domain=site.shop_domain,
        secret=secret,
        ads_customer_id=wanted.customer_id,
        currency=site.currency or CURRENCY,
    )


def _found_or_created(connection: sa.Connection, wanted: _Site) -> Site:
    site_key = f"sample-{wanted.platform}"
    try:
        return sites.by_key(connection, site_key)
    except NotFound:
        return sites.create(
            connection,
            platform=wanted.platform,
            name=wanted.name,
            actor=AUTHOR,
            shop_domain=wanted.shop_domain,
            currency=CURRENCY,
            time_zone=TIME_ZONE,
            settings={"default_country": "DE"},
            site_key=site_key,
        )


def _assign(connection: sa.Connection, site: SampleSite) -> int:
    """Make the site's missing assignments; how many of the sample's it has."""
    known = {
        (site_assignment.definition_key, site_assignment.label)
        for site_assignment in assignments.of_site(connection, site.site_id)
    }
    wanted = [assignment for assignment in _ASSIGNMENTS if assignment.platform is site.platform]
    for assignment in wanted:
        if (assignment.definition, assignment.label) in known:
            continue
        action = (
            {"ads_action": f"{site.ads_customer_id}/{action_number(site.ads_customer_id, assignment.action)}"}
            if assignment.action is not None
            else {}
        )
        made = assignments.assign(
            connection,
            site.site_id,
            assignment.definition,
            assignment.label,
            author=AUTHOR,
            overrides={**assignment.overrides, **action},
            reason="sample",
            publish_now=False,
        )
        assignments.publish(connection, made.id, made.newest_number, by=AUTHOR, ships_with_product=True)
    return len(wanted)
