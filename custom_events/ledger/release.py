"""By hand: let a parked account go on, and held rows go before their time. Behind the command line, the API and the console."""

from datetime import datetime

import sqlalchemy as sa
import structlog

from custom_events.errors import Permanent
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
