"""The first tables: landing, events, state, rules, the ledger.

The statements stand in `0001_first_tables/`, one SQL file per group of nouns, in the order of MODULES. Partitions by time and
the receiver's role depend on the moment and the server: `custom_events/postgres` makes them after every upgrade.

Revision ID: 0001
Revises:
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = Path(__file__).with_suffix("")
FILES = ("schemas", "sites", "definitions", "landing", "commerce", "uploads")


def upgrade() -> None:
    """Read the files at run time: nothing happens when Alembic lists revisions."""
    connection = op.get_bind().execution_options(no_parameters=True)
    for name in FILES:
        connection.exec_driver_sql((STATEMENTS / f"{name}.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """`reporting` goes with what dbt has put there: it can be built again from nothing."""
    op.get_bind().exec_driver_sql("DROP SCHEMA landing CASCADE")
    op.get_bind().exec_driver_sql("DROP SCHEMA app CASCADE")
    op.get_bind().exec_driver_sql("DROP SCHEMA reporting CASCADE")
