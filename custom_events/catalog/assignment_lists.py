"""Lists of assignments: searched, sorted, page by page; and what applies of each."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from custom_events.catalog import revisions
from custom_events.catalog.assignments import Effective, SiteAssignment, effective_from
from custom_events.catalog.revisions import Current
from custom_events.queries import assignments as queries
from custom_events.queries.keyset import After, Order
from custom_events.queries.revisions import DEFINITIONS

PAGE = 100  # assignments read at once, unless told otherwise


def search(
    connection: sa.Connection,
    *,
    text: str | None = None,
    site_id: int | None = None,
    definition_key: str | None = None,
    label: str | None = None,
    active: bool | None = None,
    has_overrides: bool | None = None,
    published: bool | None = None,
    overridden: str | None = None,
    ads_account: str | None = None,
    only: Collection[int] | None = None,
    sort: str = "id",
    descending: bool = False,
    after: After | None = None,
    limit: int = PAGE,
) -> list[SiteAssignment]:
    """Assignments whose label or definition's key holds `text`, a page of them.

    `overridden` is a setting that the newest revision overrides, `ads_account` the customer id to which what applies goes, with or without
    hyphens. `only` are the sites that may be seen (None: all); `sort` is id, site, label or definition. The next page begins after
    `keys(assignment, sort)` of the last one.
    """
    rows = queries.search(
        connection,
        text=text,
        site_id=site_id,
        definition_key=definition_key,
        label=label,
        active=active,
        has_overrides=has_overrides,
        published=published,
        overridden=overridden,
        ads_account=ads_account.replace("-", "") if ads_account is not None else None,
        only=only,
        order=Order(queries.ORDERS[sort], descending=descending),
        after=after,
        limit=limit,
    )
    return [msgspec.convert(row, SiteAssignment, from_attributes=True) for row in rows]


def keys(assignment: SiteAssignment, sort: str) -> tuple[Any, ...]:
    """By what a list sorted by `sort` orders this assignment."""
    first = {"site": (assignment.site_id,), "label": (assignment.label,), "definition": (assignment.definition_key,)}
    return (*first.get(sort, ()), assignment.id)


def effective_now(
    connection: sa.Connection, chosen: Collection[SiteAssignment], current: Mapping[int, Current]
) -> dict[int, Effective]:
    """What applies of each of these, by id; `current`: their revisions. Those of which nothing applies are not in it."""
    by_id = revisions.current(connection, DEFINITIONS, {site_assignment.definition_id for site_assignment in chosen})
    effective: dict[int, Effective] = {}
    for assignment in chosen:
        definition = by_id.get(assignment.definition_id, Current()).published
        own = current.get(assignment.id, Current()).published
        if definition is not None and own is not None:
            effective[assignment.id] = effective_from(definition, own)
    return effective
