"""Rows of a list from a place on, at a cost that no history raises: one stretch of time after the other, each longer than the one before,
and of each at most SCANNED rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from custom_events.browse.pages import NEWEST, OLDEST, Page, Place, Row, checked_limit, cursor_of, place_of
from custom_events.queries import lists as sql
from custom_events.values.numbers import MAX_ID

# Rows that a page reads of one stretch of time in search of those that fit: about 500 pages of the ledger, 5 ms.
SCANNED: Final = 10_000
STRETCH: Final = timedelta(days=31)  # a month's partition, or five of a week
# The first stretch reaches so far back at least: else a page that begins early in a month would look twice, where others look once.
LEAST: Final = timedelta(days=14)
DOUBLINGS: Final = 5  # 31 days, 62 ... 992: more than three in five years; then everything before
_INSTANT: Final = timedelta(microseconds=1)  # PostgreSQL's


class Wanted(NamedTuple):
    """What a list shows: rows that an index finds (`lead`), and of those the ones that fit (`rest`). `is_few`: the index finds so few that
    all are read."""

    listed: sql.Listed
    lead: Sequence[str] = ()
    rest: Sequence[str] = ()
    values: Mapping[str, Any] = {}
    is_few: bool = False


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
) -> Page[Row]:
    """The page that a cursor names. Raises InvalidConfiguration."""
    limit, place = checked_limit(limit), before(place_of(cursor), until)
    walked = walk(connection, wanted, place, limit=limit, now=now, since=since or OLDEST)
    return Page(
        rows=tuple(row_of(row) for row in walked.rows),
        next_cursor=None if walked.following is None else cursor_of(walked.following),
        searched_until=walked.following.at if walked.is_short and walked.following is not None else None,
    )


def walk(
    connection: sa.Connection, wanted: Wanted, place: Place, *, limit: int, now: datetime, since: datetime = OLDEST
) -> Walked:
    """At most `limit` rows after `place`, newest first, none older than `since`."""
    if wanted.is_few:
        statement = sql.few(wanted.listed, wanted.lead, wanted.rest)
        values = {**wanted.values, "since": since, "at": place.at, "id": place.id, "rows": limit + 1}
        return cut(connection.execute(statement, values).mappings().all(), wanted.listed, limit)
    page, end = sql.page(wanted.listed, wanted.lead, wanted.rest), sql.end(wanted.listed, wanted.lead)
    rows: list[sa.RowMapping] = []
    for floor in _floors(min(place.at, now), since):
        read = {**wanted.values, "since": floor, "at": place.at, "id": place.id, "scan": SCANNED}
        rows += connection.execute(page, {**read, "rows": limit + 1 - len(rows)}).mappings().all()
        if len(rows) > limit:
            return cut(rows, wanted.listed, limit)
        last = connection.execute(end, _named(end, read)).one_or_none() if wanted.rest else None
        if last is not None:
            return Walked(rows, Place(last.at, last.id), is_short=True)
        if floor > OLDEST:
            place = Place(floor - _INSTANT, MAX_ID)
    return Walked(rows, None)


def cut(rows: Sequence[sa.RowMapping], listed: sql.Listed, limit: int) -> Walked:
    """One row more than asked for says that there are more."""
    if len(rows) <= limit:
        return Walked(rows, None)
    last = rows[limit - 1]
    return Walked(rows[:limit], Place(last[listed.time], last[listed.id]))


def before(place: Place, until: datetime | None) -> Place:
    """The place, or the first one before `until` (exclusive) where that is older."""
    if until is None or until > place.at:
        return place
    return Place(until - _INSTANT, NEWEST.id)


def _floors(at: datetime, since: datetime) -> Iterator[datetime]:
    """Where each stretch begins, from `at` back to `since`: at the beginning of a month, as partitions do."""
    longest = LEAST + STRETCH * 2**DOUBLINGS
    for doubled in range(DOUBLINGS + 1 if at > OLDEST + longest else 0):
        day = (at - LEAST - STRETCH * (2**doubled - 1)).astimezone(UTC).date().replace(day=1)
        floor = datetime.combine(day, time(), UTC)
        if floor <= since:
            break
        yield floor
    yield since


def _named(statement: sa.TextClause, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a statement names."""
    return {name: value for name, value in values.items() if f":{name}" in statement.text}
