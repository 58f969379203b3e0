"""`--target replica` of dbt, against a real streaming standby: what reads is read there, and a build is refused (docs/how-to/read-from-a-replica.md)."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from orchestration import dbt_project
from tests import machine_postgres
from tests.replicas import PORTS, replicated

LIMIT_S: Final = 600.0
COMMANDS: Final = """
import sys
from dbt.cli.main import dbtRunner
parsed = dbtRunner().invoke(["--quiet", "parse", *sys.argv[1:]])
runner = dbtRunner(manifest=parsed.result)
rows = "select pg_is_in_recovery() as is_standby, count(*) as sites from {{ source('app', 'sites') }}"
assert runner.invoke(["--quiet", "show", "--inline", rows, "--output", "json", *sys.argv[1:]]).success
assert not runner.invoke(["--quiet", "run", "--select", "stg_app__sites", *sys.argv[1:]]).success
"""
SITES: Final = """
INSERT INTO app.sites (site_key, platform, name)
SELECT 'shop-' || n, 'custom', 'Shop' FROM generate_series(1, 3) n RETURNING id"""

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("untraced_processes")]


@pytest.mark.long
def test_dbt_reads_there_and_cannot_build_there(tmp_path: Path) -> None:
    with machine_postgres.private_directory() as place, replicated(place) as both:
        both.primary.query(SITES)
        both.catch_up()
        variables = {
            **dbt_project.environment(both.url),
            "CUSTOM_EVENTS_DBT_TARGET": "replica",
            "CUSTOM_EVENTS_DBT_REPLICA_PORT": str(PORTS[1]),
        }
        project = str(dbt_project.PROJECT_DIRECTORY)
        folders = ("--project-dir", project, "--profiles-dir", project, "--target-path", str(tmp_path))
        ran = subprocess.run(
            [sys.executable, "-c", COMMANDS, *folders],
            env={**os.environ, **variables, "DBT_LOG_PATH": str(tmp_path), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert '"is_standby": true' in ran.stdout
        assert '"sites": 3' in ran.stdout
        assert "read-only transaction" in ran.stdout + (tmp_path / "dbt.log").read_text()
        assert both.primary.query("SELECT FROM pg_views WHERE schemaname LIKE 'reporting%'") == []
