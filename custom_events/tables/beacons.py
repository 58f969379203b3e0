"""What browsers told by POST /collect: clicks and consent for orders that a store tells of."""

import sqlalchemy as sa

from custom_events.tables.base import APP, METADATA, JsonText, Time, site_id

beacons = sa.Table(
    "beacons",
    METADATA,
    site_id(primary_key=True, foreign_key=False),
    sa.Column("subject", sa.Text, primary_key=True, comment="What it is about: order:<id> or cart:<token>."),
    sa.Column("raw_id", sa.BigInteger, primary_key=True, autoincrement=False, comment="raw_events.id of the beacon."),
    sa.Column("received_at", Time, nullable=False, comment="raw_events.received_at."),
    sa.Column("evidence", JsonText, nullable=False, comment="Clicks, consent and UTM words (values/beacons.py)."),
    sa.Index(None, "received_at"),
    schema=APP,
    comment="Evidence of clicks and consent from browsers. One row per beacon and what it is about.",
)
