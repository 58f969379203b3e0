"""The reconciliation as Dagster runs it: what its page shows, and a day that stays short."""

from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from assets import reconciliation
from custom_events.settings import settings

GROUND = """
INSERT INTO app.ads_accounts (id, customer_id, name, lane) VALUES (1, '1234567890', 'Shop', 'google_ads');
INSERT INTO app.ads_actions (id, ads_account_id, action_id, name) VALUES (1, 1, '7001', 'Purchase');
INSERT INTO app.upload_requests (ads_account_id, lane, kind, rows, intent_at) VALUES (1, 'google_ads', 'conversions', 5, now());
INSERT INTO app.reconciliation_days (ads_account_id, action_id, day, sent, accepted, events, google_successful, google_failed,
  google_pending, updated_at)
VALUES (1, '7001', current_date - 5, 5, 5, 5, 4, 0, 0, now()), (1, '7001', current_date, 5, 5, 5, 4, 0, 0, now()),
  (1, '7001', current_date - 1, 5, 5, 5, NULL, NULL, NULL, now())
"""


@pytest.fixture
def ground(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("GOOGLE_ADS_JSON_KEY_FILE_PATH", raising=False)
    settings.cache_clear()
    with engine.begin() as connection:
        connection.execution_options(no_parameters=True).exec_driver_sql(GROUND)
    yield
    settings.cache_clear()


def test_a_run_shows_the_days_and_names_what_it_could_not_read(ground: None, database: str) -> None:
    resources = {"database_url": dg.ResourceDefinition.hardcoded_resource(database)}
    result = dg.materialize([reconciliation.reconciliation], resources=resources)
    (event,) = result.asset_materializations_for_node("reconciliation")
    assert event.metadata["accounts_read"].value == 0
    assert event.metadata["accounts_not_read"].value == 1
    assert event.metadata["days"].value == 3
    assert "| 1234567890 | 7001 | 0 | 0 | 4 | 0 |" in str(event.metadata["newest"].value)
    assert "| 1234567890 | 7001 | 0 | 0 | - | - |" in str(event.metadata["newest"].value)
