"""Claims read their index in order again: the planner turns a negated comparison into another one, so the index holds a number.

Revision ID: 0011
Revises: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

INDEX = """
DROP INDEX app.ix_conversion_uploads_due;
CREATE INDEX ix_conversion_uploads_due ON app.conversion_uploads (ads_account_id, ({past}), deadline_at, not_before)
  WHERE state IN ('new', 'held', 'queued', 'unknown');
"""
COMPARED = "(created_at - conversion_at) > '1 day'::interval"
NUMBER = f"({COMPARED})::integer"


def upgrade() -> None:
    """The code before this finds its rows, as slowly as it did."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(INDEX.format(past=NUMBER))


def downgrade() -> None:
    """No row changes."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(INDEX.format(past=COMPARED))
