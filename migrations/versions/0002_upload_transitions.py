"""Let the database refuse a change of an upload's state that the ledger does not know.

The pairs are those of custom_events/ledger/states.py; a test holds the two together. They stand in the trigger's condition, so
that a permitted change calls no function.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PERMITTED = """
claimed>accepted queued>claimed claimed>sent sent>accepted
new>claimed new>queued new>held new>expired new>withheld
held>claimed held>queued held>expired held>withheld
queued>held queued>expired queued>withheld
claimed>queued claimed>held claimed>unknown claimed>rejected claimed>expired claimed>withheld
sent>queued sent>held sent>unknown sent>rejected sent>expired
unknown>claimed unknown>queued unknown>held unknown>accepted unknown>rejected unknown>expired
rejected>queued withheld>queued
"""

FUNCTION = """
CREATE FUNCTION app.refuse_upload_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'upload %: its state cannot change from % to %', OLD.id, OLD.state, NEW.state
        USING ERRCODE = 'check_violation', HINT = 'custom_events/ledger/states.py lists the permitted changes.';
END
$$
"""

TRIGGER = """
CREATE TRIGGER upload_transition BEFORE UPDATE OF state ON app.conversion_uploads FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND (OLD.state || '>' || NEW.state) NOT IN ({pairs}))
    EXECUTE FUNCTION app.refuse_upload_transition()
"""


def upgrade() -> None:
    """A trigger on the partitioned table reaches every partition, those made later as well."""
    pairs = ", ".join(f"'{pair}'" for pair in PERMITTED.split())
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql(FUNCTION)
    connection.exec_driver_sql(TRIGGER.format(pairs=pairs))


def downgrade() -> None:
    """The states stay as they are."""
    op.get_bind().exec_driver_sql("DROP TRIGGER upload_transition ON app.conversion_uploads")
    op.get_bind().exec_driver_sql("DROP FUNCTION app.refuse_upload_transition()")
