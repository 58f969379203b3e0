"""Rows whose worker went away, and rows whose time is over. Run before every batch; cheap when there are none."""

from datetime import datetime

import sqlalchemy as sa
import structlog

from custom_events.queries import upload_requests as requests
from custom_events.queries import uploads

log = structlog.get_logger(__name__)


def recover(connection: sa.Connection, now: datetime) -> int:
    """Claimed rows with an expired lease become unknown, and are sent again under the same order ids. How many."""
    abandoned = [row.request_id for row in connection.execute(uploads.RECOVER, {"now": now})]
    if abandoned:
        connection.execute(requests.ABANDONED, {"requests": sorted(set(abandoned))})
        log.warning("uploads_without_answer", rows=len(abandoned), requests=len(set(abandoned)))
    return len(abandoned)


def expire(connection: sa.Connection, now: datetime) -> int:
    """Rows that Google would no longer take are expired, with the reason they waited for. How many."""
    expired = connection.execute(uploads.EXPIRE, {"now": now}).rowcount
    if expired:
        log.warning("uploads_expired", rows=expired)
    return expired


def withhold_orphans(connection: sa.Connection, now: datetime) -> int:
    """Adjustments whose conversion will never be at Google are withheld. How many."""
    return connection.execute(uploads.WITHHOLD_ORPHANS, {"now": now}).rowcount


def supersede(connection: sa.Connection, now: datetime) -> int:
    """Adjustments that wait, while a later one of their conversion is there, are withheld, so that it need not wait for them. How
    many."""
    return connection.execute(uploads.SUPERSEDE, {"now": now}).rowcount
