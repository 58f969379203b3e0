"""Whether work waits. Cheap enough to ask every few seconds."""

import sqlalchemy as sa

# Is there any raw event that nobody has understood yet?
RAW_EVENTS_WAIT = "SELECT EXISTS (SELECT FROM landing.raw_queue)"


def raw_events_wait(connection: sa.Connection) -> bool:
    """True while the raw queue is not empty."""
    return bool(connection.execute(sa.text(RAW_EVENTS_WAIT)).scalar_one())
