"""How many of a site's newest events settings would match, while somebody still writes them. Only reads, and not for long."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import asyncpg
import msgspec

from custom_events.errors import Transient
from custom_events.history.drafts import Draft
from custom_events.history.readers import Readers, ask
from custom_events.history.reading import Stored
from custom_events.history.rules import load_rules
from custom_events.pipeline.bulk_rows import Connection
from custom_events.pipeline.matching import Matched, match_events
from custom_events.queries import history as sql
from custom_events.values import events
from custom_events.values.definitions import DefinitionConfig

NEWEST: Final = 500  # events that are tried: enough to see a share of one in a hundred, and read in some milliseconds
SAMPLES: Final = 5  # of those that match
LIMIT_S: Final = (
    5  # of each statement: a threshold over a whole site's history may take longer, a backtest has the time for it
)


class RecentMatch(msgspec.Struct, frozen=True, kw_only=True):
    """An event that matches, as it would be recorded. `withheld`: why it would not be sent."""

    event_key: str
    event_type: str
    occurred_at: datetime
    order_id: str | None
    value: Decimal | None
    currency: str | None
    withheld: str | None


class RecentMatches(msgspec.Struct, frozen=True, kw_only=True):
    """Of the site's newest `events` of the types that the rule waits for, since `since` (None: there are none), `matching` would match.
    Deduplication is not counted: of several that match for one key the first would be recorded."""

    events: int
    matching: int
    since: datetime | None
    samples: tuple[RecentMatch, ...]


def run_sync(
    source: str | Readers, config: DefinitionConfig, *, site_id: int, definition: str | None = None, limit: int = NEWEST
) -> RecentMatches:
    """Try settings on a site, newest events first. With `definition` they stand in for its own, under the overrides that the site has;
    otherwise they are a rule of their own. Raises InvalidConfiguration, NotFound, and Transient where a statement takes too long."""

    async def tried_on(connection: Connection) -> RecentMatches:
        await connection.execute(f"SET LOCAL statement_timeout = '{LIMIT_S}s'")
        book = await load_rules(connection, Draft(definition=definition, config=config), [site_id])
        rules = book.site(site_id)
        chosen = book.chosen or frozenset()
        types = {kind for number in chosen for kind in rules.assignments[number].config.trigger}
        rows = await connection.fetch(sql.RECENT_EVENTS, site_id, sorted(types), limit)
        stored = [_stored(site_id, row) for row in rows]
        made = await match_events(connection, rules.compiled_rules, stored, {})
        firsts: dict[str, Matched] = {}
        for matched in made:
            if matched.match.assignment.assignment_id in chosen:
                firsts.setdefault(matched.match.event_key, matched)
        return RecentMatches(
            events=len(stored),
            matching=len(firsts),
            since=stored[-1].event.occurred_at if stored else None,
            samples=tuple(_sample(matched) for matched in list(firsts.values())[:SAMPLES]),
        )

    try:
        return ask(source, tried_on)
    except asyncpg.QueryCanceledError:
        raise Transient(
            f"What this rule counts took longer than {LIMIT_S} seconds to read. A backtest has the time for it."
        ) from None


def _stored(site_id: int, row: Any) -> Stored:
    event_id, key, facts = row
    return Stored(event_id, site_id, key, events.from_json(facts))


def _sample(matched: Matched) -> RecentMatch:
    made = matched.match
    return RecentMatch(
        event_key=made.event_key,
        event_type=matched.site_event.event.type,
        occurred_at=made.occurred_at,
        order_id=made.order_id,
        value=made.value,
        currency=made.currency,
        withheld=made.withheld,
    )
