"""What unmade a custom event, and those without an order whose conversion the adjuster has to look at.

A withheld conversion may be held again: one that was unmade and stands once more waits for its time as it did before.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE app.custom_events ADD COLUMN withdrawn_by TEXT;
COMMENT ON COLUMN app.custom_events.withdrawn_at IS 'When it was found to stand no longer; null: it stands.';
COMMENT ON COLUMN app.custom_events.withdrawn_reason IS 'Why: a stable word (matching/reasons.py).';
COMMENT ON COLUMN app.custom_events.withdrawn_by IS 'Natural key of the event that unmade it, or the name of a replay.';
COMMENT ON TABLE app.custom_events IS 'This commerce event satisfied this assignment. One standing row per assignment and dedup key; withdrawn ones stay.';
COMMENT ON TABLE app.custom_event_keys IS 'Makes dedup keys unique across partitions, for ever. One row per custom event that stands.';
CREATE INDEX ix_conversion_uploads_alone ON app.conversion_uploads (custom_event_id) WHERE order_id IS NULL;
CREATE TABLE app.standing_changes (
    custom_event_id BIGINT NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_standing_changes PRIMARY KEY (custom_event_id)
);
COMMENT ON TABLE app.standing_changes IS 'Custom events without an order that were withdrawn or corrected; the ledger''s adjuster takes them. One row per event.';
COMMENT ON COLUMN app.standing_changes.custom_event_id IS 'custom_events.id.';
COMMENT ON COLUMN app.standing_changes.occurred_at IS 'custom_events.occurred_at: finds the partition.';
COMMENT ON COLUMN app.standing_changes.changed_at IS 'When it was withdrawn or corrected last.';
"""

DOWNGRADE = """
DROP TABLE app.standing_changes;
DROP INDEX app.ix_conversion_uploads_alone;
COMMENT ON TABLE app.custom_event_keys IS 'Makes dedup keys unique across partitions, for ever. One row per custom event.';
COMMENT ON TABLE app.custom_events IS 'This commerce event satisfied this assignment. One row per assignment and dedup key.';
COMMENT ON COLUMN app.custom_events.withdrawn_reason IS 'Which event unmade it and why.';
COMMENT ON COLUMN app.custom_events.withdrawn_at IS 'When a later-arriving event unmade it.';
ALTER TABLE app.custom_events DROP COLUMN withdrawn_by;
"""

# The trigger's list with one pair more; 0002 has the function and the list before.
ADDED = "withheld>held"
TRIGGER = """
DO $$
DECLARE definition text := (SELECT pg_get_triggerdef(oid) FROM pg_trigger
                            WHERE tgname = 'upload_transition' AND tgrelid = 'app.conversion_uploads'::regclass);
BEGIN
    DROP TRIGGER upload_transition ON app.conversion_uploads;
    EXECUTE replace(definition, '{before}', '{after}');
END $$
"""
LAST = "'withheld>queued'::text"  # of the list, as PostgreSQL writes it


def upgrade() -> None:
    """A partial index over rows without an order: few, so that building it holds nobody up."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql(UPGRADE)
    connection.exec_driver_sql(TRIGGER.format(before=_quoted(LAST), after=_quoted(f"{LAST}, '{ADDED}'::text")))


def downgrade() -> None:
    """Withdrawn custom events stay withdrawn; what unmade them is forgotten."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql(TRIGGER.format(before=_quoted(f", '{ADDED}'::text"), after=""))
    connection.exec_driver_sql(DOWNGRADE)


def _quoted(text: str) -> str:
    return text.replace("'", "''")
