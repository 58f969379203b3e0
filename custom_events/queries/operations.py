"""Long operations: asked for, claimed with a lease, ended once, forgotten."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from custom_events.tables.operations import operation_parts, operations

FORGET_AT_ONCE: Final = 20  # operations, so that nobody waits for long: a result may have many parts

CHANNEL: Final = "custom_events_operations"  # notified where one waits, once that is committed

Row = sa.Row[*tuple[Any, ...]]
Owner = tuple[int, int]  # an operation's id, and which attempt at it this is

_TABLE, _PARTS = operations, operation_parts
_SITES: Final = pg.ARRAY(sa.BigInteger)
# The oldest that waits, or whose worker has not said for the length of its lease that it works on it.
_CLAIM: Final = sa.text("""
UPDATE app.operations SET state = 'running', worker = :worker, attempt = attempt + 1, lease_until = now() + :lease, started_at = now()
WHERE id = (
  SELECT id FROM app.operations
  WHERE state IN ('waiting', 'running') AND (state = 'waiting' OR lease_until < now()) AND attempt < :attempts
  ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING *
""")
# Those that ended their worker each time, and those whose end was asked for while nobody had them.
_GIVE_UP: Final = sa.text("""
UPDATE app.operations SET state = CASE WHEN cancel_asked_at IS NULL THEN 'failed' ELSE 'cancelled' END, ended_at = now(),
  expires_at = now() + :kept, problem = CASE WHEN cancel_asked_at IS NULL THEN CAST(:problem AS jsonb) END
WHERE state IN ('waiting', 'running') AND (state = 'waiting' OR lease_until < now())
  AND (attempt >= :attempts OR cancel_asked_at IS NOT NULL)
RETURNING id
""")
_FIRST_LEASE: Final = sa.text("""
SELECT CAST(extract(epoch FROM min(lease_until) - now()) AS float) FROM app.operations WHERE state IN ('waiting', 'running')
""")
_TELL: Final = sa.text(f"NOTIFY {CHANNEL}")
_FORGET: Final = sa.text("""
DELETE FROM app.operations WHERE id IN (SELECT id FROM app.operations
  WHERE expires_at < now() AND state NOT IN ('waiting', 'running') LIMIT :rows FOR UPDATE SKIP LOCKED)
""")


def add(connection: sa.Connection, values: Mapping[str, Any], kept: timedelta) -> int:
    """Id of a new operation, which waits; who listens is told once it is committed."""
    statement = sa.insert(_TABLE).values({**values, "expires_at": sa.func.now() + kept}).returning(_TABLE.c.id)
    connection.execute(_TELL)
    return connection.execute(statement).scalar_one()


def by_id(connection: sa.Connection, operation_id: int, *, lock: bool = False) -> Row | None:
    """One operation; `lock` holds it until the end of the transaction."""
    statement = sa.select(_TABLE).where(_TABLE.c.id == operation_id)
    return connection.execute(statement.with_for_update() if lock else statement).one_or_none()


def search(
    connection: sa.Connection,
    *,
    kind: str | None,
    state: str | None,
    definition: str | None = None,
    seen: Mapping[str, Collection[int] | None],
    own_of: tuple[str, str, int],
    own_seen: Collection[int] | None,
    before_id: int | None,
    limit: int,
) -> Sequence[Row]:
    """Operations, newest first, older than `before_id`. `definition`: only those that were asked for about this one, by key;
    `seen`: by role the sites on which the caller has it (None: all);
    `own_of`: kind, name and id of the caller, and `own_seen` the sites on which what they asked for themselves is seen."""
    c = _TABLE.c
    is_own = sa.and_(_is_asked_by(*own_of), _is_within(own_seen))
    by_role = (sa.and_(c.role == role, _is_within(sites)) for role, sites in seen.items())
    conditions: list[sa.ColumnElement[bool]] = [sa.or_(is_own, *by_role)]
    conditions += [column == value for column, value in ((c.kind, kind), (c.state, state)) if value is not None]
    if definition is not None:
        conditions.append(c.request["definition"].astext == definition)
    if before_id is not None:
        conditions.append(c.id < before_id)
    return connection.execute(sa.select(_TABLE).where(*conditions).order_by(c.id.desc()).limit(limit)).all()


def _is_asked_by(kind: str, name: str, number: int) -> sa.ColumnElement[bool]:
    c = _TABLE.c
    if kind == "api_key":
        return c.asker["api_key_id"].as_integer() == number
    return c.asked_by == name if kind == "person" else sa.false()


def _is_within(sites: Collection[int] | None) -> sa.ColumnElement[bool]:
    """It is about these sites alone (None: whatever it is about)."""
    c = _TABLE.c
    if sites is None:
        return sa.true()
    within = c.site_ids.contained_by(sa.literal(sorted(sites), _SITES))
    return sa.and_(within, sa.func.cardinality(c.site_ids) > 0)


def claim(connection: sa.Connection, *, worker: str, lease: timedelta, attempts: int) -> Row | None:
    """The operation that this worker has from now on; None: none waits. One that was begun `attempts` times is left alone."""
    values = {"worker": worker, "lease": lease, "attempts": attempts}
    return connection.execute(_CLAIM, values).one_or_none()


def first_lease_s(connection: sa.Connection) -> float | None:
    """Seconds until the first lease ends unless it is extended; None: nothing runs."""
    return connection.execute(_FIRST_LEASE).scalar_one()


def give_up(connection: sa.Connection, *, attempts: int, kept: timedelta, problem: str) -> Sequence[int]:
    """End those that nobody has and nobody will take; their ids. `problem` is JSON."""
    return connection.execute(_GIVE_UP, {"attempts": attempts, "kept": kept, "problem": problem}).scalars().all()


def extend(
    connection: sa.Connection, owner: Owner, *, lease: timedelta, done: int, total: int | None, unit: str
) -> Row | None:
    """The worker works on it still, and how far it is; None: it is not this worker's any more."""
    values = {"lease_until": sa.func.now() + lease, "done": done, "total": total, "unit": unit}
    statement = sa.update(_TABLE).where(_is_own(owner)).values(values).returning(_TABLE.c.cancel_asked_at)
    return connection.execute(statement).one_or_none()


def release(connection: sa.Connection, owner: Owner) -> None:
    """The worker stops: another one, who is told so, takes it up, and this attempt does not count."""
    connection.execute(_TELL)
    values = {"state": "waiting", "lease_until": None, "attempt": _TABLE.c.attempt - 1}
    connection.execute(sa.update(_TABLE).where(_is_own(owner)).values(values))


def end(connection: sa.Connection, owner: Owner, values: Mapping[str, Any], kept: timedelta) -> bool:
    """It has ended. False: it is not this worker's any more."""
    ended = {**values, "lease_until": None, "ended_at": sa.func.now(), "expires_at": sa.func.now() + kept}
    statement = sa.update(_TABLE).where(_is_own(owner)).values(ended).returning(_TABLE.c.id)
    return connection.execute(statement).one_or_none() is not None


def hold(connection: sa.Connection, owner: Owner) -> bool:
    """Hold the operation until the end of the transaction. False: it is not this worker's any more."""
    statement = sa.select(_TABLE.c.id).where(_is_own(owner)).with_for_update()
    return connection.execute(statement).one_or_none() is not None


def ask_to_cancel(connection: sa.Connection, operation_id: int, kept: timedelta) -> None:
    """What waits has ended; what runs is told at its worker's next sign of life."""
    c = _TABLE.c
    waiting = {"state": "cancelled", "ended_at": sa.func.now(), "expires_at": sa.func.now() + kept}
    asked = {"cancel_asked_at": sa.func.coalesce(c.cancel_asked_at, sa.func.now())}
    own = sa.update(_TABLE).where(c.id == operation_id)
    connection.execute(own.where(c.state == "waiting").values({**asked, **waiting}))
    connection.execute(own.where(c.state == "running").values(asked))


def forget_expired(connection: sa.Connection) -> None:
    """Remove some that ended longer ago than they are kept."""
    connection.execute(_FORGET, {"rows": FORGET_AT_ONCE})


def add_part(connection: sa.Connection, operation_id: int, number: int, content: bytes) -> None:
    """One more part of the result."""
    values = {"operation_id": operation_id, "number": number, "content": content}
    connection.execute(sa.insert(_PARTS).values(values))


def remove_parts(connection: sa.Connection, operation_id: int) -> None:
    """The parts that an attempt before has left."""
    connection.execute(sa.delete(_PARTS).where(_PARTS.c.operation_id == operation_id))


def part(connection: sa.Connection, operation_id: int, number: int) -> bytes | None:
    """A part of the result; None: there is none of this number."""
    c = _PARTS.c
    statement = sa.select(c.content).where(c.operation_id == operation_id, c.number == number)
    return connection.execute(statement).scalar_one_or_none()


def _is_own(owner: Owner) -> sa.ColumnElement[bool]:
    c = _TABLE.c
    return sa.and_(c.id == owner[0], c.attempt == owner[1], c.state == "running")
