"""What runs by the clock."""

import dagster as dg

from orchestration import jobs

reports_hourly = dg.ScheduleDefinition(
    name="reports_hourly",
    job=jobs.build_reports,
    cron_schedule="7 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Reports are at most an hour old.",
)

reconciliation_daily = dg.ScheduleDefinition(
    name="reconciliation_daily",
    job=jobs.reconcile_uploads,
    cron_schedule="41 5 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Google's summaries follow its answers by hours; by then yesterday has ended in every zone of Europe.",
)

partitions_daily = dg.ScheduleDefinition(
    name="partitions_daily",
    job=jobs.keep_partitions,
    cron_schedule="23 2 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Partitions are made weeks ahead, so a missed day harms nothing.",
)

orders_hourly = dg.ScheduleDefinition(
    name="orders_hourly",
    job=jobs.recover_orders,
    cron_schedule="37 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="What a store sold and no delivery told of is here an hour later.",
)

shops_hourly = dg.ScheduleDefinition(
    name="shops_hourly",
    job=jobs.watch_shops,
    cron_schedule="52 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="A webhook that a shop lost is missed for an hour at most; tokens that nobody needs are kept alive by it.",
)
