"""A figure is the same wherever it is read: PostgreSQL's marts, DuckDB's, the semantic layer, the console and the ledger. One build of each."""

import csv
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec
import pytest
import sqlalchemy as sa
import yaml
from sqlalchemy.exc import ProgrammingError

from custom_events.browse import reports
from custom_events.values.definitions import Overrides
from custom_events.watching import sums
from orchestration import dbt_project
from tests.warehouse import Warehouse
from tests.world import NOON

pytestmark = [pytest.mark.long, pytest.mark.untraced]

ROOT: Final = Path(__file__).parents[2]
QUERIES: Final = ROOT / "docs" / "how-to" / "query-the-marts.md"
LIMIT_S: Final = 280  # of a process; an idle core needs 10 s, four of them share one here
# By site, as each has one currency: MetricFlow takes 3 s to start, so it is asked once.
METRICS: Final = {
    "ledger": ("conversions_matched", "conversions_sent", "conversions_accepted", "value_at_google"),
    "orders": ("orders", "revenue", "refunds"),
    "marts": ("accuracy", "success_rate"),
}
GROUP: Final = "site__site_name"
STORED: Final = {
    "ledger": """
SELECT s.name, count(*) AS conversions_matched, count(*) FILTER (WHERE c.attempts > 0) AS conversions_sent,
  count(*) FILTER (WHERE c.state = 'accepted') AS conversions_accepted,
  sum(CASE WHEN c.state = 'accepted' THEN coalesce(a.value, c.value) END) AS value_at_google
FROM app.conversion_uploads c JOIN app.sites s ON s.id = c.site_id LEFT JOIN app.conversion_uploads a
  ON a.custom_event_id = c.custom_event_id AND a.kind <> 'conversion' AND a.state = 'accepted'
WHERE c.kind = 'conversion' GROUP BY 1
""",
    "orders": """
SELECT s.name, count(*) AS orders, sum(o.total) AS revenue, sum(o.refunded) AS refunds FROM app.orders o JOIN app.sites s ON s.id = o.site_id
WHERE o.paid_at IS NOT NULL AND NOT o.is_test GROUP BY 1
""",
    "marts": """
SELECT a.site_name AS name, sum(a.sent + a.withheld) / sum(a.orders) AS accuracy,
  (SELECT CAST(count(*) FILTER (WHERE outcome = 'accepted') AS numeric) / count(*) FILTER (WHERE attempts > 0)
   FROM reporting.fct_conversions c WHERE c.site_id = a.site_id) AS success_rate
FROM reporting.fct_accuracy_daily a GROUP BY a.site_id, a.site_name
""",
}
# What the stored events of the ledger's conversions carried.
CAMPAIGNS: Final = """
SELECT coalesce(e.facts -> 'utm' ->> 'campaign', ''), count(*)
FROM app.conversion_uploads c JOIN app.custom_events m ON m.id = c.custom_event_id JOIN app.commerce_events e ON e.id = m.commerce_event_id
WHERE c.kind = 'conversion' GROUP BY 1
"""


