"""Who changed what, and why. Written in the transaction of the change, so that there is never one without the other."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from custom_events.queries import audit as queries
from custom_events.queries.keyset import After
from custom_events.values.time_order import TimeOrder

Origin = queries.Origin
coming_from = queries.coming_from  # what is done by hand to uploads is recorded by the same rules, without the catalog
PAGE = 100  # entries read at once, unless told otherwise


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """`subject` is `<noun>:<name>` (definition:purchase, site:12); `detail` holds the difference or figures, no secrets. `source` is api,
    console or command line (None: a program by itself); `via` names the session, the API key or the login; `before` and `after` what was stored."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]
    source: str | None
    via: str | None
    client_address: str | None
    request_id: str | None
    site_id: int | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def record(
    connection: sa.Connection,
    *,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any] | None = None,
    site_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Note a change. `action` is `<noun>.<verb>` (definition.publish); `site_id` the site that it was about; `before` and `after` what
    is stored, without secrets. Raises ValueError without an actor."""
    if not actor.strip():
        raise ValueError("every change has an author: `actor` is empty")
    queries.add(
        connection,
        actor=actor,
        action=action,
        subject=subject,
        detail=detail or {},
        site_id=site_id,
        before=before,
        after=after,
    )


def entries(
    connection: sa.Connection, *, subject: str | None = None, before_id: int | None = None, limit: int = PAGE
) -> list[Entry]:
    """Entries, newest first; the next page begins before the last id of this one."""
    rows = queries.newest(connection, subject=subject, before_id=before_id, limit=limit)
    return [msgspec.convert(row, Entry, from_attributes=True) for row in rows]


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries; what is None narrows nothing. `text`: a part of subject, actor or action, in whatever case; `noun`: what actions
    begin with (definition); from `since` on, before `until`; `only`: the sites that may be seen, without the entries of no site."""

    text: str | None = None
    subject: str | None = None
    actor: str | None = None
    action: str | None = None
    noun: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    site_id: int | None = None
    request_id: str | None = None
    only: Collection[int] | None = None


def search(
    connection: sa.Connection,
    chosen: Filter,
    *,
    order: TimeOrder = TimeOrder.NEWEST,
    after: After | None = None,
    limit: int = PAGE,
) -> list[Entry]:
    """The entries that `chosen` describes; the next page begins after the last id of this one."""
    rows = queries.search(connection, **msgspec.structs.asdict(chosen), order=order, after=after, limit=limit)
    return [msgspec.convert(row, Entry, from_attributes=True) for row in rows]


def others_did(connection: sa.Connection, *, subject: str, action: str, actor: str) -> bool:
    """Whether anybody but `actor` ever did this to the subject."""
    return queries.others_did(connection, subject=subject, action=action, actor=actor)
