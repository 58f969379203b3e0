"""Everything that is configured, read whole: a few statements, however many sites there are."""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from custom_events.queries.revisions import RevisionTable
from custom_events.tables.definitions import (
    assignment_revisions,
    custom_event_definitions,
    definition_revisions,
    site_custom_events,
)
from custom_events.tables.sites import ads_accounts, ads_actions, sites

Rows = Sequence[sa.Row[*tuple[Any, ...]]]

_TABLES = (
    ads_accounts,
    ads_actions,
    custom_event_definitions,
    definition_revisions,
    sites,
    site_custom_events,
    assignment_revisions,
)


def hold(connection: sa.Connection, *, wait_ms: int) -> None:
    """Nobody else changes the configuration until the end of the transaction; everybody reads it. Raises OperationalError
    (lock not available) after `wait_ms`."""
    connection.execute(sa.select(sa.func.set_config("lock_timeout", f"{wait_ms}ms", True)))
    names = ", ".join(table.fullname for table in _TABLES)
    connection.execute(sa.text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))


def definitions(connection: sa.Connection) -> Rows:
    """Every definition, by key."""
    return connection.execute(sa.select(custom_event_definitions).order_by(custom_event_definitions.c.key)).all()


def all_sites(connection: sa.Connection) -> Rows:
    """Every site, by key."""
    return connection.execute(sa.select(sites).order_by(sites.c.site_key)).all()


def assignments(connection: sa.Connection) -> Rows:
    """Every assignment with the keys of its site and definition, in the order in which files list them."""
    table = site_custom_events
    statement = (
        sa.select(table, sites.c.site_key, custom_event_definitions.c.key.label("definition_key"))
        .join(sites)
        .join(custom_event_definitions)
        .order_by(sites.c.site_key, custom_event_definitions.c.key, table.c.label)
    )
    return connection.execute(statement).all()


def revisions(connection: sa.Connection, kind: RevisionTable) -> Rows:
    """Of every owner the published revision and the newest one, which may be the same."""
    table = kind.revisions
    newest = (
        sa.select(table.c[kind.owner], sa.func.max(table.c.number).label("number"))
        .group_by(table.c[kind.owner])
        .subquery()
    )
    c = table.c
    statement = (
        sa.select(
            c[kind.owner].label("owner_id"),
            c.number,
            c.state,
            c[kind.payload].label("payload"),
            c.author,
            c.created_at,
            (c.number == newest.c.number).label("is_newest"),
        )
        .join(newest, newest.c[kind.owner] == c[kind.owner])
        .where(sa.or_(c.state == "published", c.number == newest.c.number))
    )
    return connection.execute(statement).all()


# The consent policies of what is published and active. `:default`: of a rule that names none.
CONSENT_POLICIES: Final = sa.text("""
SELECT coalesce(r.overrides ->> 'consent_needed', d.config ->> 'consent_needed', :default) AS policy,
  count(*) AS assignments, count(DISTINCT a.site_id) AS sites
FROM app.site_custom_events a
JOIN app.assignment_revisions r ON r.assignment_id = a.id AND r.state = 'published'
JOIN app.definition_revisions d ON d.definition_id = a.definition_id AND d.state = 'published'
JOIN app.sites s ON s.id = a.site_id AND s.is_active
WHERE a.is_active GROUP BY 1 ORDER BY 2 DESC, 1
""")
# Sites where an order that says nothing about consent counts as a yes.
GRANTING_SITES: Final = sa.text("""
SELECT site_key FROM app.sites WHERE is_active AND settings ->> 'consent_default' = 'granted' ORDER BY site_key
""")
