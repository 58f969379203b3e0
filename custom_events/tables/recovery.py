"""Orders read from the stores' own APIs: by which keys, how far, and what no delivery had brought."""

import sqlalchemy as sa

from custom_events.tables.base import APP, METADATA, Time, created_at, identity, one_of, site_id, updated_at
from custom_events.values.recovery import GapKind


def _count(name: str, comment: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default="0", comment=comment)


store_api_keys = sa.Table(
    "store_api_keys",
    METADATA,
    site_id(primary_key=True),
    sa.Column("store_url", sa.Text, nullable=False, comment="The store's address, https://shop.example for example."),
    sa.Column("key_ending", sa.Text, nullable=False, comment="The key's last characters, by which people know it."),
    sa.Column("key_encrypted", sa.LargeBinary, nullable=False, comment="Fernet token; never shown again."),
    created_at(),
    updated_at(),
    schema=APP,
    comment="The key by which a site's orders are read from its store's API. One row per site that has one.",
)

order_recoveries = sa.Table(
    "order_recoveries",
    METADATA,
    site_id(primary_key=True),
    sa.Column("read_until", Time, comment="What the store changed before it was read; null: nothing was."),
    sa.Column("refunds_read_at", Time, comment="When the orders with refunds were read again."),
    sa.Column("problem", sa.Text, comment="Why the store could not be read, as a sentence; null: it was."),
    sa.Column("problem_since", Time, comment="Since when it has not been read; null: it was."),
    updated_at(),
    schema=APP,
    comment="How far a store's orders are read. One row per site that was read.",
)

order_recovery_runs = sa.Table(
    "order_recovery_runs",
    METADATA,
    identity(),
    site_id(),
    sa.Column("started_at", Time, nullable=False, comment="When it began."),
    sa.Column("ended_at", Time, nullable=False, comment="When it ended."),
    sa.Column("since", Time, nullable=False, comment="Orders that the store changed from then on were read."),
    sa.Column("until", Time, nullable=False, comment="And compared, up to then."),
    _count("orders_read", "Orders that the store gave."),
    _count("orders_missing", "Of those: what the store says had not landed."),
    _count("orders_landed", "Of those: landed by this run."),
    sa.Column("problem", sa.Text, comment="Why it ended early, as a sentence; null: it did not."),
    sa.Index(None, "site_id", "started_at"),
    schema=APP,
    comment="Readings of a store's orders. One row per run and site; a dry run has none.",
)

missing_orders = sa.Table(
    "missing_orders",
    METADATA,
    site_id(primary_key=True),
    sa.Column("day", sa.Date, primary_key=True, comment="Day (UTC) on which the store changed the order."),
    sa.Column("kind", sa.Text, primary_key=True, comment="What was missing: order, change, refund or refund_deleted."),
    _count("orders", "Orders of which it was missing."),
    sa.Column("sample_raw_id", sa.BigInteger, nullable=False, comment="raw_events.id of one of them as it was landed."),
    sa.Column("found_at", Time, nullable=False, comment="When the last of them was found."),
    one_of("kind", GapKind),
    sa.Index(None, "found_at"),
    schema=APP,
    comment="What no delivery had brought and a reading found. One row per site, day and kind.",
)
