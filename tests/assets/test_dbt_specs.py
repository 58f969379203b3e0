"""What is kept of dagster-dbt's description of the models, and that only who builds them imports it."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from assets import analytics, dbt_build, dbt_kept, dbt_specs
from custom_events.settings import settings
from orchestration import dbt_project

pytestmark = pytest.mark.usefixtures("untraced_processes")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    dbt_project.parse_if_needed()
    copied = tmp_path / "manifest.json"
    copied.write_bytes(dbt_project.manifest(settings()).read_bytes())
    return copied


def test_what_is_kept_is_what_was_read(manifest: Path) -> None:
    assert not dbt_kept.is_kept(manifest)
    read = dbt_specs.specs(manifest)
    assert dbt_kept.is_kept(manifest)
    kept = dbt_specs.specs(manifest)
    assert kept == read
    assert kept is not read
    assert {spec.key.path[-1] for spec in kept.assets} >= {"fct_orders", "dim_sites"}
    assert all(spec.blocking for spec in kept.checks if spec.name.startswith("not_null"))


def test_a_newer_manifest_or_another_dagster_is_read_anew(manifest: Path) -> None:
    dbt_specs.specs(manifest)
    file = manifest.with_name(dbt_kept.FILE)
    file.write_bytes(file.read_bytes().replace(b'"dagster":"', b'"dagster":"0.'))
    dbt_specs.specs(manifest)
    assert b'"dagster":"0.' not in file.read_bytes()
    later = file.stat().st_mtime + 10
    os.utime(manifest, (later, later))
    assert not dbt_kept.is_kept(manifest)


def test_the_asset_is_what_dagster_dbt_would_define(manifest: Path) -> None:
    ours, theirs = analytics.analytics(manifest), dbt_build.described(manifest)
    assert ours.keys == theirs.keys
    assert ours.asset_deps == theirs.asset_deps
    assert by_name(ours) == by_name(theirs)
    assert ours.op.tags == theirs.op.tags
    assert ours.can_subset == theirs.can_subset


def by_name(models: dg.AssetsDefinition) -> dict[str, dg.AssetCheckSpec]:
    return {spec.name: spec for spec in models.check_specs}


def test_nobody_else_imports_dbt() -> None:
    dbt_project.parse_if_needed()
    code = (
        "import sys, orchestration.definitions; print([name for name in ('dbt', 'dagster_dbt') if name in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=dbt_project.PROJECT_DIRECTORY.parent,
    )
    assert said.stdout.strip() == "[]"


def test_the_supervisor_imports_no_dagster_for_it() -> None:
    code = "import sys, supervisor.programs; print('dagster' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=dbt_project.PROJECT_DIRECTORY.parent,
    )
    assert said.stdout.strip() == "False"
