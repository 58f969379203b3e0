"""Leaves of bodies that had another type than theirs are counted, and a conversion keeps its other click ids.

Revision ID: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE app.odd_leaves (
    site_id BIGINT NOT NULL,
    path TEXT NOT NULL,
    bodies BIGINT NOT NULL,
    first_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    raw_id BIGINT NOT NULL,
    landed_week DATE NOT NULL,
    CONSTRAINT pk_odd_leaves PRIMARY KEY (site_id, path)
);
COMMENT ON TABLE app.odd_leaves IS 'Leaves of an odd type, read by their evident meaning or as missing. One row per site and path.';
COMMENT ON COLUMN app.odd_leaves.site_id IS 'The site.';
COMMENT ON COLUMN app.odd_leaves.path IS 'As `$.line_items[].sku`: no values, list indexes folded.';
COMMENT ON COLUMN app.odd_leaves.bodies IS 'Bodies in which it was odd, replayed ones again.';
COMMENT ON COLUMN app.odd_leaves.first_seen_at IS 'When a batch met it first.';
COMMENT ON COLUMN app.odd_leaves.last_seen_at IS 'When a batch met it last.';
COMMENT ON COLUMN app.odd_leaves.raw_id IS 'raw_events.id of the last such body.';
COMMENT ON COLUMN app.odd_leaves.landed_week IS 'raw_events.landed_week: finds the partition.';
ALTER TABLE app.conversion_uploads ADD COLUMN other_clicks JSON;
COMMENT ON COLUMN app.conversion_uploads.other_clicks IS 'Click ids that may stand for it when Google refuses the one it has, best first; null: none.';
"""

DOWNGRADE = """
ALTER TABLE app.conversion_uploads DROP COLUMN other_clicks;
DROP TABLE app.odd_leaves;
"""


def upgrade() -> None:
    """A new table, and a column that may be null: no row is rewritten, and the code before this leaves both out."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """What was counted is gone. A conversion whose click id is refused goes with its hashes alone, as before."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
