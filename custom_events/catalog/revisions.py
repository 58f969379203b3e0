"""Immutable revisions of definitions and assignments: draft, published, retired.

One at most is published. A change is a new revision made from the newest one that its author saw; when another came in
between, nothing is written and Conflict holds both differences. Rolling back publishes an older configuration as a new
revision, so that history only grows. Where the setting asks for a second person, nobody publishes a draft of their own.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from custom_events.catalog import diff
from custom_events.errors import Conflict, Dependent, NeedsAction, NotFound
from custom_events.queries import revisions as queries
from custom_events.queries.keyset import After
from custom_events.queries.revisions import RevisionTable
from custom_events.settings import settings, variable_of


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """One revision. `payload` is the configuration (of an assignment: the overrides) as plain JSON."""

    id: int
    number: int
    state: str
    payload: dict[str, Any]
    author: str
    reason: str
    published_by: str | None
    published_at: datetime | None
    retired_at: datetime | None
    created_at: datetime


class Current(msgspec.Struct, frozen=True, kw_only=True):
    """The revision that applies, and the newest one where that is a draft."""

    published: Revision | None = None
    draft: Revision | None = None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between the revisions numbered `old` and `new`; None: there is none."""

    old: int | None
    new: int | None
    changes: tuple[diff.Change, ...]


def history(connection: sa.Connection, kind: RevisionTable, owner_id: int) -> list[Revision]:
    """All revisions, oldest first."""
    return [_revision(row) for row in queries.of(connection, kind, owner_id)]


def page(
    connection: sa.Connection,
    kind: RevisionTable,
    owner_id: int,
    *,
    state: str | None = None,
    after: After | None = None,
    limit: int,
) -> list[Revision]:
    """Revisions, newest first, a page of them; the next one begins after the number of the last."""
    rows = queries.page(connection, kind, owner_id, state=state, after=after, limit=limit)
    return [_revision(row) for row in rows]


def current(connection: sa.Connection, kind: RevisionTable, owner_ids: Collection[int]) -> dict[int, Current]:
    """What applies and what is drafted, of each owner that has revisions."""
    by_owner: dict[int, Current] = {}
    for row in queries.current(connection, kind, owner_ids):
        revision = _revision(row)
        now = by_owner.get(row.owner_id, Current())
        if revision.state == "published":
            now = msgspec.structs.replace(now, published=revision)
        elif revision.state == "draft":
            now = msgspec.structs.replace(now, draft=revision)
        by_owner[row.owner_id] = now
    return by_owner


def that_applied(history: Sequence[Revision]) -> tuple[Dependent, ...]:
    """Those that were ever published: what they made refers to them."""
    return tuple(
        Dependent("revision", str(revision.number), revision.state)
        for revision in history
        if revision.published_at is not None
    )


def difference(
    connection: sa.Connection, kind: RevisionTable, owner_id: int, *, old: int | None, new: int | None, name: str
) -> Difference:
    """Between two revisions by number. `old` None: what applies (nothing, where nothing does); `new` None: the newest. Raises NotFound."""
    before = published(connection, kind, owner_id) if old is None else numbered(connection, kind, owner_id, old, name)
    after = newest(connection, kind, owner_id) if new is None else numbered(connection, kind, owner_id, new, name)
    changes = diff.changes(before.payload if before is not None else {}, after.payload if after is not None else {})
    return Difference(
        old=before.number if before is not None else None,
        new=after.number if after is not None else None,
        changes=changes,
    )


def published(connection: sa.Connection, kind: RevisionTable, owner_id: int) -> Revision | None:
    """The revision that applies now."""
    row = queries.published(connection, kind, owner_id)
    return _revision(row) if row is not None else None


def newest(connection: sa.Connection, kind: RevisionTable, owner_id: int) -> Revision | None:
    """The revision with the highest number, in whatever state."""
    row = queries.newest(connection, kind, owner_id)
    return _revision(row) if row is not None else None


def numbered(connection: sa.Connection, kind: RevisionTable, owner_id: int, number: int, name: str) -> Revision:
    """The revision of this number. Raises NotFound; `name` says whose (`definition "purchase"`)."""
    row = queries.numbered(connection, kind, owner_id, number)
    if row is None:
        last = newest(connection, kind, owner_id)
        have = f"it has 1 to {last.number}" if last is not None else "it has none"
        raise NotFound(f"{name} has no revision {number}; {have}.", what="revision")
    return _revision(row)


