"""Long operations: work that goes on after the answer. Looked at, followed, cancelled; their results."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import Path, Query

from console.api import problems
from console.api.calls import Answer, Call, content_digest
from console.api.operations import PREFIX, Routes
from console.api.pages import LIMIT, After, Limit, Page, page_of, read_after
from console.api.problems import FieldError, Kind, Problem, ProblemError
from console.api.progress import events
from console.api.rights import of_some_site
from custom_events.access.roles import Role
from custom_events.backtest.replay import Replay
from custom_events.backtest.result import Backtest, Counts
from custom_events.catalog.bulk.outcomes import BulkResult
from custom_events.history.drafts import Draft
from custom_events.operations import operation as operations
from custom_events.operations.operation import CSV, JSON, PARQUET, XLSX, State
from custom_events.operations.parked_deliveries import ReplayedDeliveries
from custom_events.values.numbers import MAX_ID

ROUTES: Final = Routes(
    "operations",
    "Work that goes on after the answer: how far it is, its end, its result. Kept for a day after its end.",
)
SEE: Final = of_some_site(Role.VIEWER)
_NEWEST: Final = "-id"
SHOWN_SITES: Final = 100  # of an operation, by id: it may be about thousands, and lists hold hundreds of operations
_OF_ERROR: Final[dict[str, Kind]] = {
    "InvalidConfiguration": problems.INVALID,
    "NotFound": problems.NOT_FOUND,
    "Conflict": problems.CHANGED,
    "InUse": problems.IN_USE,
    "RefusedError": problems.FORBIDDEN,
    "Transient": problems.UNAVAILABLE,
    "Internal": problems.INTERNAL,
}

OperationId = Annotated[int, Path(ge=1, le=MAX_ID, description="An operation's id.")]


class LongOperation(msgspec.Struct, frozen=True, kw_only=True):
    """Work that goes on after the answer. `sites`: about how many it is (null: all), and `site_ids` the first 100 of them; `done` of `total` (null: not known) in `unit`; `problem`:
    why it failed; `definition_key` and `definition_number`: the definition and the revision that it was asked about, where one was named; `result`: where its result is, null while there is none; `expires_at`: when it is forgotten, once it has ended."""

    id: int
    kind: str
    state: State
    sites: int | None
    site_ids: tuple[int, ...]
    asked_by: str
    definition_key: str | None = None
    definition_number: int | None = None
    unit: str
    done: int
    total: int | None
    cancel_asked_at: datetime | None
    problem: Problem | None
    result: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    expires_at: datetime | None


class OperationResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The result of an operation: of its kind, and nothing else."""

    backtest: Backtest | msgspec.UnsetType = msgspec.UNSET
    replay: Replay | msgspec.UnsetType = msgspec.UNSET
    bulk_change: BulkResult | msgspec.UnsetType = msgspec.UNSET
    replay_parked: ReplayedDeliveries | msgspec.UnsetType = msgspec.UNSET


_NOON: Final = datetime(2026, 11, 30, 12, tzinfo=UTC)
EXAMPLE: Final = LongOperation(
    id=31,
    kind="backtest",
    state=State.RUNNING,
    sites=1,
    site_ids=(3,),
    asked_by="ana@example.org",
    definition_key="big_order",
    definition_number=None,
    unit="days",
    done=12,
    total=30,
    cancel_asked_at=None,
    problem=None,
    result=None,
    created_at=_NOON,
    started_at=_NOON,
    ended_at=None,
    expires_at=None,
)
_CANCELLED: Final = msgspec.structs.replace(EXAMPLE, cancel_asked_at=_NOON)
_RESULT: Final = OperationResult(
    backtest=Backtest(
        draft=Draft(definition="purchase"),
        since=datetime(2026, 11, 1, tzinfo=UTC),
        until=_NOON,
        sites=(3,),
        events=1_200,
        seconds=0.3,
        is_complete=True,
        counts=Counts(would_add=12, unchanged=340),
        assignments=(),
        days=(),
        effects=(),
        samples=(),
    )
)


