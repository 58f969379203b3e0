"""Raw events through today's understanding: which of them would say something else than what is stored of them."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec

from custom_events.pipeline.bulk_rows import Connection
from custom_events.pipeline.events import known_events, revised_events
from custom_events.pipeline.kept_fields import KeptFields
from custom_events.pipeline.understanding import BatchState, Delivered, Raw
from custom_events.platforms.registry import PLATFORMS
from custom_events.queries import history as sql
from custom_events.values.deliveries import SiteContext

PAGE_BODIES: Final = 500  # about 1.5 MB of bodies
MAX_NAMED: Final = 100  # raw events named in an answer; all are counted

Place = tuple[date, int]  # landing week and id of a raw event


class Reread(msgspec.Struct, frozen=True, kw_only=True):
    """What understanding again changes. `new_events` by type are not stored yet, `revised_events` are stored otherwise, `outcomes`
    ("parked to understood") counts raw events whose outcome is another. `raw_ids` names the first of those that change."""

    raw_events: int = 0
    would_change: int = 0
    new_events: dict[str, int] = {}
    revised_events: dict[str, int] = {}
    outcomes: dict[str, int] = {}
    raw_ids: tuple[int, ...] = ()


class Rereader:
    """Grows page by page."""

    def __init__(self, connection: Connection, kept: KeptFields) -> None:
        self._connection, self._kept = connection, kept
        self._new: Counter[str] = Counter()
        self._revised: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._seen: set[int] = set()  # hashes of the keys of new events: several bodies show the same one
        self.raw_events = 0
        self.changing: list[Place] = []

    async def read_site(self, site: SiteContext, since: datetime, until: datetime, stop: Callable[[], bool]) -> None:
        """All raw events of a site that were received in the period."""
        async for page in _pages(self._connection, site.site_id, since, until):
            await self._take(site, page)
            if stop():
                return

    async def _take(self, site: SiteContext, page: list[Any]) -> None:
        batch_state = BatchState({site.site_id: site}, PLATFORMS, self._kept)
        changing: set[Place] = set()
        for row in page:
            delivered = batch_state.take(Raw(*tuple(row)[1:10]))
            before, reason = row["outcome"], row["reason"]
            if before is not None and (before, reason) != (delivered.understood.outcome, delivered.understood.reason):
                self._outcomes[f"{before} to {delivered.understood.outcome}"] += 1
                changing.add((delivered.landed_week, delivered.raw_id))
        known = await known_events(self._connection, batch_state.events)
        for key, candidate in batch_state.events.items():
            if key not in known:
                if hash(key) not in self._seen:
                    self._seen.add(hash(key))
                    self._new[candidate.event.type] += 1
                changing.update(map(_place, candidate.bodies))
        for candidate in await revised_events(self._connection, batch_state.events, known):
            self._revised[candidate.event.type] += 1
            changing.update(map(_place, candidate.bodies))
        waiting = {(row["landed_week"], row["id"]) for row in page if row["outcome"] is None}
        self.changing += sorted(changing - waiting)  # what waits is understood anyway
        self.raw_events += len(page)

    def answer(self) -> Reread:
        """The figures."""
        return Reread(
            raw_events=self.raw_events,
            would_change=len(self.changing),
            new_events=dict(sorted(self._new.items())),
            revised_events=dict(sorted(self._revised.items())),
            outcomes=dict(sorted(self._outcomes.items())),
            raw_ids=tuple(number for _, number in self.changing[:MAX_NAMED]),
        )


async def _pages(connection: Connection, site_id: int, since: datetime, until: datetime) -> AsyncIterator[list[Any]]:
    """Raw events, week by week."""
    day = since.date() - timedelta(days=since.weekday() + 7)  # a delivery may land in the week before its group began
    while day <= until.date() + timedelta(days=7):
        after = b""
        while True:
            rows = await connection.fetch(sql.RAW_PAGE, day, site_id, after, since, until, PAGE_BODIES)
            if rows:
                yield list(rows)
                after = rows[-1]["dedup_key"]
            if len(rows) < PAGE_BODIES:
                break
        day += timedelta(days=7)


def _place(delivered: Delivered) -> Place:
    return delivered.landed_week, delivered.raw_id