def draft(
    connection: sa.Connection,
    kind: RevisionTable,
    owner_id: int,
    payload: dict[str, Any],
    *,
    expected: int,
    author: str,
    reason: str,
    name: str,
) -> Revision:
    """A new draft made from revision `expected` (0: the first one). Raises Conflict when that is not the newest any more."""
    queries.lock_owner(connection, kind, owner_id)
    last = newest(connection, kind, owner_id)
    number = last.number if last is not None else 0
    if number != expected:
        seen = queries.numbered(connection, kind, owner_id, expected)
        base: dict[str, Any] = seen.payload if seen is not None else {}
        raise Conflict(
            f"{name} was changed in between: you began from revision {expected}, the newest is {number}"
            + (f" by {last.author}." if last is not None else "."),
            theirs=diff.lines(base, last.payload if last is not None else {}),
            yours=diff.lines(base, payload),
        )
    row = queries.add(connection, kind, owner_id, number=number + 1, payload=payload, author=author, reason=reason)
    queries.touch_owner(connection, kind, owner_id)
    return _revision(row)


def needs_second_person() -> bool:
    """Whether a draft waits for somebody else than its author."""
    return settings().publish_needs_second_person


def publish(
    connection: sa.Connection,
    kind: RevisionTable,
    owner_id: int,
    number: int,
    *,
    by: str,
    name: str,
    ships_with_product: bool = False,
) -> tuple[Revision, tuple[str, ...]]:
    """A draft begins to apply and the one before ceases to; with the difference between the two.

    Raises NeedsAction for a revision that is no draft and for one's own where a second person is needed (what ships with the
    product was approved by whoever installed it), Conflict for a draft older than what was published last.
    """
    queries.lock_owner(connection, kind, owner_id)
    chosen = numbered(connection, kind, owner_id, number, name)
    last = queries.published_last(connection, kind, owner_id)
    now = published(connection, kind, owner_id)
    if chosen.state != "draft":
        way = "It applies already." if chosen.state == "published" else "To have it again, roll back to it."
        raise NeedsAction(f"Revision {number} of {name} is {chosen.state}, not a draft. {way}")
    if last is not None and last.number > number:
        before = queries.numbered(connection, kind, owner_id, number - 1)
        base = before.payload if before is not None else {}
        raise Conflict(
            f"Revision {last.number} of {name} was published after draft {number} was made. Draft again from the newest.",
            theirs=diff.lines(base, last.payload),
            yours=diff.lines(base, chosen.payload),
        )
    if needs_second_person() and not ships_with_product and same_person(chosen.author, by):
        raise NeedsAction(
            f"Revision {number} of {name} was drafted by {chosen.author}: somebody else publishes it "
            f"({variable_of('publish_needs_second_person')} is on).",
            who="a second person",
        )
    queries.retire(connection, kind, owner_id)
    row = queries.publish(connection, kind, owner_id, number, by)
    queries.touch_owner(connection, kind, owner_id)
    return _revision(row), diff.lines(now.payload if now is not None else {}, chosen.payload)


def retire(connection: sa.Connection, kind: RevisionTable, owner_id: int, *, name: str) -> int:
    """Nothing is published any more; the number of what was. Raises NeedsAction when nothing was."""
    queries.lock_owner(connection, kind, owner_id)
    number = queries.retire(connection, kind, owner_id)
    if number is None:
        raise NeedsAction(f"{name} has no published revision that could be retired.")
    queries.touch_owner(connection, kind, owner_id)
    return number


def rollback(
    connection: sa.Connection, kind: RevisionTable, owner_id: int, number: int, *, by: str, reason: str, name: str
) -> tuple[Revision, tuple[str, ...]]:
    """Roll back: the configuration of revision `number` as a new revision, published; with the difference.

    Where a second person is needed the new revision stays a draft (`state` says so) until somebody else publishes it.
    """
    queries.lock_owner(connection, kind, owner_id)
    old = numbered(connection, kind, owner_id, number, name)
    last = newest(connection, kind, owner_id)
    expected = last.number if last is not None else 0
    why = f"rollback to revision {number}" + (f": {reason}" if reason else "")
    made = draft(connection, kind, owner_id, old.payload, expected=expected, author=by, reason=why, name=name)
    if needs_second_person():
        now = published(connection, kind, owner_id)
        return made, diff.lines(now.payload if now is not None else {}, made.payload)
    return publish(connection, kind, owner_id, made.number, by=by, name=name)


def same_person(login: str, other: str) -> bool:
    """Names as people write them: with or without capitals, with or without space around."""
    return login.strip().casefold() == other.strip().casefold()


def _revision(row: sa.Row[*tuple[Any, ...]]) -> Revision:
    return msgspec.convert(row, Revision, from_attributes=True)
