"""How much comes and goes by the hour: what the watch of quiet sites and lanes judges by."""

import sqlalchemy as sa

from custom_events.tables.base import APP, METADATA, Time

traffic_hours = sa.Table(
    "traffic_hours",
    METADATA,
    sa.Column("place", sa.Text, primary_key=True, comment="Whose traffic: site:<id>, or account:<customer id>."),
    sa.Column("subject", sa.Text, primary_key=True, comment="store, topic:<topic>, clicks, consent, or lane:<lane>."),
    sa.Column("hour", Time, primary_key=True, comment="Beginning of the hour, UTC."),
    sa.Column("events", sa.Integer, nullable=False, comment="How many there were; hours without any have no row."),
    sa.Column("sample_raw_id", sa.BigInteger, comment="raw_events.id of the newest of them; null: none is known."),
    sa.Index(None, "hour"),
    schema=APP,
    comment="Traffic of a whole hour. One row per place, subject and hour that had some.",
)

traffic_counted = sa.Table(
    "traffic_counted",
    METADATA,
    sa.Column("is_only", sa.Boolean, primary_key=True, server_default=sa.true(), comment="There is one row."),
    sa.Column("since", Time, nullable=False, comment="Beginning of the first hour that was counted."),
    sa.Column("until", Time, nullable=False, comment="End of the last hour that was counted."),
    sa.CheckConstraint("is_only", name="is_only"),
    schema=APP,
    comment="Which hours app.traffic_hours has. One row.",
)

quiet_traffic = sa.Table(
    "quiet_traffic",
    METADATA,
    sa.Column("place", sa.Text, primary_key=True, comment="Whose traffic, as in traffic_hours."),
    sa.Column("subject", sa.Text, primary_key=True, comment="Which, as in traffic_hours."),
    sa.Column("found_at", Time, nullable=False, comment="When it was found to be quiet first."),
    sa.Column(
        "hours",
        sa.Integer,
        nullable=False,
        comment="Hours before the last counted one in which less came than is usual.",
    ),
    sa.Column("events", sa.Integer, nullable=False, comment="How many came in them."),
    sa.Column("usual", sa.Integer, nullable=False, comment="How many usually come in these hours of the week."),
    sa.Column("last_at", Time, comment="Beginning of the last hour that had some; null: longer ago than is kept."),
    sa.Column("sample_raw_id", sa.BigInteger, comment="raw_events.id of the newest of that hour; null: none is known."),
    schema=APP,
    comment="What is quiet now. One row per place and subject, written when an hour was counted.",
)
