"""A plan of files in the light of stored history: what it would have made of it, and who would have got into whose way."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from custom_events.backtest.backtest import backtest_of
from custom_events.backtest.changed_rules import changed_rules
from custom_events.backtest.effects import Effect
from custom_events.backtest.planned_changes import looks
from custom_events.backtest.result import AssignmentCounts, Counts
from custom_events.backtest.rule_conflict_counts import Counted, count
from custom_events.catalog.files.documents import Catalog
from custom_events.catalog.files.effects import affected, applying, rule_conflicts_of
from custom_events.catalog.files.stored import Stored
from custom_events.history.reading import reading
from custom_events.pipeline.bulk_rows import Connection


class Foreseen(msgspec.Struct, frozen=True, kw_only=True):
    """What one change of the rules would have made of the period. `shares`: the assignments for which that is a difference, as the
    others of a group win or lose with it; `covered`: how many were looked at. `is_complete` False: the time was up before its end."""

    subject: str
    counts: Counts
    shares: tuple[AssignmentCounts, ...]
    covered: int
    effects: tuple[Effect, ...]
    events: int
    is_complete: bool


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """`left_out`: changes that were not looked at, since the time was up. `conflicts`: those of sites that the plan is about."""

    since: datetime
    until: datetime
    foreseen: tuple[Foreseen, ...]
    left_out: int
    conflicts: tuple[Counted, ...]


def outlook(
    url: str,
    stored: Stored,
    wanted: Catalog,
    *,
    until: datetime,
    period: timedelta,
    limit_s: float,
    tell: Callable[[str], None],
) -> Outlook:
    """Backtests of what `wanted` (a plan's documents) changes, and its conflicts counted, within about `limit_s` seconds.

    `tell` hears what is being looked at. Nothing is written.
    """

    async def whole() -> Outlook:
        async with reading(url) as connection:
            return await _look(connection, stored, wanted, until, period, time.monotonic() + limit_s, tell)

    return asyncio.run(whole())


def conflicts(
    url: str, stored: Stored, *, until: datetime, period: timedelta, site_key: str | None = None
) -> tuple[Counted, ...]:
    """The conflicts of what is published now, on one site or on all, counted over the period before `until`."""
    sites = {site_key} if site_key is not None else set(stored.catalog.sites)

    async def whole() -> list[Counted]:
        async with reading(url) as connection:
            return await _conflicts(connection, stored, stored.catalog, sites, until - period, until, lambda _: None)

    return tuple(asyncio.run(whole()))


async def _look(
    connection: Connection,
    stored: Stored,
    wanted: Catalog,
    until: datetime,
    period: timedelta,
    deadline: float,
    tell: Callable[[str], None],
) -> Outlook:
    since = until - period
    after = wanted.with_others(stored.catalog)
    changed = list(affected(stored.catalog, after))
    conflicts = await _conflicts(connection, stored, after, {change.site_key for change in changed}, since, until, tell)
    foreseen: list[Foreseen] = []
    asked = list(looks(stored, after, changed))
    for look in asked:
        if time.monotonic() > deadline:
            break
        tell(f"looking back at {look.subject}")
        backtest = await backtest_of(
            connection,
            await changed_rules(connection, look.changes),
            since=since,
            until=until,
            samples=0,
            stop=lambda: time.monotonic() > deadline,
        )
        foreseen.append(
            Foreseen(
                subject=look.subject,
                counts=backtest.counts,
                shares=tuple(assignment for assignment in backtest.assignments if assignment.counts.differs),
                covered=len(
                    {
                        *(assignment.assignment_id for assignment in backtest.assignments),
                        *(change.assignment_id for change in look.changes),
                    }
                ),
                effects=backtest.effects,
                events=backtest.events,
                is_complete=backtest.is_complete,
            )
        )
    return Outlook(
        since=since,
        until=until,
        foreseen=tuple(foreseen),
        left_out=len(asked) - len(foreseen),
        conflicts=tuple(conflicts),
    )


async def _conflicts(
    connection: Connection,
    stored: Stored,
    after: Catalog,
    sites: set[str],
    since: datetime,
    until: datetime,
    tell: Callable[[str], None],
) -> list[Counted]:
    counts: list[Counted] = []
    concerned = msgspec.structs.replace(
        after, sites={key: site_file for key, site_file in after.sites.items() if key in sites}
    )
    for rule_conflict in rule_conflicts_of(concerned):
        tell(f"counting what meets at {rule_conflict.ads_action}")
        site = after.sites[rule_conflict.site_key]
        site_id = stored.sites.get(rule_conflict.site_key, 0)  # 0: a site that is to be made, without history
        counted = await count(
            connection,
            rule_conflict,
            applying(after, site),
            site_id=site_id,
            time_zone=site.time_zone,
            since=since,
            until=until,
        )
        counts.append(counted)
    return counts
