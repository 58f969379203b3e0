"""Keep deliveries and commerce events whole in their rows, uncompressed: custom_events/tables/registry.py says what else it cost.

Partitions made from now on have it from custom_events/postgres/partitions.py. Rows that are stored stay as they are.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

EACH_PARTITION = """
DO $$
DECLARE partition regclass;
BEGIN
  FOR partition IN SELECT inhrelid FROM pg_inherits WHERE inhparent IN (
    'landing.raw_events'::regclass, 'app.commerce_events'::regclass
  ) LOOP
    EXECUTE format('ALTER TABLE %s {change}', partition);
  END LOOP;
END
$$
"""


def upgrade() -> None:
    """Takes a lock that readers and writers do not notice, and changes no row."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(
        EACH_PARTITION.format(change="SET (toast_tuple_target = 8160)")
    )


def downgrade() -> None:
    """Likewise."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(
        EACH_PARTITION.format(change="RESET (toast_tuple_target)")
    )
