"""A custom event names its conversion: found by order, conversions needed an index that every change of their state wrote anew.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE app.custom_events ADD COLUMN upload_id BIGINT;
COMMENT ON COLUMN app.custom_events.upload_id IS 'conversion_uploads.id of its conversion, made at created_at.';
COMMENT ON COLUMN app.custom_events.created_at IS 'When the batch ran: its upload''s as well.';
UPDATE app.custom_events c SET upload_id = u.id, created_at = u.created_at
FROM app.conversion_uploads u WHERE u.custom_event_id = c.id AND u.sequence = 0;
DROP INDEX app.ix_conversion_uploads_order;
DROP INDEX app.ix_conversion_uploads_alone;
CREATE INDEX ix_conversion_uploads_adjusts ON app.conversion_uploads (custom_event_id) WHERE kind <> 'conversion';
"""

DOWNGRADE = """
DROP INDEX app.ix_conversion_uploads_adjusts;
CREATE INDEX ix_conversion_uploads_alone ON app.conversion_uploads (custom_event_id) WHERE order_id IS NULL;
CREATE INDEX ix_conversion_uploads_order ON app.conversion_uploads (site_id, order_id);
COMMENT ON COLUMN app.custom_events.created_at IS 'When the batch ran.';
ALTER TABLE app.custom_events DROP COLUMN upload_id;
"""


def upgrade() -> None:
    """Every custom event is written once more. A drain of the code before this must not run meanwhile or after: conversions that
    it queues would not be found when their order is refunded."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """The code before this finds conversions by their orders again."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(DOWNGRADE)
