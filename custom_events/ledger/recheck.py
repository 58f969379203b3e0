"""Parked accounts and actions tried again: one row, validated by Google and not stored, says whether a person has mended it."""

from collections.abc import Callable, Mapping
from datetime import datetime

import sqlalchemy as sa
import structlog

from custom_events.destinations.base import Destination
from custom_events.ledger import allowance, retry
from custom_events.ledger.rows import account_of, actions_of, claimed_of
from custom_events.queries import upload_requests as requests
from custom_events.settings import Settings
from custom_events.values.conversions import BatchAnswer, Lane, Scope, Verdict

log = structlog.get_logger(__name__)

_SAYS_NOTHING = frozenset({Verdict.RETRY, Verdict.UNKNOWN, Verdict.SPLIT})


def recheck(
    engine: sa.Engine, lanes: Mapping[Lane, Destination], settings: Settings, clock: Callable[[], datetime]
) -> bool | None:
    """Try one parked account or action whose time has come. Whether it goes on; None: none was due.

    Without a row that waits there is nothing to try; it stays parked until there is, or until it is released by hand.
    """
    now = clock()
    times = {"now": now, "next": now + retry.PARKED_RECHECK}
    with engine.begin() as connection:
        due = connection.execute(requests.RECHECK_ACCOUNT, times).one_or_none()
        if due is None:
            due = connection.execute(requests.RECHECK_ACTION, times).one_or_none()
        if due is None:
            return None
        values = {"account": due.id, "action": due.action, "now": now}
        sample = connection.execute(requests.WAITING_SAMPLE, values).one_or_none()
        if sample is None:
            return False
        account = account_of(due)
        actions = actions_of(connection.execute(requests.ACTIONS_OF, {"account": due.id}))
        allowance.spend(connection, account, settings, now)
    answer = lanes[account.lane].rehearse(
        account, claimed_of(sample, actions).conversion, timeout_s=settings.upload_timeout_s, now=now
    )
    if not mended(answer, Scope.ACCOUNT if due.action is None else Scope.ACTION):
        return False
    with engine.begin() as connection:
        statement = requests.UNPARK_ACCOUNT if due.action is None else requests.UNPARK_ACTION
        connection.execute(statement, values)
    log.info("uploads_resumed", customer_id=account.customer_id, action=due.action)
    return True


def mended(answer: BatchAnswer, scope: Scope) -> bool:
    """Whether what Google said of one row shows that nothing as wide as `scope` is wrong any more."""
    if answer.verdict is Verdict.FIX or answer.verdict in _SAYS_NOTHING:
        return False
    row = answer.rows[0]
    if row.verdict in _SAYS_NOTHING:
        return False
    if row.verdict is not Verdict.FIX or row.scope is Scope.ROW:
        return True
    return scope is Scope.ACCOUNT and row.scope is Scope.ACTION
