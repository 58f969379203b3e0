"""The dbt models as dagster-dbt describes them: read from the manifest once, and kept beside it.

Importing dagster-dbt costs 50 MiB and two seconds of a core (it imports dbt), and every run of every job would pay that, as each loads the
whole graph. So what it makes of the manifest is kept; only the run that builds the models imports it (`dbt_build.py`).
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import dagster as dg
import msgspec

from assets import dbt_kept

SELECT_TAG = "dagster_dbt/select"  # dagster-dbt reads from this tag what an op builds
EVERYTHING = "fqn:*"


class Specs(NamedTuple):
    """One asset a model, one check a test."""

    assets: Sequence[dg.AssetSpec]
    checks: Sequence[dg.AssetCheckSpec]


class _Kept(msgspec.Struct, frozen=True):
    """The file: dagster's version, and the keywords of the specs, with metadata as Dagster writes it down."""

    dagster: str
    assets: list[dict[str, Any]]
    checks: list[dict[str, Any]]


def specs(manifest: Path) -> Specs:
    """Those of a manifest: as they are kept, else read anew and kept."""
    file = manifest.with_name(dbt_kept.FILE)
    if dbt_kept.is_kept(manifest):
        kept = msgspec.json.decode(file.read_bytes(), type=_Kept)
        if kept.dagster == dg.__version__:
            return Specs([_asset(asset) for asset in kept.assets], [_check(check) for check in kept.checks])
    from assets.dbt_build import read

    described = read(manifest)
    kept = _Kept(
        dagster=dg.__version__,
        assets=[_of_asset(asset) for asset in described.assets],
        checks=[_of_check(check) for check in described.checks],
    )
    unfinished = file.with_suffix(f".{os.getpid()}")  # several processes may find it missing at once
    unfinished.write_bytes(msgspec.json.encode(kept))
    unfinished.replace(file)
    return described


def _of_asset(spec: dg.AssetSpec) -> dict[str, Any]:
    return {
        "key": spec.key.path,
        "deps": [dep.asset_key.path for dep in spec.deps],
        "description": spec.description,
        "metadata": dg.serialize_value(dict(spec.metadata)),
        "skippable": spec.skippable,
        "group_name": spec.group_name,
        "code_version": spec.code_version,
        "owners": spec.owners,
        "tags": spec.tags,
        "freshness_policy": None
        if spec.freshness_policy is None
        else dg.serialize_value(cast("Any", spec.freshness_policy)),
    }


def _asset(kept: dict[str, Any]) -> dg.AssetSpec:
    read: dict[str, Any] = {
        "key": dg.AssetKey(kept["key"]),
        "deps": [dg.AssetKey(path) for path in kept["deps"]],
        "metadata": dg.deserialize_value(kept["metadata"], dict),
    }
    if (policy := kept["freshness_policy"]) is not None:
        read["freshness_policy"] = dg.deserialize_value(policy)
    return dg.AssetSpec(**(kept | read))


def _of_check(spec: dg.AssetCheckSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "asset": spec.asset_key.path,
        "description": spec.description,
        "additional_deps": [dep.asset_key.path for dep in spec.additional_deps],
        "blocking": spec.blocking,
        "metadata": dg.serialize_value(dict(spec.metadata or {})),
    }


def _check(kept: dict[str, Any]) -> dg.AssetCheckSpec:
    read: dict[str, Any] = {
        "asset": dg.AssetKey(kept["asset"]),
        "additional_deps": [dg.AssetKey(path) for path in kept["additional_deps"]],
        "metadata": dg.deserialize_value(kept["metadata"], dict),
    }
    return dg.AssetCheckSpec(**(kept | read))


if __name__ == "__main__":
    specs(Path(sys.argv[1]))
