"""Answers rewrite rows of the ledger within their pages: no index names the state, and pages keep room for a row's next version.

Partitions made from now on have the room from custom_events/postgres/partitions.py. The trigger that refuses wrong changes of
state looks at them afterwards: before a change, PostgreSQL locks each row for it, and logs the lock.

Revision ID: 0015
Revises: 0014
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

EACH_PARTITION = """
DO $$
DECLARE partition regclass;
BEGIN
  FOR partition IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'app.conversion_uploads'::regclass LOOP
    EXECUTE format('ALTER TABLE %s {change}', partition);
  END LOOP;
END
$$
"""

TRIGGER = """
DO $$
DECLARE definition text := (SELECT pg_get_triggerdef(oid) FROM pg_trigger
                            WHERE tgname = 'upload_transition' AND tgrelid = 'app.conversion_uploads'::regclass);
BEGIN
    DROP TRIGGER upload_transition ON app.conversion_uploads;
    EXECUTE replace(definition, '{before} UPDATE OF state', '{after} UPDATE OF state');
END $$
"""

INDEXES = """
DROP INDEX app.ix_conversion_uploads_due;
DROP INDEX app.ix_conversion_uploads_adjustments;
DROP INDEX app.ix_conversion_uploads_request;
{column}
CREATE INDEX ix_conversion_uploads_due ON app.conversion_uploads
  (ads_account_id, (((created_at - conversion_at) > '1 day'::interval)::integer), deadline_at, not_before) WHERE {waits};
CREATE INDEX ix_conversion_uploads_adjustments ON app.conversion_uploads (ads_account_id, not_before)
  WHERE kind <> 'conversion' AND {waits};
CREATE INDEX ix_conversion_uploads_request ON app.conversion_uploads (request_id) WHERE {requested};
"""

WAITING = "state IN ('new', 'held', 'queued', 'unknown')"
ADDED = f"""
ALTER TABLE app.conversion_uploads ADD COLUMN waits BOOLEAN GENERATED ALWAYS AS ({WAITING}) STORED NOT NULL;
COMMENT ON COLUMN app.conversion_uploads.waits IS 'Whether it may be claimed, by its state.';
"""


def upgrade() -> None:
    """Writes the ledger once more, and locks it meanwhile: seconds for a million rows."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql(EACH_PARTITION.format(change="SET (fillfactor = 45)"))
    connection.exec_driver_sql(INDEXES.format(column=ADDED, waits="waits", requested="request_id IS NOT NULL"))
    connection.exec_driver_sql(TRIGGER.format(before="BEFORE", after="AFTER"))


def downgrade() -> None:
    """Rows stay where they are."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql(TRIGGER.format(before="AFTER", after="BEFORE"))
    dropped = "ALTER TABLE app.conversion_uploads DROP COLUMN waits;"
    connection.exec_driver_sql(
        INDEXES.format(column=dropped, waits=WAITING, requested="state IN ('claimed', 'sent', 'unknown')")
    )
    connection.exec_driver_sql(EACH_PARTITION.format(change="RESET (fillfactor)"))
