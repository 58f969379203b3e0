"""Orders are found by the number that people use: `custom-events explain '#1001'` read every order for it.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A second or so for a million orders; the code before this does not need it."""
    op.create_index("ix_orders_number", "orders", ["number"], schema="app")


def downgrade() -> None:
    """No row changes."""
    op.drop_index("ix_orders_number", table_name="orders", schema="app")