@ROUTES.get(
    "/operations",
    right=SEE,
    answer=Page[LongOperation],
    example=Page(items=(EXAMPLE,), next=None),
    of_primary=True,
)
def list_operations(
    call: Call,
    *,
    kind: Annotated[
        Literal["backtest", "replay", "export", "bulk_change", "replay_parked"] | None,
        Query(description="Only those of this kind."),
    ] = None,
    state: Annotated[State | None, Query(description="Only those in this state.")] = None,
    definition_key: Annotated[
        str | None, Query(pattern=r"^[a-z][a-z0-9_]{1,62}$", description="Only those about this definition.")
    ] = None,
    limit: Limit = LIMIT,
    after: After = None,
) -> Page[LongOperation]:
    """The operations that you could have asked for yourself, the newest first: you have the role that they needed on all of their
    sites. And those that you have asked for, as long as you see all of their sites."""
    before = read_after(after, _NEWEST, (int,))
    listed = operations.search(
        call.connection,
        call.caller,
        kind=kind,
        state=state,
        definition=definition_key,
        before_id=None if before is None else before[0],
        limit=limit + 1,
    )
    return page_of(listed, limit, _NEWEST, lambda operation: (operation.id,), shown)


@ROUTES.get("/operations/{operation_id}", right=SEE, answer=LongOperation, example=EXAMPLE, of_primary=True)
def read_operation(call: Call, operation_id: OperationId) -> LongOperation:
    """One operation: how far it is, or how it ended."""
    return shown(_seen(call, operation_id))


@ROUTES.post("/operations/{operation_id}/cancel", right=SEE, answer=LongOperation, example=_CANCELLED)
def cancel_operation(call: Call, operation_id: OperationId) -> LongOperation:
    """Ask for its end: what waits has ended at once, what runs stops within seconds, and what has ended stays as it is.

    What changes everything or nothing leaves nothing behind; what changes row by row, and a replay that writes, has a result that says
    what was done."""
    _seen(call, operation_id)
    return shown(operations.cancel(call.connection, operation_id))


@ROUTES.get(
    "/operations/{operation_id}/result",
    right=SEE,
    of_primary=True,
    answer=OperationResult,
    example=_RESULT,
    raises=(problems.CONFLICT,),
)
def read_operation_result(call: Call, operation_id: OperationId) -> Answer:
    """The result of an operation that has one, as JSON: the field of its kind holds it."""
    operation = _seen(call, operation_id)
    operations.check_result(operation, JSON)
    parts = operations.result_parts(call.engine, operation)
    return Answer(stream=_wrapped(operation.kind, parts))


@ROUTES.get(
    "/operations/{operation_id}/result.csv",
    right=SEE,
    of_primary=True,
    answer=str,
    media_type=CSV,
    example="site_id,definition_key,label,is_active,is_published,overrides\r\n",
    raises=(problems.CONFLICT,),
)
def read_operation_result_as_csv(call: Call, operation_id: OperationId) -> Answer:
    """The result of an export as CSV, whole."""
    return _file(call, operation_id, CSV)


@ROUTES.get(
    "/operations/{operation_id}/result.xlsx",
    right=SEE,
    of_primary=True,
    answer=bytes,
    media_type=XLSX,
    example="the bytes of the file",
    raises=(problems.CONFLICT,),
)
def read_operation_result_as_xlsx(call: Call, operation_id: OperationId) -> Answer:
    """The result of an export as XLSX, whole."""
    return _file(call, operation_id, XLSX)


@ROUTES.get(
    "/operations/{operation_id}/result.parquet",
    right=SEE,
    of_primary=True,
    answer=bytes,
    media_type=PARQUET,
    example="the bytes of the file",
    raises=(problems.CONFLICT,),
)
def read_operation_result_as_parquet(call: Call, operation_id: OperationId) -> Answer:
    """The result of an export as Parquet, whole."""
    return _file(call, operation_id, PARQUET)


