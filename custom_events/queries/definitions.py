"""Definitions, without their revisions."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from custom_events.tables.definitions import custom_event_definitions, definition_revisions, site_custom_events

SEEDING = 7_105_002  # key of the advisory lock; any number that nobody else uses

_TABLE = custom_event_definitions


def add(connection: sa.Connection, *, key: str, name: str, description: str, is_system: bool) -> int | None:
    """Id of a new definition, None when the key is taken."""
    values = {"key": key, "name": name, "description": description, "is_system": is_system}
    statement = insert(_TABLE).values(values).on_conflict_do_nothing(index_elements=["key"]).returning(_TABLE.c.id)
    return connection.execute(statement).scalar_one_or_none()


def by_key(connection: sa.Connection, key: str) -> sa.Row[*tuple[Any, ...]] | None:
    """One definition with the number of its published revision."""
    return connection.execute(_with_published().where(_TABLE.c.key == key)).one_or_none()


def all_of(connection: sa.Connection) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Every definition, ours first, then by key."""
    return connection.execute(_with_published().order_by(_TABLE.c.is_system.desc(), _TABLE.c.key)).all()


def rename(connection: sa.Connection, definition_id: int, *, name: str, description: str) -> None:
    """Change what people read; what it does stands in its revisions."""
    values = {"name": name, "description": description, "updated_at": sa.func.now()}
    connection.execute(sa.update(_TABLE).where(_TABLE.c.id == definition_id).values(values))


def is_assigned(connection: sa.Connection, definition_id: int) -> bool:
    """Whether any site has it, active or not."""
    found = sa.exists().where(site_custom_events.c.definition_id == definition_id)
    return bool(connection.execute(sa.select(found)).scalar_one())


def delete(connection: sa.Connection, definition_id: int) -> None:
    """Remove a definition that has no revisions; the database refuses for those of ours."""
    connection.execute(sa.delete(_TABLE).where(_TABLE.c.id == definition_id))


def keys(connection: sa.Connection) -> list[str]:
    """Every key, sorted: what an error lists when one is not found."""
    return list(connection.execute(sa.select(_TABLE.c.key).order_by(_TABLE.c.key)).scalars())


def _with_published() -> sa.Select[*tuple[Any, ...]]:
    revisions = definition_revisions
    number = (
        sa.select(revisions.c.number)
        .where(revisions.c.definition_id == _TABLE.c.id, revisions.c.state == "published")
        .scalar_subquery()
    )
    newest = (
        sa.select(sa.func.coalesce(sa.func.max(revisions.c.number), 0))
        .where(revisions.c.definition_id == _TABLE.c.id)
        .scalar_subquery()
    )
    return sa.select(_TABLE, number.label("published_number"), newest.label("newest_number"))


def take_turns(connection: sa.Connection) -> None:
    """Until the end of the transaction nobody else seeds."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(SEEDING)))
