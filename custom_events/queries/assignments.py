"""Assignments, without their revisions."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from custom_events.tables.definitions import assignment_revisions, custom_event_definitions, site_custom_events

_TABLE = site_custom_events


def add(connection: sa.Connection, *, site_id: int, definition_id: int, label: str) -> int | None:
    """Id of a new assignment, None when the site has the definition under this label already."""
    values = {"site_id": site_id, "definition_id": definition_id, "label": label}
    return connection.execute(
        insert(_TABLE).values(values).on_conflict_do_nothing().returning(_TABLE.c.id)
    ).scalar_one_or_none()


def by_id(connection: sa.Connection, assignment_id: int) -> sa.Row[*tuple[Any, ...]] | None:
    """One assignment with its definition's key and its published number."""
    return connection.execute(_with_definition().where(_TABLE.c.id == assignment_id)).one_or_none()


def of_site(connection: sa.Connection, site_id: int) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """The assignments of a site, by definition and label."""
    statement = _with_definition().where(_TABLE.c.site_id == site_id)
    return connection.execute(statement.order_by(custom_event_definitions.c.key, _TABLE.c.label)).all()


def published_overrides(connection: sa.Connection, definition_id: int) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """The active assignments of a definition with their published overrides."""
    revisions = assignment_revisions
    statement = (
        sa.select(_TABLE.c.id, _TABLE.c.site_id, _TABLE.c.label, revisions.c.overrides.label("payload"))
        .join(revisions, sa.and_(revisions.c.assignment_id == _TABLE.c.id, revisions.c.state == "published"))
        .where(_TABLE.c.definition_id == definition_id, _TABLE.c.is_active)
    )
    return connection.execute(statement.order_by(_TABLE.c.id)).all()


def switch(connection: sa.Connection, assignment_id: int, *, active: bool) -> None:
    """Let it match, or not."""
    values = {"is_active": active, "updated_at": sa.func.now()}
    connection.execute(sa.update(_TABLE).where(_TABLE.c.id == assignment_id).values(values))


def _with_definition() -> sa.Select[*tuple[Any, ...]]:
    revisions = assignment_revisions
    published = (
        sa.select(revisions.c.number)
        .where(revisions.c.assignment_id == _TABLE.c.id, revisions.c.state == "published")
        .scalar_subquery()
    )
    newest = (
        sa.select(sa.func.coalesce(sa.func.max(revisions.c.number), 0))
        .where(revisions.c.assignment_id == _TABLE.c.id)
        .scalar_subquery()
    )
    return sa.select(
        _TABLE,
        custom_event_definitions.c.key.label("definition_key"),
        published.label("published_number"),
        newest.label("newest_number"),
    ).join(custom_event_definitions)
