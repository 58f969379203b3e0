"""What is stopped is tried again: with what was refused, validated by Google and not stored. It says whether a person has mended it.

What is tried is a row that was refused with the same code, as long as one waits; else one of the kind that the stop concerns; else a
conversion that never happened, of that kind: so what has no row left resumes as well.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog

from custom_events.destinations import rehearsal
from custom_events.destinations.base import Destination
from custom_events.ledger import allowance, retry
from custom_events.ledger.codes import USER_DATA_CODES
from custom_events.ledger.upload_rows import account_of, actions_of, claimed_of
from custom_events.queries import upload_requests as requests
from custom_events.queries import upload_stops as queries
from custom_events.settings import Settings
from custom_events.values.conversions import BatchAnswer, Conversion, Lane, Scope, Verdict

log = structlog.get_logger(__name__)

_SAYS_NOTHING = frozenset({Verdict.RETRY, Verdict.UNKNOWN, Verdict.SPLIT})
_EVERYTHING = frozenset({Scope.ACCOUNT, Scope.PROJECT})


def recheck(
    engine: sa.Engine, lanes: Mapping[Lane, Destination], settings: Settings, clock: Callable[[], datetime]
) -> bool | None:
    """Try one stopped account, action or part of an account whose time has come. Whether it goes on; None: none was due."""
    now = clock()
    with engine.begin() as connection:
        due = _due(connection, now)
        if due is None:
            return None
        account = account_of(due)
        row = _sample(connection, due, now)
        allowance.spend(connection, account, settings, now)
    answer = lanes[account.lane].rehearse(account, row, timeout_s=settings.upload_timeout_s, now=now)
    scope = Scope(due.scope or Scope.ACCOUNT)
    values = {"account": due.id, "action": due.action, "lane": account.lane.value, "scope": due.scope, "now": now}
    values |= {"code": due.code, "whole_lane": scope is Scope.PROJECT, "codes": USER_DATA_CODES}
    with engine.begin() as connection:
        if mended(answer, scope):
            for statement in _RESUME[due.concerns]:
                connection.execute(statement, values)
        else:
            _rename(connection, due, answer, values)
            return False
    log.info("uploads_resumed", customer_id=account.customer_id, concerns=due.concerns, action=due.action)
    return True


_RESUME = {
    "account": (queries.UNPARK_ACCOUNT,),
    "action": (queries.UNPARK_ACTION,),
    "other_lane": (queries.UNSTOP_PART,),
    "adjustments": (queries.UNSTOP_PART,),
    "user_data": (queries.UNSTOP_PART, queries.RELEASE_PART),
}
_RENAME = {"account": queries.RENAME_ACCOUNT_STOP, "action": queries.RENAME_ACTION_STOP}


def _due(connection: sa.Connection, now: datetime) -> Any:
    times = {"now": now, "next": now + retry.PARKED_RECHECK}
    for statement in (queries.RECHECK_ACCOUNT, queries.RECHECK_ACTION, queries.RECHECK_PART):
        due = connection.execute(statement, times).one_or_none()
        if due is not None:
            return due
    return None


def _sample(connection: sa.Connection, due: Any, now: datetime) -> Conversion:
    """What is tried."""
    actions = actions_of(connection.execute(requests.ACTIONS_OF, {"account": due.id}))
    values = {
        "account": due.id,
        "action": due.action,
        "codes": USER_DATA_CODES if due.concerns == Scope.USER_DATA else [due.code],
        "concerns": due.concerns,
        "only_codes": due.concerns == "other_lane",  # what waits for the lane of today says nothing about another one
        "now": now,
    }
    row = connection.execute(requests.WAITING_SAMPLE, values).one_or_none()
    if row is not None:
        return claimed_of(row, actions).conversion
    action_id = due.action_id or next((action.action_id for action in actions.values()), "0")
    if due.concerns == Scope.ADJUSTMENTS:
        return rehearsal.adjustment(action_id, now)
    return rehearsal.conversion(action_id, now, user_data=due.concerns == Scope.USER_DATA)


def _rename(connection: sa.Connection, due: Any, answer: BatchAnswer, values: Mapping[str, Any]) -> None:
    """Where it is refused for another reason by now, that is the one to mend."""
    verdict = answer.rows[0] if answer.verdict is None else answer
    if verdict.verdict is Verdict.FIX and verdict.code != due.code:
        new = {"reason": verdict.sentence or str(verdict.code), "new_code": verdict.code}
        connection.execute(_RENAME.get(due.concerns, queries.RENAME_PART_STOP), dict(values) | new)


def mended(answer: BatchAnswer, scope: Scope) -> bool:
    """Whether what Google said of one row shows that nothing as wide as `scope` is wrong any more."""
    if answer.verdict in _SAYS_NOTHING or answer.verdict is Verdict.HOLD:
        return False
    verdict = answer.rows[0] if answer.verdict is None else answer
    if verdict.verdict in _SAYS_NOTHING:
        return False
    # Of another part than the one that was stopped: it gets a stop of its own when it is met.
    return verdict.verdict is not Verdict.FIX or (verdict.scope not in _EVERYTHING and verdict.scope is not scope)
