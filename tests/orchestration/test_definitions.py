"""The graph as Dagster serves it: a change of it shows here."""

from itertools import pairwise
from typing import Any

import dagster as dg
import pytest

from orchestration import dbt_project, instance

STAGES = ["raw_events", "commerce_events", "custom_events", "conversion_uploads"]
MARTS_DIRECTORY = dbt_project.PROJECT_DIRECTORY / "models" / "marts"
MARTS = [file.stem for file in sorted(MARTS_DIRECTORY.glob("*.sql"))]
TABLES_BETWEEN = {"int_sites"}


@pytest.fixture(scope="module")
def defs() -> Any:
    dbt_project.parse_if_needed()
    from orchestration.definitions import defs

    return defs


def key(name: str) -> dg.AssetKey:
    return dg.AssetKey(name)


def test_everything_loads_and_resolves(defs: Any) -> None:
    dg.Definitions.validate_loadable(defs)


def test_the_stages_are_one_unbroken_line_into_every_report(defs: Any) -> None:
    graph = defs.resolve_asset_graph()
    for before, after in pairwise(STAGES):
        assert key(before) in graph.get(key(after)).parent_keys
    for mart in ("fct_conversions_by_definition", "fct_funnel_daily", "fct_orders", "fct_reconciliation_daily"):
        assert mart in MARTS
        ancestors = graph.get_ancestor_asset_keys(key(mart))
        assert ancestors >= {key(name) for name in STAGES}, mart


def test_the_assets_jobs_and_clocks_are_these(defs: Any) -> None:
    graph = defs.resolve_asset_graph()
    names = {found.to_user_string() for found in graph.get_all_asset_keys()}
    known = {*STAGES, *MARTS, "configuration", "reconciliation", "report_builds", "report_exports"}
    assert names >= known | TABLES_BETWEEN
    assert all(name.startswith(("stg_", "int_")) for name in names - known)
    assert {job.name for job in defs.jobs} == {
        "understand_and_match",
        "upload_conversions",
        "reconcile_uploads",
        "build_reports",
        "export_reports",
        "rebuild_reports",
        "keep_partitions",
        "watch_shops",
        "recover_orders",
        "read_named_orders",
        "backtest",
    }
    assert {schedule.name: schedule.cron_schedule for schedule in defs.schedules} == {
        "reports_hourly": "7 * * * *",
        "reconciliation_daily": "41 5 * * *",
        "partitions_daily": "23 2 * * *",
        "shops_hourly": "52 * * * *",
        "orders_hourly": "37 * * * *",
    }
    assert {sensor.name for sensor in defs.sensors} == {
        "raw_backlog",
        "upload_backlog",
        "scheduled_reports",
        "named_orders",
        "watching",
    }


def test_every_model_hangs_on_a_stage_and_says_what_it_is(defs: Any) -> None:
    graph = defs.resolve_asset_graph()
    roots = {key("raw_events"), key("configuration"), key("report_builds")}
    for name in graph.get_all_asset_keys() - roots - {key("dim_dates")}:
        assert graph.get_ancestor_asset_keys(name) & roots, f"{name}: no way leads to it"
    for name in MARTS:
        node = graph.get(key(name))
        assert (node.owners, node.group_name) == (["team:data"], "marts"), name
        assert node.description.startswith("One row per "), name
        assert {"dbt", "postgres"} <= node.kinds, name
        assert node.freshness_policy is not None, name


def test_one_build_at_a_time(defs: Any) -> None:
    assert defs.resolve_job_def("build_reports").graph.node_defs[0].pool == "reports"
    configured: Any = instance.configuration()
    assert configured["concurrency"]["pools"] == {"granularity": "op", "default_limit": 1}


def test_every_sum_is_a_check_beside_its_asset(defs: Any) -> None:
    checks = {f"{spec.asset_key.to_user_string()}: {spec.name}" for spec in defs.resolve_asset_graph().asset_check_keys}
    assert checks >= {
        "raw_events: received_is_landed_or_refused",
        "commerce_events: landed_is_understood_parked_or_ignored",
        "custom_events: matched_is_queued_or_withheld",
        "conversion_uploads: queued_has_a_standing",
        "reconciliation: google_counts_fewer",
        "conversion_uploads: success_rate_low",
        "raw_events: deliveries_refused",
        "commerce_events: pipeline_stalled",
    }


def test_partitions_are_kept_by_a_job(defs: Any, database: str) -> None:
    job = defs.resolve_job_def("keep_partitions")
    result = job.execute_in_process(resources={"database_url": dg.ResourceDefinition.hardcoded_resource(database)})
    assert result.success
