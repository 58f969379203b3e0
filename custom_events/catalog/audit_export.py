"""The audit trail as CSV, page by page, so that its length costs no memory."""

from collections.abc import Iterator, Sequence
from typing import Final

import sqlalchemy as sa

from custom_events.catalog import audit
from custom_events.catalog.audit import Entry, Filter
from custom_events.queries.keyset import After
from custom_events.values import csv_lines

PAGE: Final = 500  # entries read at once
COLUMNS: Final = Entry.__struct_fields__


def lines(engine: sa.Engine, chosen: Filter) -> Iterator[bytes]:
    """The header and every entry that `chosen` describes, newest first; each page in a transaction of its own."""
    yield csv_lines.encode([COLUMNS])
    for page in rows(engine, chosen):
        yield csv_lines.encode(page)


def rows(engine: sa.Engine, chosen: Filter) -> Iterator[list[tuple[object, ...]]]:
    """The same entries as rows of values, page by page."""
    after: After | None = None
    while True:
        with engine.connect() as connection:
            entries = audit.search(connection, chosen, after=after, limit=PAGE)
        if not entries:
            return
        yield [_row(entry) for entry in entries]
        after = (entries[-1].id,)


def text_of(entries: Sequence[Entry]) -> str:
    """These entries with the header, as one text."""
    return csv_lines.encode([COLUMNS, *(_row(entry) for entry in entries)]).decode()


def _row(entry: Entry) -> tuple[object, ...]:
    return tuple(getattr(entry, name) for name in COLUMNS)
