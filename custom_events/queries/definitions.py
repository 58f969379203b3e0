"""Definitions, without their revisions."""

from collections.abc import Collection, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql import insert

from custom_events.queries import keyset
from custom_events.queries.keyset import After, Order
from custom_events.tables.definitions import custom_event_definitions, definition_revisions, site_custom_events

SEEDING = 7_105_002  # key of the advisory lock; any number that nobody else uses

_TABLE = custom_event_definitions
ORDERS: Final = {"key": (_TABLE.c.key,), "name": (_TABLE.c.name, _TABLE.c.id), "id": (_TABLE.c.id,)}


# What a choice of definitions needs.
_NAMES: Final = sa.text("SELECT id, key, name FROM app.custom_event_definitions ORDER BY key LIMIT :limit")


def names(connection: sa.Connection, limit: int) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """(id, key, name) of definitions by key."""
    return connection.execute(_NAMES, {"limit": limit}).all()


def add(connection: sa.Connection, *, key: str, name: str, description: str, is_system: bool) -> int | None:
    """Id of a new definition, None when the key is taken."""
    values = {"key": key, "name": name, "description": description, "is_system": is_system}
    statement = insert(_TABLE).values(values).on_conflict_do_nothing(index_elements=["key"]).returning(_TABLE.c.id)
    return connection.execute(statement).scalar_one_or_none()


def by_key(connection: sa.Connection, key: str) -> sa.Row[*tuple[Any, ...]] | None:
    """One definition with the number of its published revision."""
    return connection.execute(_with_published().where(_TABLE.c.key == key)).one_or_none()


def lock(connection: sa.Connection, key: str) -> None:
    """Hold a definition until the end of the transaction; what is read afterwards is what stands then."""
    connection.execute(sa.select(_TABLE.c.id).where(_TABLE.c.key == key).with_for_update())


def search(
    connection: sa.Connection,
    *,
    text: str | None,
    state: str | None,
    is_system: bool | None,
    assigned_to: int | None,
    order: Order,
    after: After | None,
    limit: int,
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Definitions whose key, name or description holds `text`, in a state; `assigned_to`: those that this site has."""
    c = _TABLE.c
    statement = _with_published()
    if text:
        columns = (c.key, c.name, c.description)
        statement = statement.where(sa.or_(*(column.icontains(text, autoescape=True) for column in columns)))
    if state is not None:
        statement = statement.where(_state() == state)
    if is_system is not None:
        statement = statement.where(c.is_system == is_system)
    if assigned_to is not None:
        site, owner = site_custom_events.c.site_id, site_custom_events.c.definition_id
        statement = statement.where(sa.exists().where(owner == c.id, site == assigned_to))
    return connection.execute(keyset.page(statement, order, after, limit)).all()


def uses(
    connection: sa.Connection, definition_ids: Collection[int], only: Collection[int] | None
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """For each of these that is assigned: assignments, those that are active, and on how many sites. `only`: counting these sites."""
    c = site_custom_events.c
    statement = sa.select(
        c.definition_id,
        sa.func.count().label("assignments"),
        sa.func.count().filter(c.is_active).label("active"),
        sa.func.count(c.site_id.distinct()).label("sites"),
    ).where(c.definition_id == sa.any_(sa.literal(sorted(definition_ids), pg.ARRAY(sa.BigInteger))))
    if only is not None:
        statement = statement.where(c.site_id == sa.any_(sa.literal(sorted(only), pg.ARRAY(sa.BigInteger))))
    return connection.execute(statement.group_by(c.definition_id)).all()


def assignments_of(connection: sa.Connection, definition_id: int, *, limit: int) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """The assignments of a definition, by id: what depends on it."""
    c = site_custom_events.c
    statement = sa.select(c.id, c.label).where(c.definition_id == definition_id).order_by(c.id).limit(limit)
    return connection.execute(statement).all()


def all_of(connection: sa.Connection) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Every definition, ours first, then by key."""
    return connection.execute(_with_published().order_by(_TABLE.c.is_system.desc(), _TABLE.c.key)).all()


def rename(connection: sa.Connection, definition_id: int, *, name: str, description: str) -> None:
    """Change what people read; what it does stands in its revisions."""
    values = {"name": name, "description": description, "updated_at": sa.func.now()}
    connection.execute(sa.update(_TABLE).where(_TABLE.c.id == definition_id).values(values))


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
    return sa.select(
        _TABLE,
        number.label("published_number"),
        newest.label("newest_number"),
        _state().label("state"),
    )


def _state() -> sa.Case[str]:
    """draft: nothing of it was ever published; published: it applies; retired: it applied once."""
    revisions = definition_revisions
    own = sa.exists().where(revisions.c.definition_id == _TABLE.c.id)
    return sa.case(
        (own.where(revisions.c.state == "published"), "published"),
        (own.where(revisions.c.published_at.is_not(None)), "retired"),
        else_="draft",
    )


def take_turns(connection: sa.Connection) -> None:
    """Until the end of the transaction nobody else seeds."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(SEEDING)))
