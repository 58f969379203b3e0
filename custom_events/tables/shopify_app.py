"""Our app in Shopify's shops."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from custom_events.tables.base import APP, METADATA, Json, Time, created_at, one_of, site_id, updated_at

shopify_installations = sa.Table(
    "shopify_installations",
    METADATA,
    site_id(primary_key=True),
    sa.Column("shop", sa.Text, nullable=False, unique=True, comment="The shop's domain, name.myshopify.com."),
    sa.Column("state", sa.Text, nullable=False, comment="installed or uninstalled."),
    sa.Column("scopes", pg.ARRAY(sa.Text), nullable=False, comment="What the shop lets the app do, as it said last."),
    sa.Column(
        "tokens_encrypted",
        sa.LargeBinary,
        comment="Fernet token of access and refresh token together, bound to this site and shop; null: uninstalled.",
    ),
    sa.Column("access_expires_at", Time, comment="End of the access token; null: it never ends, or there is none."),
    sa.Column("refresh_expires_at", Time, comment="End of the refresh token; null: there is none."),
    sa.Column("tokens_at", Time, comment="When these tokens came from Shopify."),
    sa.Column("api_version", sa.Text, nullable=False, comment="Of the webhooks that were registered last."),
    sa.Column("installed_at", Time, nullable=False, comment="When the shop's owner agreed last."),
    sa.Column("uninstalled_at", Time, comment="Since when the app is gone from the shop; null: it is installed."),
    sa.Column(
        "watched_at", Time, comment="When what is registered was compared last; null: never, or it must be at once."
    ),
    sa.Column(
        "registered",
        Json,
        nullable=False,
        server_default=sa.text("'{}'"),
        comment="What was there at the last look: webhooks (topics) and pixel.",
    ),
    sa.Column(
        "problems",
        Json,
        nullable=False,
        server_default=sa.text("'[]'"),
        comment="What is wrong now: a word for each, and a sentence.",
    ),
    created_at(),
    updated_at(),
    sa.CheckConstraint("(state = 'uninstalled') = (uninstalled_at IS NOT NULL)", name="uninstalled_at_of_uninstalled"),
    sa.CheckConstraint("state <> 'uninstalled' OR tokens_encrypted IS NULL", name="uninstalled_has_no_tokens"),
    sa.CheckConstraint(r"shop ~ '^[a-z0-9][a-z0-9-]*\.myshopify\.com$'", name="shop_of_shopify"),
    one_of("state", ("installed", "uninstalled")),
    schema=APP,
    comment="Our app in a Shopify shop, with its tokens. One row per site.",
)
