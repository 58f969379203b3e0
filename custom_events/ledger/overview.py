"""How each ads account stands: what waits, what is stopped, what will soon be too late."""

from datetime import datetime, timedelta
from typing import Final

import msgspec
import sqlalchemy as sa

from custom_events.queries import upload_requests as requests
from custom_events.values.conversions import Lane

SOON: Final = timedelta(hours=48)


class AccountOverview(msgspec.Struct, frozen=True, kw_only=True):
    """One account. `states` counts its rows; `expiring` those that wait and will be too late within 48 hours."""

    customer_id: str
    name: str
    lane: Lane
    parked_reason: str | None
    parked_at: datetime | None
    paused_until: datetime | None
    paused_reason: str | None
    states: dict[str, int]
    expiring: int


def overview(connection: sa.Connection, now: datetime) -> list[AccountOverview]:
    """Every account, by customer id. Counts whole tables: for people, not for hot paths."""
    rows = connection.execute(requests.OVERVIEW, {"now": now, "soon": now + SOON}).all()
    return [
        AccountOverview(
            customer_id=row.customer_id,
            name=row.name,
            lane=Lane(row.lane),
            parked_reason=row.parked_reason,
            parked_at=row.parked_at,
            paused_until=row.paused_until,
            paused_reason=row.paused_reason,
            states=row.states,
            expiring=row.expiring,
        )
        for row in rows
    ]
