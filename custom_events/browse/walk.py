"""Rows of a list from a place on, at a cost that no history raises: one stretch of time after the other, each longer than the one before,
and of each at most SCANNED rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from custom_events.browse.pages import NEWEST, OLDEST, Page, Place, Row, checked_limit, cursor_of, place_of
from custom_events.queries import lists as sql
from custom_events.values.numbers import MAX_ID
from custom_events.values.time_order import TimeOrder

# Rows that a page reads of one stretch of time in search of those that fit: about 500 pages of the ledger, 5 ms.
SCANNED: Final = 10_000
STRETCH: Final = timedelta(days=31)  # a month's partition, or five of a week
# The first stretch reaches so far at least: else a page that begins early (or late) in a month would look twice, where others look once.
LEAST: Final = timedelta(days=14)
DOUBLINGS: Final = 5  # 31 days, 62 ... 992: more than three in five years; then everything before (or after)
_LONGEST: Final = LEAST + STRETCH * 2**DOUBLINGS
_INSTANT: Final = timedelta(microseconds=1)  # PostgreSQL's


class Wanted(NamedTuple):
    """What a list shows: rows that an index finds (`lead`), and of those the ones that fit (`rest`). `is_few`: the index finds so few that
    all are read."""

    listed: sql.Listed
    lead: Sequence[str] = ()
    rest: Sequence[str] = ()
    values: Mapping[str, Any] = {}
    is_few: bool = False


class Span(NamedTuple):
    """The part of a list that is read, in its order: after `place`, from `since` until `last`, both inclusive."""

    order: TimeOrder
    place: Place
    since: datetime
    last: datetime

    @property
    def is_newest_first(self) -> bool:
        """Whether the next rows are older ones."""
        return self.order is TimeOrder.NEWEST

    @property
    def bounds(self) -> dict[str, Any]:
        """The values of the statements' parameters for all of it."""
        if self.is_newest_first:
            return {"since": self.since, "at": self.place.at, "id": self.place.id}
        return {"since": self.place.at, "at": self.last, "id": self.place.id}


class Walked(NamedTuple):
    """Rows found, and the place after which there may be more; None: there are none."""

    rows: Sequence[sa.RowMapping]
    following: Place | None
    is_short: bool = False  # it stopped because it had read enough, not because it had found enough


def page_of(
    connection: sa.Connection,
    wanted: Wanted,
    row_of: Callable[[sa.RowMapping], Row],
    *,
    now: datetime,
    cursor: str | None,
    limit: int,
    since: datetime | None,
    until: datetime | None,
    order: TimeOrder,
) -> Page[Row]:
    """The page that a cursor names. Raises InvalidConfiguration."""
    limit, span = checked_limit(limit), span_of(place_of(cursor, order), since, until, order)
    walked = walk(connection, wanted, span, limit=limit, now=now)
    return Page(
        rows=tuple(row_of(row) for row in walked.rows),
        next_cursor=None if walked.following is None else cursor_of(walked.following),
        searched_until=walked.following.at if walked.is_short and walked.following is not None else None,
    )


def walk(connection: sa.Connection, wanted: Wanted, span: Span, *, limit: int, now: datetime) -> Walked:
    """At most `limit` rows of a span, in its order."""
    if wanted.is_few:
        statement = sql.few(wanted.listed, wanted.lead, wanted.rest, span.order)
        values = {**wanted.values, **span.bounds, "rows": limit + 1}
        return cut(connection.execute(statement, values).mappings().all(), wanted.listed, limit)
    page = sql.page(wanted.listed, wanted.lead, wanted.rest, span.order)
    end = sql.end(wanted.listed, wanted.lead, span.order)
    rows: list[sa.RowMapping] = []
    for stretch in stretches(span, now):
        read = {**wanted.values, **stretch.bounds, "scan": SCANNED}
        rows += connection.execute(page, {**read, "rows": limit + 1 - len(rows)}).mappings().all()
        if len(rows) > limit:
            return cut(rows, wanted.listed, limit)
        last = connection.execute(end, _named(end, read)).one_or_none() if wanted.rest else None
        if last is not None:
            return Walked(rows, Place(last.at, last.id), is_short=True)
    return Walked(rows, None)


def cut(rows: Sequence[sa.RowMapping], listed: sql.Listed, limit: int) -> Walked:
    """One row more than asked for says that there are more."""
    if len(rows) <= limit:
        return Walked(rows, None)
    last = rows[limit - 1]
    return Walked(rows[:limit], Place(last[listed.time], last[listed.id]))


def span_of(place: Place, since: datetime | None, until: datetime | None, order: TimeOrder) -> Span:
    """What follows a place, from `since` (inclusive) until `until` (exclusive), in this order."""
    first, last = since or OLDEST, NEWEST.at if until is None else until - _INSTANT
    if order is TimeOrder.NEWEST:
        place = place if until is None or until > place.at else Place(last, MAX_ID)
    elif first > place.at:
        place = Place(first, 0)
    return Span(order, place, first, last)


def stretches(span: Span, now: datetime) -> Iterator[Span]:
    """A span in parts, each longer than the one before."""
    place = span.place
    if span.is_newest_first:
        for floor in _floors(min(place.at, now), span.since):
            yield span._replace(place=place, since=floor)
            if floor > OLDEST:
                place = Place(floor - _INSTANT, MAX_ID)
        return
    for ceiling in _ceilings(place.at, now):
        if ceiling > span.last:
            break
        yield span._replace(place=place, last=ceiling - _INSTANT)
        place = Place(ceiling, 0)
    yield span._replace(place=place)


def _floors(at: datetime, since: datetime) -> Iterator[datetime]:
    """Where each stretch begins, from `at` back to `since`: at the beginning of a month, as partitions do."""
    for doubled in range(DOUBLINGS + 1 if at > OLDEST + _LONGEST else 0):
        floor = _month(at - LEAST - STRETCH * (2**doubled - 1))
        if floor <= since:
            break
        yield floor
    yield since


def _ceilings(at: datetime, now: datetime) -> Iterator[datetime]:
    """Where each stretch but the last ends, from `at` on as far as now: at the beginning of a month. Everything that is too long ago for
    stretches is the first one: where a history begins nobody knows."""
    begin = max(at, now - _LONGEST)
    if begin > at:
        yield _month(begin)
    for doubled in range(DOUBLINGS + 1):
        ceiling = _month(begin + LEAST + STRETCH * 2**doubled)
        if ceiling > now:
            break
        yield ceiling


def _month(at: datetime) -> datetime:
    """When the month began."""
    return datetime.combine(at.astimezone(UTC).date().replace(day=1), time(), UTC)


def _named(statement: sa.TextClause, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a statement names."""
    return {name: value for name, value in values.items() if f":{name}" in statement.text}
