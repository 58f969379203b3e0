"""Who changed what, and why. Written in the transaction of the change, so that there is never one without the other."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from custom_events.queries import audit as queries

PAGE = 100  # entries read at once, unless told otherwise


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """`subject` is `<noun>:<name>` (definition:purchase, site:12); `detail` holds the difference or figures, no secrets."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


def record(
    connection: sa.Connection, *, actor: str, action: str, subject: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Note a change. `action` is `<noun>.<verb>` (definition.publish). Raises ValueError without an actor."""
    if not actor.strip():
        raise ValueError("every change has an author: `actor` is empty")
    queries.add(connection, actor=actor, action=action, subject=subject, detail=dict(detail or {}))


def entries(
    connection: sa.Connection, *, subject: str | None = None, before_id: int | None = None, limit: int = PAGE
) -> list[Entry]:
    """Entries, newest first; the next page begins before the last id of this one."""
    rows = queries.newest(connection, subject=subject, before_id=before_id, limit=limit)
    return [msgspec.convert(row, Entry, from_attributes=True) for row in rows]


def others_did(connection: sa.Connection, *, subject: str, action: str, actor: str) -> bool:
    """Whether anybody but `actor` ever did this to the subject."""
    return queries.others_did(connection, subject=subject, action=action, actor=actor)
