"""What needs dagster-dbt, and with it dbt: reading its manifest, and building its models."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, dbt_assets

from assets import analytics, build_figures
from assets.dbt_specs import Specs

# Of an asset's metadata, what is of use to dagster-dbt only while it builds: the whole manifest, and the translator.
_WHILE_BUILDING = ("dagster_dbt/manifest", "dagster_dbt/dagster_dbt_translator")

_BUILD = ("build", "--exclude-resource-type", "unit_test")  # those need no data: our own tests run them
OWNER = "team:data"  # of every model; docs/architecture.md says who looks after what
# Tables are built every hour (orchestration/schedules.py): two that were missed are worth a word, and half a day is wrong.
STALE_AFTER = timedelta(hours=3)
WRONG_AFTER = timedelta(hours=12)


class Translator(DagsterDbtTranslator):
    """Models are assets under their own name; sources point at the assets that fill them (dbt `meta.dagster.asset_key`)."""

    def get_group_name(self, dbt_resource_props: Any) -> str | None:
        """Staging, intermediate and marts are groups of their own."""
        return str(dbt_resource_props["fqn"][1]) if len(dbt_resource_props["fqn"]) > 2 else "reports"  # noqa: PLR2004

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str] | None:  # noqa: ARG002  (dagster-dbt gives it)
        """All are looked after by the same people."""
        return [OWNER]

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The grain, as the model's YAML has it; its SQL stands in dbt's own pages."""
        return str(dbt_resource_props.get("description") or "")

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: Any) -> dg.AssetSpec:
        """What is stored has a time after which it is stale; views are as new as what they show."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        kind = self.get_resource_props(manifest, unique_id).get("config", {}).get("materialized")
        if kind not in ("kept_table", "table"):
            return spec
        policy = dg.FreshnessPolicy.time_window(fail_window=WRONG_AFTER, warn_window=STALE_AFTER)
        return spec.replace_attributes(freshness_policy=policy)


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


def build(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, manifest: Path, *, url: str, is_whole: bool
) -> Iterator[Any]:
    """Build and test the selected models, an event for each, with what the build did to its rows. `is_whole`: computed anew from all rows,
    and compared. dagster-dbt looks for the manifest among the metadata of the assets that are built."""
    whole = {spec.key: spec.metadata for spec in described(manifest).specs}
    for spec in context.assets_def.specs:
        metadata: Any = spec.metadata
        metadata.update({name: whole[spec.key][name] for name in _WHILE_BUILDING})
    before = build_figures.marks(url)
    invocation = dbt.cli([*_BUILD, *(["--full-refresh"] if is_whole else [])], context=context)
    with suppress(OSError):  # it has ended already, or may not be changed
        os.setpriority(os.PRIO_PROCESS, invocation.process.pid, analytics.NICENESS)
    for event in invocation.stream():
        mark = build_figures.marks(url).get(event.output_name) if isinstance(event, dg.Output) else None
        yield event if mark is None else event.with_metadata({**event.metadata, **build_figures.of_model(mark)})
    after = build_figures.marks(url)
    built = [mark for model, mark in after.items() if model not in before or before[model].built_at != mark.built_at]
    if built:
        context.log_event(dg.AssetMaterialization("report_builds", metadata=build_figures.of_build(built)))
