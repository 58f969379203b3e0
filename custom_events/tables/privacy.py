"""What people asked about their own data."""

import sqlalchemy as sa

from custom_events.tables.base import APP, METADATA, Digest, Json, Time, identity, one_of, site_id
from custom_events.tables.landing import landed_week
from custom_events.values.deliveries import PrivacyRequest

privacy_requests = sa.Table(
    "privacy_requests",
    METADATA,
    sa.Column(
        "raw_id",
        sa.BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="Number of the request: raw_events.id of the delivery that brought it, or drawn from the same sequence.",
    ),
    landed_week("raw_events.landed_week: finds the partition."),
    site_id(foreign_key=False),
    sa.Column("kind", sa.Text, nullable=False, comment="redact_customer, redact_shop or data_request."),
    sa.Column("received_at", Time, nullable=False, comment="When it landed."),
    sa.Column("due_at", Time, nullable=False, comment="Until when it must be carried out."),
    sa.Column("done_at", Time, comment="When it was carried out; null: it is open."),
    sa.Column("done_by", sa.Text, comment="Who said so."),
    sa.Column("note", sa.Text, comment="What was done."),
    sa.Column(
        "person_encrypted",
        sa.LargeBinary,
        comment="Fernet token of who asks, where no delivery says it; null once it was carried out.",
    ),
    sa.Column(
        "counts",
        Json,
        nullable=False,
        server_default=sa.text("'{}'"),
        comment="Table -> rows that were deleted or blanked so far.",
    ),
    sa.Column("started_at", Time, comment="When carrying it out began; null: it has not."),
    sa.Column("waiting", sa.BigInteger, comment="Events that wait for Google's answer, as of the last run."),
    one_of("kind", PrivacyRequest),
    sa.CheckConstraint("(done_at IS NULL) = (done_by IS NULL)", name="done_by_somebody"),
    sa.Index(None, "due_at", postgresql_where=sa.text("done_at IS NULL")),
    schema=APP,
    comment="Requests of people about their data, passed on by a store or entered here. One row per request.",
)

forgotten_subjects = sa.Table(
    "forgotten_subjects",
    METADATA,
    site_id(primary_key=True, foreign_key=False),
    sa.Column("kind", sa.Text, primary_key=True, comment="order, cart, subscription, customer, email, phone or site."),
    sa.Column("digest", Digest, primary_key=True, comment="Keyed hash of what identifies the person."),
    sa.Column(
        "until",
        Time,
        nullable=False,
        comment="What happened until then, by the store's clock, is not taken in again; the year 9999: whatever comes of it.",
    ),
    sa.Column("raw_id", sa.BigInteger, nullable=False, comment="privacy_requests.raw_id by which it was forgotten."),
    one_of("kind", ("order", "cart", "subscription", "customer", "email", "phone", "site")),
    schema=APP,
    comment="Who was forgotten, as keyed hashes: keeps deliveries and replays from bringing them back. One row per identifier.",
)

forgetting_keys = sa.Table(
    "forgetting_keys",
    METADATA,
    identity(),
    sa.Column("secret_encrypted", sa.LargeBinary, nullable=False, comment="Fernet token of 32 random bytes."),
    sa.Column("is_only", sa.Boolean, nullable=False, unique=True, server_default=sa.true(), comment="There is one."),
    sa.CheckConstraint("is_only", name="is_only"),
    schema=APP,
    comment="The key of the hashes of forgotten people. One row.",
)

key_ring_checks = sa.Table(
    "key_ring_checks",
    METADATA,
    sa.Column("is_only", sa.Boolean, primary_key=True, server_default=sa.true(), comment="There is one."),
    sa.Column(
        "token", sa.LargeBinary, nullable=False, comment="Fernet token of a sentence, by the newest key that was seen."
    ),
    sa.CheckConstraint("is_only", name="is_only"),
    schema=APP,
    comment="What the keys of CUSTOM_EVENTS_SECRET_KEY must decrypt. One row.",
)
