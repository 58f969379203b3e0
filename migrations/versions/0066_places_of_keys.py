"""Keys that are unique for ever lie by a place that follows from them: those of orders that come together, together (decision 80).

The unique indexes are built beside running programs before (custom_events/postgres/online_indexes.py); here the primary keys of before are dropped, in a moment.
No row is written. Going back is the same the other way round.

Revision ID: 0066
Revises: 0064
"""

from alembic import op

from custom_events.postgres import online_indexes
from custom_events.postgres.online_indexes import UniqueIndex

revision = "0066"
down_revision = "0064"
branch_labels = None
depends_on = None

ONLINE_UPGRADE = (
    UniqueIndex(
        "uq_custom_event_keys",
        "custom_event_keys",
        "(CASE WHEN starts_with(dedup_key, 'o:') AND octet_length(dedup_key) >= 14 AND octet_length(dedup_key) <= 18 THEN 0 ELSE assignment_id END),"
        " dedup_key, assignment_id",
    ),
    UniqueIndex(
        "uq_upload_keys",
        "upload_keys",
        "(CASE WHEN octet_length(split_part(transaction_id, '-', 2)) >= 12 AND octet_length(split_part(transaction_id, '-', 2)) <= 16"
        " THEN split_part(transaction_id, '-', 2) ELSE '' END), transaction_id, ads_action_id, sequence",
    ),
)
# Their names until they are the primary keys.
ONLINE_DOWNGRADE = (
    UniqueIndex("uq_custom_event_keys_before", "custom_event_keys", "assignment_id, dedup_key"),
    UniqueIndex("uq_upload_keys_before", "upload_keys", "ads_action_id, transaction_id, sequence"),
)


def upgrade() -> None:
    """Locks the two tables for a moment; drains wait for every migration anyway."""
    connection = op.get_bind()
    for index in ONLINE_UPGRADE:
        online_indexes.ensure(connection, index)
        connection.exec_driver_sql(f"ALTER TABLE app.{index.table} DROP CONSTRAINT pk_{index.table}")


def downgrade() -> None:
    """The same, back."""
    connection = op.get_bind()
    for after, before in zip(ONLINE_UPGRADE, ONLINE_DOWNGRADE, strict=True):
        online_indexes.ensure(connection, before)
        connection.exec_driver_sql(
            f"ALTER TABLE app.{before.table} ADD CONSTRAINT pk_{before.table} PRIMARY KEY USING INDEX {before.name}"
        )
        connection.exec_driver_sql(f"DROP INDEX app.{after.name}")
