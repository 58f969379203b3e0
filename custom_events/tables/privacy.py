"""What people asked about their own data."""

import sqlalchemy as sa

from custom_events.tables.base import APP, METADATA, Time, one_of, site_id
from custom_events.tables.landing import landed_week
from custom_events.values.deliveries import PrivacyRequest

privacy_requests = sa.Table(
    "privacy_requests",
    METADATA,
    sa.Column("raw_id", sa.BigInteger, primary_key=True, autoincrement=False, comment="raw_events.id of the request."),
    landed_week("raw_events.landed_week: finds the partition."),
    site_id(foreign_key=False),
    sa.Column("kind", sa.Text, nullable=False, comment="redact_customer, redact_shop or data_request."),
    sa.Column("received_at", Time, nullable=False, comment="When it landed."),
    sa.Column("due_at", Time, nullable=False, comment="Until when it must be carried out."),
    sa.Column("done_at", Time, comment="When it was carried out; null: it is open."),
    sa.Column("done_by", sa.Text, comment="Who said so."),
    sa.Column("note", sa.Text, comment="What was done."),
    one_of("kind", PrivacyRequest),
    sa.CheckConstraint("(done_at IS NULL) = (done_by IS NULL)", name="done_by_somebody"),
    sa.Index(None, "due_at", postgresql_where=sa.text("done_at IS NULL")),
    schema=APP,
    comment="Requests of people about their data that a store passed on. One row per delivery.",
)
