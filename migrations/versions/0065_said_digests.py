"""Orders have the digest of their newest body, by which one that says the same is known; the queue says what was put back.

Orders from before have none until a body comes that changes them.

Revision ID: 0065
Revises: 0064
"""

from alembic import op

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None

SAID = "Digest of the newest body where the row is what that says: a body that says the same is known by it; null: not known."
AGAIN = "Put back to be understood again; null: it has just landed."

UPGRADE = f"""
ALTER TABLE app.orders ADD COLUMN said_digest BYTEA;
COMMENT ON COLUMN app.orders.said_digest IS '{SAID}';
ALTER TABLE landing.raw_queue ADD COLUMN is_again BOOLEAN;
COMMENT ON COLUMN landing.raw_queue.is_again IS '{AGAIN}';
"""

DOWNGRADE = """
ALTER TABLE landing.raw_queue DROP COLUMN is_again;
ALTER TABLE app.orders DROP COLUMN said_digest;
"""


def upgrade() -> None:
    """No row is written."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """The digests are gone; everything is understood."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
