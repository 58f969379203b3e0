"""What dbt derives for reading. The manifest must exist before this module is imported (`orchestration.dbt_project` sees to it)."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, dbt_assets


class Translator(DagsterDbtTranslator):
    """Models are assets under their own name; sources point at the assets that fill them (dbt `meta.dagster.asset_key`)."""

    def get_group_name(self, dbt_resource_props: Any) -> str | None:
        """Staging, intermediate and marts are groups of their own."""
        return str(dbt_resource_props["fqn"][1]) if len(dbt_resource_props["fqn"]) > 2 else "reports"  # noqa: PLR2004


def translator() -> Translator:
    """Several tables belong to one asset of the pipeline, so sources may share a key."""
    return Translator(settings=DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))


def analytics(manifest: Any) -> dg.AssetsDefinition:
    """One asset per dbt model, built and tested by one `dbt build`."""

    @dbt_assets(manifest=manifest, dagster_dbt_translator=translator(), name="dbt_models")
    def dbt_models(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        yield from dbt.cli(["build"], context=context).stream()

    return dbt_models
