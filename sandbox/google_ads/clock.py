"""The sandbox's time: runs with real time plus an offset, or stands still until it is moved."""

import time
from datetime import UTC, datetime, timedelta
from threading import Lock

import msgspec


class Standing(msgspec.Struct, frozen=True):
    """Where a clock stands, in seconds: ahead of real time, or since 1970 where it stands still."""

    offset_s: float
    frozen_s: float | None


class Clock:
    """An injected clock. It never goes backwards, because counters and windows lean on that.

    `Clock()` runs with real time; `Clock(frozen_at=...)` stands still. `move` works in both states.
    """

    def __init__(self, frozen_at: datetime | None = None) -> None:
        self._lock = Lock()
        self._offset_s = 0.0
        self._frozen_s: float | None = None
        if frozen_at is not None:
            self._frozen_s = _aware(frozen_at).timestamp()

    def epoch(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        with self._lock:
            return self._epoch()

    def now(self) -> datetime:
        """The instant as an aware datetime in UTC."""
        return datetime.fromtimestamp(self.epoch(), UTC)

    @property
    def frozen(self) -> bool:
        """True while the clock stands still."""
        return self._frozen_s is not None

    def move(self, by: timedelta) -> datetime:
        """Go forward by `by` and return the new time. Raises ValueError for a step back."""
        if by < timedelta(0):
            raise ValueError(f"the clock cannot go back by {-by}: reset the sandbox instead")
        with self._lock:
            if self._frozen_s is None:
                self._offset_s += by.total_seconds()
            else:
                self._frozen_s += by.total_seconds()
        return self.now()

    def move_to(self, instant: datetime) -> datetime:
        """Go forward to `instant` (aware). Raises ValueError when it lies in the past."""
        return self.move(_aware(instant) - self.now())

    def freeze(self, at: datetime | None = None) -> datetime:
        """Stand still, here or at any instant `at`."""
        with self._lock:
            self._frozen_s = self._epoch() if at is None else _aware(at).timestamp()
        return self.now()

    def run(self) -> datetime:
        """Run on from where the clock stands."""
        with self._lock:
            if self._frozen_s is not None:
                self._offset_s = self._frozen_s - time.time()
                self._frozen_s = None
        return self.now()

    def standing(self) -> Standing:
        """Where the clock stands, for `stand`."""
        with self._lock:
            return Standing(self._offset_s, self._frozen_s)

    def stand(self, standing: Standing) -> None:
        """Go where another clock stood."""
        with self._lock:
            self._offset_s, self._frozen_s = standing.offset_s, standing.frozen_s

    def _epoch(self) -> float:
        return time.time() + self._offset_s if self._frozen_s is None else self._frozen_s


def _aware(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone: the sandbox's clock takes aware datetimes only")
    return instant
