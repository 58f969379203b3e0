"""Lists of definitions: searched, sorted, page by page; and how often each is used."""

from collections.abc import Collection
from typing import Any

import msgspec
import sqlalchemy as sa

from custom_events.catalog.definitions import Definition
from custom_events.queries import definitions as queries
from custom_events.queries.keyset import After, Order

PAGE = 100  # definitions read at once, unless told otherwise


class DefinitionName(msgspec.Struct, frozen=True, kw_only=True):
    """What a definition is called."""

    id: int
    key: str
    name: str


class Uses(msgspec.Struct, frozen=True, kw_only=True):
    """Assignments of a definition, those of them that are active, and the sites that have it."""

    assignments: int = 0
    active: int = 0
    sites: int = 0


def names(connection: sa.Connection, limit: int) -> list[DefinitionName]:
    """What definitions are called, at most `limit` of them, by key."""
    rows = queries.names(connection, limit)
    return [msgspec.convert(row, DefinitionName, from_attributes=True) for row in rows]


def search(
    connection: sa.Connection,
    *,
    text: str | None = None,
    state: str | None = None,
    is_system: bool | None = None,
    assigned_to: int | None = None,
    sort: str = "key",
    descending: bool = False,
    after: After | None = None,
    limit: int = PAGE,
) -> list[Definition]:
    """Definitions whose key, name or description holds `text`, a page of them.

    `state` is draft, published or retired; `assigned_to` a site that has them; `sort` is key, name or id. The next page begins after
    `keys(definition, sort)` of the last one.
    """
    rows = queries.search(
        connection,
        text=text,
        state=state,
        is_system=is_system,
        assigned_to=assigned_to,
        order=Order(queries.ORDERS[sort], descending=descending),
        after=after,
        limit=limit,
    )
    return [msgspec.convert(row, Definition, from_attributes=True) for row in rows]


def keys(definition: Definition, sort: str) -> tuple[Any, ...]:
    """By what a list sorted by `sort` orders this definition."""
    return {"key": (definition.key,), "name": (definition.name, definition.id), "id": (definition.id,)}[sort]


def uses(
    connection: sa.Connection, definition_ids: Collection[int], *, only: Collection[int] | None = None
) -> dict[int, Uses]:
    """By how many assignments each of these is used; `only`: on these sites. What nobody uses is not in it."""
    rows = queries.uses(connection, definition_ids, only)
    return {row.definition_id: msgspec.convert(row, Uses, from_attributes=True) for row in rows}
