"""Keys by which programs use the API. A digest is SHA-256 of the whole key, which is not kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from custom_events.queries import keyset
from custom_events.queries.keyset import After, Order
from custom_events.queries.people import grants
from custom_events.tables.access import api_keys, people

Row = sa.Row[*tuple[Any, ...]]

ORDERS: Final = {"created_at": (api_keys.c.created_at, api_keys.c.id), "id": (api_keys.c.id,)}

# Keys with their digests, what they may, and what whoever they belong to may (null: it belongs to nobody).
_WITH_GRANTS: Final = """
  k.id, k.prefix, encode(k.secret_digest, 'hex') AS secret_digest, k.person_id, coalesce(p.login, k.made_by) AS name,
  (SELECT coalesce(json_agg(json_build_object('role', g.role, 'site_id', g.site_id)), '[]')
   FROM app.role_grants g WHERE g.api_key_id = k.id) AS grants,
  CASE WHEN p.id IS NOT NULL THEN
    (SELECT coalesce(json_agg(json_build_object('role', g.role, 'site_id', g.site_id)), '[]')
     FROM app.role_grants g WHERE g.person_id = p.id) END AS owner_grants
FROM app.api_keys k LEFT JOIN app.people p ON p.id = k.person_id
"""
# The key of this prefix while it is good. `stale`: its last use is to be noted.
GOOD_OF_PREFIX: Final = f"""
SELECT k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute' AS stale, {_WITH_GRANTS}
WHERE k.prefix = %(prefix)s AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
  AND p.disabled_at IS NULL
"""
# The key of this id, unless it was revoked: whether it has expired says nothing.
OF_ID: Final = sa.text(f"""
SELECT false AS stale, {_WITH_GRANTS}
WHERE k.id = :id AND k.revoked_at IS NULL AND p.disabled_at IS NULL
""")
TOUCH: Final = sa.text("""
UPDATE app.api_keys SET last_used_at = now()
WHERE id = (SELECT id FROM app.api_keys WHERE id = :id FOR UPDATE SKIP LOCKED)
""")


def _keys() -> sa.Select[*tuple[Any, ...]]:
    c = api_keys.c
    return sa.select(
        *(c.id, c.prefix, c.name, c.person_id, people.c.login.label("owner"), c.made_by),
        *(c.expires_at, c.last_used_at, c.revoked_at, c.created_at, c.updated_at),
        grants("api_key_id = api_keys.id"),
    ).select_from(api_keys.outerjoin(people, people.c.id == c.person_id))


def add(
    connection: sa.Connection,
    *,
    prefix: str,
    digest: bytes,
    name: str,
    person_id: int | None,
    made_by: str,
    expires_at: datetime | None,
) -> int:
    """Id of a new key."""
    values = {"prefix": prefix, "secret_digest": digest, "name": name, "person_id": person_id}
    statement = sa.insert(api_keys).values(**values, made_by=made_by, expires_at=expires_at).returning(api_keys.c.id)
    return connection.execute(statement).scalar_one()


def by_id(connection: sa.Connection, key_id: int) -> Row | None:
    """One key, without its digest."""
    return connection.execute(_keys().where(api_keys.c.id == key_id)).one_or_none()


def by_prefix(connection: sa.Connection, prefix: str) -> Row | None:
    """The key that begins so, revoked or not."""
    return connection.execute(_keys().where(api_keys.c.prefix == prefix)).one_or_none()


def page(
    connection: sa.Connection, *, good: bool | None, order: Order, after: After | None, limit: int
) -> Sequence[Row]:
    """Keys; `good`: only those that can be used, or only the others."""
    c = api_keys.c
    usable = sa.and_(c.revoked_at.is_(None), sa.or_(c.expires_at.is_(None), c.expires_at > sa.func.now()))
    statement = _keys()
    if good is not None:
        statement = statement.where(usable if good else sa.not_(usable))
    return connection.execute(keyset.page(statement, order, after, limit)).all()


def revoke(connection: sa.Connection, key_id: int) -> bool:
    """The key is good no longer; False when it was not."""
    c = api_keys.c
    statement = sa.update(api_keys).where(c.id == key_id, c.revoked_at.is_(None))
    return connection.execute(statement.values(revoked_at=sa.func.now(), updated_at=sa.func.now())).rowcount == 1
