"""Assignments, without their revisions."""

from collections.abc import Collection, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql import insert

from custom_events.queries import keyset
from custom_events.queries.keyset import After, Order
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


def site_of(connection: sa.Connection, assignment_id: int) -> int | None:
    """The site of an assignment; None: there is none of this id."""
    return connection.execute(_SITE_OF, {"assignment_id": assignment_id}).scalar_one_or_none()


def sites_of(connection: sa.Connection, assignment_ids: Collection[int]) -> dict[int, int]:
    """The site of each of these assignments that there is."""
    chosen = _TABLE.c.id == sa.any_(sa.literal(sorted(set(assignment_ids)), pg.ARRAY(sa.BigInteger)))
    return {row.id: row.site_id for row in connection.execute(sa.select(_TABLE.c.id, _TABLE.c.site_id).where(chosen))}


def names(connection: sa.Connection, assignment_ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """The definition's key and the label of each of these assignments that there is."""
    chosen = _TABLE.c.id == sa.any_(sa.literal(sorted(set(assignment_ids)), pg.ARRAY(sa.BigInteger)))
    statement = sa.select(_TABLE.c.id, custom_event_definitions.c.key, _TABLE.c.label).join(custom_event_definitions)
    return {row.id: (row.key, row.label) for row in connection.execute(statement.where(chosen))}


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
    published: bool | None,
    overridden: str | None,
    ads_account: str | None,
    only: Collection[int] | None,
    order: Order,
    after: After | None,
    limit: int,
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Assignments whose label or definition's key holds `text`; `has_overrides` and `overridden`, a setting, are about the newest revision,
    `ads_account` (ten digits) about what applies, `only` about sites."""
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
    if published is not None:
        conditions.append(_published_number().is_not(None) == published)
    if overridden is not None:
        conditions.append(_newest_overrides().has_key(overridden))
    if ads_account is not None:
        conditions.append(sa.func.split_part(_ads_action(), "/", 1) == ads_account)
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
    newest = (
        sa.select(sa.func.coalesce(sa.func.max(revisions.c.number), 0))
        .where(revisions.c.assignment_id == _TABLE.c.id)
        .scalar_subquery()
    )
    return sa.select(
        _TABLE,
        custom_event_definitions.c.key.label("definition_key"),
        _published_number().label("published_number"),
        newest.label("newest_number"),
        _has_overrides().label("has_overrides"),
    ).join(custom_event_definitions)


def _published_number() -> sa.ScalarSelect[Any]:
    """The number of what applies; null: nothing does."""
    c = assignment_revisions.c
    return sa.select(c.number).where(c.assignment_id == _TABLE.c.id, c.state == "published").scalar_subquery()


def _newest_overrides() -> Any:
    """The overrides of the newest revision."""
    c = assignment_revisions.c
    newest = sa.select(c.overrides).where(c.assignment_id == _TABLE.c.id).order_by(c.number.desc())
    return sa.type_coerce(newest.limit(1).scalar_subquery(), pg.JSONB)


def _has_overrides() -> sa.ColumnElement[bool]:
    """Whether the newest revision overrides anything."""
    return sa.func.coalesce(_newest_overrides() != sa.literal({}, pg.JSONB), sa.false())


def _ads_action() -> sa.ColumnElement[Any]:
    """The ads action that applies, overridden or inherited; null: none."""
    own, inherited = assignment_revisions.c, definition_revisions.c
    published = (own.assignment_id == _TABLE.c.id, own.state == "published")
    overrides: Any = sa.type_coerce(sa.select(own.overrides).where(*published).scalar_subquery(), pg.JSONB)
    of_definition = (inherited.definition_id == _TABLE.c.definition_id, inherited.state == "published")
    config: Any = sa.type_coerce(sa.select(inherited.config).where(*of_definition).scalar_subquery(), pg.JSONB)
    return sa.case((overrides.has_key("ads_action"), overrides["ads_action"].astext), else_=config["ads_action"].astext)


# Built once: building these costs several times what running them does.
_BY_ID: Final = _with_definition().where(_TABLE.c.id == sa.bindparam("assignment_id"))
_SITE_OF: Final = sa.select(_TABLE.c.site_id).where(_TABLE.c.id == sa.bindparam("assignment_id"))

_REVISION: Final = """\
CASE WHEN {a}.id IS NOT NULL THEN json_build_object('id', {a}.id, 'number', {a}.number, 'state', {a}.state, 'payload', {a}.{payload},
    'author', {a}.author, 'reason', {a}.reason, 'published_by', {a}.published_by, 'published_at', {a}.published_at,
    'retired_at', {a}.retired_at, 'created_at', {a}.created_at) END"""
# One assignment as `by_id` has it, with the revisions that matter, each as JSON or null: its published one, its draft where that is the
# newest, and the published one of its definition.
CURRENT: Final = f"""
SELECT a.*, d.key AS definition_key, own.number AS published_number, coalesce(newest.number, 0) AS newest_number,
  coalesce(newest.overrides <> '{{}}', false) AS has_overrides,
  {_REVISION.format(a="own", payload="overrides")} AS published,
  {_REVISION.format(a="draft", payload="overrides")} AS draft,
  {_REVISION.format(a="definition", payload="config")} AS definition
FROM app.site_custom_events a JOIN app.custom_event_definitions d ON d.id = a.definition_id
LEFT JOIN app.assignment_revisions own ON own.assignment_id = a.id AND own.state = 'published'
LEFT JOIN LATERAL (SELECT r.id, r.number, r.overrides FROM app.assignment_revisions r WHERE r.assignment_id = a.id
  ORDER BY r.number DESC LIMIT 1) newest ON true
LEFT JOIN app.assignment_revisions draft ON draft.id = newest.id AND draft.state = 'draft'
LEFT JOIN app.definition_revisions definition ON definition.definition_id = a.definition_id AND definition.state = 'published'
WHERE a.id = %(assignment_id)s
"""
