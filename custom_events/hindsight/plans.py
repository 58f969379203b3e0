"""A plan of files in the light of stored history: what it would have made of it, and who would have got into whose way."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import msgspec

from custom_events.catalog.files.checks import configs_of
from custom_events.catalog.files.documents import Catalogue
from custom_events.catalog.files.effects import Affected, affected, applying, contentions_of
from custom_events.catalog.files.stored import Stored
from custom_events.hindsight.backtest import backtest
from custom_events.hindsight.contention import Counted, count
from custom_events.hindsight.drafts import Draft
from custom_events.hindsight.effects import Effect
from custom_events.hindsight.figures import AssignmentCounts, Counts
from custom_events.hindsight.reading import reading
from custom_events.pipeline.rows import Connection


class Foreseen(msgspec.Struct, frozen=True, kw_only=True):
    """What one change of the rules would have made of the period. `shares`: the assignments for which that is a difference, as the
    others of a group win or lose with it. `is_complete` False: the time was up before its end."""

    subject: str
    counts: Counts
    shares: tuple[AssignmentCounts, ...]
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


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    subject: str
    draft: Draft
    sites: tuple[int, ...] | None = None


def outlook(
    url: str,
    stored: Stored,
    wanted: Catalogue,
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
    sites = {site_key} if site_key is not None else set(stored.catalogue.sites)

    async def whole() -> list[Counted]:
        async with reading(url) as connection:
            return await _conflicts(connection, stored, stored.catalogue, sites, until - period, until, lambda _: None)

    return tuple(asyncio.run(whole()))


async def _look(
    connection: Connection,
    stored: Stored,
    wanted: Catalogue,
    until: datetime,
    period: timedelta,
    deadline: float,
    tell: Callable[[str], None],
) -> Outlook:
    since = until - period
    after = wanted.with_others(stored.catalogue)
    changed = list(affected(stored.catalogue, after))
    conflicts = await _conflicts(connection, stored, after, {one.site_key for one in changed}, since, until, tell)
    foreseen: list[Foreseen] = []
    asked = list(_drafts(stored, after, changed))
    for one in asked:
        if time.monotonic() > deadline:
            break
        tell(f"looking back at {one.subject}")
        found = await backtest(
            connection,
            one.draft,
            since=since,
            until=until,
            sites=one.sites,
            samples=0,
            stop=lambda: time.monotonic() > deadline,
        )
        foreseen.append(
            Foreseen(
                subject=one.subject,
                counts=found.counts,
                shares=tuple(one for one in found.assignments if one.counts.differs),
                effects=found.effects,
                events=found.events,
                is_complete=found.is_complete,
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
    after: Catalogue,
    sites: set[str],
    since: datetime,
    until: datetime,
    tell: Callable[[str], None],
) -> list[Counted]:
    found: list[Counted] = []
    concerned = msgspec.structs.replace(after, sites={key: one for key, one in after.sites.items() if key in sites})
    for one in contentions_of(concerned):
        tell(f"counting what meets at {one.ads_action}")
        site = after.sites[one.site_key]
        site_id = stored.sites.get(one.site_key, 0)  # 0: a site that is to be made, without history
        counted = await count(
            connection,
            one,
            applying(after, site),
            site_id=site_id,
            time_zone=site.time_zone,
            since=since,
            until=until,
        )
        found.append(counted)
    return found


def _drafts(stored: Stored, after: Catalogue, changed: list[Affected]) -> Iterator[_Asked]:
    """One look back for each definition whose sites keep their overrides, and one for each other assignment. What only stops
    has no look back: what it made stays."""
    configs = configs_of(after)
    before = configs_of(stored.catalogue)
    starting = [one for one in changed if one.after is not None and one.site_key in stored.sites]
    by_definition = Counter(one.name[0] for one in starting if _keeps_overrides(stored, after, one))
    for key, number in sorted(by_definition.items()):
        if configs[key] != before.get(key):
            yield _Asked(
                subject=f'definition "{key}" on {number} assignments', draft=Draft(definition=key, config=configs[key])
            )
    for one in starting:
        key, label = one.name
        if _keeps_overrides(stored, after, one) and configs[key] != before.get(key):
            continue
        subject = f'{one.site_key}: "{key}" labelled "{label}"'
        owner = stored.assignments.get((one.site_key, key, label))
        if owner is None or key not in stored.definitions:
            yield _Asked(subject=subject, draft=Draft(config=one.after), sites=(stored.sites[one.site_key],))
        else:
            overrides = next(
                entry for entry in after.sites[one.site_key].assignments if entry.name == one.name
            ).overrides
            yield _Asked(
                subject=subject,
                draft=Draft(definition=key, config=configs[key], assignment=owner.id, overrides=overrides),
            )


def _keeps_overrides(stored: Stored, after: Catalogue, one: Affected) -> bool:
    """Whether an assignment changes by its definition alone."""
    if one.before is None or one.site_key not in stored.catalogue.sites:
        return False
    old = {entry.name: entry for entry in stored.catalogue.sites[one.site_key].assignments}
    new = {entry.name: entry for entry in after.sites[one.site_key].assignments}
    return one.name in old and old[one.name].overrides == new[one.name].overrides
