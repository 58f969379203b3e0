"""How much of a refund was paid for shipping, and whether it failed: what it names is taken from a value that counts it, or not.

Revision ID: 0018
Revises: 0017
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No row is written anew; of refunds from before nobody says."""
    run = op.get_bind().execution_options(no_parameters=True).exec_driver_sql
    run("ALTER TABLE app.order_refunds ADD COLUMN shipping NUMERIC(20, 6), ADD COLUMN has_failed BOOLEAN")
    run(
        "COMMENT ON COLUMN app.order_refunds.shipping IS "
        "'The part of it that was paid for shipping, with its tax; null: nobody says.'"
    )
    run(
        "COMMENT ON COLUMN app.order_refunds.has_failed IS "
        "'By the newest body: it gave nothing back and took nothing out.'"
    )


def downgrade() -> None:
    """Refunds of shipping lower every value in proportion again."""
    run = op.get_bind().execution_options(no_parameters=True).exec_driver_sql
    run("ALTER TABLE app.order_refunds DROP COLUMN has_failed, DROP COLUMN shipping")
