"""What dbt derives for reading. The manifest must exist before this module is imported (`orchestration.dbt_project` sees to it)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from assets import dbt_specs

POOL = "reports"  # one build at a time (orchestration/instance.py): a second would only wait for the first's tables
# Of dbt's own process: where processors are scarce, the pipeline's batches go first (`man 2 setpriority`, 19 is the last).
NICENESS = 10

report_builds = dg.AssetSpec(
    "report_builds",
    group_name="marts",
    kinds={"dbt", "postgres"},
    owners=["team:data"],
    description="What each build of the reports did, table by table: rows that came and went, and where the time went.",
)


class Build(dg.Config):  # type: ignore[misc]
    """How the models are built. By default only what changed since the last build is computed."""

    whole: bool = False


def analytics(manifest: Path) -> dg.AssetsDefinition:
    """One asset per dbt model, built and tested by one `dbt build`."""
    models = dbt_specs.specs(manifest)

    @dg.multi_asset(
        name="dbt_models",
        specs=models.assets,
        check_specs=models.checks,
        can_subset=True,
        pool=POOL,
        op_tags={dbt_specs.SELECT_TAG: dbt_specs.EVERYTHING},
        allow_arbitrary_check_specs=True,
    )
    def dbt_models(
        context: dg.AssetExecutionContext,
        config: Build,
        dbt: dg.ResourceParam[Any],
        database_url: dg.ResourceParam[str],
    ) -> Iterator[Any]:
        from assets.dbt_build import build

        yield from build(context, dbt, manifest, url=database_url, is_whole=config.whole)

    return dbt_models
