"""What needs dagster-dbt, and with it dbt: reading its manifest, and building its models."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, dbt_assets

from assets.dbt_specs import Specs

# Of an asset's metadata, what is of use to dagster-dbt only while it builds: the whole manifest, and the translator.
_WHILE_BUILDING = ("dagster_dbt/manifest", "dagster_dbt/dagster_dbt_translator")


class Translator(DagsterDbtTranslator):
    """Models are assets under their own name; sources point at the assets that fill them (dbt `meta.dagster.asset_key`)."""

    def get_group_name(self, dbt_resource_props: Any) -> str | None:
        """Staging, intermediate and marts are groups of their own."""
        return str(dbt_resource_props["fqn"][1]) if len(dbt_resource_props["fqn"]) > 2 else "reports"  # noqa: PLR2004


def described(manifest: Path) -> dg.AssetsDefinition:
    """The models as dagster-dbt defines them. Several tables belong to one asset of the pipeline, so sources may share a key."""
    translator = Translator(settings=DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))

    @dbt_assets(manifest=manifest, dagster_dbt_translator=translator, name="dbt_models")
    def dbt_models() -> Iterator[Any]:
        yield from ()  # only its description is used

    return dbt_models


def read(manifest: Path) -> Specs:
    """What dagster-dbt makes of a manifest, without the manifest."""
    models = described(manifest)
    assets = [
        spec.replace_attributes(
            metadata={name: value for name, value in spec.metadata.items() if name not in _WHILE_BUILDING}
        )
        for spec in models.specs
    ]
    return Specs(assets, list(models.check_specs))


def build(context: dg.AssetExecutionContext, dbt: DbtCliResource, manifest: Path) -> Iterator[Any]:
    """Build and test the selected models, an event for each. dagster-dbt looks for the manifest among the metadata of the assets that
    are built."""
    whole = {spec.key: spec.metadata for spec in described(manifest).specs}
    for spec in context.assets_def.specs:
        metadata: Any = spec.metadata
        metadata.update({name: whole[spec.key][name] for name in _WHILE_BUILDING})
    yield from dbt.cli(["build"], context=context).stream()
