"""Whether a call to Google may be made now: the buckets of project and account, kept in Postgres for all workers.

`quota.py` has the law; here it is asked under a lock, in the transaction that commits the intent, so that calls and counts agree
after any crash.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
import structlog

from custom_events.destinations.traits import TRAITS
from custom_events.ledger import quota, stops
from custom_events.ledger.quota import Call, Limit, Used, Wait
from custom_events.queries import quotas as queries
from custom_events.settings import Settings
from custom_events.values.conversions import AdsAccount, Lane, Scope

log = structlog.get_logger(__name__)


class Refused(Exception):
    """No call now. Raised out of the claim, so that its transaction leaves nothing behind."""

    def __init__(self, wait: Wait, scope: Scope, *, history: bool) -> None:
        super().__init__(f"{wait.limit}: {wait.seconds:.1f} s")
        self.wait, self.scope, self.history = wait, scope, history


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """A bucket for people: what could go now, and what was used in the last 24 hours of how many (None: no end)."""

    name: str
    now: float
    used_today: int
    per_day: int | None
    history_until: datetime | None


def limits(settings: Settings, account: AdsAccount) -> dict[str, Limit]:
    """The buckets of a call, by name: the project's and the account's."""
    return {
        account.lane.value: project_limit(settings, account.lane),
        f"{account.lane.value}:{account.customer_id}": Limit(per_minute=settings.upload_account_calls_per_minute),
    }


def project_limit(settings: Settings, lane: Lane) -> Limit:
    """What the Cloud project may call."""
    calls = TRAITS[lane].project_calls(settings)
    return Limit(per_minute=calls.per_minute, per_day=calls.per_day)


def take(connection: sa.Connection, account: AdsAccount, call: Call, settings: Settings, now: datetime) -> None:
    """Take one call from both buckets. Raises Refused when one of them has none; then the caller rolls back."""
    by_name = limits(settings, account)
    left = _locked(connection, by_name, now)
    after: dict[str, Used] = {}
    for name, limit in by_name.items():
        after[name], wait = quota.take(limit, left[name], now, call)
        if wait is not None:
            scope = Scope.PROJECT if name == account.lane.value else Scope.ACCOUNT
            raise Refused(wait, scope, history=call.history)
    _keep(connection, after)


def spend(connection: sa.Connection, account: AdsAccount, settings: Settings, now: datetime, calls: int = 1) -> None:
    """Count calls that are made in any case: probes, questions about parked accounts, verdicts, summaries."""
    by_name = limits(settings, account)
    left = _locked(connection, by_name, now)
    for _ in range(calls):
        left = {name: quota.spent(limit, left[name], now) for name, limit in by_name.items()}
    _keep(connection, left)


def exhausted(connection: sa.Connection, account: AdsAccount, scope: Scope, settings: Settings, now: datetime) -> None:
    """Google said that it was too much: the buckets it spoke of start again from nothing."""
    by_name = limits(settings, account)
    if scope is not Scope.PROJECT:
        del by_name[account.lane.value]
    left = _locked(connection, by_name, now)
    _keep(connection, {name: quota.exhausted(limit, left[name], now) for name, limit in by_name.items()})


def pause_for_quota(
    connection: sa.Connection, account: AdsAccount, refused: Refused, settings: Settings, now: datetime
) -> None:
    """Let those wait whom a bucket refused: history by itself, else the account, or the lane whose project it is."""
    if refused.history:
        until = now + timedelta(seconds=refused.wait.seconds)
        _locked(connection, limits(settings, account), now)
        connection.execute(queries.HOLD_HISTORY, {"name": account.lane.value, "until": until})
    else:
        stops.pause(connection, account, refused.wait.seconds, f"quota_{refused.wait.limit}", now, refused.scope)
    log.info(
        "uploads_wait_for_quota",
        limit=refused.wait.limit,
        seconds=round(refused.wait.seconds, 1),
        history=refused.history,
    )


def remaining(connection: sa.Connection, settings: Settings, now: datetime) -> list[Left]:
    """Every bucket as it is now. For people and for metrics."""
    buckets: list[Left] = []
    for row in connection.execute(queries.BUCKETS):
        lane, _, customer = row.name.partition(":")
        limit = (
            Limit(per_minute=settings.upload_account_calls_per_minute)
            if customer
            else project_limit(settings, Lane(lane))
        )
        used = quota.refilled(limit, _used(row), now)
        buckets.append(
            Left(
                name=row.name,
                now=used.tokens,
                used_today=used.day(now),
                per_day=limit.per_day,
                history_until=row.history_until,
            )
        )
    return buckets


def _locked(connection: sa.Connection, by_name: Mapping[str, Limit], now: datetime) -> dict[str, Used]:
    fresh = {name: quota.unused(limit, now) for name, limit in by_name.items()}
    rows = connection.execute(
        queries.LOCK,
        {
            "names": list(fresh),
            "tokens": [used.tokens for used in fresh.values()],
            "paces": [used.pace for used in fresh.values()],
            "now": now,
        },
    )
    return {row.name: _used(row) for row in rows}


def _used(row: sa.Row[*tuple[object, ...]]) -> Used:
    hours = {int(hour): int(calls) for hour, calls in row.hours.items()}
    return Used(at=row.refilled_at, tokens=row.tokens, pace=row.pace, hours=hours)


def _keep(connection: sa.Connection, after: Mapping[str, Used]) -> None:
    left: Sequence[Used] = list(after.values())
    connection.execute(
        queries.KEEP,
        {
            "names": list(after),
            "tokens": [used.tokens for used in left],
            "paces": [used.pace for used in left],
            "hours": [json.dumps(used.hours) for used in left],
            "ats": [used.at for used in left],
        },
    )
