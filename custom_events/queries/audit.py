"""The audit trail."""

from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from custom_events.queries import keyset
from custom_events.queries.keyset import After
from custom_events.tables.uploads import audit_entries
from custom_events.values.time_order import TimeOrder


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """From where changes come: `source` is api, console or command line; `via` names a session, an API key or a login; `request_id`
    the request, or the run of a verb."""

    source: str
    via: str | None = None
    client_address: str | None = None
    request_id: str | None = None


_ORIGIN: ContextVar[Origin | None] = ContextVar("origin of changes", default=None)


@contextmanager
def coming_from(origin: Origin) -> Generator[None]:
    """Within the block, what is recorded says that it came from there."""
    token = _ORIGIN.set(origin)
    try:
        yield
    finally:
        _ORIGIN.reset(token)


def add(
    connection: sa.Connection,
    *,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
    site_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """One more entry, with its origin."""
    origin = _ORIGIN.get()
    values = {
        **(msgspec.structs.asdict(origin) if origin is not None else {}),
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": dict(detail),
        "site_id": site_id,
    }
    for name, value in (("before", before), ("after", after)):
        if value is not None:  # left out, not JSON's null
            values[name] = dict(value)
    connection.execute(sa.insert(audit_entries).values(values))


def newest(
    connection: sa.Connection, *, subject: str | None, before_id: int | None, limit: int
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Entries, newest first, of one subject or of all, older than `before_id`."""
    statement = sa.select(audit_entries).order_by(audit_entries.c.id.desc()).limit(limit)
    if subject is not None:
        statement = statement.where(audit_entries.c.subject == subject)
    if before_id is not None:
        statement = statement.where(audit_entries.c.id < before_id)
    return connection.execute(statement).all()


def search(
    connection: sa.Connection,
    *,
    text: str | None,
    subject: str | None,
    actor: str | None,
    action: str | None,
    noun: str | None,
    since: datetime | None,
    until: datetime | None,
    site_id: int | None,
    request_id: str | None,
    only: Collection[int] | None,
    order: TimeOrder,
    after: After | None,
    limit: int,
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Entries that all that is given describes, a page of them."""
    c = audit_entries.c
    equal = {"subject": subject, "actor": actor, "action": action, "site_id": site_id, "request_id": request_id}
    conditions = [c[name] == value for name, value in equal.items() if value is not None]
    if text:
        conditions.append(
            sa.or_(*(column.icontains(text, autoescape=True) for column in (c.subject, c.actor, c.action)))
        )
    if noun is not None:
        conditions.append(c.action.startswith(f"{noun}.", autoescape=True))
    if since is not None:
        conditions.append(c.at >= since)
    if until is not None:
        conditions.append(c.at < until)
    if only is not None:
        conditions.append(c.site_id.in_(only))
    statement = sa.select(audit_entries).where(*conditions)
    return connection.execute(keyset.page(statement, keyset.by_number(c.id, order), after, limit)).all()


def others_did(connection: sa.Connection, *, subject: str, action: str, actor: str) -> bool:
    """Whether the subject has an entry of this action by somebody else."""
    columns = audit_entries.c
    condition = sa.exists().where(columns.subject == subject, columns.action == action, columns.actor != actor)
    return bool(connection.execute(sa.select(condition)).scalar_one())
