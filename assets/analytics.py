"""What dbt derives for reading. The manifest must exist before this module is imported (`orchestration.dbt_project` sees to it)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from assets import dbt_specs


def analytics(manifest: Path) -> dg.AssetsDefinition:
    """One asset per dbt model, built and tested by one `dbt build`."""
    models = dbt_specs.specs(manifest)

    @dg.multi_asset(
        name="dbt_models",
        specs=models.assets,
        check_specs=models.checks,
        can_subset=True,
        op_tags={dbt_specs.SELECT_TAG: dbt_specs.EVERYTHING},
        allow_arbitrary_check_specs=True,
    )
    def dbt_models(context: dg.AssetExecutionContext, dbt: dg.ResourceParam[Any]) -> Iterator[Any]:
        from assets.dbt_build import build

        yield from build(context, dbt, manifest)

    return dbt_models
