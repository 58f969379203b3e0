"""Where everything stands, in one answer: for `custom-events status` and the API. What is wrong is measured now, as `watch` does."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.queries import odd_leaves, recovery, status_counts
from custom_events.settings import Settings
from custom_events.watching import state, traffic
from custom_events.watching.alarms import raised
from custom_events.watching.equations import Sums
from custom_events.watching.measure import measure
from custom_events.watching.metrics import Reading
from custom_events.watching.sums import check, checks, sums, tallied

MISSING_SHOWN: Final = timedelta(days=30)
SOON_S = 60.0  # what is held longer than this does not count as open work: it waits for its time


class ReplicaStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How the replica stands. `problem`: why all is read from the primary (away, no_standby, behind), null: it is read; `behind_s`: seconds, null: nobody knows."""

    problem: str | None
    behind_s: float | None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Counts over all that is kept. `open_work` is what moves by itself within a minute; `reasons` is `state: reason`; `unnamed` is what
    Google counted of requests without naming rows, by reason: as many of the accepted came to nothing, and nobody knows which;
    `without_click_id` went with hashes alone, by state; `reconciled` is our ledger beside Google's counts of four weeks;
    `odd_leaves` are bodies by `site path`; `missing_orders` is what no delivery had brought in 30 days, by `site kind`; `quiet` is of what less comes than
    usual, with the hours; `dagster` is what the orchestrator keeps of its own; `replica`: null without one; `checked_at`: when all of it was counted last, null: never."""

    agree: bool
    sums: Sums
    open_work: dict[str, int]
    commerce_events: dict[str, int]
    custom_events: dict[str, int]
    uploads: dict[str, int]
    adjustments: dict[str, int]
    reasons: dict[str, int]
    unnamed: dict[str, int] = {}
    without_click_id: dict[str, int] = {}
    reconciled: dict[str, int] = {}
    alarms: dict[str, int] = {}
    odd_leaves: dict[str, int] = {}
    missing_orders: dict[str, int] = {}
    quiet: dict[str, int] = {}
    dagster: dict[str, int] = {}
    replica: ReplicaStatus | None = None
    checked_at: datetime | None = None


class PipelineTotals(msgspec.Struct, frozen=True, kw_only=True):
    """What a status says of the stages alone: the sums, and conversions by state."""

    sums: Sums
    uploads: dict[str, int]
    checked_at: datetime | None = None


class EventTotals(msgspec.Struct, frozen=True, kw_only=True):
    """What a status says of events: commerce events by type, custom events by the key of their definition."""

    commerce_events: dict[str, int]
    custom_events: dict[str, int]


def pipeline_totals(connection: sa.Connection) -> PipelineTotals:
    """The stages as `status` has them, without measuring what is wrong: a third of its statements."""
    return PipelineTotals(
        sums=tallied(connection),
        uploads=status_counts.ledger(connection, SOON_S).uploads,
        checked_at=_checked_at(connection),
    )


def event_totals(connection: sa.Connection) -> EventTotals:
    """How many events there are of what, from tallies: one row of them for each assignment is read."""
    return EventTotals(
        commerce_events=status_counts.counted(connection, status_counts.TALLIED_EVENTS),
        custom_events=status_counts.counted(connection, status_counts.TALLIED_CUSTOM_EVENTS),
    )


def status(connection: sa.Connection, settings: Settings, now: datetime) -> Status:
    """The figures as the tallies have them, at the same cost whatever there is of history. Writes nothing."""
    totals = tallied(connection)
    ledger = status_counts.ledger(connection, SOON_S)
    return Status(
        agree=totals.agree,
        sums=totals,
        open_work={**status_counts.open_elsewhere(connection), "uploads": ledger.soon},
        commerce_events=status_counts.counted(connection, status_counts.TALLIED_EVENTS),
        custom_events=status_counts.counted(connection, status_counts.TALLIED_CUSTOM_EVENTS),
        uploads=ledger.uploads,
        adjustments=ledger.adjustments,
        reasons=ledger.reasons,
        unnamed=ledger.unnamed,
        without_click_id=ledger.without_click_id,
        checked_at=_checked_at(connection),
        **_watched(connection, settings, now, totals),
    )


def exact_status(connection: sa.Connection, settings: Settings, now: datetime) -> Status:
    """The same by counting, which reads whole tables. What differed from the tallies is among the gaps, set right, and remembered."""
    off = [gap for site_check in check(connection, now) for gap in site_check.gaps]
    totals = msgspec.structs.replace(sums(connection), gaps=off)
    return Status(
        agree=totals.agree,
        sums=totals,
        open_work=dict(status_counts.open_work(connection, SOON_S)),
        commerce_events=status_counts.counted(connection, status_counts.EVENTS_BY_TYPE),
        custom_events=status_counts.counted(connection, status_counts.CUSTOM_EVENTS_BY_DEFINITION),
        uploads=status_counts.counted(connection, status_counts.UPLOADS_BY_STATE),
        adjustments=status_counts.counted(connection, status_counts.ADJUSTMENTS_BY_STATE),
        reasons=status_counts.counted(connection, status_counts.REASONS),
        unnamed=status_counts.counted(connection, status_counts.UNNAMED),
        without_click_id=status_counts.counted(connection, status_counts.WITHOUT_CLICK_ID),
        checked_at=now,
        **_watched(connection, settings, now, totals),
    )


def _checked_at(connection: sa.Connection) -> datetime | None:
    return min((check.checked_at for check in checks(connection)), default=None)


def _watched(connection: sa.Connection, settings: Settings, now: datetime, totals: Sums) -> dict[str, Any]:
    reading = measure(connection, settings, now, counted=totals)
    alarms = state.foreseen(connection, reading, raised(reading), now)
    return {
        "reconciled": status_counts.counted(connection, status_counts.RECONCILED),
        "alarms": dict(Counter(episode.label(now) for episode in alarms)),
        "odd_leaves": status_counts.counted(connection, odd_leaves.BY_NAME),
        "missing_orders": {
            f"{row.site_key} {row.kind}": row.orders
            for row in connection.execute(recovery.MISSING_BY_SITE, {"since": now - MISSING_SHOWN})
        },
        "quiet": {
            f"{part.site_key or part.customer_id} {part.subject}": part.hours
            for part in traffic.quiet_traffic(connection)
        },
        "dagster": status_counts.of_dagster(connection),
        "replica": _replica(reading) if settings.replica_url is not None else None,
    }


def _replica(reading: Reading) -> ReplicaStatus:
    samples = {sample.metric: sample for sample in reading.samples}
    behind, not_read = (
        samples.get("custom_events_replica_behind_seconds"),
        samples.get("custom_events_replica_not_read"),
    )
    return ReplicaStatus(
        problem=None if not_read is None else not_read.labels[0], behind_s=None if behind is None else behind.value
    )
