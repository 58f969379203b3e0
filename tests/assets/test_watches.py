"""The watcher's alarms as checks: every one stands beside an asset, and one that is raised fails its own check only."""

import dagster as dg
import pytest
import sqlalchemy as sa

from assets import watches
from custom_events.watching.alarms import WATCHES


def results(asset: str, database: str) -> dict[str, dg.AssetCheckEvaluation]:
    checks = watches.checks_of(asset)
    defs = dg.Definitions(
        assets=[dg.AssetSpec(asset)],
        asset_checks=[checks],
        resources={"database_url": dg.ResourceDefinition.hardcoded_resource(database)},
    )
    result = defs.resolve_implicit_global_asset_job_def().execute_in_process()
    return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}


def test_every_alarm_but_the_sums_stands_beside_an_asset() -> None:
    assert {watch.name for watch in WATCHES if watches.asset_of(watch) is None} == {
        "SumsDisagree",
        "ScheduledJobMissed",
    }


@pytest.mark.parametrize("asset", watches.ASSETS)
def test_a_check_says_in_general_what_it_looks_for(asset: str) -> None:
    said = [spec.description or "" for spec in watches.checks_of(asset).check_specs]
    assert said
    assert all("{" not in one and one.endswith(".") for one in said), said


@pytest.mark.parametrize("asset", watches.ASSETS)
def test_nothing_is_wrong_in_an_empty_installation(asset: str, database: str) -> None:
    found = results(asset, database)
    assert found
    assert all(one.passed and one.description == "Nothing is wrong." for one in found.values())


def test_what_is_wrong_fails_its_own_check(engine: sa.Engine, database: str) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO app.ads_accounts (customer_id, name, lane, parked_reason) "
                "VALUES ('1234567890', 'A', 'google_ads', 'no right')"
            )
        )
    found = results("conversion_uploads", database)
    assert [name for name, one in found.items() if not one.passed] == ["account_parked"]
    assert found["account_parked"].severity is dg.AssetCheckSeverity.ERROR
    assert "Nothing is sent to ads account 1234567890" in str(found["account_parked"].description)
