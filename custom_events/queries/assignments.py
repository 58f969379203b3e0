"""Assignments, without their revisions."""

from collections.abc import Collection, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql import insert

from custom_events.queries import keyset
from custom_events.queries.keyset import After, Order
from custom_events.queries.revisions import ASSIGNMENTS, DEFINITIONS, as_json
from custom_events.tables.definitions import (
    assignment_revisions,
    custom_event_definitions,
    definition_revisions,
    site_custom_events,
)

_TABLE = site_custom_events
ORDERS: Final = {
    "id": (_TABLE.c.id,),
    "site": (_TABLE.c.site_id, _TABLE.c.id),
    "label": (_TABLE.c.label, _TABLE.c.id),
    "definition": (custom_event_definitions.c.key, _TABLE.c.id),
}


def add(connection: sa.Connection, *, site_id: int, definition_id: int, label: str) -> int | None:
    """Id of a new assignment, None when the site has the definition under this label already."""
    values = {"site_id": site_id, "definition_id": definition_id, "label": label}
    return connection.execute(
        insert(_TABLE).values(values).on_conflict_do_nothing().returning(_TABLE.c.id)
    ).scalar_one_or_none()


def by_id(connection: sa.Connection, assignment_id: int) -> sa.Row[*tuple[Any, ...]] | None:
    """One assignment with its definition's key and its published number."""
    return connection.execute(_BY_ID, {"assignment_id": assignment_id}).one_or_none()


def current(connection: sa.Connection, assignment_id: int) -> sa.Row[*tuple[Any, ...]] | None:
    """One assignment as `by_id` has it, with the revisions that matter, each as JSON or null: its `published` one, its `draft` where that
    is the newest, and the published one of its definition (`definition`)."""
    return connection.execute(_CURRENT, {"assignment_id": assignment_id}).one_or_none()


def site_of(connection: sa.Connection, assignment_id: int) -> int | None:
    """The site of an assignment; None: there is none of this id."""
    return connection.execute(_SITE_OF, {"assignment_id": assignment_id}).scalar_one_or_none()


def sites_of(connection: sa.Connection, assignment_ids: Collection[int]) -> dict[int, int]:
    """The site of each of these assignments that there is."""
    chosen = _TABLE.c.id == sa.any_(sa.literal(sorted(set(assignment_ids)), pg.ARRAY(sa.BigInteger)))
    return {row.id: row.site_id for row in connection.execute(sa.select(_TABLE.c.id, _TABLE.c.site_id).where(chosen))}


def labelled(connection: sa.Connection, site_id: int, definition_id: int, label: str) -> int | None:
    """The id of the site's assignment of a definition under a label; None: it has none."""
    c = _TABLE.c
    statement = sa.select(c.id).where(c.site_id == site_id, c.definition_id == definition_id, c.label == label)
    return connection.execute(statement).scalar_one_or_none()


def lock(connection: sa.Connection, assignment_id: int) -> None:
    """Hold an assignment until the end of the transaction; what is read afterwards is what stands then."""
    connection.execute(sa.select(_TABLE.c.id).where(_TABLE.c.id == assignment_id).with_for_update())


def search(
    connection: sa.Connection,
    *,
    text: str | None,
    site_id: int | None,
    definition_key: str | None,
    label: str | None,
    active: bool | None,
    has_overrides: bool | None,
    only: Collection[int] | None,
    order: Order,
    after: After | None,
    limit: int,
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Assignments whose label or definition's key holds `text`; `has_overrides` is about the newest revision, `only` about sites."""
    c, key = _TABLE.c, custom_event_definitions.c.key
    conditions: list[sa.ColumnElement[bool]] = []
    if text:
        conditions.append(sa.or_(*(column.icontains(text, autoescape=True) for column in (c.label, key))))
    if only is not None:
        conditions.append(c.site_id == sa.any_(sa.literal(sorted(only), pg.ARRAY(sa.BigInteger))))
    wanted = ((c.site_id, site_id), (key, definition_key), (c.label, label), (c.is_active, active))
    conditions += [column == value for column, value in wanted if value is not None]
    if has_overrides is not None:
        conditions.append(_has_overrides() == has_overrides)
    statement = keyset.page(_with_definition().where(*conditions), order, after, limit)
    return connection.execute(statement).all()


def delete(connection: sa.Connection, assignment_id: int) -> None:
    """Remove an assignment that has no revisions."""
    connection.execute(sa.delete(_TABLE).where(_TABLE.c.id == assignment_id))


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
        _has_overrides().label("has_overrides"),
    ).join(custom_event_definitions)


def _has_overrides() -> sa.ColumnElement[bool]:
    """Whether the newest revision overrides anything."""
    c = assignment_revisions.c
    newest = (
        sa.select(c.overrides != sa.literal({}, pg.JSONB))
        .where(c.assignment_id == _TABLE.c.id)
        .order_by(c.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    return sa.func.coalesce(newest, sa.false())


def _current() -> sa.Select[*tuple[Any, ...]]:
    own, of_definition = assignment_revisions.alias("own"), definition_revisions.alias("of_definition")
    newest = (
        sa.select(assignment_revisions)
        .where(assignment_revisions.c.assignment_id == _TABLE.c.id)
        .order_by(assignment_revisions.c.number.desc())
        .limit(1)
        .lateral("newest")
    )
    is_own = sa.and_(own.c.assignment_id == _TABLE.c.id, own.c.state == "published")
    is_of_definition = sa.and_(
        of_definition.c.definition_id == _TABLE.c.definition_id, of_definition.c.state == "published"
    )
    return sa.select(
        _TABLE,
        custom_event_definitions.c.key.label("definition_key"),
        own.c.number.label("published_number"),
        sa.func.coalesce(newest.c.number, 0).label("newest_number"),
        sa.func.coalesce(newest.c.overrides != sa.literal({}, pg.JSONB), sa.false()).label("has_overrides"),
        as_json(ASSIGNMENTS, own.c).label("published"),
        sa.case((newest.c.state == "draft", as_json(ASSIGNMENTS, newest.c))).label("draft"),
        as_json(DEFINITIONS, of_definition.c).label("definition"),
    ).select_from(
        _TABLE.join(custom_event_definitions)
        .outerjoin(own, is_own)
        .outerjoin(newest, sa.true())
        .outerjoin(of_definition, is_of_definition)
    )


# Built once: building these costs several times what running them does.
_BY_ID: Final = _with_definition().where(_TABLE.c.id == sa.bindparam("assignment_id"))
_CURRENT: Final = _current().where(_TABLE.c.id == sa.bindparam("assignment_id"))
_SITE_OF: Final = sa.select(_TABLE.c.site_id).where(_TABLE.c.id == sa.bindparam("assignment_id"))
