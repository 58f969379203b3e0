"""What our own state knows about customers before an event, by the store's time."""

from typing import NamedTuple

from custom_events.conditions.facts import Facts
from custom_events.matching.plan import MatchPlan
from custom_events.pipeline.rows import Connection, columns_of
from custom_events.pipeline.understanding import Key
from custom_events.queries import matching as sql
from custom_events.values.events import CommerceEvent


class Asked(NamedTuple):
    """Whose facts are asked for: the customer at a moment, seen from an order."""

    site_id: int
    event: CommerceEvent


async def customer_facts(connection: Connection, plan: MatchPlan, asked: list[Asked]) -> dict[Key, Facts]:
    """Facts by site and key of the event. Events of nobody known have none."""
    known = [one for one in asked if one.event.customer_key is not None]
    if not known:
        return {}
    rows = [
        (
            place,
            one.site_id,
            one.event.customer_key,
            one.event.occurred_at,
            one.event.order_id or "",
            one.event.currency,
        )
        for place, one in enumerate(known)
    ]
    found: dict[Key, Facts] = {}
    for place, orders, spent, first_seen in await connection.fetch(sql.CUSTOMER_HISTORY, *columns_of(rows)):
        one = known[place]
        site = plan.sites[one.site_id]
        found[one.site_id, one.event.key] = Facts(
            zone=site.facts.zone, orders_before=orders, spent_before=spent, first_seen=first_seen
        )
    return found
