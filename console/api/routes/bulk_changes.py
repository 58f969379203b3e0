"""Bulk changes of assignments: tried, done at once or as an operation, looked at, undone; from CSV and to it."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import Path, Query

from console.api import problems
from console.api.calls import Answer, Call, forbidden
from console.api.operations import Routes
from console.api.pages import LIMIT, After, Limit, Page, page_of, read_after
from console.api.parameters import LONGEST_SEARCH, OfSite, Search
from console.api.rights import of_some_site
from console.api.routes import operations as shown_operations
from console.api.routes.assignments import OfAdsAccount, Overridden, Published
from console.api.routes.operations import OperationId, under_way
from custom_events.access.roles import Role
from custom_events.catalog.bulk import changes, choosing, csv_files
from custom_events.catalog.bulk.outcomes import BulkResult, RowCounts, RowOutcome, Word
from custom_events.catalog.bulk.requests import Action, Allowed, BulkAction, PreparedChange, SiteFilter
from custom_events.operations import bulk_changes, operation
from custom_events.values.definitions import Overrides
from custom_events.values.numbers import MAX_ID

ROUTES: Final = Routes("bulk changes", "Many assignments changed at once, tried before, undone afterwards.")
AT_ONCE: Final = (
    50  # rows that are done before the answer: one or two seconds (32 statements a row); more are an operation
)
_NEWEST: Final = "-id"

Mode = Literal["all_or_nothing", "row_by_row"]
BulkChangeId = Annotated[int, Path(ge=1, le=MAX_ID, description="A bulk change's id.")]


class NewBulkChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Actions, done in their order. `mode`: all rows or, where one fails, none; or each by itself. `dry_run`: what became of each row is
    told, and nothing is changed."""

    actions: tuple[BulkAction, ...]
    mode: Mode = "all_or_nothing"
    dry_run: bool = False
    reason: str = ""


class BulkImport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A file as `assignments.csv` gives it, as one text: site_id, definition_key and label say which assignment; is_active,
    is_published and overrides (JSON) how it shall be. One that is not there is made; what is not in the file stays."""

    csv: str
    mode: Mode = "all_or_nothing"
    dry_run: bool = False
    reason: str = ""


class Undo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a bulk change is undone."""

    mode: Mode = "all_or_nothing"
    dry_run: bool = False
    reason: str = ""


