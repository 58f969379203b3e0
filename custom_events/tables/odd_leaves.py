"""Leaves of bodies that had another type than theirs: what a store sends otherwise than its documentation says."""

import sqlalchemy as sa

from custom_events.tables.base import APP, METADATA, Time, site_id
from custom_events.tables.landing import landed_week

odd_leaves = sa.Table(
    "odd_leaves",
    METADATA,
    site_id(primary_key=True, foreign_key=False),
    sa.Column("path", sa.Text, primary_key=True, comment="As `$.line_items[].sku`: no values, list indexes folded."),
    sa.Column("bodies", sa.BigInteger, nullable=False, comment="Bodies in which it was odd, replayed ones again."),
    sa.Column("first_seen_at", Time, nullable=False, comment="When a batch met it first."),
    sa.Column("last_seen_at", Time, nullable=False, comment="When a batch met it last."),
    sa.Column("raw_id", sa.BigInteger, nullable=False, comment="raw_events.id of the last such body."),
    landed_week("raw_events.landed_week: finds the partition."),
    schema=APP,
    comment="Leaves of an odd type, read by their evident meaning or as missing. One row per site and path.",
)
