"""Pages of orders are filled by half: an order is rewritten four times and more in its life, within its page if there is room.

Existing pages stay as they are; the setting counts for what is written from now on.

Revision ID: 0052
Revises: 0051
"""

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A setting of the table; neither readers nor writers wait for it."""
    op.get_bind().exec_driver_sql("ALTER TABLE app.orders SET (fillfactor = 50)")


def downgrade() -> None:
    """Pages are filled whole again."""
    op.get_bind().exec_driver_sql("ALTER TABLE app.orders RESET (fillfactor)")
