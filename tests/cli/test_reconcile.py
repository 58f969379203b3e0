"""The answer to "42 sent, Google shows 7: why?" as the command gives it."""

import json

import pytest
import sqlalchemy as sa

from tests.cli.conftest import Run

GROUND = """
INSERT INTO app.ads_accounts (id, customer_id, name, lane) VALUES (1, '1234567890', 'Shop', 'google_ads');
INSERT INTO app.ads_actions (ads_account_id, action_id, name) VALUES (1, '7001', 'Purchase');
INSERT INTO app.upload_requests (ads_account_id, lane, kind, rows, intent_at) VALUES (1, 'google_ads', 'conversions', 42, now());
INSERT INTO app.google_upload_status VALUES (1, '7001', 'GOOGLE_ADS_API', 'NEEDS_ATTENTION', 7, 35, 0, NULL,
  '[{"code": "ConversionUploadError.CLICK_NOT_FOUND", "share": 0.57}]', now());
INSERT INTO app.reconciliation_days (ads_account_id, action_id, day, sent, accepted, pending, refused, reasons, events,
  google_successful, google_failed, google_pending, updated_at)
VALUES (1, '7001', current_date, 42, 31, 4, 7, '{"ConversionUploadError.UNPARSEABLE_GCLID": 7}', 42, 7, 35, 0, now()),
  (1, '7001', current_date - 1, 3, 3, 0, 0, '{}', 3, NULL, NULL, NULL, now())
"""


@pytest.fixture
def ground(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execution_options(no_parameters=True).exec_driver_sql(GROUND)


def test_one_view_says_what_became_of_all(run: Run, database: str, ground: None) -> None:
    result = run("uploads", "reconcile", "--no-read", DATABASE_URL=database)
    assert result.exit_code == 0
    assert (
        "Shop (1234567890), Purchase (7001), google_ads\n  sent 42 = accepted 31 + pending 4 + refused 7\n"
        in result.output
    )
    assert (
        "Google: 7 taken, 35 not taken, 0 pending; calls of the day carried 42; its verdict: NEEDS_ATTENTION"
        in result.output
    )
    assert "- 7 x ConversionUploadError.UNPARSEABLE_GCLID: The gclid is not one" in result.output
    assert "Google: not told yet" in result.output


def test_narrowed_and_for_programs(run: Run, database: str, ground: None) -> None:
    found = run("uploads", "reconcile", "123-456-7890", "--no-read", "--days", "1", "--json", DATABASE_URL=database)
    (day,) = json.loads(found.output)["days"]
    assert (day["sent"], day["google"]) == (42, {"successful": 7, "failed": 35, "pending": 0})
    other = run("uploads", "reconcile", "--action", "9", "--no-read", DATABASE_URL=database)
    assert (other.exit_code, other.output) == (
        1,
        "Error: the account has no conversion action 9: `custom-events uploads probe` shows those there are\n",
    )


def test_days_on_which_nothing_was_sent(run: Run, database: str) -> None:
    assert run("uploads", "reconcile", "--no-read", DATABASE_URL=database).output == "Nothing was sent on these days.\n"


def test_what_cannot_be_read_is_said(run: Run, database: str, ground: None) -> None:
    result = run("uploads", "reconcile", DATABASE_URL=database, GOOGLE_ADS_JSON_KEY_FILE_PATH="")
    assert result.exit_code == 1
    assert "1234567890 could not be read, so the last figures are shown: " in result.output
