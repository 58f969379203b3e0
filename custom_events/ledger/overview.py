"""How each ads account stands: what waits, what is stopped, what will soon be too late."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.errors import NotFound
from custom_events.ledger.codes import RULES, sentence_of
from custom_events.queries import tallies, upload_stops
from custom_events.queries import upload_requests as requests
from custom_events.values.conversions import UNMATCHED_REASONS, Lane, UploadState

SOON: Final = timedelta(hours=48)
NO_ACCOUNT: Final = 0  # of the tallies
_ANSWERED: Final = (UploadState.ACCEPTED, UploadState.REJECTED)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one state with one reason. `next_at`: when the first of those that are held goes on by itself."""

    is_conversion: bool
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


class StoppedPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an account to which nothing is sent. `concerns`: user_data, adjustments, or the name of an API that it used before."""

    concerns: str
    reason: str
    since: datetime


class AccountOverview(msgspec.Struct, frozen=True, kw_only=True):
    """One account. `conversions` and `adjustments` count its rows by state, as `status` does (unmatched: Google took the call and has no
    such click), `standings` those that have a reason; `expiring` those that wait and will be too late within 48 hours."""

    customer_id: str
    name: str
    lane: Lane
    parked_reason: str | None
    parked_at: datetime | None
    paused_until: datetime | None
    paused_reason: str | None
    parked_actions: tuple[ParkedAction, ...]
    stopped_parts: tuple[StoppedPart, ...]
    conversions: dict[str, int]
    adjustments: dict[str, int]
    standings: tuple[Standing, ...]
    expiring: int


def overview(
    connection: sa.Connection,
    now: datetime,
    *,
    customer_ids: Collection[str] | None = None,
) -> list[AccountOverview]:
    """Every account, or those of `customer_ids`, by customer id, at the same cost whatever there is of history."""
    chosen = {"now": now, "customer_ids": None if customer_ids is None else sorted(customer_ids)}
    rows = connection.execute(requests.OVERVIEW, chosen).all()
    accounts = None if customer_ids is None else [row.id for row in rows]
    stands = _stands(connection.execute(requests.STANDING, {"soon": now + SOON, "accounts": accounts}))
    parked: defaultdict[str, list[ParkedAction]] = defaultdict(list)
    for row in connection.execute(requests.PARKED_ACTIONS):
        parked[row.customer_id].append(
            ParkedAction(action_id=row.action_id, name=row.name, reason=row.parked_reason, since=row.parked_at)
        )
    parts: defaultdict[str, list[StoppedPart]] = defaultdict(list)
    for row in connection.execute(upload_stops.PARTS):
        concerns = row.lane if row.is_other_lane else row.concerns
        parts[row.customer_id].append(StoppedPart(concerns=concerns, reason=row.reason, since=row.since))
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
            stopped_parts=tuple(parts[row.customer_id]),
            conversions=stands[row.id].conversions,
            adjustments=stands[row.id].adjustments,
            standings=stands[row.id].standings,
            expiring=stands[row.id].expiring,
        )
        for row in rows
    ]


def standing(connection: sa.Connection, customer_id: str, now: datetime) -> AccountOverview:
    """One account (ten digits). Raises NotFound."""
    accounts = overview(connection, now, customer_ids=[customer_id])
    if not accounts:
        raise NotFound(f"There is no ads account {customer_id}.", what="ads account")
    return accounts[0]


def without_account(connection: sa.Connection) -> tuple[dict[str, int], dict[str, int]]:
    """Conversions and adjustments that go to no account, by state."""
    rows = connection.execute(requests.STANDING, {"soon": None, "accounts": [NO_ACCOUNT]})
    nowhere = _stands(rows)[NO_ACCOUNT]
    return nowhere.conversions, nowhere.adjustments


class _Stands:
    """How one account's rows stand, as the statement tells it. What is open and does not wait is claimed."""

    def __init__(self) -> None:
        self._states = {True: Counter[str](), False: Counter[str]()}
        self._reasoned: dict[tuple[bool, str, str], Standing] = {}
        self.expiring = 0

    def add(self, row: Any) -> None:
        """Count one kind, state and reason."""
        states, state = self._states[row.is_conversion], row.state
        if state == tallies.OPEN:
            state = UploadState.CLAIMED.value
        elif row.is_conversion and state in _ANSWERED and row.reason in UNMATCHED_REASONS:
            state = "unmatched"
        states[state] += row.rows
        self.expiring += row.expiring
        if row.waiting:
            states[UploadState.CLAIMED] -= row.rows
        if row.reason:
            self._reasoned[row.is_conversion, state, row.reason] = _standing(row, state)

    @property
    def conversions(self) -> dict[str, int]:
        return dict(+self._states[True])

    @property
    def adjustments(self) -> dict[str, int]:
        return dict(+self._states[False])

    @property
    def standings(self) -> tuple[Standing, ...]:
        """Most rows first."""
        return tuple(sorted(self._reasoned.values(), key=lambda standing: (-standing.rows, standing.reason)))


def _stands(rows: Iterable[Any]) -> defaultdict[int, _Stands]:
    by_account: defaultdict[int, _Stands] = defaultdict(_Stands)
    for row in rows:
        by_account[row.account].add(row)
    return by_account


def _standing(row: Any, state: str) -> Standing:
    """A code has the sentence of its rule; ours say it row by row, and one speaks for all."""
    rule = RULES.get(row.reason)
    return Standing(
        is_conversion=row.is_conversion,
        state=state,
        reason=row.reason,
        rows=row.rows,
        sentence=rule.sentence if rule is not None else row.sentence or sentence_of(row.reason),
        next_at=row.next_at,
    )
