"""Consent that comes after its order was matched: what a policy holds for want of it goes, or stays for good."""

from collections.abc import Mapping
from datetime import datetime

from custom_events.matching.plan import MatchPlan
from custom_events.pipeline.rows import Connection, columns_of
from custom_events.pipeline.understanding import Key
from custom_events.queries import understanding as sql
from custom_events.values.clicks import Consent


async def let_go(
    connection: Connection, plan: MatchPlan, said: Mapping[Key, tuple[datetime, Consent]], now: datetime
) -> None:
    """Bring what was said of orders to their conversions that are held for it; only sites with such a policy are asked about."""
    heard = {site_id for site_id, _ in said}
    asking = {
        site_id for site_id in heard & plan.sites.keys() if any(r.asks_in_europe for r in plan.sites[site_id].rules)
    }
    rows = [
        (site_id, order_id, consent.ad_user_data, consent.ad_personalization, now)
        for (site_id, order_id), (_, consent) in said.items()
        if site_id in asking
    ]
    if rows:
        await connection.execute(sql.ANSWER_CONSENT, *columns_of(sorted(rows)))