@pytest.fixture
def built(shops_url: str, shops_engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """The marts on PostgreSQL, with the data tests that are written by hand and all unit tests."""
    warehouse = Warehouse(shops_url, shops_engine, tmp_path, monkeypatch)
    warehouse.run("build", "--exclude", "test_type:generic")
    return warehouse


@pytest.mark.timeout(3 * LIMIT_S)
def test_figures_are_equal_wherever_they_are_read(built: Warehouse, parquet: Path, tmp_path: Path) -> None:
    with subprocess.Popen(  # DuckDB's build beside the rest
        _dbt("run", "--target", "duckdb", "--target-path", str(tmp_path / "duck")),
        env=_environment(
            built.url, CUSTOM_EVENTS_DBT_PARQUET=str(parquet), CUSTOM_EVENTS_DBT_DUCKDB=str(tmp_path / "marts.duckdb")
        ),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        said, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, said
    differing = _differences(built, tmp_path / "marts.duckdb")
    assert differing == {}

    _console_ledger_and_marts_agree(built)
    _the_semantic_layer_says_the_same(built, tmp_path)
    _analysts_read_marts_alone(built)


def test_overrides_have_a_column_each() -> None:
    variables = yaml.safe_load((ROOT / "dbt" / "dbt_project.yml").read_text())["vars"]
    assert variables["override_settings"] == list(Overrides.__struct_fields__)


# ---------------------------------------------------------------- DuckDB
def _differences(built: Warehouse, file: Path) -> dict[str, list[str]]:
    """Rows of kept tables that are on one side only, as text."""
    different: dict[str, list[str]] = {}
    with duckdb.connect(str(file), read_only=True) as duck:
        duck.execute("SET TimeZone = 'UTC'")
        for model in built.marks():
            texts = ", ".join(f'cast("{column}" AS text)' for column in built.columns(model))
            statement = f"SELECT {texts} FROM reporting.{model}"
            ours = sorted(repr(tuple(row)) for row in built.rows(statement))
            theirs = sorted(repr(row) for row in duck.execute(statement).fetchall())
            if model != "int_sites" and ours != theirs:
                different[model] = [*sorted(set(ours) - set(theirs))[:3], *sorted(set(theirs) - set(ours))[:3]]
            assert ours, f"{model} is empty: nothing is compared"
    return different


# ---------------------------------------------------------------- console, ledger, marts
def _console_ledger_and_marts_agree(built: Warehouse) -> None:
    since, until = (NOON - timedelta(days=60)).date(), (NOON + timedelta(days=60)).date()
    report_filter = reports.ReportFilter(since=since, until=until, by="site")
    with built.engine.connect() as connection:
        total = sums.sums(connection)
        funnel = reports.read(connection, "funnel", report_filter).rows
        accuracy = reports.read(connection, "accuracy", report_filter).rows
        conversions = reports.read(connection, "conversions", report_filter).rows
        configuration = reports.read(connection, "configuration", report_filter).rows
        campaigns = reports.read(connection, "conversions", msgspec.structs.replace(report_filter, by="campaign")).rows
    assert total.gaps == []
    ledger = {row.name: row for row in built.rows(STORED["ledger"])}
    assert sum(row.conversions_sent for row in ledger.values()) == sum(day.sent for day in funnel) > 0
    for name in ("matched", "queued", "accepted", "unmatched", "rejected", "waiting", "expired", "unknown"):
        assert sum(getattr(day, name) for day in funnel) == getattr(total, name), name
    assert sum(day.withheld for day in funnel) == sum(total.withheld.values()) > 0
    assert sum(day.received for day in funnel) == total.landed + sum(total.refused_by_reason.values())
    assert sum(group.matched for group in conversions) == sum(use.matched for use in configuration) == total.matched
    for site, row in ledger.items():
        groups = [group for group in conversions if group.name == site]
        assert sum(group.accepted for group in groups) == row.conversions_accepted
        assert sum(group.value_at_google or 0 for group in groups) == row.value_at_google
    by_campaign: dict[str, int] = {}
    for group in campaigns:
        by_campaign[group.key] = by_campaign.get(group.key, 0) + group.matched
    assert by_campaign == dict(built.rows(CAMPAIGNS))
    assert len(by_campaign) > 1
    orders = sum(row.orders for row in built.rows(STORED["orders"]))
    credited = built.rows("SELECT sum(order_credit) FROM reporting.fct_attribution_daily WHERE model = 'time_decay'")
    assert sum(day.orders for day in accuracy) == orders == credited[0][0] > 0


# ---------------------------------------------------------------- semantic layer
def _the_semantic_layer_says_the_same(built: Warehouse, directory: Path) -> None:
    """Amounts and counts exactly; rates to nine digits, as MetricFlow divides doubles."""
    answers = _metrics(built, directory)
    for source, names in METRICS.items():
        stored = {row.name: [round(getattr(row, name), 9) for name in names] for row in built.rows(STORED[source])}
        assert {site: [round(row[name], 9) for name in names] for site, row in answers.items()} == stored, source


def _metrics(built: Warehouse, directory: Path) -> dict[str, dict[str, Decimal]]:
    """Metrics by name for each site, as MetricFlow's own command answers."""
    project, answer = directory / "metricflow", directory / "metrics.csv"
    project.mkdir()
    for name in ("dbt_project.yml", "profiles.yml", "models", "macros", "tests"):
        (project / name).symlink_to(dbt_project.PROJECT_DIRECTORY / name)
    (project / "target").mkdir()
    shutil.copy(built.directory / "target" / "semantic_manifest.json", project / "target")
    names = [name for names in METRICS.values() for name in names]
    command = str(Path(sys.executable).with_name("mf"))
    done = subprocess.run(
        [command, "query", "--metrics", ",".join(names), "--group-by", GROUP, "--csv", str(answer)],
        cwd=project,
        env=_environment(built.url, DBT_PROFILES_DIR=str(project), DBT_LOG_PATH=str(directory)),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert answer.is_file(), done.stdout + done.stderr
    with answer.open() as lines:
        return {row[GROUP]: {name: Decimal(row[name]) for name in names} for row in csv.DictReader(lines)}


# ---------------------------------------------------------------- analysts
def _analysts_read_marts_alone(built: Warehouse) -> None:
    """The ten queries of the manual answer something for the role that only reads."""
    queries = re.findall(r"```sql\n(.*?)```", QUERIES.read_text(), re.DOTALL)
    assert len(queries) == 10
    with built.engine.connect() as connection:
        connection.exec_driver_sql("SET ROLE custom_events_analyst")
        for query in queries:
            assert connection.exec_driver_sql(query.replace("%", "%%")).all(), query
    for forbidden in (
        "SELECT * FROM app.customers",
        "SELECT * FROM reporting.stg_app__customers",
        "SELECT * FROM reporting.kept_departures",
        "DELETE FROM reporting.fct_orders",
        "CREATE TABLE reporting.mine (n int)",
    ):
        with built.engine.connect() as connection:
            connection.exec_driver_sql("SET ROLE custom_events_analyst")
            with pytest.raises(ProgrammingError, match="permission denied"):
                connection.exec_driver_sql(forbidden)


# ---------------------------------------------------------------- processes
def _dbt(*arguments: str) -> list[str]:
    project = str(dbt_project.PROJECT_DIRECTORY)
    return [dbt_project.executable(), *arguments, "--quiet", "--project-dir", project, "--profiles-dir", project]


def _environment(url: str, **variables: str) -> Mapping[str, Any]:
    """Of a process that runs without coverage: what is ours in it has tests in this process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
    return {**kept, **dbt_project.environment(url), **variables}
