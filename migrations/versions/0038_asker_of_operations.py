"""Who asked for a long operation, so that what they may is looked at again when it runs; logins and runs of the command line.

Revision ID: 0038
Revises: 0036
"""

from alembic import op

revision = "0038"
down_revision = "0036"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE app.operations ADD COLUMN asker JSONB;
COMMENT ON COLUMN app.operations.asker IS 'By which session or API key, and what they might; null: nobody asked by the API.';
COMMENT ON COLUMN app.audit_entries.via IS 'By which API key or session; of the command line, by which login.';
COMMENT ON COLUMN app.audit_entries.request_id IS 'Id of the request, as the logs have it; of the command line, of the run of a verb.';
"""

DOWNGRADE = """
ALTER TABLE app.operations DROP COLUMN asker;
COMMENT ON COLUMN app.audit_entries.via IS 'By which API key or session, where it was one.';
COMMENT ON COLUMN app.audit_entries.request_id IS 'Id of the request, as the logs have it.';
"""


def upgrade() -> None:
    """An empty column: what waits now was asked for before, and is done as it would have been."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """What waits is done without asking again."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(DOWNGRADE)
