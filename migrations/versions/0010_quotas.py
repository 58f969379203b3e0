"""Buckets of calls to Google, shared by all workers, and an index in which conversions of the past do not stand before today's.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE app.quota_buckets (
    name TEXT NOT NULL,
    tokens DOUBLE PRECISION NOT NULL,
    pace DOUBLE PRECISION NOT NULL,
    hours JSONB NOT NULL,
    refilled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    history_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_quota_buckets PRIMARY KEY (name)
);
COMMENT ON TABLE app.quota_buckets IS 'Token buckets of calls to Google (ledger/quota.py has the law). One row per Cloud project and per account.';
COMMENT ON COLUMN app.quota_buckets.name IS 'The lane (its Cloud project), or lane:customer id.';
COMMENT ON COLUMN app.quota_buckets.tokens IS 'Calls of the minute that were left.';
COMMENT ON COLUMN app.quota_buckets.pace IS 'Calls that are not full which could still go.';
COMMENT ON COLUMN app.quota_buckets.hours IS 'Hours since 1970 -> calls, the last 25.';
COMMENT ON COLUMN app.quota_buckets.refilled_at IS 'When it was so.';
COMMENT ON COLUMN app.quota_buckets.history_until IS 'Conversions of the past wait until then; those of today go on.';
DROP INDEX app.ix_conversion_uploads_due;
CREATE INDEX ix_conversion_uploads_due ON app.conversion_uploads
  (ads_account_id, (created_at - conversion_at > '1 day'::interval), deadline_at, not_before)
  WHERE state IN ('new', 'held', 'queued', 'unknown');
"""

DOWNGRADE = """
DROP INDEX app.ix_conversion_uploads_due;
CREATE INDEX ix_conversion_uploads_due ON app.conversion_uploads (ads_account_id, deadline_at, not_before)
  WHERE state IN ('new', 'held', 'queued', 'unknown');
DROP TABLE app.quota_buckets;
"""


def upgrade() -> None:
    """The code before this finds its rows with the new index as well."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """What was used of the quotas is forgotten; Google has not."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(DOWNGRADE)
