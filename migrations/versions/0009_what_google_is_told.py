"""What Google is told of a conversion beside its value: who bought, where and what; and when a click id is left out.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE app.conversion_uploads ADD COLUMN click_dropped TEXT, ADD COLUMN new_customer BOOLEAN, ADD COLUMN environment TEXT,
  ADD COLUMN cart JSON;
COMMENT ON COLUMN app.conversion_uploads.click_dropped IS 'Why its click id is not sent: hashed e-mail or phone go alone.';
COMMENT ON COLUMN app.conversion_uploads.new_customer IS 'First order of this customer; null: not known, or not to be told.';
COMMENT ON COLUMN app.conversion_uploads.environment IS 'app where the order came from one; null: web.';
COMMENT ON COLUMN app.conversion_uploads.cart IS 'What was bought, for the merchant centre; null: none is named for the site.';
"""

DOWNGRADE = """
ALTER TABLE app.conversion_uploads DROP COLUMN click_dropped, DROP COLUMN new_customer, DROP COLUMN environment, DROP COLUMN cart
"""


def upgrade() -> None:
    """Columns that may be null: no row is rewritten, and the code before this leaves them out."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """What was not sent yet goes without them; a row whose click id was left out would be refused for it, and rejected."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
