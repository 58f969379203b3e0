"""What runs when there is work. A run drains until it is idle or its time is up, so a sensor starts one only when none
is alive, or when the youngest is about to hand over: two may overlap, since a shard or a row has one holder at a time."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import dagster as dg
import psutil
import sqlalchemy as sa

from custom_events.ledger import waiting
from custom_events.postgres import migrate, schema_guard
from custom_events.postgres.connect import engine
from custom_events.queries import backlog
from custom_events.recovery.hints import hinted_sites
from custom_events.reports import planning
from custom_events.settings import settings
from custom_events.watching.channels import channels
from custom_events.watching.watch import look
from orchestration import jobs, resources

NAMED_EVERY_S = 15  # a look costs an index of the last hour's deliveries of those sites
WATCH_EVERY_S = 60  # an alarm needs minutes to be one; a look costs a handful of indexed queries
REPORTS_EVERY_S = 15  # a report is due by the minute
LOOK_EVERY_S = 5  # Dagster's daemon looks at sensors every five seconds; a look costs one indexed query
HAND_OVER_S = (
    30  # a run needs 7 to 11 s from launch to its first line (docs/reference/performance.md 6), on a busy machine more
)

ENDED_WITH_ITS_SERVER = (
    "Its process ended together with the code server that had started it (killed, or the machine went down). What it had committed "
    "stays; the next run does the rest."
)

_ALIVE = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def is_wanted(ages_s: list[float], limit_s: float) -> bool:
    """Whether another draining run should start, given the ages of those alive and the longest life of a run."""
    return not ages_s or min(ages_s) > limit_s - HAND_OVER_S


def _process_began() -> float:
    """When this process began, seconds since 1970. Sensors run in the code server, which starts every run and whose end ends them; it
    imports for seconds before it can start one, so that a database whose clock is a little behind makes no difference."""
    return psutil.Process().create_time()


def ages_of_runs(instance: dg.DagsterInstance, job_name: str) -> list[float]:
    """Seconds since each living run of a job was made. Runs whose processes ended with an earlier code server are reported as failed.

    Dagster would count them as alive for ever, or until its monitoring gives up after minutes, and nothing would be started beside them.
    """
    ages: list[float] = []
    for record in instance.get_run_records(dg.RunsFilter(statuses=_ALIVE)):
        made_at = record.create_timestamp.timestamp()
        if made_at < _process_began():
            instance.report_run_failed(record.dagster_run, ENDED_WITH_ITS_SERVER)
        elif record.dagster_run.job_name == job_name:
            ages.append(time.time() - made_at)
    return ages


def _decide(
    context: dg.SensorEvaluationContext, job_name: str, has_work: Callable[[sa.Connection], bool]
) -> dg.RunRequest | dg.SkipReason:
    if not is_wanted(ages_of_runs(context.instance, job_name), settings().drain_limit_s):
        return dg.SkipReason("A run is draining already.")
    made = engine(resources.address())
    try:
        with made.connect() as connection:
            if wrong := schema_guard.problem(migrate.revision_of(connection)):
                return dg.SkipReason(wrong)
            return dg.RunRequest() if has_work(connection) else dg.SkipReason("Nothing is waiting.")
    finally:
        made.dispose()


def uploads_wait(connection: sa.Connection) -> bool:
    """Whether the ledger has anything to do now."""
    return waiting.has_work(connection, datetime.now(UTC))


@dg.sensor(
    job=jobs.understand_and_match,
    minimum_interval_seconds=LOOK_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts a draining run when landed webhooks wait.",
)
def raw_backlog(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Looks at the raw queue."""
    return _decide(context, jobs.understand_and_match.name, backlog.raw_events_wait)


@dg.sensor(
    job=jobs.upload_conversions,
    minimum_interval_seconds=LOOK_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts an uploading run when rows of the ledger are due.",
)
def upload_backlog(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Looks at the ledger."""
    return _decide(context, jobs.upload_conversions.name, uploads_wait)


def orders_are_named(connection: sa.Connection) -> bool:
    """Whether deliveries have named orders that are to be read."""
    return bool(hinted_sites(connection, datetime.now(UTC)))


@dg.sensor(
    job=jobs.read_named_orders,
    minimum_interval_seconds=NAMED_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts a run that reads orders when deliveries have named some, as those of BigCommerce do.",
)
def named_orders(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Looks at deliveries that only name an order."""
    return _decide(context, jobs.read_named_orders.name, orders_are_named)


def reports_wait(connection: sa.Connection) -> bool:
    """Whether a schedule of a report is due, or a run of one waits."""
    return planning.has_work(connection, datetime.now(UTC))


@dg.sensor(
    job=jobs.export_reports,
    minimum_interval_seconds=REPORTS_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts a run that exports reports when schedules in the database say that one is due.",
)
def scheduled_reports(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Looks at schedules and at runs that wait: what was due while no daemon looked is due still."""
    return _decide(context, jobs.export_reports.name, reports_wait)


@dg.sensor(
    minimum_interval_seconds=WATCH_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Looks for what is wrong, and tells people when that changes (`custom-events watch`). Starts no run.",
)
def watching(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """One look in the daemon itself: a run for it would cost seconds of CPU every minute. The sums are counted hourly."""
    configured = settings()
    now = datetime.now(UTC)
    hour = now.strftime("%Y-%m-%dT%H")
    made = schema_guard.engine(resources.address())
    try:
        seen = look(made, channels(configured), configured, now, with_sums=context.cursor != hour)
    finally:
        made.dispose()
    context.update_cursor(hour)
    said = [f"{len(seen.open)} alarms are open."]
    said += [f"{channel} was told of {parts}." for channel, parts in seen.told.items()]
    said += [f"{channel} was not told: {reason}." for channel, reason in seen.not_told.items()]
    return dg.SkipReason(" ".join(said))
