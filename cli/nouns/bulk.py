"""Bulk changes of assignments: tried, done, undone; from CSV and to it."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, Protocol

import msgspec
import sqlalchemy as sa

from cli.session import connected, prepared, server
from custom_events.catalog import sites
from custom_events.catalog.bulk import changes, choosing, csv_files
from custom_events.catalog.bulk.outcomes import BulkResult, RowOutcome, RowsFailedError
from custom_events.catalog.bulk.requests import Allowed, BulkAction, PreparedChange
from custom_events.errors import NeedsAction
from custom_events.operations import bulk_changes

EVERYWHERE: Final = Allowed(viewer=None, editor=None, publisher=None)  # whoever has the database may all
PAGE: Final = 500  # bulk changes, or rows of one, read at once

Tell = Callable[[int, int], None]


class How(msgspec.Struct, frozen=True, kw_only=True):
    """All rows or none, or each by itself; tried or done; why."""

    all_or_nothing: bool = True
    is_dry_run: bool = False
    reason: str = ""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A bulk change of the last 30 days. `undoes` and `undone_by`: other ones; `ended_at` None: it is under way, or was ended before its
    last row."""

    id: int
    undoes: int | None
    undone_by: int | None
    all_or_nothing: bool
    asked_by: str
    reason: str
    sites: int
    rows: int
    is_under_way: bool
    ended_at: datetime | None
    created_at: datetime


class Bulk(Protocol):
    """What verbs ask of bulk changes. Raises NeedsAction, naming each value, for what cannot be asked, and where all or nothing was asked
    for and rows failed; NotFound for unknown sites and bulk changes."""

    def site_id(self, name: str) -> int: ...
    def do(self, action: BulkAction, how: How) -> BulkResult: ...
    def bring_in(self, text: str, how: How) -> BulkResult: ...
    def undo(self, number: int, how: How) -> BulkResult: ...
    def every(self) -> Iterator[Kept]: ...
    def rows(self, number: int) -> list[RowOutcome]: ...
    def export(self, **chosen: Any) -> Iterator[bytes]: ...


class LocalBulk:
    """By the services, on the database beside us."""

    def __init__(self, engine: sa.Engine, author: str, tell: Tell) -> None:
        self.engine, self.author, self.tell = engine, author, tell

    def site_id(self, name: str) -> int:
        """The id of the site of this name."""
        with self.engine.connect() as connection:
            return sites.called(connection, name).id

    def do(self, action: BulkAction, how: How) -> BulkResult:
        """One action."""
        with self.engine.connect() as connection:
            prepared = choosing.prepare(connection, [action], EVERYWHERE, **_asked(how))
        return self._done(prepared)

    def bring_in(self, text: str, how: How) -> BulkResult:
        """Assignments as the lines of a file say."""
        with self.engine.connect() as connection:
            prepared = csv_files.prepare(connection, text, EVERYWHERE, **_asked(how))
        return self._done(prepared)

    def undo(self, number: int, how: How) -> BulkResult:
        """What applied before applies again."""
        with self.engine.connect() as connection:
            prepared = changes.prepare_undo(connection, changes.get(connection, number), **_asked(how))
        return self._done(prepared)

    def every(self) -> Iterator[Kept]:
        """Those that are kept, the newest first."""
        before: int | None = None
        while True:
            with self.engine.connect() as connection:
                page = changes.search(connection, only=None, before_id=before, limit=PAGE)
            for kept in page:
                before = kept.id
                yield msgspec.convert({**msgspec.structs.asdict(kept), "sites": len(kept.site_ids)}, Kept)
            if len(page) < PAGE:
                return

    def rows(self, number: int) -> list[RowOutcome]:
        """What became of its rows."""
        with self.engine.connect() as connection:
            return changes.all_rows_of(connection, changes.get(connection, number).id)

    def export(self, **chosen: Any) -> Iterator[bytes]:
        """The assignments that are chosen, as CSV."""
        return csv_files.lines(self.engine, only=None, **chosen)

    def _done(self, prepared: PreparedChange) -> BulkResult:
        try:
            return bulk_changes.do_here(self.engine, prepared, EVERYWHERE, self.author, self.tell)
        except RowsFailedError as error:
            lines = [f"  {fault.path}: {fault.wrong}; {fault.right}" for fault in error.faults]
            raise NeedsAction("\n".join([f"{error.sentence}.", *lines])) from None


@contextmanager
def opened(author: str = "", tell: Tell = lambda _done, _total: None) -> Generator[Bulk]:
    """Where --server says, else beside the database; `tell` hears there how far it is."""
    if (asked := server()) is not None:
        from cli.afar.bulk import RemoteBulk

        yield RemoteBulk(asked)
        return
    with connected(prepared()) as engine:
        yield LocalBulk(engine, author, tell)


def _asked(how: How) -> dict[str, Any]:
    return msgspec.structs.asdict(how)
