"""How many calls Google takes from us: the law of one bucket. Pure: the clock and what was used are given, and come back.

Three limits at once. The minute: a token bucket whose burst and refill together stay below the limit in every minute. The day:
calls are counted by the hour, and in no 24 hours are there more than the budget. The pace: where the day is short (2,880 calls
for a new project, docs/reference/google-ads.md 2.6), calls that are not full are spread over it, so that rows gather instead of the day being used
up by noon. History (a replay, a late import) leaves a share of minute and day to what happens now.
"""

import math
from datetime import UTC, datetime
from typing import Final

import msgspec

HOURS: Final = 24  # of a day's budget; the hour before them counts whole, so that a sliding day is never exceeded
HOUR_S: Final = 3_600
BURST_SHARE: Final = 0.1  # of a minute's limit may go at once; nine tenths come back in the minute


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """What a project, or an account, may use. `per_day` None: without end."""

    per_minute: int
    per_day: int | None = None

    @property
    def burst(self) -> float:
        """Calls that may go at once."""
        return max(1.0, self.per_minute * BURST_SHARE)

    @property
    def per_second(self) -> float:
        """Calls that come back in a second, so that burst and refill stay below the limit of a minute."""
        return max(self.per_minute - self.burst, 1.0) / 60

    @property
    def partial_burst(self) -> float:
        """Calls that are not full which may go at once: an hour's part of the day."""
        return math.inf if self.per_day is None else max(1.0, self.per_day / HOURS)

    @property
    def partial_per_second(self) -> float:
        """Such calls that come back in a second, so that those at once and these do not use up the day."""
        if self.per_day is None:
            return 0.0
        return max(self.per_day - self.partial_burst, self.per_day / 2) / ((HOURS + 1) * HOUR_S)


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """What is left at a moment: tokens of the minute, tokens of the pace, and the calls of each of the last 25 hours."""

    at: datetime
    tokens: float
    pace: float
    hours: dict[int, int]  # hours since 1970 -> calls

    def day(self, now: datetime) -> int:
        """Calls in the 24 hours before `now`, and in the rest of the hour that they begin in."""
        first = _hour(now) - HOURS
        return sum(calls for hour, calls in self.hours.items() if hour >= first)


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be made: `full` calls carry as many rows as fit, `history` is not of today."""

    full: bool = False
    history: bool = False
    live_share: float = 0.5  # of minute and day that history leaves alone


class Wait(msgspec.Struct, frozen=True):
    """Not now: how long, and which limit says so (`minute`, `day` or `pace`)."""

    seconds: float
    limit: str


def unused(limit: Limit, now: datetime) -> Used:
    """Nothing was used yet."""
    return Used(at=now, tokens=limit.burst, pace=_finite(limit.partial_burst), hours={})


def refilled(limit: Limit, used: Used, now: datetime) -> Used:
    """What is left at `now`. A clock that went back gives nothing and takes nothing."""
    passed = max((now - used.at).total_seconds(), 0.0)
    first = _hour(now) - HOURS
    return Used(
        at=max(now, used.at),
        tokens=min(limit.burst, used.tokens + passed * limit.per_second),
        pace=min(_finite(limit.partial_burst), used.pace + passed * limit.partial_per_second),
        hours={hour: calls for hour, calls in used.hours.items() if hour >= first},
    )


def take(limit: Limit, used: Used, now: datetime, call: Call) -> tuple[Used, Wait | None]:
    """What is left after the call, or how long it has to wait (then nothing is taken)."""
    left = refilled(limit, used, now)
    wait = _against(limit, left, call)
    if wait is not None:
        return left, wait
    hour = _hour(left.at)
    paced = limit.per_day is not None and not call.full
    return Used(
        at=left.at,
        tokens=left.tokens - 1,
        pace=max(left.pace - 1, 0.0) if paced else left.pace,
        hours=left.hours | {hour: left.hours.get(hour, 0) + 1},
    ), None


def spent(limit: Limit, used: Used, now: datetime) -> Used:
    """What is left after a call that is made whatever is left: a question about a parked account, a probe."""
    left = refilled(limit, used, now)
    hour = _hour(left.at)
    return msgspec.structs.replace(left, tokens=left.tokens - 1, hours=left.hours | {hour: left.hours.get(hour, 0) + 1})


def exhausted(limit: Limit, used: Used, now: datetime) -> Used:
    """Google said that it was too much: the minute starts from nothing."""
    left = refilled(limit, used, now)
    return msgspec.structs.replace(left, tokens=min(left.tokens, 0.0))


def _against(limit: Limit, left: Used, call: Call) -> Wait | None:
    share = call.live_share if call.history else 0.0
    if limit.per_day is not None:
        budget = math.floor(limit.per_day * (1 - share))
        if left.day(left.at) >= budget:
            return Wait(_until_hours_pass(left, budget), "day")
        if not call.full and left.pace < 1:
            return Wait((1 - left.pace) / limit.partial_per_second, "pace")
    floor = 1 + share * (limit.burst - 1)
    if left.tokens < floor:
        return Wait((floor - left.tokens) / limit.per_second, "minute")
    return None


def _until_hours_pass(left: Used, budget: int) -> float:
    """Seconds until enough of the oldest hours lie more than a day back."""
    over = left.day(left.at) - budget + 1
    now = left.at.timestamp()
    for hour in sorted(left.hours):
        over -= left.hours[hour]
        if over <= 0:
            return (hour + HOURS + 1) * HOUR_S - now
    return float(HOURS * HOUR_S)  # a budget of nothing


def _hour(moment: datetime) -> int:
    return math.floor(moment.astimezone(UTC).timestamp() / HOUR_S)


def _finite(number: float) -> float:
    """JSON and numeric columns hold no infinity."""
    return min(number, 1e9)
