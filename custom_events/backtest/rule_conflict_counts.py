"""How often assignments that send to one ads action wanted the same order: counted over stored history, by the functions that
match batches. Bounded: the newest events of a period, in pages."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from itertools import combinations
from typing import Final

import msgspec

from custom_events.catalog.conflicts import Name, RuleConflict
from custom_events.history.reading import stored_events
from custom_events.matching.compiled_rules import CompiledRules
from custom_events.matching.match import match
from custom_events.pipeline.bulk_rows import Connection
from custom_events.pipeline.conversion import transaction_id
from custom_events.pipeline.matching import NeedsMemo, event_contexts
from custom_events.queries import conflicts as sql
from custom_events.values.definitions import Assignment, DefinitionConfig

MAX_EVENTS: Final = 20_000  # of a site: ten pages, a second or two; a share of the newest says enough
SHOWN_PAIRS: Final = 5  # of assignments, those that meet most


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Two assignments, and the number of orders that both would have sent."""

    first: Name
    second: Name
    orders: int


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """A conflict in the light of history from `since` on. `orders`: those that any of the members would have sent; `twice`:
    those that more than one would have; `pairs`: who met whom most often."""

    conflict: RuleConflict
    since: datetime
    events: int
    orders: int
    twice: int
    pairs: tuple[Pair, ...]

    @property
    def sentence(self) -> str:
        """What happened, and what to do when it did."""
        if not self.events:
            return f"{self.conflict}: no history to count on; {self.conflict.remedy}"
        counts = f"{self.twice} of {self.orders} orders since {self.since:%Y-%m-%d}"
        return (
            f"{self.conflict}: {counts}; {self.conflict.remedy}"
            if self.twice
            else f"{self.conflict}, as it seems: {counts}"
        )


async def count(
    connection: Connection,
    conflict: RuleConflict,
    configs: Mapping[Name, DefinitionConfig],
    *,
    site_id: int,
    time_zone: str,
    since: datetime,
    until: datetime,
) -> Counted:
    """Count on the site's stored events, the newest 20,000 of the period at most. `configs`: the effective ones
    of everything that applies on the site, since a group's winner may be none of the members."""
    numbered = dict(enumerate(sorted(configs), 1))  # of their own: a draft may have no id yet
    compiled_rules = CompiledRules(
        [_as_assignment(number, site_id, name, configs[name]) for number, name in numbered.items()],
        {site_id: time_zone},
    )
    members = {number for number, name in numbered.items() if name in conflict.members}
    types = sorted({kind for name in conflict.members for kind in configs[name].trigger})
    oldest = await connection.fetchval(sql.NEWEST_SINCE, site_id, types, since, until, MAX_EVENTS)
    begins = max(since, oldest) if oldest is not None else since
    wanted: dict[str, set[int]] = {}
    needs: NeedsMemo = {}
    events = 0
    async for page in stored_events(connection, site_id, types, begins, until):
        events += len(page)
        for context in await event_contexts(connection, compiled_rules, page, needs):
            event = context.site_event.event
            for made in match(event, site_id, compiled_rules, context.facts, context.history):
                if made.withheld is None and made.assignment.assignment_id in members:
                    order = transaction_id(site_id, event)
                    wanted.setdefault(order, set()).add(made.assignment.assignment_id)
    pairs = Counter(pair for who in wanted.values() for pair in combinations(sorted(who), 2))
    return Counted(
        conflict=conflict,
        since=begins,
        events=events,
        orders=len(wanted),
        twice=sum(len(who) > 1 for who in wanted.values()),
        pairs=tuple(
            Pair(first=numbered[first], second=numbered[second], orders=orders)
            for (first, second), orders in pairs.most_common(SHOWN_PAIRS)
        ),
    )


def _as_assignment(number: int, site_id: int, name: Name, config: DefinitionConfig) -> Assignment:
    definition, label = name
    return Assignment(
        assignment_id=number,
        site_id=site_id,
        label=label,
        definition_key=definition,
        definition_revision_id=0,
        assignment_revision_id=0,
        config=config,
    )
