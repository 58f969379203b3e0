"""How each ads account stands: what waits, what is stopped, what will soon be too late."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.ledger.differences import sentence_of
from custom_events.ledger.reconcile import RULES
from custom_events.queries import upload_requests as requests
from custom_events.values.conversions import Lane

SOON: Final = timedelta(hours=48)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one state with one reason. `next_at`: when the first of those that are held goes on by itself."""

    state: str
    reason: str
    rows: int
    sentence: str
    next_at: datetime | None


class ParkedAction(msgspec.Struct, frozen=True, kw_only=True):
    """A conversion action to which nothing is sent."""

    action_id: str
    name: str
    reason: str
    since: datetime | None


class AccountOverview(msgspec.Struct, frozen=True, kw_only=True):
    """One account. `states` counts its rows, `standings` those that have a reason; `expiring` those that wait and will be too
    late within 48 hours."""

    customer_id: str
    name: str
    lane: Lane
    parked_reason: str | None
    parked_at: datetime | None
    paused_until: datetime | None
    paused_reason: str | None
    parked_actions: tuple[ParkedAction, ...]
    states: dict[str, int]
    standings: tuple[Standing, ...]
    expiring: int


def overview(connection: sa.Connection, now: datetime) -> list[AccountOverview]:
    """Every account, by customer id. Counts whole tables: for people, not for hot paths."""
    rows = connection.execute(requests.OVERVIEW, {"now": now, "soon": now + SOON}).all()
    standings: defaultdict[str, list[Standing]] = defaultdict(list)
    for row in connection.execute(requests.STANDING):
        standings[row.customer_id].append(_standing(row))
    parked: defaultdict[str, list[ParkedAction]] = defaultdict(list)
    for row in connection.execute(requests.PARKED_ACTIONS):
        parked[row.customer_id].append(
            ParkedAction(action_id=row.action_id, name=row.name, reason=row.parked_reason, since=row.parked_at)
        )
    return [
        AccountOverview(
            customer_id=row.customer_id,
            name=row.name,
            lane=Lane(row.lane),
            parked_reason=row.parked_reason,
            parked_at=row.parked_at,
            paused_until=row.paused_until,
            paused_reason=row.paused_reason,
            parked_actions=tuple(parked[row.customer_id]),
            states=row.states,
            standings=tuple(standings[row.customer_id]),
            expiring=row.expiring,
        )
        for row in rows
    ]


def _standing(row: Any) -> Standing:
    """A code has the sentence of its rule; ours say it row by row, and one speaks for all."""
    rule = RULES.get(row.reason)
    return Standing(
        state=row.state,
        reason=row.reason,
        rows=row.rows,
        sentence=rule.sentence if rule is not None else row.sentence or sentence_of(row.reason),
        next_at=row.next_at,
    )
