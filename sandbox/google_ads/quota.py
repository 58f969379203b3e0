"""Quotas on the sandbox's clock: sliding windows per project and token buckets per customer."""

from collections import defaultdict, deque
from dataclasses import dataclass, field

SECONDS_PER_MINUTE = 60.0
SECONDS_PER_DAY = 86_400.0

# Operations per 24 hours by access level (developers.google.com/google-ads/api/docs/access-levels): one operation per
# request, however many conversions it holds. Explorer has 2,880 on production accounts and 15,000 on test accounts.
DAILY_OPERATIONS: dict[str, int | None] = {"TEST": 15_000, "EXPLORER": 2_880, "BASIC": 15_000, "STANDARD": None}
EXPLORER_TEST_ACCOUNT_OPERATIONS = 15_000


def daily_limit(access_level: str, *, test_account: bool) -> int | None:
    """Operations in 24 hours for calls of a project with `access_level`; None is no limit."""
    if access_level == "EXPLORER" and test_account:
        return EXPLORER_TEST_ACCOUNT_OPERATIONS
    return DAILY_OPERATIONS[access_level]


class SlidingWindow:
    """At most `limit` uses within the last `length_s` seconds, counted per key."""

    def __init__(self, length_s: float) -> None:
        self.length_s = length_s
        self._uses: defaultdict[str, deque[float]] = defaultdict(deque)

    def take(self, key: str, limit: int | None, now: float) -> float | None:
        """Use one. None when there was room, else the seconds until there is."""
        uses = self._uses[key]
        self._forget(uses, now)
        if limit is not None and len(uses) >= limit:
            return uses[len(uses) - limit] + self.length_s - now
        uses.append(now)
        return None

    def give_back(self, key: str) -> None:
        """Undo the last `take` of this key."""
        if self._uses[key]:
            self._uses[key].pop()

    def used(self, now: float) -> dict[str, int]:
        """Uses within the window, by key."""
        for uses in self._uses.values():
            self._forget(uses, now)
        return {key: len(uses) for key, uses in self._uses.items()}

    def _forget(self, uses: deque[float], now: float) -> None:
        while uses and uses[0] <= now - self.length_s:
            uses.popleft()


class TokenBuckets:
    """A bucket per key that refills at a rate per second up to a burst."""

    def __init__(self) -> None:
        self._levels: dict[str, tuple[float, float]] = {}  # key -> tokens left, at which time

    def take(self, key: str, rate_per_s: float, burst: int, now: float) -> float | None:
        """Use one token. None when there was one, else the seconds until the next."""
        left, since = self._levels.get(key, (float(burst), now))
        left = min(float(burst), left + (now - since) * rate_per_s)
        granted = left >= 1.0
        self._levels[key] = (left - 1.0 if granted else left, now)
        return None if granted else (1.0 - left) / rate_per_s


@dataclass
class Quotas:
    """All counters of one sandbox."""

    operations: SlidingWindow = field(default_factory=lambda: SlidingWindow(SECONDS_PER_DAY))
    customers: TokenBuckets = field(default_factory=TokenBuckets)
    data_manager_minute: SlidingWindow = field(default_factory=lambda: SlidingWindow(SECONDS_PER_MINUTE))
    data_manager_day: SlidingWindow = field(default_factory=lambda: SlidingWindow(SECONDS_PER_DAY))

    def dump(self, now: float) -> dict[str, dict[str, int]]:
        """What is used within each window, by project."""
        return {
            "operations_last_24_h": self.operations.used(now),
            "data_manager_last_minute": self.data_manager_minute.used(now),
            "data_manager_last_24_h": self.data_manager_day.used(now),
        }
