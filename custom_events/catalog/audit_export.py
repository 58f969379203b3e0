"""The audit trail as CSV, page by page, so that its length costs no memory."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import sqlalchemy as sa

from custom_events.catalog import audit
from custom_events.catalog.audit import Entry, Filter

PAGE: Final = 500  # entries read at once
COLUMNS: Final = Entry.__struct_fields__
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def lines(engine: sa.Engine, chosen: Filter) -> Iterator[bytes]:
    """The header and every entry that `chosen` describes, newest first; each page in a transaction of its own."""
    yield _csv([COLUMNS])
    before_id: int | None = None
    while True:
        with engine.connect() as connection:
            entries = audit.search(connection, chosen, before_id=before_id, limit=PAGE)
        if not entries:
            return
        yield _csv(_row(entry) for entry in entries)
        before_id = entries[-1].id


def text_of(entries: Sequence[Entry]) -> str:
    """These entries with the header, as one text."""
    return _csv([COLUMNS, *(_row(entry) for entry in entries)]).decode()


def _row(entry: Entry) -> list[str]:
    return [_cell(getattr(entry, name)) for name in COLUMNS]


def _cell(value: object) -> str:
    """As text; what a spreadsheet would take for a formula begins with an apostrophe."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode().strip('"')
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv(rows: "Iterator[Sequence[str]] | Sequence[Sequence[str]]") -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()
