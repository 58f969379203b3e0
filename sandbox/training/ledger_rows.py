"""Which orders exercises ask about: the newest rows of the ledger that fit, and an order's whole way."""

from collections.abc import Iterator
from typing import Final

from custom_events.browse.uploads import UploadFilter, UploadRow, uploads
from custom_events.catalog import sites
from custom_events.errors import NeedsAction
from custom_events.explain.find import explain_sync
from custom_events.explain.trace import Trace, Upload
from sandbox.training.exercises import Lesson

PAGES: Final = 20  # that are looked through for a row of an order: a thousand rows
RUN_THE_DEMO: Final = "`make demo` makes the data that the courses are about."


def newest_of_order(lesson: Lesson, *filters: UploadFilter) -> tuple[UploadRow, str]:
    """The newest row of an order that the first of the filters finds, with its site's key. Raises NeedsAction where there is none."""
    for chosen in filters:
        row = next((row for row in _rows(lesson, chosen) if row.order_id is not None), None)
        if row is not None:
            with lesson.engine.connect() as connection:
                return row, sites.get(connection, row.site_id).site_key
    raise NeedsAction(f"No conversion here is of the kind that this exercise is about. {RUN_THE_DEMO}")


def trace_of(lesson: Lesson, row: UploadRow) -> Trace:
    """The way of the row's order, as `custom-events explain` tells it."""
    return explain_sync(lesson.url, str(row.order_id), site_id=row.site_id)


def uploads_of(trace: Trace) -> Iterator[Upload]:
    """Every row of the ledger that an explanation shows."""
    for event in trace.events:
        for decision in event.decisions:
            for occurred in decision.custom_events:
                yield from occurred.uploads


def _rows(lesson: Lesson, chosen: UploadFilter) -> Iterator[UploadRow]:
    cursor: str | None = None
    with lesson.engine.connect() as connection:
        for _ in range(PAGES):
            page = uploads(connection, chosen, now=lesson.now, cursor=cursor)
            yield from page.rows
            if (cursor := page.next_cursor) is None:
                return
