"""Whether the work is done, seen from outside of what does it: the queue, the ledger, and Dagster's ticks, read from the database.

A process may live and do nothing: Dagster's daemon goes on without a word when its code server is gone, and a run may wait for ever. So
it is not asked whether processes live, but whether what waits is taken.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import sqlalchemy as sa

from custom_events.ledger.waiting import has_work
from custom_events.queries import supervision as sql
from custom_events.queries.sites import database_now

STUCK_S: Final = 45.0  # the same delivery is the oldest, or no request is made though rows are due
NO_TICK_S: Final = 60.0  # Dagster's daemon looks at sensors every 5 s


class Stuck(msgspec.Struct, frozen=True, kw_only=True):
    """Work that nobody takes. `what` is a stable word; `sentence` says for how long."""

    what: str
    sentence: str


class WorkWatch:
    """Remembers what the last looks saw. Times are the caller's monotonic clock, in seconds."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._oldest: int | None = None
        self._oldest_since = 0.0
        self._newest_request: int | None = None
        self._due_since: float | None = None
        self._no_tick_since: float | None = None

    def look(self, now_s: float) -> Sequence[Stuck]:
        """What stands still now. Raises SQLAlchemyError when the database does not answer."""
        with self._engine.connect() as connection:
            oldest = connection.execute(sql.OLDEST_WAITING).scalar_one_or_none()
            newest_request = connection.execute(sql.NEWEST_REQUEST).scalar_one_or_none()
            due = has_work(connection, database_now(connection))
            tick_age_s = connection.execute(sql.TICK_AGE).scalar_one_or_none() if _has_ticks(connection) else None
        standstills = [
            self._deliveries(oldest, now_s),
            self._uploads(newest_request, due, now_s),
            self._ticks(tick_age_s, now_s),
        ]
        return [stuck for stuck in standstills if stuck is not None]

    def forgive(self, now_s: float) -> None:
        """Something was started again: it has its whole time from now on."""
        self._oldest_since = now_s
        self._due_since = self._no_tick_since = None

    def _deliveries(self, oldest: int | None, now_s: float) -> Stuck | None:
        if oldest != self._oldest or oldest is None:
            self._oldest, self._oldest_since = oldest, now_s
            return None
        waited = now_s - self._oldest_since
        if waited < STUCK_S:
            return None
        return Stuck(
            what="deliveries", sentence=f"Deliveries wait to be understood, and none was taken for {waited:.0f} s"
        )

    def _uploads(self, newest_request: int | None, due: bool, now_s: float) -> Stuck | None:
        if not due or newest_request != self._newest_request or self._due_since is None:
            self._newest_request, self._due_since = newest_request, now_s if due else None
            return None
        waited = now_s - self._due_since
        if waited < STUCK_S:
            return None
        return Stuck(what="uploads", sentence=f"Conversions are due, and nothing was sent for {waited:.0f} s")

    def _ticks(self, age_s: float | None, now_s: float) -> Stuck | None:
        """No tick at all yet counts from the first look."""
        if age_s is not None and age_s < NO_TICK_S:
            self._no_tick_since = None
            return None
        if self._no_tick_since is None:
            self._no_tick_since = now_s
        if now_s - self._no_tick_since < NO_TICK_S:
            return None
        return Stuck(what="ticks", sentence=f"Dagster's sensors have not looked for work for {NO_TICK_S:.0f} s")


def _has_ticks(connection: sa.Connection) -> bool:
    """Whether Dagster has made its tables; it does when it starts first."""
    return bool(connection.execute(sql.HAS_TICKS).scalar_one())
