"""Which weeks of raw events are in the archive, and which could not be archived.

Revision ID: 0056
Revises: 0054
"""

from alembic import op

revision = "0056"
down_revision = "0054"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE app.raw_archives (
    landed_week DATE NOT NULL,
    written_at TIMESTAMP WITH TIME ZONE,
    rows BIGINT DEFAULT '0' NOT NULL,
    bytes BIGINT DEFAULT '0' NOT NULL,
    problem TEXT,
    problem_since TIMESTAMP WITH TIME ZONE,
    restored_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_raw_archives PRIMARY KEY (landed_week)
);
COMMENT ON TABLE app.raw_archives IS 'The archive of raw events (CUSTOM_EVENTS_ARCHIVE_URL). One row per week that was, or should be, archived.';
COMMENT ON COLUMN app.raw_archives.landed_week IS 'The week, as raw_events.landed_week.';
COMMENT ON COLUMN app.raw_archives.written_at IS 'When all of it was in the archive, and read back; null: it is not.';
COMMENT ON COLUMN app.raw_archives.rows IS 'Raw events in the archive.';
COMMENT ON COLUMN app.raw_archives.bytes IS 'Size of its files in bytes.';
COMMENT ON COLUMN app.raw_archives.problem IS 'Why it could not be archived last, as a sentence; null: it could.';
COMMENT ON COLUMN app.raw_archives.problem_since IS 'Since when it could not; null: it could.';
COMMENT ON COLUMN app.raw_archives.restored_until IS 'Until when restored rows of it are kept; null: none were restored.';
"""


def upgrade() -> None:
    """An empty table: nothing is archived before the setting says where."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """The files of the archive stay where they are, with their manifests."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql("DROP TABLE app.raw_archives")
