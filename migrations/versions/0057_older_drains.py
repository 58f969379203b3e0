"""A drain of a version from before this revision is refused: it would understand what has landed as its own version does.

Revision ID: 0057
Revises: 0056
"""

from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

# Drains of this version and later ones say in each transaction which revision they were written for, and look themselves whether it is this one
# (custom_events/postgres/schema_guard.py). Once a statement: a microsecond a batch.
UPGRADE = """
CREATE FUNCTION landing.refuse_older_program() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'This program is older than the database and would misunderstand what has landed: start the newer version in its place. What has landed waits, and nothing is lost.'
        USING ERRCODE = 'object_not_in_prerequisite_state';
END
$$;
CREATE TRIGGER refuse_older_program BEFORE DELETE ON landing.raw_queue FOR EACH STATEMENT
WHEN (current_setting('application_name') = 'custom-events-drain' AND coalesce(current_setting('custom_events.revision', true), '') = '')
EXECUTE FUNCTION landing.refuse_older_program();
"""
DOWNGRADE = """
DROP TRIGGER refuse_older_program ON landing.raw_queue;
DROP FUNCTION landing.refuse_older_program();
"""


def upgrade() -> None:
    """Locks landing.raw_queue for as long as a trigger takes to be made."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Older drains work again."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(DOWNGRADE)
