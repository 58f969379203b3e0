"""Google's own counts laid beside the ledger, per account, conversion action and day. No row's state is touched by them."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec
import sqlalchemy as sa
import structlog

from custom_events.errors import NeedsAction, Transient
from custom_events.ledger import allowance
from custom_events.ledger.codes import ALREADY_THERE, UNATTRIBUTABLE
from custom_events.ledger.upload_rows import account_of
from custom_events.queries import reconciliation as queries
from custom_events.queries.uploads import Columns
from custom_events.settings import Settings
from custom_events.values.numbers import MAX_ID
from custom_events.values.summaries import RequestCounts, Summaries, Summary

if TYPE_CHECKING:
    from custom_events.ledger.sender import Lanes

log = structlog.get_logger(__name__)

# Google calls an upload recent for 28 days (NO_RECENT_UPLOAD, docs/reference/google-ads.md 1.6).
WINDOW: Final = timedelta(days=28)
# Verdicts and summaries take up to a day (docs/reference/google-ads.md 2.7); and one more.
CATCHES_UP: Final = timedelta(days=2)
LONGEST_LIFE: Final = timedelta(
    days=100
)  # a row is sent at most 90 days after it was made (the click window), and a margin
QUERIES: Final = 2  # of one reading: each costs an operation of the day's quota (docs/reference/google-ads.md 2.6)
OUR_CLIENT: Final = "GOOGLE_ADS_API"  # other clients' uploads are other systems'


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a run read: accounts whose summaries came, and a sentence for each that could not be read."""

    read: tuple[str, ...] = ()
    not_read: Mapping[str, str] = {}


def reconcile(
    engine: sa.Engine,
    lanes: "Lanes",
    settings: Settings,
    now: datetime,
    customer_id: str | None = None,
    days: int = WINDOW.days,
) -> Reading:
    """Read Google's summaries of every account that sent something of late, by each API it was sent by, then count our side of the
    last `days`.

    An account that cannot be read, whatever its lane raises, keeps its last figures; the others are not held up by it.
    """
    since = now - WINDOW
    with engine.connect() as connection:
        accounts = connection.execute(queries.ACCOUNTS, {"customer_id": customer_id, "since": since}).all()
    read: dict[str, None] = {}
    not_read: dict[str, str] = {}
    for row in accounts:
        account = account_of(row)
        try:
            summaries = lanes[account.lane].summaries(account, timeout_s=settings.upload_timeout_s)
        except (NeedsAction, Transient) as error:
            log.warning("summaries_not_read", customer_id=account.customer_id, reason=str(error))
            not_read[account.customer_id] = str(error)
            continue
        except Exception as error:
            log.exception("summaries_not_read", customer_id=account.customer_id, lane=account.lane.value)
            not_read[account.customer_id] = f"An error of our own ({type(error).__name__}): update; the log has it"
            continue
        with engine.begin() as connection:
            if summaries.summaries:
                allowance.spend(connection, account, settings, now, calls=QUERIES)
            keep(connection, account.id, summaries, now)
        read[account.customer_id] = None
    with engine.begin() as connection:
        count_ours(connection, now, days)
    return Reading(read=tuple(account for account in read if account not in not_read), not_read=not_read)


def keep(connection: sa.Connection, account_id: int, summaries: Summaries, now: datetime) -> None:
    """Write what one account's summaries say."""
    if summaries.time_zone:
        connection.execute(
            queries.KEEP_TIME_ZONE, {"account": account_id, "time_zone": summaries.time_zone, "now": now}
        )
    for summary in summaries.summaries:
        connection.execute(queries.KEEP_STATUS, _status(account_id, summary, now))
    ours = [summary for summary in summaries.summaries if summary.client == OUR_CLIENT and summary.action_id]
    days = Columns("action_id", "day", "successful", "failed", "pending")
    jobs: dict[int, dict[str, Any]] = {}
    for summary in ours:
        for day, counts in summary.days.items():
            days.add(action_id=summary.action_id, day=day, **msgspec.structs.asdict(counts))
        for job_id, counts in summary.jobs.items():
            jobs.setdefault(job_id, {})[summary.action_id] = RequestCounts(
                action_id=summary.action_id, counts=counts
            ).figures
    if len(days):
        connection.execute(queries.KEEP_GOOGLE_DAYS, days.arrays | {"account": account_id, "now": now})
    if jobs:
        connection.execute(
            queries.KEEP_JOB_COUNTS,
            {
                "account": account_id,
                "since": now - WINDOW,
                "job_id": list(jobs),
                "counts": [json.dumps(by_action, sort_keys=True) for by_action in jobs.values()],
            },
        )


def count_ours(connection: sa.Connection, now: datetime, days: int = WINDOW.days) -> None:
    """Count our side of the last days anew; what has not changed is not written."""
    since = now - timedelta(days=days + 1)
    first_request = connection.execute(queries.FIRST_REQUEST, {"since": since}).scalar_one()
    connection.execute(queries.READ_ONCE)
    connection.execute(
        queries.KEEP_DAYS,
        {
            "first_request": first_request if first_request is not None else MAX_ID,
            "first_day": first_day_of(now, days),
            "now": now,
            "since": since,
            "made_since": since - LONGEST_LIFE,
            "unattributable": UNATTRIBUTABLE,
            "already_there": ALREADY_THERE,
        },
    )


def first_day_of(now: datetime, days: int = WINDOW.days) -> date:
    """The first day that so many days back cover whole, in every time zone."""
    return (now.astimezone(UTC) - timedelta(days=days)).date() + timedelta(days=1)


def _status(account_id: int, summary: Summary, now: datetime) -> dict[str, Any]:
    return {
        "account": account_id,
        "action_id": summary.action_id,
        "client": summary.client,
        "status": summary.status,
        **msgspec.structs.asdict(summary.counts),
        "last_upload_at": summary.last_upload_at,
        "alerts": json.dumps([msgspec.structs.asdict(alert) for alert in summary.alerts]),
        "now": now,
    }
