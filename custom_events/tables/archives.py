"""Which weeks of raw events are in the archive."""

import sqlalchemy as sa

from custom_events.tables.base import APP, METADATA, Time

raw_archives = sa.Table(
    "raw_archives",
    METADATA,
    sa.Column("landed_week", sa.Date, primary_key=True, comment="The week, as raw_events.landed_week."),
    sa.Column("written_at", Time, comment="When all of it was in the archive, and read back; null: it is not."),
    sa.Column("rows", sa.BigInteger, nullable=False, server_default="0", comment="Raw events in the archive."),
    sa.Column("bytes", sa.BigInteger, nullable=False, server_default="0", comment="Size of its files in bytes."),
    sa.Column("problem", sa.Text, comment="Why it could not be archived last, as a sentence; null: it could."),
    sa.Column("problem_since", Time, comment="Since when it could not; null: it could."),
    sa.Column("restored_until", Time, comment="Until when restored rows of it are kept; null: none were restored."),
    schema=APP,
    comment="The archive of raw events (CUSTOM_EVENTS_ARCHIVE_URL). One row per week that was, or should be, archived.",
)
