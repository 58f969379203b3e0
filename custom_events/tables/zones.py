"""Offsets of time zones, so that SQL cuts days as Python does, whatever copy of the time zone database the server has."""

import sqlalchemy as sa

from custom_events.tables.base import APP, METADATA, Time

zone_offsets = sa.Table(
    "zone_offsets",
    METADATA,
    sa.Column("zone", sa.Text, primary_key=True, comment="IANA name."),
    sa.Column("starts_at", Time, primary_key=True, comment="When the offset begins to hold; the first one since ever."),
    sa.Column("utc_offset", sa.Interval, nullable=False, comment="How far the zone's clocks are ahead of UTC."),
    sa.Column("release", sa.Text, nullable=False, comment="Release of the time zone database: 2026a."),
    schema=APP,
    comment="What a zone's clocks showed, made from our `tzdata` package. One row per zone and change of its offset.",
)
