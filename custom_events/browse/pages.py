"""A page of a list, and the place in the list after which the next one begins.

A cursor is text that callers hand back as it is. It names a row's place (its time and number) and nothing of the filters, so that it stays
right whatever is added meanwhile, and page 1,000 is found as page 1 is.
"""

from datetime import UTC, datetime
from typing import Final, Generic, TypeVar

import msgspec

from custom_events.errors import InvalidConfiguration
from custom_events.values import cursors
from custom_events.values.numbers import MAX_ID
from custom_events.values.time_order import TimeOrder

ROWS: Final = 50  # rows of a page, unless asked otherwise
MOST_ROWS: Final = 500  # of one page: more is an export

Row = TypeVar("Row")


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a row stands in a list: its time, and its number among those of the same time."""

    at: datetime
    id: int


NEWEST: Final = Place(datetime.max.replace(tzinfo=UTC), MAX_ID)
OLDEST: Final = datetime.min.replace(tzinfo=UTC)
_BEGINNINGS: Final = {TimeOrder.NEWEST: NEWEST, TimeOrder.OLDEST: Place(OLDEST, 0)}  # numbers begin at 1


class Page(msgspec.Struct, Generic[Row], frozen=True, kw_only=True):
    """Rows, in the order of the list. `next_cursor`: where the next page begins, None at the list's end; a page may have fewer rows than asked for, or
    none, and go on all the same: then `searched_until` says how far it looked. `total`: rows of the whole list, where a tally knows
    it; else None."""

    rows: tuple[Row, ...]
    next_cursor: str | None = None
    searched_until: datetime | None = None
    total: int | None = None


def cursor_of(place: Place) -> str:
    """A place as text for addresses."""
    return cursors.encode(place)


def place_of(cursor: str | None, order: TimeOrder = TimeOrder.NEWEST) -> Place:
    """The place that a cursor names; without one, before the first row of the list. Raises InvalidConfiguration."""
    if cursor is None:
        return _BEGINNINGS[order]
    try:
        place: Place | None = cursors.decode(cursor, Place)
    except ValueError:
        place = None
    if place is None or place.at.tzinfo is None or not 0 <= place.id <= MAX_ID:
        raise InvalidConfiguration(
            f"{cursor[:80]!r} is no cursor: hand back `next_cursor` of a page as it is, or leave it out for the first page",
            path="cursor",
        )
    return place


def checked_limit(limit: int) -> int:
    """The number of rows of a page. Raises InvalidConfiguration."""
    if not 1 <= limit <= MOST_ROWS:
        raise InvalidConfiguration(f"{limit} is not from 1 to {MOST_ROWS}", path="limit")
    return limit
