"""Fewer indexes on the ledger: every change of a row's state writes all that are left.

A row is written at least twice on its way to Google (claimed, answered), and each index costs about as much as the row itself
(benchmarks/uploads.py). Rows of a request are found by it whatever they wait for, the keys find a transaction's rows, and rows
that have to wait are passed over inside the index.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UPGRADE = """
DROP INDEX app.ix_conversion_uploads_open;
DROP INDEX app.ix_conversion_uploads_sent;
DROP INDEX app.ix_conversion_uploads_transaction;
DROP INDEX app.ix_conversion_uploads_due;
CREATE INDEX ix_conversion_uploads_due ON app.conversion_uploads (ads_account_id, deadline_at, not_before)
  WHERE state IN ('new', 'held', 'queued', 'unknown');
CREATE INDEX ix_conversion_uploads_request ON app.conversion_uploads (request_id)
  WHERE state IN ('claimed', 'sent', 'unknown');
CREATE INDEX ix_upload_requests_open ON app.upload_requests (id) WHERE outcome IS NULL;
"""

DOWNGRADE = """
DROP INDEX app.ix_upload_requests_open;
DROP INDEX app.ix_conversion_uploads_request;
DROP INDEX app.ix_conversion_uploads_due;
CREATE INDEX ix_conversion_uploads_due ON app.conversion_uploads (ads_account_id, deadline_at)
  WHERE state IN ('new', 'held', 'queued', 'unknown');
CREATE INDEX ix_conversion_uploads_open ON app.conversion_uploads (state, lease_until)
  WHERE state IN ('claimed', 'sent', 'unknown');
CREATE INDEX ix_conversion_uploads_sent ON app.conversion_uploads (request_id) WHERE state = 'sent';
CREATE INDEX ix_conversion_uploads_transaction ON app.conversion_uploads (ads_action_id, transaction_id);
"""


def upgrade() -> None:
    """The code before this finds its rows with the indexes that are left, only slower."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """No row changes."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(DOWNGRADE)
