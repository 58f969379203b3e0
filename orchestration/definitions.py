"""Everything Dagster serves. WHAT exists stands in assets/; here is when it runs, with what, and how many at once."""

import dagster as dg

from assets import (
    analytics,
    commerce_events,
    conversion_uploads,
    custom_events,
    raw_events,
    reconciliation,
    report_exports,
    watches,
)
from custom_events.settings import settings
from orchestration import backtests, dbt_project, jobs, resources, schedules, sensors

defs = dg.Definitions(
    assets=[
        raw_events.raw_events,
        raw_events.configuration,
        commerce_events.understand_and_match,
        conversion_uploads.conversion_uploads,
        reconciliation.reconciliation,
        analytics.analytics(dbt_project.manifest(settings())),
        report_exports.report_exports,
        analytics.report_builds,
    ],
    asset_checks=[
        raw_events.received_is_landed_or_refused,
        commerce_events.landed_is_understood_parked_or_ignored,
        custom_events.matched_is_queued_or_withheld,
        conversion_uploads.queued_has_a_standing,
        *(watches.checks_of(asset) for asset in watches.ASSETS),
    ],
    jobs=[
        jobs.understand_and_match,
        jobs.upload_conversions,
        jobs.reconcile_uploads,
        jobs.build_reports,
        jobs.export_reports,
        jobs.rebuild_reports,
        jobs.keep_partitions,
        jobs.watch_shops,
        jobs.recover_orders,
        jobs.read_named_orders,
        backtests.backtest,
    ],
    schedules=[
        schedules.reports_hourly,
        schedules.reconciliation_daily,
        schedules.partitions_daily,
        schedules.shops_hourly,
        schedules.orders_hourly,
    ],
    sensors=[
        sensors.raw_backlog,
        sensors.upload_backlog,
        sensors.scheduled_reports,
        sensors.named_orders,
        sensors.watching,
    ],
    resources={"database_url": resources.database_url, "dbt": resources.dbt},
)
