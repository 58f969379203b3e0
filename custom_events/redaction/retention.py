"""What is kept for its time and no longer. Partitions are dropped by `postgres/partitions.py`; here is what goes row by row.

Times are settings. A part that cannot be done is done the next time; each begins and commits its own transactions.
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec
import sqlalchemy as sa

from custom_events.queries import retention as queries
from custom_events.settings import Settings

SPAN: Final = timedelta(days=31)  # of the ledger in one transaction
CUSTOMERS_AT_ONCE: Final = 1_000
# Beyond its time: partitions of weeks go when their last day has passed, and the job that drops them runs daily.
GRACE: Final = {"bodies": timedelta(days=7 + 2), "quarantine": timedelta(days=2)}


class Expired(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows were blanked or deleted."""

    identifiers: int = 0
    customers: int = 0
    quarantine: int = 0


class Oldest(msgspec.Struct, frozen=True, kw_only=True):
    """The oldest of what expires: since when it is there, for how many days it may be, and how many days it is too old (0: it is not)."""

    what: str
    since: datetime | None
    days: int
    overdue_days: float


def expire(engine: sa.Engine, settings: Settings, now: datetime) -> Expired:
    """Blank and delete whatever is older than its setting."""
    return Expired(
        identifiers=_blank_identifiers(engine, settings, now),
        customers=_forget_customers(engine, now - timedelta(days=settings.customer_retention_days)),
        quarantine=_delete_quarantine(engine, now - timedelta(days=settings.quarantine_retention_days)),
    )


def overdue(connection: sa.Connection, settings: Settings, now: datetime) -> list[Oldest]:
    """How old the oldest bodies and refused deliveries are."""
    allowed = {"bodies": settings.raw_retention_days, "quarantine": settings.quarantine_retention_days}
    oldest: list[Oldest] = []
    for row in connection.execute(queries.OLDEST, {"now": now}):
        days = allowed[row.what]
        late = now - row.since - timedelta(days=days) - GRACE[row.what] if row.since is not None else timedelta()
        overdue_days = max(0.0, late / timedelta(days=1))
        oldest.append(Oldest(what=row.what, since=row.since, days=days, overdue_days=overdue_days))
    return oldest


def _blank_identifiers(engine: sa.Engine, settings: Settings, now: datetime) -> int:
    """Span by span of when rows were made, so that each statement reads the partitions of its own."""
    cutoff = now - timedelta(days=settings.ledger_identifiers_days)
    blanked = 0
    with engine.begin() as connection:
        since: datetime | None = connection.execute(queries.FIRST_UPLOAD).scalar_one()
    while since is not None and since < now:
        with engine.begin() as connection:
            span = {"since": since, "until": since + SPAN, "cutoff": cutoff, "now": now}
            blanked += connection.execute(queries.BLANK_IDENTIFIERS, span).rowcount
        since += SPAN
    return blanked


def _forget_customers(engine: sa.Engine, cutoff: datetime) -> int:
    forgotten = 0
    while True:
        with engine.begin() as connection:
            rows = connection.execute(queries.FORGET_CUSTOMERS, {"cutoff": cutoff, "rows": CUSTOMERS_AT_ONCE}).rowcount
        forgotten += rows
        if rows < CUSTOMERS_AT_ONCE:
            return forgotten


def _delete_quarantine(engine: sa.Engine, cutoff: datetime) -> int:
    with engine.begin() as connection:
        return connection.execute(queries.DELETE_QUARANTINE, {"cutoff": cutoff}).rowcount
