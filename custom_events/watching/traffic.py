"""Traffic of stores and of lanes to ad platforms: whole hours are counted once, and what is quiet by the law of `quiet.py` is kept."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.queries import traffic as sql
from custom_events.values.zones import zone_or_utc
from custom_events.watching.quiet import HOUR, KEPT, Hour, Quiet, quiet

SETTLED_AFTER: Final = timedelta(
    minutes=10
)  # after an hour's end: what lands is understood within seconds, runs take minutes
LOOKED_BACK: Final = timedelta(weeks=6)  # on an installation that has never counted
HOURS_AT_ONCE: Final = 12  # counted by one look of the watcher, while it catches up


class QuietTraffic(msgspec.Struct, frozen=True, kw_only=True):
    """A site, a part of it or a lane of which less comes than usual. `subject`: store, topic:<topic>, clicks, consent, or lane:<lane>.
    `last_at`: the hour of the last one; `sample_raw_id`: a delivery of that hour."""

    place: str
    subject: str
    site_id: int | None
    site_key: str | None
    name: str | None
    customer_id: str | None
    found_at: datetime
    hours: int
    events: int
    usual: int
    last_at: datetime | None
    sample_raw_id: int | None

    @property
    def is_lane(self) -> bool:
        """Whether it is about an ads account."""
        return self.customer_id is not None


def count_hours(engine: sa.Engine, now: datetime) -> int:
    """Count the hours that are over, each in a transaction of its own with what follows of it; how many that were. While hours of the past are
    caught up with nothing is judged: what was quiet then is no news."""
    counted = 0
    while counted < HOURS_AT_ONCE:
        with engine.begin() as connection:
            if not _count_next(connection, now):
                break
        counted += 1
    if 0 < counted < HOURS_AT_ONCE:
        judge(engine, now)
    return counted


def _count_next(connection: sa.Connection, now: datetime) -> bool:
    row = connection.execute(sql.COUNTED).one_or_none()
    since = row.since if row is not None else _hour_of(now - LOOKED_BACK)
    begin = row.until if row is not None else since
    end = begin + HOUR
    waiting_since = connection.execute(sql.WAITING_SINCE).scalar_one_or_none()
    if end + SETTLED_AFTER > now or (waiting_since is not None and waiting_since < end):
        return False
    connection.execute(sql.COUNT_HOUR, {"begin": begin, "end": end})
    connection.execute(sql.FORGET_HOURS, {"before": end - KEPT})
    connection.execute(sql.SET_COUNTED, {"since": since, "until": end})
    return True


def judge(engine: sa.Engine, now: datetime) -> None:
    """Find what is quiet by the hours that are counted, and keep it in the place of what was."""
    with engine.begin() as connection:
        row = connection.execute(sql.COUNTED).one_or_none()
        if row is None:
            return
        rows = [entry | {"now": now} for entry in _quiet(connection, max(row.since, row.until - KEPT), row.until)]
        connection.execute(
            sql.FORGET_QUIET, {"places": [row["place"] for row in rows], "subjects": [row["subject"] for row in rows]}
        )
        if rows:
            connection.execute(sql.KEEP_QUIET, rows)


def _quiet(connection: sa.Connection, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
    for (place, subject), group in groupby(connection.execute(sql.HOURS), key=lambda row: (row.place, row.subject)):
        rows = list(group)
        hours = [Hour(row.hour.astimezone(UTC), row.events) for row in rows]
        silence = quiet(hours, since, until, zone_or_utc(rows[-1].time_zone))
        if silence is not None:
            yield _row(place, subject, silence, rows[-1])


def _row(place: str, subject: str, silence: Quiet, last: Any) -> dict[str, Any]:
    return {
        "place": place,
        "subject": subject,
        "hours": silence.hours,
        "events": silence.events,
        "usual": silence.usual,
        "last_at": last.hour,
        "sample_raw_id": last.sample_raw_id,
    }


def quiet_traffic(connection: sa.Connection, site_id: int | None = None) -> list[QuietTraffic]:
    """What is quiet as of the last counted hour, of one site or of all with the lanes; what has been so for longest first."""
    rows = connection.execute(sql.QUIET, {"site": site_id})
    return [msgspec.convert(row, QuietTraffic, from_attributes=True) for row in rows]


def _hour_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
