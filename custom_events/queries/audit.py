"""The audit trail."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from custom_events.tables.uploads import audit_entries


def add(connection: sa.Connection, *, actor: str, action: str, subject: str, detail: dict[str, Any]) -> None:
    """One more entry."""
    connection.execute(sa.insert(audit_entries).values(actor=actor, action=action, subject=subject, detail=detail))


def newest(
    connection: sa.Connection, *, subject: str | None, before_id: int | None, limit: int
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Entries, newest first, of one subject or of all, older than `before_id`."""
    statement = sa.select(audit_entries).order_by(audit_entries.c.id.desc()).limit(limit)
    if subject is not None:
        statement = statement.where(audit_entries.c.subject == subject)
    if before_id is not None:
        statement = statement.where(audit_entries.c.id < before_id)
    return connection.execute(statement).all()


def others_did(connection: sa.Connection, *, subject: str, action: str, actor: str) -> bool:
    """Whether the subject has an entry of this action by somebody else."""
    columns = audit_entries.c
    found = sa.exists().where(columns.subject == subject, columns.action == action, columns.actor != actor)
    return bool(connection.execute(sa.select(found)).scalar_one())
