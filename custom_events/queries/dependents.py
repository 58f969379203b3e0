"""What refers to a row, by foreign keys and where none watches (decision 0005); and the rules that name a conversion action."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa

from custom_events.queries.revisions import ASSIGNMENTS, DEFINITIONS
from custom_events.tables.base import METADATA
from custom_events.tables.commerce import event_keys, order_consents, order_refunds, raw_outcomes
from custom_events.tables.landing import duplicate_deliveries, raw_events, raw_queue
from custom_events.tables.references import UNENFORCED
from custom_events.tables.sites import ads_accounts, ads_actions, sites
from custom_events.tables.uploads import conversion_uploads, upload_keys, value_changes

# What is of a site beside that, by what is shown of it: some of it is kept for longer than what it was made of.
_OF_A_SITE: Final = (
    raw_outcomes.c.raw_id,
    raw_queue.c.raw_id,
    event_keys.c.event_id,
    order_consents.c.order_id,
    order_refunds.c.order_id,
    value_changes.c.order_id,
)
# `event_keys` and `upload_keys` have no index by site or action (decision 80) and are read whole, which takes a second for each million orders.
# Without an index by what they refer to: to find none is to read months, or the whole ledger. Each delivery has an outcome, or waits; each
# upload has a key of its action, and an account without actions has none.
_KNOWN_BY_OTHERS: Final = {
    sites: frozenset({raw_events, duplicate_deliveries}),
    ads_accounts: frozenset({conversion_uploads}),
    ads_actions: frozenset({conversion_uploads}),
}

# Definitions and assignments whose published or drafted settings name this action.
_NAMING: Final = {
    kind.owners.name: sa.select(kind.owners.c[name])
    .join(kind.revisions, kind.revisions.c[kind.owner] == kind.owners.c.id)
    .where(
        kind.revisions.c.state.in_(("draft", "published")),
        kind.revisions.c[kind.payload].op("->>", return_type=sa.Text())(sa.literal("ads_action", sa.Text))
        == sa.bindparam("reference", type_=sa.Text),
    )
    .distinct()
    for kind, name in ((DEFINITIONS, "key"), (ASSIGNMENTS, "id"))
}


def referring(
    connection: sa.Connection, target: sa.Table, row_id: int, *, besides: Collection[sa.Table] = (), limit: int
) -> list[tuple[str, list[Any]]]:
    """Tables that have rows which refer to this one, but for those of `besides`, by name; of each the ids of some rows, at most `limit`."""
    by_table: list[tuple[str, list[Any]]] = []
    for column, shown in _columns(target):
        if column.table not in besides:
            rows = connection.execute(sa.select(shown).where(column == row_id).limit(limit)).scalars().all()
            if rows:
                by_table.append((column.table.name, list(rows)))
    return by_table


def naming_action(connection: sa.Connection, reference: str, *, limit: int) -> list[tuple[str, Sequence[Any]]]:
    """Tables of definitions and assignments whose settings name the action `<customer id>/<action id>`, each with some of them."""
    values = {"reference": reference}
    rows = [(name, connection.execute(query.limit(limit), values).scalars().all()) for name, query in _NAMING.items()]
    return [(name, named) for name, named in rows if named]


def remove(connection: sa.Connection, table: sa.Table, row_id: int) -> None:
    """Remove a row to which nothing refers."""
    connection.execute(sa.delete(table).where(table.c.id == row_id))


def _columns(target: sa.Table) -> Iterator[tuple[sa.Column[Any], sa.Column[Any]]]:
    """Columns that refer to the table's ids, each with what is shown of its row."""
    for column in _references(target):
        if column.table not in _KNOWN_BY_OTHERS.get(target, ()):
            yield column, column.table.c.get("id", column)
    if target is sites:
        yield from ((shown.table.c.site_id, shown) for shown in _OF_A_SITE)
    if target is ads_actions:
        yield upload_keys.c.ads_action_id, upload_keys.c.upload_id


def _references(target: sa.Table) -> Iterator[sa.Column[Any]]:
    for table in METADATA.sorted_tables:
        yield from (key.parent for key in table.foreign_keys if key.column.table is target)
    for reference in UNENFORCED:
        if reference.target is target and reference.target_column == "id" and not reference.back:
            yield reference.table.c[reference.column]
