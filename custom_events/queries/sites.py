"""Sites and their signing secrets, as the catalog reads and writes them (the receiver has its own look-up)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from custom_events.queries import keyset
from custom_events.queries.keyset import After, Order
from custom_events.tables.definitions import site_custom_events
from custom_events.tables.sites import site_secrets, sites

ORDERS: Final = {"name": (sites.c.name, sites.c.id), "id": (sites.c.id,)}
_STATES: Final = {
    "active": sites.c.is_active,
    "paused": sa.and_(sa.not_(sites.c.is_active), sites.c.removed_at.is_(None)),
    "removed": sites.c.removed_at.is_not(None),
}


# Built once: building a statement costs as much as running it, and these run at every look at a site.
BY_ID: Final = sa.select(sites).where(sites.c.id == sa.bindparam("site_id"))
_BY_ID_LOCKED: Final = BY_ID.with_for_update()


def add(connection: sa.Connection, values: dict[str, Any]) -> int:
    """Id of a new site. Raises IntegrityError when its key or shop domain is taken."""
    return connection.execute(sa.insert(sites).values(values).returning(sites.c.id)).scalar_one()


def by_id(connection: sa.Connection, site_id: int, *, lock: bool = False) -> sa.Row[*tuple[Any, ...]] | None:
    """One site; `lock` holds it until the end of the transaction."""
    return connection.execute(_BY_ID_LOCKED if lock else BY_ID, {"site_id": site_id}).one_or_none()


def by_key(connection: sa.Connection, site_key: str) -> sa.Row[*tuple[Any, ...]] | None:
    """The site of this public key."""
    return connection.execute(sa.select(sites).where(sites.c.site_key == site_key)).one_or_none()


def by_domain(connection: sa.Connection, shop_domain: str) -> sa.Row[*tuple[Any, ...]] | None:
    """The site of this shop domain (lower case)."""
    return connection.execute(sa.select(sites).where(sites.c.shop_domain == shop_domain)).one_or_none()


def called(connection: sa.Connection, name: str) -> sa.Row[*tuple[Any, ...]] | None:
    """The site of this id, key or shop domain; where one's key is another's id, the key counts."""
    c = sites.c
    by_name = sa.or_(c.site_key == name, c.shop_domain == name.lower(), sa.cast(c.id, sa.Text) == name)
    return connection.execute(sa.select(sites).where(by_name).order_by(c.site_key != name).limit(1)).one_or_none()


def page(connection: sa.Connection, *, after_id: int, limit: int) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Sites in the order of their ids, after one of them."""
    return connection.execute(sa.select(sites).where(sites.c.id > after_id).order_by(sites.c.id).limit(limit)).all()