class Applying(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How what was tried is done. `reason` left out: the one that was given when it was tried."""

    mode: Mode = "all_or_nothing"
    reason: str = ""


class BulkChange(msgspec.Struct, frozen=True, kw_only=True):
    """A bulk change. `sites`: about how many it is, and `site_ids` the first 100 of them; `rows`: how many it has; `undoes` and
    `undone_by`: other bulk changes; `ended_at` null: it is under way, or was ended before its last row."""

    id: int
    undoes: int | None
    undone_by: int | None
    all_or_nothing: bool
    asked_by: str
    reason: str
    sites: int
    site_ids: tuple[int, ...]
    rows: int
    operation_id: int | None
    is_under_way: bool
    ended_at: datetime | None
    created_at: datetime


_NOON: Final = datetime(2026, 11, 30, 12, tzinfo=UTC)
_ROW: Final = RowOutcome(
    number=0,
    place="actions[0].sites",
    action="assign",
    outcome=Word.MADE,
    site_id=3,
    assignment_id=12,
    definition_key="big_order",
    label="all orders",
    changes=("is_active: added true", "published_number: added 1"),
)
_RESULT: Final = BulkResult(
    bulk_change_id=4,
    is_dry_run=False,
    is_applied=True,
    all_or_nothing=True,
    rows_asked=1,
    counts=RowCounts(made=1),
    rows=(_ROW,),
)
_CHANGE: Final = BulkChange(
    id=4,
    undoes=None,
    undone_by=None,
    all_or_nothing=True,
    asked_by="ana@example.org",
    reason="the new campaign",
    sites=1,
    site_ids=(3,),
    rows=1,
    operation_id=None,
    is_under_way=False,
    ended_at=_NOON,
    created_at=_NOON,
)
_ASSIGN: Final = BulkAction(
    action=Action.ASSIGN,
    sites=SiteFilter(search="shop"),
    definition_key="big_order",
    label="all orders",
    overrides=Overrides(priority=1),
)
_UNDER_WAY: Final = (
    shown_operations.LongOperation,
    msgspec.structs.replace(
        shown_operations.EXAMPLE, kind="bulk_change", unit="rows", done=0, total=500, started_at=None
    ),
)


@ROUTES.post(
    "/bulk-changes",
    right=of_some_site(Role.EDITOR),
    answer=BulkResult,
    example=_RESULT,
    body_example=NewBulkChange(actions=(_ASSIGN,), dry_run=True),
    raises=(problems.CONFLICT,),
    under_way=_UNDER_WAY,
)
def make_bulk_change(call: Call, body: NewBulkChange) -> Answer:
    """Assign a definition to many sites, change, enable, disable or move many assignments, copy a site's whole set to others.

    Each row needs the role that its single change needs: editor for drafts, publisher for what applies at once; what you may not see is
    not there. Up to 50 rows are done before the answer; more are an operation (202), up to 10,000."""
    return _do(call, prepared_of(call, body))


@ROUTES.post(
    "/bulk-changes/import",
    right=of_some_site(Role.EDITOR),
    answer=BulkResult,
    example=msgspec.structs.replace(_RESULT, rows=(msgspec.structs.replace(_ROW, place="lines[2]", action="put"),)),
    body_example=BulkImport(csv="site_id,definition_key,label,overrides\n3,big_order,all orders,{}\n", dry_run=True),
    raises=(problems.CONFLICT,),
    under_way=_UNDER_WAY,
)
def import_assignments(call: Call, body: BulkImport) -> Answer:
    """Assignments from CSV: each line says how an assignment shall be. What is wrong is told line by line."""
    return _do(call, prepared_of(call, body))


@ROUTES.post(
    "/operations/{operation_id}/apply",
    right=of_some_site(Role.EDITOR),
    answer=BulkResult,
    example=_RESULT,
    body_example=Applying(reason="the new campaign"),
    raises=(problems.CONFLICT,),
    under_way=_UNDER_WAY,
)
def apply_dry_run(call: Call, operation_id: OperationId, body: Applying) -> Answer:
    """Do what the operation of this id tried: the rows that it found then, as they are now. Only a dry run of a bulk change that has
    succeeded is applied; each row needs the same roles as before."""
    tried = operation.get(call.connection, operation_id, caller=call.caller)
    prepared = bulk_changes.change_to_apply(tried, all_or_nothing=body.mode == "all_or_nothing", reason=body.reason)
    return _do(call, prepared)


@ROUTES.get(
    "/bulk-changes",
    right=of_some_site(Role.VIEWER),
    answer=Page[BulkChange],
    example=Page(items=(_CHANGE,), next=None),
)
def list_bulk_changes(
    call: Call, *, search: Search = None, limit: Limit = LIMIT, after: After = None
) -> Page[BulkChange]:
    """The bulk changes of the last 30 days that were about sites that you may see, and no others; the newest first.

    `search` finds a part of the reason, or of who asked.
    """
    before = read_after(after, _NEWEST, (int,))
    listed = changes.search(
        call.connection,
        only=call.caller.sites(),
        text=search,
        before_id=None if before is None else before[0],
        limit=limit + 1,
    )
    return page_of(listed, limit, _NEWEST, lambda change: (change.id,), _shown)


@ROUTES.get("/bulk-changes/{bulk_change_id}", right=of_some_site(Role.VIEWER), answer=BulkChange, example=_CHANGE)
def read_bulk_change(call: Call, bulk_change_id: BulkChangeId) -> BulkChange:
    """One bulk change: by whom, why, and whether it was undone."""
    return _shown(changes.get(call.connection, bulk_change_id, only=call.caller.sites()))


@ROUTES.get(
    "/bulk-changes/{bulk_change_id}/rows",
    right=of_some_site(Role.VIEWER),
    answer=Page[RowOutcome],
    example=Page(items=(_ROW,), next=None),
)
def list_bulk_change_rows(
    call: Call, bulk_change_id: BulkChangeId, *, limit: Limit = LIMIT, after: After = None
) -> Page[RowOutcome]:
    """What became of its rows, in their order."""
    change = changes.get(call.connection, bulk_change_id, only=call.caller.sites())
    behind = read_after(after, "number", (int,))
    rows = changes.rows_of(call.connection, change.id, after=-1 if behind is None else behind[0], limit=limit + 1)
    return page_of(rows, limit, "number", lambda row: (row.number,), lambda row: row)


@ROUTES.post(
    "/bulk-changes/{bulk_change_id}/undo",
    right=of_some_site(Role.EDITOR),
    answer=BulkResult,
    example=msgspec.structs.replace(_RESULT, rows=(msgspec.structs.replace(_ROW, place="rows[0]", action="undo"),)),
    body_example=Undo(dry_run=True),
    raises=(problems.CONFLICT,),
    under_way=_UNDER_WAY,
)
def undo_bulk_change(call: Call, bulk_change_id: BulkChangeId, body: Undo) -> Answer:
    """What applied before applies again, as new revisions; what it made is removed, or applies no more. Needs the role publisher on the
    sites of its rows. What was changed since is a row that fails. An undo is a bulk change of its own, and can be undone."""
    change = changes.get(call.connection, bulk_change_id, only=call.caller.sites())
    prepared = changes.prepare_undo(
        call.connection,
        change,
        all_or_nothing=body.mode == "all_or_nothing",
        is_dry_run=body.dry_run,
        reason=body.reason,
    )
    _require_editor(call, prepared)
    return _do(call, prepared)


@ROUTES.get(
    "/assignments.csv",
    right=of_some_site(Role.VIEWER),
    answer=str,
    media_type="text/csv",
    example="site_id,definition_key,label,is_active,is_published,overrides\r\n3,big_order,all orders,true,true,{}\r\n",
)
def export_assignments(
    call: Call,
    *,
    search: Search = None,
    site_id: OfSite = None,
    definition: Annotated[
        str | None, Query(pattern=r"^[a-z][a-z0-9_]{1,62}$", description="Only those of the definition of this key.")
    ] = None,
    label: Annotated[
        str | None, Query(pattern=r"^[^\x00]*$", max_length=LONGEST_SEARCH, description="Only those of this label.")
    ] = None,
    active: Annotated[bool | None, Query(description="Only those that are enabled, or the others.")] = None,
    has_overrides: Annotated[
        bool | None, Query(description="Only those whose newest revision overrides something, or the others.")
    ] = None,
    published: Published = None,
    overridden: Overridden = None,
    ads_account: OfAdsAccount = None,
) -> Answer:
    """The assignments of the sites that you may see, as CSV: what is published of each, or else drafted; to be imported again."""
    lines = csv_files.lines(
        call.engine,
        only=call.caller.sites(),
        text=search,
        site_id=site_id,
        definition_key=definition,
        label=label,
        active=active,
        has_overrides=has_overrides,
        published=published,
        overridden=overridden,
        ads_account=ads_account,
    )
    return Answer(stream=lines, headers={"Content-Disposition": 'attachment; filename="assignments.csv"'})


def prepared_of(call: Call, body: NewBulkChange | BulkImport) -> PreparedChange:
    """The rows that are asked for, of which nothing is done yet. Raises 422 for what is wrong with the request itself."""
    asked: dict[str, Any] = {
        "all_or_nothing": body.mode == "all_or_nothing",
        "is_dry_run": body.dry_run,
        "reason": body.reason,
    }
    if isinstance(body, BulkImport):
        return csv_files.prepare(call.connection, body.csv, _allowed(call), **asked)
    return choosing.prepare(call.connection, body.actions, _allowed(call), **asked)


def tried(call: Call, prepared: PreparedChange) -> BulkResult:
    """What would become of each row of a dry run, within the answer, however many they are."""
    return changes.do_now(call.connection, prepared, _allowed(call), call.actor)


def _shown(change: changes.BulkChange) -> BulkChange:
    fields: dict[str, Any] = {
        **msgspec.structs.asdict(change),
        "site_ids": change.site_ids[: shown_operations.SHOWN_SITES],
    }
    return BulkChange(**fields, sites=len(change.site_ids))


def _allowed(call: Call) -> Allowed:
    return Allowed(
        viewer=call.caller.sites(), editor=call.caller.sites(Role.EDITOR), publisher=call.caller.sites(Role.PUBLISHER)
    )


def _require_editor(call: Call, prepared: PreparedChange) -> None:
    """Raise 403 where the caller may edit nothing on a site of these rows: an undo of which no row can be done is none."""
    editor = call.caller.sites(Role.EDITOR)
    others = () if editor is None else {row.site_id for row in prepared.rows if row.site_id is not None} - editor
    if others:
        raise forbidden(Role.EDITOR, f"site {min(others)}")


def _do(call: Call, prepared: PreparedChange) -> Answer:
    """Do it now, or ask for an operation that does it."""
    allowed = _allowed(call)
    if (
        len(prepared.rows) <= AT_ONCE or not prepared.site_ids
    ):  # of sites that are not there nothing is done: that is quick
        return Answer(content=changes.do_now(call.connection, prepared, allowed, call.actor))
    kept = None if prepared.is_dry_run else changes.begin(call.connection, prepared, call.actor)
    request: dict[str, Any] = bulk_changes.request_of(prepared, allowed, kept)
    made = operation.ask(
        call.connection,
        bulk_changes.BULK_CHANGE,
        request,
        role=Role.EDITOR,
        site_ids=prepared.site_ids,
        actor=call.actor,
        origin=call.origin,
        caller=call.caller,
        needs=Role.PUBLISHER,  # its rows were sorted by what whoever asked might on each site
        unit=bulk_changes.UNIT,
        total=len(prepared.rows),
    )
    if kept is not None:
        changes.belongs_to(call.connection, kept, made.id)
    return under_way(made)
