"""A wait for consent is remembered by a column of its own while a person holds the row.

Revision ID: 0064
Revises: 0057
"""

from alembic import op

revision = "0064"
down_revision = "0057"
branch_labels = None
depends_on = None

COMMENT = "Held by hand while it waited for a consent that nobody has given: released, it waits for that again."

# Rows that somebody holds remembered the wait where the adjuster remembers what it withholds.
UPGRADE = f"""
ALTER TABLE app.conversion_uploads ADD COLUMN consent_pending BOOLEAN DEFAULT false NOT NULL;
COMMENT ON COLUMN app.conversion_uploads.consent_pending IS '{COMMENT}';
UPDATE app.conversion_uploads
SET consent_pending = true, held_reason = NULL, held_sentence = NULL, held_until = NULL
WHERE waits AND state = 'held' AND reason = 'held_by_hand' AND held_reason = 'consent_unknown_in_europe';
"""

DOWNGRADE = """
UPDATE app.conversion_uploads
SET held_reason = 'consent_unknown_in_europe', held_sentence = sentence, held_until = deadline_at
WHERE waits AND state = 'held' AND reason = 'held_by_hand' AND consent_pending;
ALTER TABLE app.conversion_uploads DROP COLUMN consent_pending;
"""


def upgrade() -> None:
    """No row is written anew but those that are held by hand, which are few."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Held rows remember their wait as the code before this did."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(DOWNGRADE)
