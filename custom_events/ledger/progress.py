"""How the ledger goes: what waits now and what of it will soon be too late, and by week what became of conversions. From what is open and from
tallies: at the same cost whatever there is of history."""

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Final

import msgspec
import sqlalchemy as sa

from custom_events.ledger.overview import SOON
from custom_events.queries import day_figures, tallies
from custom_events.values.conversions import UNMATCHED_REASONS, UploadKind, UploadState

WEEKS: Final = 26
UNMATCHED: Final = "unmatched"
_ANSWERED: Final = (UploadState.ACCEPTED, UploadState.REJECTED)


class UploadWeek(msgspec.Struct, frozen=True, kw_only=True):
    """Conversions that were made within a week (its Monday, UTC), by what became of them. `waiting`: under way, or without an answer."""

    week: date
    accepted: int = 0
    unmatched: int = 0
    rejected: int = 0
    expired: int = 0
    withheld: int = 0
    waiting: int = 0

    @property
    def success(self) -> float | None:
        """The part that Google has of those that are settled and were to be sent; None: there are none."""
        settled = self.accepted + self.unmatched + self.rejected + self.expired
        return self.accepted / settled if settled else None


class UploadProgress(msgspec.Struct, frozen=True, kw_only=True):
    """`waiting`: conversions and adjustments by state, as far as they may still be claimed; `expiring`: those of them that Google will not take any more in
    48 hours; `weeks`: the last `WEEKS`, the oldest first, of all sites (of one site: none)."""

    waiting: dict[str, int]
    expiring: int
    weeks: tuple[UploadWeek, ...]


def progress(connection: sa.Connection, now: datetime, site_id: int | None = None) -> UploadProgress:
    """What waits, of one site or of all, and what became of the weeks before."""
    rows = connection.execute(day_figures.WAITING, {"site": site_id, "soon": now + SOON}).all()
    return UploadProgress(
        waiting={row.state: row.rows for row in rows},
        expiring=sum(row.expiring for row in rows),
        weeks=weeks(connection, now) if site_id is None else (),
    )


def weeks(connection: sa.Connection, now: datetime) -> tuple[UploadWeek, ...]:
    """The last `WEEKS` in which conversions were made, from the first of them that has any."""
    this = now.date() - timedelta(days=now.weekday())
    since = this - timedelta(weeks=WEEKS - 1)
    counts: dict[date, Counter[str]] = {}
    for tally in tallies.read(connection, "uploads", since=since):
        if tally.kind == UploadKind.CONVERSION and tally.week <= this:
            counts.setdefault(tally.week, Counter())[_outcome(tally)] += tally.rows
    first = min(counts, default=this)
    listed = (first + timedelta(weeks=at) for at in range((this - first).days // 7 + 1))
    return tuple(UploadWeek(week=week, **counts.get(week, {})) for week in listed)


def _outcome(tally: tallies.Tally) -> str:
    if tally.state in _ANSWERED and tally.reason in UNMATCHED_REASONS:
        return UNMATCHED
    settled = (*_ANSWERED, UploadState.EXPIRED, UploadState.WITHHELD)
    return tally.state if tally.state in settled else "waiting"