@ROUTES.get(
    "/operations/{operation_id}/events",
    right=SEE,
    of_primary=True,
    answer=str,
    media_type="text/event-stream",
    example="event: progress\ndata: {}\n\n",
)
def follow_operation(call: Call, operation_id: OperationId) -> Answer:
    """Its progress as server-sent events: `progress` with the operation whenever something of it changed, and `end` as the last one.

    A stream that lasts longer than `CUSTOM_EVENTS_OPERATION_EVENTS_S` ends without `end`: ask again, as browsers do."""
    first = _seen(call, operation_id)
    engine, limit_s = call.engine, call.settings.operation_events_s

    def look() -> tuple[bytes, bool]:
        with engine.connect() as connection:
            now = operations.get(connection, first.id)
        return msgspec.json.encode(shown(now)), now.state.has_ended

    stream: AsyncIterator[bytes] = events(look, limit_s=limit_s)
    return Answer(stream=stream, headers={"X-Accel-Buffering": "no"})  # a proxy hands on what it has


def under_way(operation: operations.LongOperation) -> Answer:
    """The answer to whoever asked for it."""
    return Answer(content=shown(operation), status=202, location=_path(operation))


def shown(operation: operations.LongOperation) -> LongOperation:
    """An operation as the API shows it."""
    result = None
    if operation.result_type is not None:
        result = f"{_path(operation)}/{operations.RESULT_NAMES[operation.result_type]}"
    return LongOperation(
        id=operation.id,
        kind=operation.kind,
        state=operation.state,
        sites=len(operation.site_ids) if operation.site_ids is not None else None,
        site_ids=(operation.site_ids or ())[:SHOWN_SITES],
        asked_by=operation.asked_by,
        definition_key=operation.request.get("definition"),
        definition_number=operation.request.get("definition_number"),
        unit=operation.unit,
        done=operation.done,
        total=operation.total,
        cancel_asked_at=operation.cancel_asked_at,
        problem=_problem(operation.problem, operation.request_id or "") if operation.problem is not None else None,
        result=result,
        created_at=operation.created_at,
        started_at=operation.started_at,
        ended_at=operation.ended_at,
        expires_at=operation.expires_at if operation.state.has_ended else None,
    )


def _file(call: Call, operation_id: int, media_type: str) -> Answer:
    """The result as a file, with its digest."""
    operation = _seen(call, operation_id)
    operations.check_result(operation, media_type)
    suffix = operations.RESULT_NAMES[media_type].partition(".")[2]
    headers = {
        "Content-Disposition": f'attachment; filename="{operation.request.get("name", operation.kind)}-{operation.id}.{suffix}"',
        "Content-Digest": content_digest(operations.result_digest(call.engine, operation)),
    }
    return Answer(stream=operations.result_parts(call.engine, operation), headers=headers)


def _seen(call: Call, operation_id: int) -> operations.LongOperation:
    return operations.get(call.connection, operation_id, caller=call.caller)


def _path(operation: operations.LongOperation) -> str:
    return f"{PREFIX}/operations/{operation.id}"


def _problem(kept: Mapping[str, Any], request_id: str) -> Problem:
    """What an operation keeps of an error, as a problem document."""
    errors: Sequence[Mapping[str, str]] = kept["errors"]
    problem = ProblemError(
        _OF_ERROR.get(kept["kind"], problems.CONFLICT),
        kept["detail"],
        errors=tuple(
            FieldError(field=error["field"], problem=error["problem"], remedy=error["remedy"]) for error in errors
        ),
    )
    return problem.document(request_id)


def _wrapped(kind: str, parts: Iterator[bytes]) -> Iterator[bytes]:
    yield f'{{"{kind}":'.encode()
    yield from parts
    yield b"}"
