"""Keys that are unique for ever lie by a place that follows from them: those of orders that come together, together (decision 80).

The unique indexes are built beside running programs before (custom_events/postgres/online_indexes.py); here the primary keys of before are dropped, in a moment.
No row is written. Going back is the same the other way round.

Revision ID: 0066
Revises: 0065
"""

from alembic import op

from custom_events.postgres import online_indexes
from custom_events.postgres.online_indexes import UniqueIndex

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None

_PLACE = "(CASE WHEN octet_length({id}) >= 12 AND octet_length({id}) <= 16 THEN {id} ELSE {otherwise} END)"
_OF_EVENT = _PLACE.format(id="split_part(key, ':', 2)", otherwise="site_id::text")
_OF_DEDUP_KEY = _PLACE.format(id="split_part(dedup_key, ':', 2)", otherwise="assignment_id::text")
_OF_TRANSACTION = _PLACE.format(id="split_part(transaction_id, '-', 2)", otherwise="''")

ONLINE_UPGRADE = (
    UniqueIndex("uq_event_keys", "event_keys", f"{_OF_EVENT}, key, site_id"),
    UniqueIndex("uq_custom_event_keys", "custom_event_keys", f"{_OF_DEDUP_KEY}, dedup_key, assignment_id"),
    UniqueIndex("uq_upload_keys", "upload_keys", f"{_OF_TRANSACTION}, transaction_id, ads_action_id, sequence"),
)
# Their names until they are the primary keys.
ONLINE_DOWNGRADE = (
    UniqueIndex("uq_event_keys_before", "event_keys", "site_id, key"),
    UniqueIndex("uq_custom_event_keys_before", "custom_event_keys", "assignment_id, dedup_key"),
    UniqueIndex("uq_upload_keys_before", "upload_keys", "ads_action_id, transaction_id, sequence"),
)


def upgrade() -> None:
    """Locks the three tables for a moment; drains wait for every migration anyway."""
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
