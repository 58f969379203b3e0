"""Offsets of time zones in a table, so that SQL cuts days as Python does. `migrate` fills it at the newest revision.

Revision ID: 0020
Revises: 0019
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE app.zone_offsets (
    zone TEXT NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    utc_offset INTERVAL NOT NULL,
    release TEXT NOT NULL,
    CONSTRAINT pk_zone_offsets PRIMARY KEY (zone, starts_at)
);
COMMENT ON TABLE app.zone_offsets IS 'What a zone''s clocks showed, made from our `tzdata` package. One row per zone and change of its offset.';
COMMENT ON COLUMN app.zone_offsets.zone IS 'IANA name.';
COMMENT ON COLUMN app.zone_offsets.starts_at IS 'When the offset begins to hold; the first one since ever.';
COMMENT ON COLUMN app.zone_offsets.utc_offset IS 'How far the zone''s clocks are ahead of UTC.';
COMMENT ON COLUMN app.zone_offsets.release IS 'Release of the time zone database: 2026a.';
"""


def upgrade() -> None:
    """The code before this does not look at it."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """The code before this asks the server's own copy again."""
    op.get_bind().exec_driver_sql("DROP TABLE app.zone_offsets")
