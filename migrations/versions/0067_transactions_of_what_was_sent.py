"""Conversions that were sent have their transactions again: until 1.0.0 one that was withdrawn at the moment of its claim lost its key, and no adjustment of it went.

Revision ID: 0067
Revises: 0066
"""

from alembic import op

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None

# Only of conversions with an adjustment that waits; where another conversion has taken the transaction meanwhile, it keeps it.
UPGRADE = """
INSERT INTO app.upload_keys (ads_action_id, transaction_id, sequence, upload_id, created_at)
SELECT DISTINCT o.ads_action_id, o.transaction_id, 0, o.id, o.created_at
FROM app.conversion_uploads u
JOIN app.conversion_uploads o ON o.custom_event_id = u.custom_event_id AND o.ads_action_id = u.ads_action_id
  AND o.transaction_id = u.transaction_id AND o.sequence = 0
WHERE u.waits AND u.kind <> 'conversion' AND o.kind = 'conversion' AND o.attempts > 0
ON CONFLICT DO NOTHING
"""


def upgrade() -> None:
    """Reads the conversions once; writes a row for each that lost its key."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """The keys stay: the code before this needs them as well."""