def search(
    connection: sa.Connection,
    *,
    text: str | None,
    platform: str | None,
    state: str | None,
    only: Collection[int] | None,
    order: Order,
    after: After | None,
    limit: int,
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Sites whose name, key or domain holds `text`, in a state (active, paused, removed); `only`: of these ids."""
    c = sites.c
    statement = sa.select(sites)
    if text:
        statement = statement.where(
            sa.or_(*(column.icontains(text, autoescape=True) for column in (c.name, c.site_key, c.shop_domain)))
        )
    if platform is not None:
        statement = statement.where(c.platform == platform)
    if state is not None:
        statement = statement.where(_STATES[state])
    if only is not None:
        statement = statement.where(c.id == sa.any_(sa.literal(sorted(only), pg.ARRAY(sa.BigInteger))))
    return connection.execute(keyset.page(statement, order, after, limit)).all()


# What a choice of sites and the names beside ids need of a site: two columns, by name.
_NAMES: Final = sa.text("SELECT id, name FROM app.sites ORDER BY name, id LIMIT :limit")
_NAMES_OF: Final = sa.text(
    "SELECT id, name FROM app.sites WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY name, id LIMIT :limit"
)


def names(connection: sa.Connection, only: Collection[int] | None, limit: int) -> dict[int, str]:
    """Names of sites by id, in the order of names; `only`: of these ids, None: of all."""
    if only is None:
        rows = connection.execute(_NAMES, {"limit": limit})
    else:
        rows = connection.execute(_NAMES_OF, {"ids": sorted(only), "limit": limit})
    return {row.id: row.name for row in rows}


def update(connection: sa.Connection, site_id: int, values: dict[str, Any]) -> None:
    """Change some columns of a site."""
    changed = {**values, "updated_at": sa.func.now()}
    connection.execute(sa.update(sites).where(sites.c.id == site_id).values(changed))


def touch_assignments(connection: sa.Connection, site_id: int) -> None:
    """The site's assignments count as changed: while it was paused their thresholds counted nothing (counting.COUNTERS)."""
    c = site_custom_events.c
    connection.execute(sa.update(site_custom_events).where(c.site_id == site_id).values(updated_at=sa.func.now()))


def add_secret(
    connection: sa.Connection, site_id: int, *, token: bytes, key_id: str | None, valid_until: datetime | None
) -> int:
    """Id of a new secret; `token` is encrypted."""
    values = {"site_id": site_id, "secret_encrypted": token, "key_id": key_id, "valid_until": valid_until}
    return connection.execute(sa.insert(site_secrets).values(values).returning(site_secrets.c.id)).scalar_one()


def secrets_of(connection: sa.Connection, site_id: int) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """The secrets of a site, oldest first, ended ones too, without what they hold."""
    c = site_secrets.c
    statement = sa.select(c.id, c.key_id, c.valid_until, c.created_at).where(c.site_id == site_id).order_by(c.id)
    return connection.execute(statement).all()


def end_secrets(connection: sa.Connection, site_id: int, *, at: datetime) -> int:
    """Every secret of a site that would be valid beyond `at` ends then; how many there were."""
    c = site_secrets.c
    later = sa.or_(c.valid_until.is_(None), c.valid_until > at)
    return connection.execute(
        sa.update(site_secrets).where(c.site_id == site_id, later).values(valid_until=at)
    ).rowcount


def remove_secret(connection: sa.Connection, site_id: int, secret_id: int) -> bool:
    """Remove one secret; False when the site has no such."""
    c = site_secrets.c
    return connection.execute(sa.delete(site_secrets).where(c.site_id == site_id, c.id == secret_id)).rowcount == 1


def tokens_of(connection: sa.Connection, site_id: int) -> list[bytes]:
    """The encrypted secrets of a site that are in use."""
    c = site_secrets.c
    used = sa.or_(c.valid_until.is_(None), c.valid_until > sa.func.now())
    statement = sa.select(c.secret_encrypted).where(c.site_id == site_id, used)
    return [bytes(token) for token in connection.execute(statement).scalars()]


def tokens_after(connection: sa.Connection, *, after_id: int, limit: int) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Encrypted secrets that are or will be used, of all sites, in the order of their ids."""
    c = site_secrets.c
    used = sa.or_(c.valid_until.is_(None), c.valid_until > sa.func.now())
    statement = sa.select(c.id, c.site_id, c.secret_encrypted).where(c.id > after_id, used).order_by(c.id).limit(limit)
    return connection.execute(statement).all()


# Sites whose transaction ids do not name the site, and that feed an ads action which this site feeds, too.
_WITH_SAME_ACTIONS: Final = sa.text("""
WITH fed AS (
  SELECT DISTINCT a.site_id, CASE WHEN r.overrides ? 'ads_action' THEN r.overrides->>'ads_action' ELSE d.config->>'ads_action' END AS action
  FROM app.site_custom_events a
  JOIN app.assignment_revisions r ON r.assignment_id = a.id AND r.state = 'published'
  JOIN app.definition_revisions d ON d.definition_id = a.definition_id AND d.state = 'published'
  WHERE a.is_active)
SELECT DISTINCT s.site_key FROM fed mine JOIN fed theirs ON theirs.action = mine.action AND theirs.site_id <> mine.site_id
JOIN app.sites s ON s.id = theirs.site_id
WHERE mine.site_id = :site AND s.removed_at IS NULL AND coalesce(s.settings->>'transaction_ids', 'site_and_id') <> 'site_and_id'
ORDER BY 1
""")


def sites_with_same_actions(connection: sa.Connection, site_id: int) -> list[str]:
    """Keys of sites with which this one could have a transaction id in common, if its ids named no site."""
    return list(connection.execute(_WITH_SAME_ACTIONS, {"site": site_id}).scalars())


def database_now(connection: sa.Connection) -> datetime:
    """The database's clock at the beginning of the transaction: secrets end by it."""
    return connection.execute(sa.select(sa.func.now())).scalar_one()
