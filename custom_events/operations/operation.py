"""Long operations as they are asked for, looked at and cancelled. Who does them: `runner.py`.

Whoever has the operation's role on all its sites may see it, cancel it and have its result: those who could have asked for it. So may
whoever asked for it, as long as they see all its sites: rows of a bulk change on sites where they are viewer fail, and they are told so.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.access.roles import Caller, Role
from custom_events.catalog.audit import Origin
from custom_events.errors import NeedsAction, NotFound
from custom_events.operations import rights
from custom_events.queries import operations as queries
from custom_events.report_files.table import MEDIA_TYPES

KEPT: Final = timedelta(days=1)  # after its end: long enough for who asked in the evening and looks in the morning
JSON, CSV, XLSX, PARQUET = (
    "application/json",
    MEDIA_TYPES["csv"],
    MEDIA_TYPES["xlsx"],
    MEDIA_TYPES["parquet"],
)  # what results are
RESULT_NAMES: Final = {JSON: "result", CSV: "result.csv", XLSX: "result.xlsx", PARQUET: "result.parquet"}


class State(StrEnum):
    """Where a long operation stands. One that waits or runs may still end; the others have ended."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it changes any more."""
        return self not in (State.WAITING, State.RUNNING)


class LongOperation(msgspec.Struct, frozen=True, kw_only=True):
    """Work that was asked for. `site_ids` None: all sites; `done` of `total` (None: not known) in `unit`; `problem`: kind, detail and
    errors, where it failed; `result_type` None: it has no result."""

    id: int
    kind: str
    state: State
    role: Role
    site_ids: tuple[int, ...] | None
    request: dict[str, Any]
    asked_by: str
    asker: dict[str, Any] | None
    source: str
    via: str | None
    client_address: str | None
    request_id: str | None
    unit: str
    done: int
    total: int | None
    attempt: int
    cancel_asked_at: datetime | None
    problem: dict[str, Any] | None
    result_type: str | None
    started_at: datetime | None
    ended_at: datetime | None
    expires_at: datetime
    created_at: datetime

    @property
    def owner(self) -> queries.Owner:
        """Which attempt at it this is."""
        return self.id, self.attempt

    @property
    def origin(self) -> Origin:
        """From where what it changes comes."""
        return Origin(source=self.source, via=self.via, client_address=self.client_address, request_id=self.request_id)


def ask(
    connection: sa.Connection,
    kind: str,
    request: Mapping[str, Any],
    *,
    role: Role,
    site_ids: Collection[int] | None,
    actor: str,
    origin: Origin,
    caller: Caller | None = None,
    needs: Role | None = None,
    unit: str = "",
    total: int | None = None,
) -> LongOperation:
    """A new operation, which a runner takes up once the transaction is committed. Whether `caller` still may is asked again then, up to the
    role `needs` (None: `role`)."""
    values = {
        **msgspec.structs.asdict(origin),
        "kind": kind,
        "role": role.value,
        "site_ids": sorted(site_ids) if site_ids is not None else None,
        "request": request,
        "asked_by": actor,
        "asker": rights.asker_of(caller, needs or role) if caller is not None else None,
        "unit": unit,
        "total": total,
    }
    return get(connection, queries.add(connection, values, KEPT))


def get(connection: sa.Connection, operation_id: int, *, caller: Caller | None = None) -> LongOperation:
    """The operation of this id. Raises NotFound, also for one that `caller` may not see."""
    row = queries.by_id(connection, operation_id)
    operation = operation_of(row) if row is not None else None
    if operation is None or (caller is not None and not is_seen(operation, caller)):
        raise NotFound(f"There is no operation {operation_id}.", what="operation")
    return operation


def is_seen(operation: LongOperation, caller: Caller) -> bool:
    """Whether the caller has its role on all its sites, or asked for it and sees them."""
    role = Role.VIEWER if _is_own(operation, caller) else operation.role
    if operation.site_ids is None:
        return caller.may(role)
    sites = caller.sites(role)
    return sites is None or (bool(operation.site_ids) and sites.issuperset(operation.site_ids))


def _is_own(operation: LongOperation, caller: Caller) -> bool:
    """Whether the caller asked for it: the same key, or the person, be it by a key of theirs. A key is not whoever made it."""
    if caller.kind == "api_key":
        return (operation.asker or {}).get("api_key_id") == caller.id
    return caller.kind == "person" and operation.asked_by == caller.name


def search(
    connection: sa.Connection,
    caller: Caller,
    *,
    kind: str | None = None,
    state: State | None = None,
    definition: str | None = None,
    before_id: int | None = None,
    limit: int,
) -> list[LongOperation]:
    """The operations that the caller may see, newest first; the next page begins before the last id of this one. `definition`: only those
    about this one, by key."""
    rows = queries.search(
        connection,
        kind=kind,
        state=state,
        definition=definition,
        seen={role.value: caller.sites(role) for role in Role},
        own_of=(caller.kind, caller.name, caller.id),
        own_seen=caller.sites(),
        before_id=before_id,
        limit=limit,
    )
    return [operation_of(row) for row in rows]


def cancel(connection: sa.Connection, operation_id: int) -> LongOperation:
    """Ask for its end: at once where it waits, else when its worker hears of it. What has ended stays as it is. Raises NotFound."""
    queries.ask_to_cancel(connection, operation_id, KEPT)
    return get(connection, operation_id)


def result_parts(engine: sa.Engine, operation: LongOperation) -> Iterator[bytes]:
    """The result, part by part, each read in a transaction of its own."""
    number = 0
    while True:
        with engine.connect() as connection:
            part = queries.part(connection, operation.id, number)
        if part is None:
            return
        yield part
        number += 1


def result_digest(engine: sa.Engine, operation: LongOperation) -> bytes:
    """SHA-256 of the whole result, whose parts are read once more for that."""
    digest = hashlib.sha256()
    for part in result_parts(engine, operation):
        digest.update(part)
    return digest.digest()


def check_result(operation: LongOperation, media_type: str) -> None:
    """Raise NeedsAction unless it has a result of this type, saying why not."""
    if operation.result_type == media_type:
        return
    if operation.result_type is not None:
        where = RESULT_NAMES.get(operation.result_type, "result")
        raise NeedsAction(f"The result of operation {operation.id} is {operation.result_type}: ask for `{where}`.")
    if operation.state.has_ended:
        raise NeedsAction(f"Operation {operation.id} {operation.state} without a result. Look at its `problem`.")
    raise NeedsAction(f"Operation {operation.id} is {operation.state}: ask again when it has ended.")


def operation_of(row: queries.Row) -> LongOperation:
    """A row of the table."""
    return msgspec.convert(row, LongOperation, from_attributes=True)
