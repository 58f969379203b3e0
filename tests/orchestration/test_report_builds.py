"""A build of the reports as Dagster runs it: what it did stands beside each table, and of all of them in one place."""

from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from custom_events.postgres.address import database as database_address
from orchestration import dbt_project

MODELS = ("stg_app__exchange_rates", "fct_exchange_rates")
RATE = sa.text(
    "INSERT INTO app.exchange_rates (currency, reporting_currency, day, rate, source) VALUES ('USD', 'EUR', '2026-11-02', 0.9, 'x')"
)
pytestmark = [pytest.mark.long, pytest.mark.untraced]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of dagster-dbt, which asks Dagster in an older way
@pytest.mark.usefixtures("untraced_processes")
def test_a_build_says_what_it_did(database: str, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    dbt_project.parse_if_needed()
    from orchestration.definitions import defs

    monkeypatch.setenv("DATABASE_URL", database)
    for name, value in dbt_project.environment(database).items():  # set by the resource; so they are put back
        monkeypatch.setenv(name, value)
    from custom_events.settings import settings

    settings.cache_clear()
    with engine.begin() as connection:
        connection.execute(RATE)
    with database_address(settings()) as url, dg.DagsterInstance.ephemeral() as instance:
        assert url == database
        job = defs.resolve_job_def("build_reports")
        result = job.execute_in_process(instance=instance, asset_selection=[dg.AssetKey(name) for name in MODELS])
        assert result.success
        materializations: Any = result.asset_materializations_for_node("dbt_models")
        metadata = {event.asset_key.to_user_string(): event.metadata for event in materializations}
        whole = instance.get_latest_materialization_event(dg.AssetKey("report_builds"))
    settings.cache_clear()
    assert metadata["fct_exchange_rates"]["rows new"].value == 8
    assert metadata["fct_exchange_rates"]["computed"].value == "whole"
    assert whole is not None
    assert whole.asset_materialization is not None
    figures = whole.asset_materialization.metadata
    assert "| fct_exchange_rates | whole | 8 | 0 |" in str(figures["each table"].value)
    assert str(figures["where the time went"].value).startswith("![seconds of each table](data:image/png;base64,iVBOR")
