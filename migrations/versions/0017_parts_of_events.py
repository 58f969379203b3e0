"""An event's key names the parts that the event has: a body that adds some is seen without reading the event.

Keys that were there before name none: their events are looked at.

Revision ID: 0017
Revises: 0016
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE app.event_keys ADD COLUMN parts BIGINT;
COMMENT ON COLUMN app.event_keys.parts IS 'Which parts the event has, as bits; null: not known, it is looked at.';
COMMENT ON COLUMN app.commerce_events.raw_id IS 'The raw event whose body is the oldest that shows it.';
COMMENT ON COLUMN app.custom_events.withheld_reason IS
  'Why matching withholds its conversion; null: it was queued, and says itself what became of it.';
"""

DOWNGRADE = """
COMMENT ON COLUMN app.custom_events.withheld_reason IS 'Why nothing is sent; null: an upload was queued.';
COMMENT ON COLUMN app.commerce_events.raw_id IS 'The raw event that showed it first.';
ALTER TABLE app.event_keys DROP COLUMN parts;
"""


def upgrade() -> None:
    """Nothing is rewritten. The code before this writes keys without parts."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Events that several bodies gave keep what they say together."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(DOWNGRADE)
