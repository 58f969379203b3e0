"""What thresholds over whole sites, and those of customers with many events, have counted, so that no batch reads a period again."""

import sqlalchemy as sa

from custom_events.tables.base import APP, METADATA, Time, identity

Exact = sa.Numeric()  # what a rule's field gave, to the last digit: it is compared with what it gives again

threshold_counters = sa.Table(
    "threshold_counters",
    METADATA,
    identity(),
    sa.Column("assignment_id", sa.BigInteger, nullable=False, comment="site_custom_events.id whose threshold it is."),
    sa.Column("definition_revision_id", sa.BigInteger, nullable=False, comment="Revision that says what counts."),
    sa.Column("assignment_revision_id", sa.BigInteger, nullable=False, comment="Revision that says what counts."),
    sa.Column("time_zone", sa.Text, nullable=False, comment="The site's, in which days are told apart."),
    sa.Column("made_at", Time, nullable=False, server_default=sa.func.now(), comment="When history was counted."),
    sa.Column(
        "customer_key",
        sa.Text,
        nullable=False,
        server_default="",
        comment="Whose events count; empty: the whole site's.",
    ),
    sa.Column(
        "others_until",
        Time,
        comment="The customer's last event that was understood under earlier revisions; NULL: none.",
    ),
    sa.UniqueConstraint(
        "assignment_id",
        "definition_revision_id",
        "assignment_revision_id",
        "time_zone",
        "customer_key",
        name="uq_threshold_counters_rules",
    ),
    schema=APP,
    comment="Thresholds that are being counted: over whole sites, and of customers with many events. One row per assignment, revisions, time zone and customer.",
)


def _counter_id() -> sa.Column[int]:
    return sa.Column(
        "counter_id",
        sa.BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="threshold_counters.id.",
    )


counted_events = sa.Table(
    "counted_events",
    METADATA,
    _counter_id(),
    sa.Column("key", sa.Text, primary_key=True, comment="Natural key of the commerce event that counts."),
    sa.Column("occurred_at", Time, nullable=False, comment="By the store's clock."),
    sa.Column("day", sa.Date, nullable=False, comment="The same in the site's time zone."),
    sa.Column("amount", Exact, comment="What a sum adds."),
    sa.Column("currency", sa.Text, nullable=False, comment="ISO 4217 code of `amount`; empty: unknown."),
    sa.Column("customer_key", sa.Text, comment="The customer, if known."),
    sa.Index("ix_counted_events_time", "counter_id", "occurred_at", "key"),
    schema=APP,
    comment="Commerce events that satisfy a counted threshold's conditions. One row per counter and event.",
)

counted_days = sa.Table(
    "counted_days",
    METADATA,
    _counter_id(),
    sa.Column("day", sa.Date, primary_key=True, comment="In the site's time zone."),
    sa.Column("currency", sa.Text, primary_key=True, comment="ISO 4217 code; empty: unknown."),
    sa.Column("events", sa.BigInteger, nullable=False, comment="How many counted."),
    sa.Column("amount", Exact, nullable=False, comment="Sum of their amounts."),
    sa.Column("falling", sa.BigInteger, comment="How many of the amounts are below zero; NULL: not known."),
    schema=APP,
    comment="The counted events of each day together. One row per counter, day and currency.",
)
