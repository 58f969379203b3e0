"""Counters of thresholds for customers with many events, and which days have amounts below zero.

Revision ID: 0054
Revises: 0052
"""

from alembic import op

revision = "0054"
down_revision = "0052"
branch_labels = None
depends_on = None

# Columns without values to write, and a key of a table of a few rows for each site: nothing is rewritten, and nobody waits.
UPGRADE = """
ALTER TABLE app.threshold_counters ADD COLUMN customer_key TEXT DEFAULT '' NOT NULL;
ALTER TABLE app.threshold_counters ADD COLUMN others_until TIMESTAMP WITH TIME ZONE;
ALTER TABLE app.threshold_counters DROP CONSTRAINT uq_threshold_counters_rules;
ALTER TABLE app.threshold_counters ADD CONSTRAINT uq_threshold_counters_rules
    UNIQUE (assignment_id, definition_revision_id, assignment_revision_id, time_zone, customer_key);
ALTER TABLE app.counted_days ADD COLUMN falling BIGINT;
COMMENT ON TABLE app.threshold_counters IS 'Thresholds that are being counted: over whole sites, and of customers with many events. One row per assignment, revisions, time zone and customer.';
COMMENT ON COLUMN app.threshold_counters.customer_key IS 'Whose events count; empty: the whole site''s.';
COMMENT ON COLUMN app.threshold_counters.others_until IS 'The customer''s last event that was understood under earlier revisions; NULL: none.';
COMMENT ON TABLE app.counted_events IS 'Commerce events that satisfy a counted threshold''s conditions. One row per counter and event.';
COMMENT ON COLUMN app.counted_days.falling IS 'How many of the amounts are below zero; NULL: not known.';
"""

DOWNGRADE = """
DELETE FROM app.counted_days d USING app.threshold_counters t WHERE t.id = d.counter_id AND t.customer_key <> '';
DELETE FROM app.counted_events e USING app.threshold_counters t WHERE t.id = e.counter_id AND t.customer_key <> '';
DELETE FROM app.threshold_counters WHERE customer_key <> '';
ALTER TABLE app.counted_days DROP COLUMN falling;
ALTER TABLE app.threshold_counters DROP CONSTRAINT uq_threshold_counters_rules;
ALTER TABLE app.threshold_counters ADD CONSTRAINT uq_threshold_counters_rules
    UNIQUE (assignment_id, definition_revision_id, assignment_revision_id, time_zone);
ALTER TABLE app.threshold_counters DROP COLUMN others_until;
ALTER TABLE app.threshold_counters DROP COLUMN customer_key;
COMMENT ON TABLE app.threshold_counters IS 'Thresholds over whole sites that are being counted. One row per assignment, revisions and time zone.';
COMMENT ON TABLE app.counted_events IS 'Commerce events that satisfy a site-wide threshold''s conditions. One row per counter and event.';
"""


def upgrade() -> None:
    """Counters of whole sites stay as they are; of their days nobody knows whether amounts fall, so these are read one by one."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Counters of customers go: their events are read again."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(DOWNGRADE)
