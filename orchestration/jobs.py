"""The jobs. Steps run in the run's own process: a process per step would cost seconds each (docs/reference/performance.md 6)."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from assets.database import opened
from custom_events.pipeline.beacons import KEPT as BEACONS_KEPT
from custom_events.postgres import partitions, upkeep, zone_offsets
from custom_events.queries import beacons as beacon_queries
from custom_events.queries import receipts as receipts_by_hour
from custom_events.queries import reconciliation, tallies
from custom_events.recovery.hints import read_all_hinted
from custom_events.recovery.run import recover_all
from custom_events.redaction import retention
from custom_events.redaction.archives import archive_due
from custom_events.redaction.carry_out import carry_out_all, sweep_quarantine
from custom_events.reports import retention as report_retention
from custom_events.settings import settings
from custom_events.shopify_app import watching as shopify_app
from custom_events.watching import scheduled, sums
from orchestration import resources, run_retention

IN_ONE_PROCESS = dg.in_process_executor
QUARANTINE_SWEPT = timedelta(days=3)  # what was refused since: three turns of the job


@dg.success_hook(required_resource_keys={"database_url"})
def note_end(context: dg.HookContext) -> None:
    """Note that a job of one step ended well."""
    _note_end(context.resources.database_url, context.job_name)


def _note_end(url: str, job: str) -> None:
    with opened(url) as engine, engine.begin() as connection:
        scheduled.ended(connection, job, datetime.now(UTC))


understand_and_match = dg.define_asset_job(
    "understand_and_match",
    selection=dg.AssetSelection.assets("commerce_events", "custom_events")
    | dg.AssetSelection.checks_for_assets("raw_events", "commerce_events", "custom_events"),
    executor_def=IN_ONE_PROCESS,
    description="Drains landed webhooks into commerce events, custom events and the upload queue.",
)

upload_conversions = dg.define_asset_job(
    "upload_conversions",
    selection=dg.AssetSelection.assets("conversion_uploads"),
    executor_def=IN_ONE_PROCESS,
    description="Sends what is due to Google, reads the answers, adjusts what was refunded.",
)

reconcile_uploads = dg.define_asset_job(
    "reconcile_uploads",
    selection=dg.AssetSelection.assets("reconciliation"),
    executor_def=IN_ONE_PROCESS,
    hooks={note_end},
    description="Lays Google's own counts beside the ledger.",
)

build_reports = dg.define_asset_job(
    "build_reports",
    selection=dg.AssetSelection.groups("staging", "intermediate", "marts"),
    executor_def=IN_ONE_PROCESS,
    hooks={note_end},
    description="Builds and tests the dbt models: what changed since the last build is computed.",
)

rebuild_reports = dg.define_asset_job(
    "rebuild_reports",
    selection=dg.AssetSelection.groups("staging", "intermediate", "marts"),
    executor_def=IN_ONE_PROCESS,
    config={"ops": {"dbt_models": {"config": {"whole": True}}}},
    description="Computes all reports anew from all rows, and changes what differs: nothing, where every build before was right. By hand.",
)


export_reports = dg.define_asset_job(
    "export_reports",
    selection=dg.AssetSelection.assets("report_exports"),
    executor_def=IN_ONE_PROCESS,
    description="Writes and delivers the reports that are due.",
)


@dg.op(
    description="Makes partitions ahead, archives raw events and drops partitions whose retention is over, renews the offsets of time zones."
)
def keep(context: dg.OpExecutionContext, database_url: dg.ResourceParam[str]) -> None:
    """What grows without end is partitioned by time; this keeps the partitions."""
    now = datetime.now(UTC)
    with opened(database_url) as engine:
        archived = archive_due(engine, settings(), now)
    with opened(database_url) as engine, engine.begin() as connection:
        made = partitions.ensure(connection, datetime.now(UTC))
        dropped = partitions.drop_expired(connection, settings(), datetime.now(UTC))
        changed = zone_offsets.ensure(connection)
        connection.execute(beacon_queries.FORGET, {"before": datetime.now(UTC) - BEACONS_KEPT})
    context.add_output_metadata(
        {
            "made": len(made.names),
            "archived": sum(week.problem is None for week in archived),
            "dropped": len(dropped.names),
            "kept": dropped.kept,
            "zones": len(changed),
        }
    )
    for week in archived:
        if week.problem is not None:
            context.log.error("week %s is not archived: %s", week.week, week.problem)
    for name in [*made.names, *dropped.names]:
        context.log.info(name)


@dg.op(
    description="Counts whole tables, lays that beside the tallies, and remembers what differs for the watcher; statistics."
)
def count_all(context: dg.OpExecutionContext, database_url: dg.ResourceParam[str]) -> None:
    """What runs and pages read is kept by those who write; this is where it is proven, and where old pages are made dense."""
    now = datetime.now(UTC)
    with opened(database_url) as engine:
        with engine.begin() as connection:
            tallies.fold(connection)
            receipts = receipts_by_hour.by_hour(connection, now)
            days = reconciliation.forget(connection, now - timedelta(days=settings().event_retention_days))
        upkeep.analyze(engine)
        rested = upkeep.rest(engine, now)
        with engine.begin() as connection:
            gaps = [gap for check in sums.check(connection, now) for gap in check.gaps]
    for gap in gaps:
        context.log.error(gap)
    context.add_output_metadata({"gaps": gaps, "rested": rested, "receipts": receipts, "reconciliation_days": days})


@dg.op(description="Reads the orders that stores changed from their own APIs, and lands what no delivery had brought.")
def read_orders(context: dg.OpExecutionContext, database_url: dg.ResourceParam[str]) -> None:
    """Counts alone reach Dagster. A store that cannot be read is an alarm of its own, and no failure of the job."""
    with opened(database_url) as engine:
        read_all_hinted(engine, settings(), datetime.now(UTC))  # what waited while a store could not be read
        recoveries = recover_all(engine, settings(), datetime.now(UTC))
    for recovery in recoveries:
        if recovery.problem is not None:
            context.log.error("site %s: %s", recovery.site_id, recovery.problem)
    context.add_output_metadata(
        {
            "sites": len(recoveries),
            "read": sum(recovery.read for recovery in recoveries),
            "landed": sum(recovery.landed for recovery in recoveries),
            "problems": sum(recovery.problem is not None for recovery in recoveries),
        }
    )


@dg.job(
    executor_def=IN_ONE_PROCESS,
    hooks={note_end},
    description="Orders of stores laid beside what landed; what is missing is landed.",
)
def recover_orders() -> None:
    """Every hour, one site after the other."""
    read_orders()


@dg.op(description="Reads the orders that deliveries only name from the stores' own APIs, and lands them.")
def read_named(context: dg.OpExecutionContext, database_url: dg.ResourceParam[str]) -> None:
    """Counts alone reach Dagster. A store that cannot be read is an alarm of its own, and no failure of the job."""
    with opened(database_url) as engine:
        readings = read_all_hinted(engine, settings(), datetime.now(UTC))
    for reading in readings:
        if reading.problem is not None:
            context.log.error("site %s: %s", reading.site_id, reading.problem)
    context.add_output_metadata(
        {
            "sites": len(readings),
            "named": sum(reading.named for reading in readings),
            "landed": sum(reading.landed for reading in readings),
            "problems": sum(reading.problem is not None for reading in readings),
        }
    )


@dg.job(
    executor_def=IN_ONE_PROCESS,
    resource_defs={
        "database_url": resources.database_url
    },  # its own: a sensor's job cannot get it afterwards without a warning
    description="Orders of stores whose deliveries only name them, read and landed.",
)
def read_named_orders() -> None:
    """When deliveries have named orders, one site after the other."""
    read_named()


@dg.op(
    description="Deletes Dagster's own runs whose retention is over, with their events, results of checks and files."
)
def delete_old_runs(context: dg.OpExecutionContext, database_url: dg.ResourceParam[str]) -> None:
    """Dagster deletes none of them by itself."""
    before = datetime.now(UTC) - timedelta(days=settings().dagster_retention_days)
    deleted = run_retention.delete_old_runs(context.instance, before)
    with opened(database_url) as engine, engine.begin() as connection:
        leftovers = run_retention.delete_leftovers(connection, before)
    context.add_output_metadata({"deleted": deleted, "checks": leftovers.checks, "events": leftovers.events})


@dg.op(
    description="Carries out requests to forget people, and looks through new quarantine for those who were forgotten."
)
def forget_people(context: dg.OpExecutionContext, database_url: dg.ResourceParam[str]) -> None:
    """Counts alone reach Dagster: nothing of whoever is forgotten."""
    with opened(database_url) as engine:
        requests = carry_out_all(engine, settings(), actor="keep_partitions")
        blanked = sweep_quarantine(engine, settings(), datetime.now(UTC) - QUARANTINE_SWEPT)
    for request in requests:
        if request.problem is not None:
            context.log.error("request %s: %s", request.raw_id, request.problem)
    context.add_output_metadata(
        {
            "done": sum(request.is_done for request in requests),
            "waiting": sum(not request.is_done for request in requests),
            "rows": sum(sum(request.counts.values()) for request in requests),
            "quarantine": blanked,
        }
    )


@dg.op(description="Removes files of reports whose retention is over, and forgets old runs of reports.")
def sweep_reports(context: dg.OpExecutionContext, database_url: dg.ResourceParam[str]) -> None:
    """Schedules whose zones have changed their clocks are due at another moment from then on."""
    with opened(database_url) as engine:
        swept = report_retention.sweep(engine, settings(), datetime.now(UTC))
    context.add_output_metadata({"files": swept.files, "runs": swept.runs, "schedules_moved": swept.moved})


@dg.op(
    description="Blanks or deletes row by row what is older than its setting: ids of conversions, customers, quarantine."
)
def expire(context: dg.OpExecutionContext, database_url: dg.ResourceParam[str]) -> None:
    """What no partition takes with it."""
    with opened(database_url) as engine:
        expired = retention.expire(engine, settings(), datetime.now(UTC))
    context.add_output_metadata(
        {"identifiers": expired.identifiers, "customers": expired.customers, "quarantine": expired.quarantine}
    )


@dg.op(
    ins={"ended": dg.In(dg.Nothing)}, description="Notes that every step ended well: the alarm of missed jobs reads it."
)
def all_ended(database_url: dg.ResourceParam[str]) -> None:
    """Skipped when a step failed."""
    _note_end(database_url, "keep_partitions")


@dg.job(
    executor_def=IN_ONE_PROCESS,
    description="Partitions: made ahead, dropped by retention; people forgotten who asked; what is tallied is counted; old runs and files of reports deleted.",
)
def keep_partitions() -> None:
    """What time asks for; a schedule runs it daily. What one step cannot do keeps no other from its own."""
    all_ended([keep(), expire(), forget_people(), count_all(), delete_old_runs(), sweep_reports()])


@dg.op(description="Looks whether what our Shopify app needs is there in every shop, and registers again what is not.")
def look_at_shops(context: dg.OpExecutionContext, database_url: dg.ResourceParam[str]) -> None:
    """Tokens, scopes, webhooks and pixel. What is wrong is kept with each installation, where alarms find it."""
    with opened(database_url) as engine:
        looks = shopify_app.watch_all(engine, settings(), actor="watch_shops")
    for look in looks:
        for problem in look.problems:
            context.log.error("%s: %s", look.shop, problem.sentence)
    repaired = sum(not look.repaired.is_nothing for look in looks)
    context.add_output_metadata(
        {"shops": len(looks), "repaired": repaired, "with_problems": sum(bool(look.problems) for look in looks)}
    )


@dg.job(
    executor_def=IN_ONE_PROCESS,
    hooks={note_end},
    description="Our app in Shopify's shops: its tokens, and what it has registered there.",
)
def watch_shops() -> None:
    """A schedule runs it hourly."""
    look_at_shops()
