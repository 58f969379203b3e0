"""Lists as CSV, whole: written part by part into the operation's result, so that their length costs no memory and no request's time."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec
import sqlalchemy as sa

from custom_events.browse.pages import MOST_ROWS
from custom_events.browse.uploads import UploadFilter, UploadRow, uploads
from custom_events.catalog import audit_export
from custom_events.catalog.audit import Filter
from custom_events.catalog.bulk import csv_files
from custom_events.operations.operation import CSV
from custom_events.operations.work import Ending, Work
from custom_events.values import csv_lines

EXPORT: Final = "export"
UNIT: Final = "rows"

List = Literal["assignments", "audit_entries", "uploads"]


class ExportRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which list, and what of it. `only`: the sites that may be seen (None: all); `name`: of the file; the rest as the lists take it."""

    name: List
    only: tuple[int, ...] | None = None
    site_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    actor: str | None = None
    action: str | None = None
    state: str | None = None
    reason: str | None = None
    definition_key: str | None = None


def run_export(work: Work) -> Ending:
    """Write the list. Taken up again after its worker died it begins at the first row."""
    asked = msgspec.convert(work.operation.request, ExportRequest)
    written = -1  # the header is no row
    for lines in _LISTS[asked.name](work.engine, asked):
        work.check()
        work.part(lines)
        written += lines.count(b"\r\n")
        work.progress(written, None, UNIT)
    work.progress(written, written, UNIT)
    return Ending(result_type=CSV)


def _assignments(engine: sa.Engine, asked: ExportRequest) -> Iterator[bytes]:
    chosen = {"site_id": asked.site_id, "definition_key": asked.definition_key}
    return csv_files.lines(engine, only=asked.only, **chosen)


def _audit_entries(engine: sa.Engine, asked: ExportRequest) -> Iterator[bytes]:
    chosen = Filter(
        site_id=asked.site_id,
        since=asked.since,
        until=asked.until,
        actor=asked.actor,
        action=asked.action,
        only=asked.only,
    )
    return audit_export.lines(engine, chosen)


def _uploads(engine: sa.Engine, asked: ExportRequest) -> Iterator[bytes]:
    """Newest first; of several sites one after the other."""
    yield csv_lines.encode([UploadRow.__struct_fields__])
    now = datetime.now(UTC)
    sites: Sequence[int | None] = [asked.site_id] if asked.site_id is not None else asked.only or [None]
    for site_id in sites:
        wanted = UploadFilter(
            site_id=site_id, since=asked.since, until=asked.until, state=asked.state, reason=asked.reason
        )
        cursor: str | None = None
        while True:
            with engine.connect() as connection:
                page = uploads(connection, wanted, now=now, cursor=cursor, limit=MOST_ROWS)
            if page.rows:
                yield csv_lines.encode(_values(row) for row in page.rows)
            cursor = page.next_cursor
            if cursor is None:
                break


def _values(row: UploadRow) -> tuple[Any, ...]:
    return msgspec.structs.astuple(row)


_LISTS: Final = {"assignments": _assignments, "audit_entries": _audit_entries, "uploads": _uploads}
