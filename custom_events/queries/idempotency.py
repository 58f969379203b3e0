"""Answers kept for requests that come again."""

from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from custom_events.tables.access import idempotent_answers

FORGET_AT_ONCE: Final = 100  # rows, so that nobody waits for long

_TABLE = idempotent_answers
_OLD: Final = sa.text("""
DELETE FROM app.idempotent_answers WHERE (caller, key) IN (SELECT caller, key FROM app.idempotent_answers
  WHERE created_at < now() - :age LIMIT :rows FOR UPDATE SKIP LOCKED)
""")


def begin(connection: sa.Connection, caller: str, key: str, digest: bytes) -> bool:
    """Note that a request is served; False when it was before. Waits while another one with the same key is under way."""
    values = {"caller": caller, "key": key, "request_digest": digest}
    statement = insert(_TABLE).values(values).on_conflict_do_nothing().returning(_TABLE.c.key)
    return connection.execute(statement).one_or_none() is not None


def stored(connection: sa.Connection, caller: str, key: str) -> sa.Row[*tuple[Any, ...]]:
    """What was answered."""
    return connection.execute(sa.select(_TABLE).where(_TABLE.c.caller == caller, _TABLE.c.key == key)).one()


def finish(
    connection: sa.Connection, caller: str, key: str, *, status: int, headers: dict[str, str], token: bytes
) -> None:
    """Keep the answer, in the transaction of what it tells of. `token` is encrypted."""
    statement = sa.update(_TABLE).where(_TABLE.c.caller == caller, _TABLE.c.key == key)
    connection.execute(statement.values(status=status, headers=headers, content_encrypted=token))


def forget_old(connection: sa.Connection, age: timedelta) -> None:
    """Remove some answers that are older than they are kept."""
    connection.execute(_OLD, {"age": age, "rows": FORGET_AT_ONCE})
