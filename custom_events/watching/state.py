"""Alarms remembered, so that people hear of changes and not of every look. Times are the watcher's clock."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.queries import watching as queries
from custom_events.queries.keyset import After
from custom_events.queries.uploads import Columns
from custom_events.values.time_order import TimeOrder
from custom_events.watching.alarms import WATCHES, Alarm, Severity
from custom_events.watching.metrics import Reading
from custom_events.watching.runbooks import runbook

GONE_FOR: Final = timedelta(minutes=10)  # what comes and goes within is one alarm, not many messages
REMINDED_AFTER: Final = timedelta(days=1)
STILL_TOLD_FOR: Final = timedelta(days=7)  # an all-clear that no channel could carry for a week is no news any more

_FOR: Final = {watch.name: timedelta(seconds=watch.for_s) for watch in WATCHES}


class News(StrEnum):
    """What is to be told of an alarm."""

    OPENED = "opened"
    REMINDER = "still open"
    CLOSED = "closed"


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm from the look that found it to the last. `told` and `told_closed`: channel -> time of its message.
    `runbook`: what to do about it in the console, below its address."""

    id: int
    key: str
    name: str
    severity: Severity
    place: dict[str, str]
    sentence: str
    remedy: str
    opened_at: datetime
    seen_at: datetime
    closed_at: datetime | None = None
    told: dict[str, datetime] = {}
    told_closed: dict[str, datetime] = {}
    runbook: str = ""

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "runbook", f"help/{runbook(self.name)}")

    def lasts(self, now: datetime) -> bool:
        """Whether it is open, and has been for as long as its definition asks."""
        wanted = _FOR.get(self.name, timedelta())
        return self.closed_at is None and now - self.opened_at >= wanted

    @property
    def told_at(self) -> datetime:
        """When people are told of it, unless it has gone until then."""
        return self.opened_at + _FOR.get(self.name, timedelta())

    def label(self, now: datetime) -> str:
        """Its name, and that nobody is told of it yet where it is not old enough."""
        if self.lasts(now):
            return self.name
        return f"{self.name} (seen; told of when it has lasted {_FOR[self.name].total_seconds() / 60:.0f} minutes)"

    def news(self, channel: str, now: datetime) -> News | None:
        """What this channel has not told yet; None: nothing."""
        told_at = self.told.get(channel)
        if self.closed_at is not None:
            return News.CLOSED if told_at is not None and channel not in self.told_closed else None
        if told_at is None:
            return News.OPENED if self.lasts(now) else None
        return News.REMINDER if now - told_at >= REMINDED_AFTER else None


def remember(connection: sa.Connection, reading: Reading, alarms: Iterable[Alarm], now: datetime) -> None:
    """Open what is new, keep what still is, close what was looked for and has been gone for a while."""
    _remember(connection, alarms, [watch.name for watch in WATCHES if watch.metric in reading.measured], now)


def remember_outside(connection: sa.Connection, alarms: Iterable[Alarm], name: str, now: datetime) -> None:
    """The same for an alarm that is no metric's: `name` is what was looked for."""
    _remember(connection, alarms, [name], now)


def _remember(connection: sa.Connection, alarms: Iterable[Alarm], looked_for: list[str], now: datetime) -> None:
    seen = Columns("key", "name", "severity", "place", "sentence", "remedy")
    for alarm in {alarm.key: alarm for alarm in alarms}.values():
        seen.add(
            key=alarm.key,
            name=alarm.name,
            severity=alarm.severity.value,
            place=json.dumps(alarm.where),
            sentence=alarm.sentence,
            remedy=alarm.remedy,
        )
    if len(seen):
        connection.execute(queries.SEE, seen.arrays | {"now": now})
    connection.execute(queries.CLOSE, {"now": now, "gone_since": now - GONE_FOR, "looked_for": looked_for})


def foreseen(connection: sa.Connection, reading: Reading, alarms: Iterable[Alarm], now: datetime) -> list[Episode]:
    """The alarms that would be open after a look now, which writes them; the gravest and oldest first. Writes nothing."""
    seen = {alarm.key: alarm for alarm in alarms}
    looked_for = {watch.name for watch in WATCHES if watch.metric in reading.measured}
    known = [episode for episode in episodes(connection, now) if episode.closed_at is None]
    is_gone = [
        episode.key
        for episode in known
        if episode.name in looked_for and episode.seen_at <= now - GONE_FOR and episode.key not in seen
    ]
    new = [
        Episode(
            id=0,
            key=alarm.key,
            name=alarm.name,
            severity=alarm.severity,
            place=dict(alarm.where),
            sentence=alarm.sentence,
            remedy=alarm.remedy,
            opened_at=now,
            seen_at=now,
        )
        for key, alarm in seen.items()
        if key not in {episode.key for episode in known}
    ]
    return sorted(
        (episode for episode in (*known, *new) if episode.key not in is_gone),
        key=lambda episode: (episode.severity, episode.opened_at),
    )


def episodes(connection: sa.Connection, now: datetime) -> list[Episode]:
    """Open alarms, and those closed within a week; the gravest and oldest first."""
    rows = connection.execute(queries.TO_TELL, {"closed_after": now - STILL_TOLD_FOR})
    return [msgspec.convert(_plain(row), Episode) for row in rows.mappings()]


def page(
    connection: sa.Connection,
    *,
    is_open: bool | None = None,
    name: str | None = None,
    order: TimeOrder = TimeOrder.NEWEST,
    after: After | None = None,
    limit: int,
) -> list[Episode]:
    """Alarms: open or past ones, or both (None), of one name or of every; the next page begins after the last id of this one."""
    rows = queries.page(connection, is_open=is_open, name=name, order=order, after=after, limit=limit)
    return [msgspec.convert(row, Episode, from_attributes=True) for row in rows]


def mark_told(connection: sa.Connection, reported: Iterable[Episode], channel: str, now: datetime) -> None:
    """These were told by this channel."""
    connection.execute(queries.TOLD, {"ids": [episode.id for episode in reported], "channel": channel, "now": now})


def _plain(row: Any) -> dict[str, Any]:
    return dict(row)
