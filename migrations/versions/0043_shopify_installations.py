"""Our app in Shopify's shops: its tokens, what it registered, what is wrong.

Revision ID: 0043
Revises: 0040
"""

from alembic import op

revision = "0043"
down_revision = "0040"
branch_labels = None
depends_on = None

UPGRADE = r"""
CREATE TABLE app.shopify_installations (
    site_id BIGINT NOT NULL,
    shop TEXT NOT NULL,
    state TEXT NOT NULL,
    scopes TEXT[] NOT NULL,
    tokens_encrypted BYTEA,
    access_expires_at TIMESTAMP WITH TIME ZONE,
    refresh_expires_at TIMESTAMP WITH TIME ZONE,
    tokens_at TIMESTAMP WITH TIME ZONE,
    api_version TEXT NOT NULL,
    installed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    uninstalled_at TIMESTAMP WITH TIME ZONE,
    watched_at TIMESTAMP WITH TIME ZONE,
    registered JSONB DEFAULT '{}' NOT NULL,
    problems JSONB DEFAULT '[]' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_shopify_installations PRIMARY KEY (site_id),
    CONSTRAINT uq_shopify_installations_shop UNIQUE (shop),
    CONSTRAINT ck_shopify_installations_state_known CHECK (state IN ('installed', 'uninstalled')),
    CONSTRAINT ck_shopify_installations_uninstalled_at_of_uninstalled CHECK ((state = 'uninstalled') = (uninstalled_at IS NOT NULL)),
    CONSTRAINT ck_shopify_installations_uninstalled_has_no_tokens CHECK (state <> 'uninstalled' OR tokens_encrypted IS NULL),
    CONSTRAINT ck_shopify_installations_shop_of_shopify CHECK (shop ~ '^[a-z0-9][a-z0-9-]*\.myshopify\.com$'),
    CONSTRAINT fk_shopify_installations_site_id FOREIGN KEY (site_id) REFERENCES app.sites (id)
);
COMMENT ON TABLE app.shopify_installations IS 'Our app in a Shopify shop, with its tokens. One row per site.';
COMMENT ON COLUMN app.shopify_installations.site_id IS 'The site.';
COMMENT ON COLUMN app.shopify_installations.shop IS 'The shop''s domain, name.myshopify.com.';
COMMENT ON COLUMN app.shopify_installations.state IS 'installed or uninstalled.';
COMMENT ON COLUMN app.shopify_installations.scopes IS 'What the shop lets the app do, as it said last.';
COMMENT ON COLUMN app.shopify_installations.tokens_encrypted IS 'Fernet token of access and refresh token together, bound to this site and shop; null: uninstalled.';
COMMENT ON COLUMN app.shopify_installations.access_expires_at IS 'End of the access token; null: it never ends, or there is none.';
COMMENT ON COLUMN app.shopify_installations.refresh_expires_at IS 'End of the refresh token; null: there is none.';
COMMENT ON COLUMN app.shopify_installations.tokens_at IS 'When these tokens came from Shopify.';
COMMENT ON COLUMN app.shopify_installations.api_version IS 'Of the webhooks that were registered last.';
COMMENT ON COLUMN app.shopify_installations.installed_at IS 'When the shop''s owner agreed last.';
COMMENT ON COLUMN app.shopify_installations.uninstalled_at IS 'Since when the app is gone from the shop; null: it is installed.';
COMMENT ON COLUMN app.shopify_installations.watched_at IS 'When what is registered was compared last; null: never, or it must be at once.';
COMMENT ON COLUMN app.shopify_installations.registered IS 'What was there at the last look: webhooks (topics) and pixel.';
COMMENT ON COLUMN app.shopify_installations.problems IS 'What is wrong now: a word for each, and a sentence.';
COMMENT ON COLUMN app.shopify_installations.created_at IS 'When the row was made.';
COMMENT ON COLUMN app.shopify_installations.updated_at IS 'When it last changed.';
INSERT INTO app.scheduled_jobs (name, ended_at) VALUES ('watch_shops', now());
"""


def upgrade() -> None:
    """The app is installed nowhere yet."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Tokens are gone: shops install the app again, or their webhooks are made by hand."""
    op.execute("DELETE FROM app.scheduled_jobs WHERE name = 'watch_shops'")
    op.execute("DROP TABLE app.shopify_installations")
