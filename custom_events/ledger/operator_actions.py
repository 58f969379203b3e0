"""By hand: hold an account, a conversion action, an order's or a site's rows; let them go on; withhold what
is not to be sent; send refused ones again.

Behind the command line, the API and the console. Whoever does it is kept in the audit trail.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog

from custom_events.errors import NotFound, Permanent
from custom_events.ledger import stops
from custom_events.ledger.single_uploads import by_hand, withheld_by_hand
from custom_events.queries import audit, upload_stops, withholding
from custom_events.queries import upload_requests as requests
from custom_events.values import reasons

log = structlog.get_logger(__name__)


def account_id_of(connection: sa.Connection, customer_id: str) -> int:
    """The account of a customer id (ten digits). Raises Permanent for an unknown one."""
    row = connection.execute(requests.ACCOUNT, {"customer_id": customer_id}).one_or_none()
    if row is None:
        raise Permanent(
            "unknown_ads_account",
            f"there is no ads account {customer_id}: `custom-events uploads list` shows those there are",
        )
    return int(row.id)


def release_account(connection: sa.Connection, account_id: int, now: datetime, *, actor: str) -> str:
    """Resume an account, its conversion actions and parts included, after what was wrong is mended. Its customer id.

    Raises Permanent for an unknown account.
    """
    before = _standing(connection, account_id)
    customer_id = stops.release(connection, account_id, now)
    if customer_id is None:
        raise Permanent(
            "unknown_ads_account",
            f"there is no ads account {account_id}: `custom-events uploads list` shows those there are",
        )
    _tell(connection, account_id, "uploads.release", actor, {}, before=before, after=_standing(connection, account_id))
    return str(customer_id)


def release_action(connection: sa.Connection, account_id: int, action_id: str, now: datetime, *, actor: str) -> None:
    """Resume one conversion action (Google's number). Raises Permanent for one that is not configured."""
    values = {"account": account_id, "action_id": action_id, "now": now}
    before = _standing(connection, account_id, action_id)
    _known_action(connection.execute(upload_stops.RELEASE_ACTION, values).rowcount, action_id)
    after = _standing(connection, account_id, action_id)
    _tell(connection, account_id, "uploads.release", actor, {"action": action_id}, before=before, after=after)


def release_held(
    connection: sa.Connection,
    account_id: int,
    now: datetime,
    reason: str | None = None,
    *,
    actor: str,
    order_id: str | None = None,
    site_key: str | None = None,
) -> int:
    """Held rows of an account go now; those held for `reason`, of an order, of a site, where they are given. How many.

    Rows that wait for a customer's consent go only when theirs is the reason named.
    """
    chosen = {"reason": reason, "order_id": order_id, "site_key": site_key}
    rows = connection.execute(requests.RELEASE_HELD, chosen | {"account": account_id, "now": now}).rowcount
    if not rows:
        _check_named(connection, account_id, **chosen)
    _tell(connection, account_id, "uploads.release", actor, {"rows": rows} | chosen)
    return rows


def hold_account(connection: sa.Connection, account_id: int, reason: str, *, actor: str, now: datetime) -> None:
    """Send nothing for an account until somebody releases it; `reason` is shown with it."""
    values = {"account": account_id, "reason": by_hand(reason, actor), "now": now}
    before = _standing(connection, account_id)
    connection.execute(upload_stops.HOLD_ACCOUNT, values)
    after = _standing(connection, account_id)
    _tell(connection, account_id, "uploads.hold", actor, {"reason": reason}, before=before, after=after)


def hold_action(
    connection: sa.Connection, account_id: int, action_id: str, reason: str, *, actor: str, now: datetime
) -> None:
    """The same for one conversion action (Google's number). Raises Permanent for one that is not configured."""
    values = {"account": account_id, "action_id": action_id, "reason": by_hand(reason, actor), "now": now}
    before = _standing(connection, account_id, action_id)
    _known_action(connection.execute(upload_stops.HOLD_ACTION, values).rowcount, action_id)
    after = _standing(connection, account_id, action_id)
    detail = {"reason": reason, "action": action_id}
    _tell(connection, account_id, "uploads.hold", actor, detail, before=before, after=after)


def hold_rows(
    connection: sa.Connection,
    account_id: int,
    reason: str,
    *,
    actor: str,
    now: datetime,
    order_id: str | None = None,
    site_key: str | None = None,
) -> int:
    """Hold what waits now of an order, or of a site, until somebody releases it, or Google no longer takes it. How many rows.

    What comes later is not held: an order's refunds wait for its conversion anyway.
    """
    chosen = {"order_id": order_id, "site_key": site_key}
    values = chosen | {"account": account_id, "sentence": by_hand(reason, actor), "now": now}
    rows = connection.execute(requests.HOLD_ROWS, values).rowcount
    if not rows:
        _check_named(connection, account_id, reason=None, **chosen)
    _tell(connection, account_id, "uploads.hold", actor, {"rows": rows, "reason": reason} | chosen)
    return rows


def withhold_rows(
    connection: sa.Connection,
    account_id: int,
    reason: str,
    *,
    actor: str,
    now: datetime,
    order_id: str | None = None,
    action_id: str | None = None,
    site_key: str | None = None,
) -> int:
    """What waits now of an order, a conversion action or a site, and is not at Google nor may be, is not sent unless somebody sends it
    again. How many rows; what comes later goes. Raises NotFound, or Permanent for an action, where nothing is called so."""
    if action_id is not None:
        check_action(connection, action_id, account_id)
    chosen = {"order_id": order_id, "site_key": site_key}
    values = {"account": account_id, "sentence": withheld_by_hand(reason, actor), "now": now, "action_id": action_id}
    rows = connection.execute(withholding.WITHHOLD_OF_ACCOUNT, chosen | values).rowcount
    if not rows:
        _check_named(connection, account_id, reason=None, **chosen)
    detail = {"rows": rows, "reason": reason, "action": action_id} | chosen
    _tell(connection, account_id, "uploads.withhold", actor, detail)
    return rows


def retry_refused(
    connection: sa.Connection,
    account_id: int,
    *,
    actor: str,
    now: datetime,
    reason: str | None = None,
    order_id: str | None = None,
) -> int:
    """Refused rows of an account go once more, those with a code or of an order where it is given. How many.

    For what was mended since: at Google, or here. What matching withheld is not among them: a replay decides it anew. What a person
    withheld is, where the reason names it.
    """
    values = {"account": account_id, "now": now, "reason": reason, "order_id": order_id}
    rows = connection.execute(requests.RETRY_REFUSED, values).rowcount
    if not rows:
        _check_named(connection, account_id, reason=reason, order_id=order_id, site_key=None)
    detail = {"rows": rows, "reason": reason, "order_id": order_id}
    _tell(connection, account_id, "uploads.retry", actor, detail)
    return rows


def check_action(connection: sa.Connection, action_id: str, account_id: int | None = None) -> None:
    """Raises Permanent when no account, or not this one, has a conversion action of this number (Google's)."""
    values = {"account": account_id, "action_id": action_id}
    _known_action(connection.execute(upload_stops.KNOWS_ACTION, values).scalar_one(), action_id)


def _check_named(
    connection: sa.Connection, account_id: int, *, reason: str | None, order_id: str | None, site_key: str | None
) -> None:
    """Nothing was found: raises NotFound where a name is to blame, and not that nothing waits."""
    values = {"account": account_id, "reason": reason, "order_id": order_id, "site_key": site_key}
    known = connection.execute(upload_stops.KNOWN_NAMES, values).one()
    if not known.site:
        raise NotFound(f'there is no site "{site_key}": `custom-events site list` shows those there are', what="site")
    if not known.order_id:
        raise NotFound(
            f'no conversion of an order "{order_id}" goes to this account: `custom-events explain {order_id}` tells what became '
            "of it",
            what="order",
        )
    if not known.reason:
        raise NotFound(
            f'no row of this account has the reason "{reason}": `custom-events uploads list` shows those there are',
            what="reason",
        )


def _known_action(rows: int, action_id: str) -> None:
    if not rows:
        raise Permanent(
            reasons.Reason.UNKNOWN_ADS_ACTION,
            f"the account has no conversion action {action_id}: `custom-events uploads probe` shows those there are",
        )


def _standing(connection: sa.Connection, account_id: int, action_id: str | None = None) -> dict[str, Any] | None:
    """Why nothing is sent for the account, or a conversion action of it; None: there is none."""
    statement = upload_stops.STANDING_OF_ACCOUNT if action_id is None else upload_stops.STANDING_OF_ACTION
    values = {"account": account_id} if action_id is None else {"account": account_id, "action_id": action_id}
    row = connection.execute(statement, values).one_or_none()
    return None if row is None else {"parked_reason": row.parked_reason}


def _tell(
    connection: sa.Connection,
    account_id: int,
    action: str,
    actor: str,
    detail: dict[str, Any],
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Keep who did it, and log it."""
    subject = f"ads_account:{account_id}"
    audit.add(connection, actor=actor, action=action, subject=subject, detail=detail, before=before, after=after)
    log.info(action.replace(".", "_"), account=account_id, **detail)
