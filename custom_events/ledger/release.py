"""By hand: let an account go on or hold it, let held rows go before their time, send refused ones again.

Behind the command line, the API and the console. Whoever holds or sends again is kept in the audit trail.
"""

from datetime import datetime

import sqlalchemy as sa
import structlog

from custom_events.errors import Permanent
from custom_events.queries import audit
from custom_events.queries import upload_requests as requests

log = structlog.get_logger(__name__)


def account_id_of(connection: sa.Connection, customer_id: str) -> int:
    """The account of a customer id (ten digits). Raises Permanent for an unknown one."""
    row = connection.execute(requests.ACCOUNT, {"customer_id": customer_id}).one_or_none()
    if row is None:
        raise Permanent(
            "unknown_ads_account", f"there is no ads account {customer_id}: `uploads list` shows those there are"
        )
    return int(row.id)


def release_account(connection: sa.Connection, account_id: int, now: datetime) -> str:
    """Resume an account, its conversion actions included, after what was wrong is mended. Its customer id.

    Raises Permanent for an unknown account.
    """
    customer_id = connection.execute(requests.RELEASE_ACCOUNT, {"account": account_id, "now": now}).scalar_one_or_none()
    if customer_id is None:
        raise Permanent(
            "unknown_ads_account", f"there is no ads account {account_id}: `uploads list` shows those there are"
        )
    log.info("uploads_released", customer_id=customer_id)
    return str(customer_id)


def release_held(connection: sa.Connection, account_id: int, now: datetime, reason: str | None = None) -> int:
    """Held rows of an account go now; with `reason` only those held for it. How many."""
    return connection.execute(requests.RELEASE_HELD, {"account": account_id, "now": now, "reason": reason}).rowcount


def hold_account(connection: sa.Connection, account_id: int, reason: str, *, actor: str, now: datetime) -> None:
    """Send nothing for an account until somebody releases it; `reason` is shown with it."""
    connection.execute(requests.HOLD_ACCOUNT, {"account": account_id, "reason": f"Held by hand: {reason}", "now": now})
    subject = f"ads_account:{account_id}"
    audit.add(connection, actor=actor, action="uploads.hold", subject=subject, detail={"reason": reason})
    log.info("uploads_held", account=account_id)


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

    For what was mended since: at Google, or here. What was withheld is not among them: matching decided it, and a replay decides
    it anew.
    """
    values = {"account": account_id, "now": now, "reason": reason, "order_id": order_id}
    rows = connection.execute(requests.RETRY_REFUSED, values).rowcount
    detail = {"rows": rows, "reason": reason, "order_id": order_id}
    audit.add(connection, actor=actor, action="uploads.retry", subject=f"ads_account:{account_id}", detail=detail)
    log.info("uploads_sent_again", account=account_id, rows=rows)
    return rows
