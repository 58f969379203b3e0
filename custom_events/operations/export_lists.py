"""The lists that can be exported: their columns, what narrows them, and their rows, page by page."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
import sqlalchemy as sa

from custom_events.browse.commerce_events import CommerceEventFilter, CommerceEventRow, commerce_events
from custom_events.browse.custom_events import CustomEventFilter, CustomEventRow, custom_events
from custom_events.browse.pages import MOST_ROWS
from custom_events.browse.raw_events import RawEventFilter, RawEventRow, raw_events
from custom_events.browse.refused_events import RefusedEventFilter, RefusedEventRow, refused_events
from custom_events.browse.uploads import UploadFilter, UploadRow, uploads
from custom_events.catalog import audit_export
from custom_events.catalog.audit import Entry, Filter
from custom_events.catalog.bulk import csv_files
from custom_events.report_files.columns import columns_of
from custom_events.report_files.table import ReportColumn

List = Literal[
    "assignments", "audit_entries", "commerce_events", "custom_events", "raw_events", "refused_events", "uploads"
]
Format = Literal["csv", "xlsx", "parquet"]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Rows = Iterator[Sequence[tuple[Any, ...]]]
_OF_ASSIGNMENTS: Final = (
    "definition_key",
    "label",
    "active",
    "published",
    "has_overrides",
    "overridden",
    "ads_account",
)
_OF_AUDIT_ENTRIES: Final = ("subject", "actor", "action", "noun", "request_id", "since", "until")


class ExportFilters(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What narrows a list, as the lists take it."""

    site_id: int | None = None
    since: Moment | None = None
    until: Moment | None = None
    search: str | None = None
    subject: str | None = None
    actor: str | None = None
    action: str | None = None
    noun: str | None = None
    request_id: str | None = None
    state: str | None = None
    reason: str | None = None
    kind: str | None = None
    type: str | None = None
    outcome: str | None = None
    topic: str | None = None
    platform: str | None = None
    is_undone: bool | None = None
    order_id: str | None = None
    customer_key: str | None = None
    account_id: int | None = None
    action_id: int | None = None
    assignment_id: int | None = None
    definition_id: int | None = None
    definition_key: str | None = None
    label: str | None = None
    active: bool | None = None
    published: bool | None = None
    has_overrides: bool | None = None
    overridden: str | None = None
    ads_account: str | None = None


class ExportRequest(ExportFilters, frozen=True, kw_only=True, omit_defaults=True):
    """Which list, by its `name`, in which format, and what of it. `only`: the sites that may be seen (None: all)."""

    name: List
    format: Format = "csv"
    only: tuple[int, ...] | None = None


class ExportList(NamedTuple):
    """A list. `filters`: the fields of a request that narrow it, beside its site."""

    columns: tuple[ReportColumn, ...]
    filters: tuple[str, ...]
    rows: Callable[[sa.Engine, ExportRequest], Rows]


def _assignments(engine: sa.Engine, request: ExportRequest) -> Rows:
    chosen = {name: getattr(request, name) for name in _OF_ASSIGNMENTS}
    return csv_files.rows(engine, only=request.only, site_id=request.site_id, text=request.search, **chosen)


def _audit_entries(engine: sa.Engine, request: ExportRequest) -> Rows:
    chosen = {name: getattr(request, name) for name in _OF_AUDIT_ENTRIES}
    return audit_export.rows(engine, Filter(text=request.search, site_id=request.site_id, only=request.only, **chosen))


def _browsed(read: Callable[..., Any], chosen: type[Any], row: type[msgspec.Struct]) -> ExportList:
    """A list of `browse`, newest first; of several sites one after the other."""
    filters = tuple(name for name in chosen.__struct_fields__ if name in ExportFilters.__struct_fields__)

    def rows(engine: sa.Engine, request: ExportRequest) -> Rows:
        now = datetime.now(UTC)
        # None at all is not all of them.
        allowed: Sequence[int | None] = [None] if request.only is None else request.only
        sites = [request.site_id] if request.site_id is not None else allowed
        values = {name: getattr(request, name) for name in filters}
        for site_id in sites:
            of_site = chosen(**{**values, "site_id": site_id})
            cursor: str | None = None
            while True:
                with engine.connect() as connection:
                    page = read(connection, of_site, now=now, cursor=cursor, limit=MOST_ROWS)
                if page.rows:
                    yield [msgspec.structs.astuple(row) for row in page.rows]
                cursor = page.next_cursor
                if cursor is None:
                    break

    return ExportList(columns_of(row), tuple(name for name in filters if name != "site_id"), rows)


LISTS: Final[dict[List, ExportList]] = {
    "assignments": ExportList(
        (
            ReportColumn("site_id", "Site id", "id"),
            *(ReportColumn(name, name.replace("_", " ").capitalize(), "text") for name in csv_files.COLUMNS[1:]),
        ),
        ("search", *_OF_ASSIGNMENTS),
        _assignments,
    ),
    "audit_entries": ExportList(columns_of(Entry), ("search", *_OF_AUDIT_ENTRIES), _audit_entries),
    "commerce_events": _browsed(commerce_events, CommerceEventFilter, CommerceEventRow),
    "custom_events": _browsed(custom_events, CustomEventFilter, CustomEventRow),
    "raw_events": _browsed(raw_events, RawEventFilter, RawEventRow),
    "refused_events": _browsed(refused_events, RefusedEventFilter, RefusedEventRow),
    "uploads": _browsed(uploads, UploadFilter, UploadRow),
}
