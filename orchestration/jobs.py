"""The jobs. Steps run in the run's own process: a process per step would cost seconds each (reference: performance)."""

from datetime import UTC, datetime

import dagster as dg

from custom_events.postgres import partitions
from custom_events.postgres.connect import engine
from custom_events.settings import settings

IN_ONE_PROCESS = dg.in_process_executor

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
    description="Lays Google's own counts beside the ledger.",
)

build_reports = dg.define_asset_job(
    "build_reports",
    selection=dg.AssetSelection.groups("staging", "intermediate", "marts"),
    executor_def=IN_ONE_PROCESS,
    description="Builds and tests the dbt models.",
)


@dg.op(description="Makes partitions ahead and drops those whose retention is over.")
def keep(context: dg.OpExecutionContext, database_url: dg.ResourceParam[str]) -> None:
    """What grows without end is partitioned by time; this keeps the partitions."""
    made_engine = engine(database_url)
    try:
        with made_engine.begin() as connection:
            made = partitions.ensure(connection, datetime.now(UTC))
            dropped = partitions.drop_expired(connection, settings(), datetime.now(UTC))
    finally:
        made_engine.dispose()
    context.add_output_metadata({"made": len(made.names), "dropped": len(dropped.names), "kept": dropped.kept})
    for name in [*made.names, *dropped.names]:
        context.log.info(name)


@dg.job(executor_def=IN_ONE_PROCESS, description="Partitions: made ahead, dropped by retention.")
def keep_partitions() -> None:
    """One op; a schedule runs it daily."""
    keep()
