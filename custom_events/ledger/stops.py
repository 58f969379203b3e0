"""What a refusal stops, and for how long: an action, a part of an account, the account, all accounts of a lane; pauses that end by themselves."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

import sqlalchemy as sa
import structlog

from custom_events.ledger import retry
from custom_events.ledger.codes import USER_DATA_CODES
from custom_events.queries import upload_requests as requests
from custom_events.queries import upload_stops as queries
from custom_events.values.conversions import AdsAccount, Scope

log = structlog.get_logger(__name__)

PARTS: Final = frozenset({Scope.USER_DATA, Scope.ADJUSTMENTS})  # of an account; the rest of it goes on


class Stop(NamedTuple):
    """What Google refused: its code, and the sentence for people."""

    code: str | None
    reason: str


def park(
    connection: sa.Connection,
    account: AdsAccount,
    scope: Scope,
    stop: Stop,
    now: datetime,
    action: int | None = None,
    *,
    probe_again: bool = True,
) -> None:
    """Stop what `scope` reaches until it is mended or a person releases it. Told once: only when it is new.

    `probe_again`: what the account allows is asked anew before it goes on.
    """
    if not _stop(connection, account, scope, stop, now, action):
        return
    if probe_again and scope not in PARTS:
        again = {"account": account.id, "lane": account.lane.value, "whole_lane": scope is Scope.PROJECT}
        connection.execute(requests.PROBE_AGAIN, again)
    log.error(
        "uploads_parked",
        scope=scope.value,
        customer_id=account.customer_id,
        lane=account.lane.value,
        action=action,
        code=stop.code,
        reason=stop.reason,
    )


def _stop(
    connection: sa.Connection, account: AdsAccount, scope: Scope, stop: Stop, now: datetime, action: int | None
) -> bool:
    """Whether something was stopped that was not stopped before."""
    values = {
        "account": account.id,
        "lane": account.lane.value,
        "scope": scope.value,
        "code": stop.code,
        "reason": stop.reason,
        "now": now,
        "recheck_at": now + retry.PARKED_RECHECK,
    }
    if scope is Scope.ACTION and action is not None:
        return bool(connection.execute(queries.PARK_ACTION, values | {"action": action}).rowcount)
    if scope in PARTS:
        return bool(connection.execute(queries.STOP_PART, values | {"concerns": scope.value}).rowcount)
    whole = queries.PARK_LANE if scope is Scope.PROJECT else queries.PARK_ACCOUNT
    parked = connection.execute(whole, values).rowcount
    # The account may use another API by now, or have rows left that only this one may be asked about.
    return bool(connection.execute(queries.STOP_OTHER_LANE, values | {"concerns": "account"}).rowcount or parked)


def pause(
    connection: sa.Connection, account: AdsAccount, seconds: float, reason: str | None, now: datetime, scope: Scope
) -> None:
    """Send nothing for so many seconds over this account's lane, or over the lane at all; it ends by itself."""
    values = {
        "account": account.id,
        "lane": account.lane.value,
        "until": now + timedelta(seconds=seconds),
        "reason": reason,
        "now": now,
    }
    connection.execute(queries.PAUSE_LANE if scope is Scope.PROJECT else queries.PAUSE_ACCOUNT, values)
    connection.execute(queries.PAUSE_OTHER_LANE, values)


def release(connection: sa.Connection, account_id: int, now: datetime) -> str | None:
    """Resume an account with its actions and parts, by hand. Its customer id; None: there is no such account."""
    values = {"account": account_id, "now": now, "codes": USER_DATA_CODES}
    return connection.execute(queries.RELEASE_ACCOUNT, values).scalar_one_or_none()
