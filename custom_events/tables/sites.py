"""Sites and their signing secrets."""

import sqlalchemy as sa

from custom_events.tables.base import APP, METADATA, Json, Time, a_word, created_at, identity, site_id, updated_at

sites = sa.Table(
    "sites",
    METADATA,
    identity(),
    sa.Column(
        "site_key", sa.Text, nullable=False, unique=True, comment="Public name of the site in webhook addresses."
    ),
    sa.Column("platform", sa.Text, nullable=False, comment="Its store platform: the name of a folder of platforms/."),
    sa.Column("name", sa.Text, nullable=False, comment="Name for people."),
    sa.Column(
        "shop_domain", sa.Text, unique=True, comment="Host name of the shop; finds the site of a Shopify delivery."
    ),
    sa.Column("currency", sa.CHAR(3), comment="ISO 4217 code of the shop's own currency."),
    sa.Column(
        "time_zone", sa.Text, nullable=False, server_default="UTC", comment="IANA name; calendar periods use it."
    ),
    sa.Column(
        "is_active",
        sa.Boolean,
        nullable=False,
        server_default=sa.true(),
        comment="False: deliveries land and are understood, and match nothing.",
    ),
    sa.Column(
        "settings",
        Json,
        nullable=False,
        server_default=sa.text("'{}'"),
        comment="Platform settings: default_country, cod_paid_when, subscription_sources, consent_default, transaction_ids ...",
    ),
    created_at(),
    updated_at(),
    sa.Column("removed_at", Time, comment="Since when its deliveries are refused (410); null: they are taken."),
    sa.CheckConstraint("removed_at IS NULL OR NOT is_active", name="removed_is_not_active"),
    a_word("platform"),
    sa.Index(None, "name", "id"),
    schema=APP,
    comment="A store that sends us events. One row per store.",
)

site_secrets = sa.Table(
    "site_secrets",
    METADATA,
    identity(),
    site_id(),
    sa.Column("key_id", sa.Text, comment="Named by senders of the timestamped scheme."),
    sa.Column("secret_encrypted", sa.LargeBinary, nullable=False, comment="Fernet token; never shown again."),
    sa.Column("valid_until", Time, comment="End of a rotation's overlap; null: until removed."),
    created_at(),
    sa.Index(None, "site_id"),
    schema=APP,
    comment="Signing secrets of a site; several during rotation. One row per secret.",
)

ads_accounts = sa.Table(
    "ads_accounts",
    METADATA,
    identity(),
    sa.Column("customer_id", sa.Text, nullable=False, unique=True, comment="Google's customer id, ten digits."),
    sa.Column("name", sa.Text, nullable=False, comment="Name for people."),
    sa.Column(
        "lane", sa.Text, nullable=False, comment="google_ads or data_manager: which API carries its conversions."
    ),
    sa.Column("login_customer_id", sa.Text, comment="Manager account through which it is reached."),
    sa.Column("currency", sa.CHAR(3), comment="ISO 4217 code of the account."),
    sa.Column("time_zone", sa.Text, nullable=False, server_default="UTC", comment="IANA name of the account's zone."),
    sa.Column("parked_reason", sa.Text, comment="Why nothing is sent until a person acts; null: sending."),
    sa.Column("parked_at", Time, comment="Since when it is parked."),
    sa.Column(
        "recheck_at", Time, comment="Parked: when to try, with one row and without effect, whether it is mended."
    ),
    sa.Column(
        "paused_until", Time, comment="Nothing is sent before: a quota's delay or a lost connection; ends by itself."
    ),
    sa.Column("paused_reason", sa.Text, comment="Google's code behind the pause."),
    sa.Column("capabilities", Json, comment="Findings of the last capability probe."),
    created_at(),
    updated_at(),
    sa.Column("parked_code", sa.Text, comment="Google's code behind `parked_reason`; null: parked by hand, or none."),
    sa.Column("parked_scope", sa.Text, comment="account, or project: every account of the lane was parked with it."),
    sa.Column("parked_lane", sa.Text, comment="The API that refused; null: parked by hand."),
    sa.CheckConstraint("customer_id ~ '^[0-9]{10}$'", name="customer_id_ten_digits"),
    a_word("lane"),
    schema=APP,
    comment="Google's side of a site. One row per Google Ads account.",
)

ads_actions = sa.Table(
    "ads_actions",
    METADATA,
    identity(),
    sa.Column(
        "ads_account_id", sa.BigInteger, sa.ForeignKey("app.ads_accounts.id"), nullable=False, comment="Its account."
    ),
    sa.Column("action_id", sa.Text, nullable=False, comment="Google's numeric id of the conversion action."),
    sa.Column("name", sa.Text, nullable=False, comment="Name at Google."),
    sa.Column("action_type", sa.Text, nullable=False, server_default="UPLOAD_CLICKS", comment="Google's type name."),
    sa.Column(
        "click_window_days", sa.Integer, nullable=False, server_default="90", comment="Click-through window, days."
    ),
    sa.Column("one_per_click", sa.Boolean, nullable=False, server_default=sa.false(), comment="Counting type."),
    sa.Column("action_created_at", Time, comment="When it was made at Google; refused for its first six hours."),
    sa.Column("parked_reason", sa.Text, comment="Why nothing is sent to it until a person acts; null: sending."),
    sa.Column("parked_at", Time, comment="Since when it is parked."),
    sa.Column(
        "recheck_at", Time, comment="Parked: when to try, with one row and without effect, whether it is mended."
    ),
    created_at(),
    updated_at(),
    sa.Column("parked_code", sa.Text, comment="Google's code behind `parked_reason`; null: parked by hand, or none."),
    sa.UniqueConstraint("ads_account_id", "action_id"),
    sa.CheckConstraint("action_id ~ '^[0-9]+$'", name="action_id_digits"),
    schema=APP,
    comment="Conversion actions that assignments may name. One row per account and action.",
)
