"""What the receiver writes. It may insert here and read sites and secrets, nothing else.

`raw_events` is append-only and partitioned by the week it landed in, which is a column: so (week, site, dedup key) is
exactly unique, and a look at the week before decides at the boundary (decision 0006). A week is longer than every store's
retries (Shopify: 4 hours).
"""

from datetime import date

import sqlalchemy as sa

from custom_events.tables.base import LANDING, METADATA, Digest, JsonText, Time, one_of, site_id
from custom_events.values.deliveries import Refusal


def landed_week(comment: str) -> sa.Column[date]:
    """Monday (UTC) of the week in which a raw event landed; with the id it finds the raw event in its partition."""
    return sa.Column("landed_week", sa.Date, nullable=False, comment=comment)


raw_events = sa.Table(
    "raw_events",
    METADATA,
    landed_week("Monday (UTC) of the week it landed in, by the database's clock; partition key."),
    sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False, comment="Surrogate key."),
    sa.Column(
        "received_at", Time, nullable=False, server_default=sa.func.now(), comment="When the receiver's group began."
    ),
    site_id(foreign_key=False),
    sa.Column("topic", sa.Text, comment="The platform's topic, as the header said it."),
    sa.Column("dedup_key", Digest, nullable=False, comment="Digest of the delivery id, else of topic and body."),
    sa.Column("delivery_id", sa.Text, comment="The sender's id of this delivery."),
    sa.Column("event_id", sa.Text, comment="The sender's id of the action behind several deliveries."),
    sa.Column("triggered_at", Time, comment="The sender's clock when it was triggered."),
    sa.Column("api_version", sa.Text, comment="Version that serialised the body."),
    sa.Column(
        "signature",
        sa.Text,
        nullable=False,
        comment="Verdict: verified, fetched (read by us from the store's API), or unsigned where a scheme has none.",
    ),
    sa.Column("headers", JsonText, nullable=False, comment="Headers as received, lower-case names, without secrets."),
    sa.Column("body", sa.LargeBinary, nullable=False, comment="The exact bytes, zstd-compressed by the receiver."),
    sa.Column("body_bytes", sa.Integer, nullable=False, comment="Length before compression, bytes."),
    sa.PrimaryKeyConstraint("landed_week", "id"),
    sa.UniqueConstraint("landed_week", "site_id", "dedup_key", name="uq_raw_events_delivery"),
    sa.CheckConstraint("EXTRACT(isodow FROM landed_week) = 1", name="landed_week_monday"),
    schema=LANDING,
    postgresql_partition_by="RANGE (landed_week)",
    comment="Deliveries as they were received: exact bytes, headers, verdict. One row per accepted delivery.",
)

raw_queue = sa.Table(
    "raw_queue",
    METADATA,
    sa.Column("raw_id", sa.BigInteger, primary_key=True, autoincrement=False, comment="raw_events.id."),
    landed_week("raw_events.landed_week: finds the partition."),
    site_id(foreign_key=False),
    sa.Column("is_again", sa.Boolean, comment="Put back to be understood again; null: it has just landed."),
    schema=LANDING,
    comment="Raw events that nobody has understood yet; the batch that does deletes them. One row per raw event.",
)

duplicate_deliveries = sa.Table(
    "duplicate_deliveries",
    METADATA,
    sa.Column("received_at", Time, nullable=False, comment="When it came again; partition key."),
    site_id(foreign_key=False),
    sa.Column("topic", sa.Text, comment="The platform's topic."),
    sa.Column("dedup_key", Digest, nullable=False, comment="Same as the raw event's."),
    schema=LANDING,
    postgresql_partition_by="RANGE (received_at)",
    comment="Deliveries that had landed before, answered 200 and kept as a fact only. One row per repeated delivery.",
)

refused_events = sa.Table(
    "refused_events",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False, comment="Surrogate key."),
    sa.Column("received_at", Time, nullable=False, comment="When it came; partition key."),
    sa.Column("site_id", sa.BigInteger, comment="The site, where the address named one."),
    sa.Column("platform", sa.Text, comment="Platform in the address."),
    sa.Column("reason", sa.Text, nullable=False, comment="Why it was refused."),
    sa.Column("topic", sa.Text, comment="The platform's topic, unverified."),
    sa.Column("headers", JsonText, comment="Headers, lower-case names; null when the day's room was used up."),
    sa.Column("body", sa.LargeBinary, comment="Compressed bytes; null when too large or the day's room was used up."),
    sa.Column("body_bytes", sa.Integer, comment="Length before compression, as far as it was read, bytes."),
    sa.PrimaryKeyConstraint("received_at", "id"),
    one_of("reason", [*Refusal, "site_paused"]),  # the latter: refused by receivers before migration 0023
    schema=LANDING,
    postgresql_partition_by="RANGE (received_at)",
    comment="Quarantine: refused deliveries, bounded per day. One row per refusal.",
)

receipts = sa.Table(
    "receipts",
    METADATA,
    sa.Column("at", Time, nullable=False, comment="When the group was committed; partition key."),
    sa.Column("received", sa.Integer, nullable=False, comment="Requests answered by this group."),
    sa.Column("landed", sa.Integer, nullable=False, comment="New raw events."),
    sa.Column("duplicates", sa.Integer, nullable=False, comment="Deliveries that had landed before."),
    sa.Column("refused", sa.Integer, nullable=False, comment="Refused, kept in quarantine or only counted."),
    schema=LANDING,
    postgresql_partition_by="RANGE (at)",
    comment="The receiver's own count, written with what it counts: the sums check against it. One row per commit.",
)
