"""Immutable revisions: those of definitions and those of assignments stand in two tables of one shape."""

import functools
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from custom_events.queries import keyset
from custom_events.queries.keyset import After, Order
from custom_events.tables.definitions import (
    assignment_revisions,
    custom_event_definitions,
    definition_revisions,
    site_custom_events,
)


class RevisionTable(msgspec.Struct, frozen=True):
    """A table of revisions, the table of what they are revisions of, and the two columns that differ in name."""

    revisions: sa.Table
    owners: sa.Table
    owner: str  # column of `revisions` that names the owner
    payload: str  # column that holds the configuration


DEFINITIONS = RevisionTable(definition_revisions, custom_event_definitions, "definition_id", "config")
ASSIGNMENTS = RevisionTable(assignment_revisions, site_custom_events, "assignment_id", "overrides")


def lock_owner(connection: sa.Connection, kind: RevisionTable, owner_id: int) -> None:
    """Hold the owner until the end of the transaction: numbers follow each other and one revision is published at a time."""
    connection.execute(sa.select(kind.owners.c.id).where(kind.owners.c.id == owner_id).with_for_update())


def of(connection: sa.Connection, kind: RevisionTable, owner_id: int) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """All revisions, oldest first."""
    table = kind.revisions
    return connection.execute(_columns(kind).where(table.c[kind.owner] == owner_id).order_by(table.c.number)).all()


def page(
    connection: sa.Connection, kind: RevisionTable, owner_id: int, *, state: str | None, after: After | None, limit: int
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Revisions of an owner, newest first, a page of them."""
    table = kind.revisions
    statement = _columns(kind).where(table.c[kind.owner] == owner_id)
    if state is not None:
        statement = statement.where(table.c.state == state)
    return connection.execute(keyset.page(statement, Order((table.c.number,), descending=True), after, limit)).all()


def current(
    connection: sa.Connection, kind: RevisionTable, owner_ids: Collection[int]
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Of each owner the published revision and the newest one, with the owner's id (`owner_id`)."""
    return connection.execute(_current(kind), {"owner_ids": sorted(owner_ids)}).all()


def numbered(
    connection: sa.Connection, kind: RevisionTable, owner_id: int, number: int
) -> sa.Row[*tuple[Any, ...]] | None:
    """The revision of this number."""
    table = kind.revisions
    statement = _columns(kind).where(table.c[kind.owner] == owner_id, table.c.number == number)
    return connection.execute(statement).one_or_none()


def newest(connection: sa.Connection, kind: RevisionTable, owner_id: int) -> sa.Row[*tuple[Any, ...]] | None:
    """The revision with the highest number, in whatever state."""
    table = kind.revisions
    statement = _columns(kind).where(table.c[kind.owner] == owner_id).order_by(table.c.number.desc()).limit(1)
    return connection.execute(statement).one_or_none()


def published(connection: sa.Connection, kind: RevisionTable, owner_id: int) -> sa.Row[*tuple[Any, ...]] | None:
    """The revision that applies now."""
    table = kind.revisions
    statement = _columns(kind).where(table.c[kind.owner] == owner_id, table.c.state == "published")
    return connection.execute(statement).one_or_none()


def published_last(connection: sa.Connection, kind: RevisionTable, owner_id: int) -> sa.Row[*tuple[Any, ...]] | None:
    """The newest revision that was ever published; it may be retired by now."""
    table = kind.revisions
    statement = _columns(kind).where(table.c[kind.owner] == owner_id, table.c.published_at.is_not(None))
    return connection.execute(statement.order_by(table.c.number.desc()).limit(1)).one_or_none()


def add(
    connection: sa.Connection,
    kind: RevisionTable,
    owner_id: int,
    *,
    number: int,
    payload: dict[str, Any],
    author: str,
    reason: str,
) -> sa.Row[*tuple[Any, ...]]:
    """A new draft."""
    table = kind.revisions
    values = {kind.owner: owner_id, "number": number, "state": "draft", kind.payload: payload}
    statement = (
        sa.insert(table).values(**values, author=author, reason=reason).returning(*_columns(kind).selected_columns)
    )
    return connection.execute(statement).one()


def retire(connection: sa.Connection, kind: RevisionTable, owner_id: int) -> int | None:
    """The published revision ceases to apply; its number, None when there was none."""
    table = kind.revisions
    statement = (
        sa.update(table)
        .where(table.c[kind.owner] == owner_id, table.c.state == "published")
        .values(state="retired", retired_at=sa.func.now())
        .returning(table.c.number)
    )
    return connection.execute(statement).scalar_one_or_none()


def publish(
    connection: sa.Connection, kind: RevisionTable, owner_id: int, number: int, by: str
) -> sa.Row[*tuple[Any, ...]]:
    """A draft begins to apply. The one before must be retired first: a unique index allows one."""
    table = kind.revisions
    statement = (
        sa.update(table)
        .where(table.c[kind.owner] == owner_id, table.c.number == number)
        .values(state="published", published_by=by, published_at=sa.func.now())
        .returning(*_columns(kind).selected_columns)
    )
    return connection.execute(statement).one()


def touch_owner(connection: sa.Connection, kind: RevisionTable, owner_id: int) -> None:
    """The owner has changed: its `updated_at` says so."""
    connection.execute(sa.update(kind.owners).where(kind.owners.c.id == owner_id).values(updated_at=sa.func.now()))


def delete_all(connection: sa.Connection, kind: RevisionTable, owner_id: int) -> None:
    """Remove every revision of an owner that was never in use."""
    connection.execute(sa.delete(kind.revisions).where(kind.revisions.c[kind.owner] == owner_id))


@functools.cache  # built once: it costs more than it takes to run, and every list and look at an assignment runs it
def _current(kind: RevisionTable) -> sa.Select[*tuple[Any, ...]]:
    table, newer = kind.revisions, kind.revisions.alias("newer")
    owner = table.c[kind.owner]
    is_newest = ~sa.exists().where(newer.c[kind.owner] == owner, newer.c.number > table.c.number)
    of_these = owner == sa.any_(sa.bindparam("owner_ids", type_=pg.ARRAY(sa.BigInteger)))
    statement = _columns(kind).add_columns(owner.label("owner_id"))
    return statement.where(of_these, sa.or_(table.c.state == "published", is_newest))


def _columns(kind: RevisionTable) -> sa.Select[*tuple[Any, ...]]:
    c = kind.revisions.c
    return sa.select(
        c.id,
        c.number,
        c.state,
        c[kind.payload].label("payload"),
        c.author,
        c.reason,
        c.published_by,
        c.published_at,
        c.retired_at,
        c.created_at,
    )
