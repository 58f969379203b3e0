"""Of a commerce event's facts, the order and the customer are stored compressed.

Rows that are there stay as they are, and are read as before: no row is rewritten, and the column takes no room in them. They leave with
their partitions.

Revision ID: 0051
Revises: 0050
"""

import sqlalchemy as sa
from alembic import op

from custom_events.queries.stored_facts import facts_of
from custom_events.values import packed_facts

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

ROWS = 2_000  # unpacked at once
PACKED = sa.text(f"""
SELECT e.occurred_at, e.id, {facts_of("e")} FROM app.commerce_events e
WHERE e.packed IS NOT NULL AND (e.occurred_at, e.id) > (:at, :id) ORDER BY e.occurred_at, e.id LIMIT :rows
""")
UNPACK = sa.text("UPDATE app.commerce_events SET facts = CAST(:facts AS json) WHERE occurred_at = :at AND id = :id")


def upgrade() -> None:
    """A column without a value: PostgreSQL writes nothing into the rows."""
    statement = "ALTER TABLE app.commerce_events ADD COLUMN packed bytea"
    comment = "Its order, and its customer where customer_key names one, compressed (values/packed_facts.py); null: `facts` has all."
    op.get_bind().exec_driver_sql(statement)
    op.get_bind().exec_driver_sql(f"COMMENT ON COLUMN app.commerce_events.packed IS '{comment}'")


def downgrade() -> None:
    """Facts are whole again: rows that were packed are rewritten, some thousand at a time."""
    connection = op.get_bind()
    place = {"at": "-infinity", "id": 0}
    while rows := connection.execute(PACKED, place | {"rows": ROWS}).all():
        whole = [{"at": row.occurred_at, "id": row.id, "facts": _text(packed_facts.whole(row.facts))} for row in rows]
        connection.execute(UNPACK, whole)
        place = {"at": rows[-1].occurred_at, "id": rows[-1].id}
    connection.exec_driver_sql("ALTER TABLE app.commerce_events DROP COLUMN packed")


def _text(facts: str | bytes) -> str:
    return facts if isinstance(facts, str) else facts.decode()
