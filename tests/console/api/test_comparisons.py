"""Our ledger beside Google's counts, settings, bodies without what names somebody, and reports before anything is built."""

from datetime import UTC, datetime, timedelta

import httpx
import sqlalchemy as sa

from console.api.routes import settings as settings_routes
from custom_events.browse import reports
from tests.console.api.conftest import problem
from tests.console.api.ledger_rows import ACTION_ID, CUSTOMER_ID
from tests.console.api.raw_rows import parked_delivery
from tests.console.api.shared_world import admin, app, client, database, engine, settings, world
from tests.console.api.world import World

__all__ = ["admin", "app", "client", "database", "engine", "settings", "world"]  # fixtures

DAY = sa.text(
    "INSERT INTO app.reconciliation_days (ads_account_id, action_id, day, sent, accepted, unattributable, events, google_successful,"
    " google_failed, google_pending, google_read_at, updated_at)"
    " SELECT id, :action, :day, 42, 42, 35, 42, :taken, 35, 0, now(), now() FROM app.ads_accounts"
)


def test_why_google_shows_fewer_is_said_day_by_day(admin: httpx.Client, world: World) -> None:
    today = datetime.now(UTC).date()
    with world.engine.begin() as connection:
        for days, taken in ((2, 7), (20, None)):
            connection.execute(DAY, {"action": ACTION_ID, "day": today - timedelta(days=days), "taken": taken})
    found = admin.get(f"/api/v1/ads-accounts/{CUSTOMER_ID}/comparison").json()
    assert [(day["sent"], day["google"] and day["google"]["successful"]) for day in found["days"]] == [
        (42, 7),
        (42, None),
    ]
    assert "35 of the accepted are not attributable" in found["days"][0]["why"][0]
    assert len(admin.get(f"/api/v1/ads-accounts/{CUSTOMER_ID}/comparison?days=7").json()["days"]) == 1
    problem(admin.get("/api/v1/ads-accounts/9999999999/comparison"), 404)
    problem(admin.get(f"/api/v1/ads-accounts/{CUSTOMER_ID}/comparison?days=99"), 422)


def test_settings_are_told_without_what_is_secret(admin: httpx.Client, client: httpx.Client, world: World) -> None:
    assert world.settings.secret_key is not None
    answer = admin.get("/api/v1/settings")
    assert world.settings.secret_key.get_secret_value() not in answer.text
    by_name = {setting["name"]: setting for setting in answer.json()["items"]}
    secret = by_name["secret_key"]
    assert (secret["is_secret"], secret["is_set"], secret["value"]) == (True, True, None)
    kept = by_name["raw_retention_days"]
    assert (kept["value"], kept["default"], kept["unit"], kept["is_set"]) == ("90", "90", "days", False)
    assert kept["variable"] == "CUSTOM_EVENTS_RAW_RETENTION_DAYS"
    assert by_name["local_directory"]["is_set"]
    assert by_name["publish_needs_second_person"]["value"] == "false"
    client.headers.update(world.headers("publisher"))
    problem(client.get("/api/v1/settings"), 403)


def test_of_an_address_the_login_is_left_out(world: World) -> None:
    secretive = world.settings.model_copy(update={"traces_endpoint": "https://me:pass@collector:4318/v1?token=x"})
    field = type(secretive).model_fields["traces_endpoint"]
    shown = settings_routes.described(secretive, "traces_endpoint", field)
    assert shown.value == "https://collector:4318/v1"


def test_a_viewer_reads_a_body_without_what_names_somebody(client: httpx.Client, world: World) -> None:
    body = b'{"id": 7, "email": "jo@example.org", "total": "9.00"}'
    with world.engine.begin() as connection:
        number = parked_delivery(connection, world.mine.id, body, "malformed")
        other = parked_delivery(connection, world.mine.id, b"no JSON at all..", "malformed")
    client.headers.update(world.headers("viewer of mine"))
    found = client.get(f"/api/v1/raw-events/{number}/masked-content").json()
    assert found["covered"] == 1
    assert "jo@" not in found["text"]
    assert '"total": "9.00"' in found["text"]
    assert client.get(f"/api/v1/raw-events/{other}/masked-content").json()["text"] is None
    problem(client.get(f"/api/v1/raw-events/{number}/content"), 403)


def test_before_anything_is_built_a_report_says_so(admin: httpx.Client, world: World) -> None:
    for name in reports.SOURCES:
        found = admin.get(f"/api/v1/reports/{name}").json()
        assert (found["is_built"], found["rows"]) == (False, []), name
        for file_format in ("csv", "xlsx", "parquet"):  # an empty file would look like days without orders
            said = problem(admin.get(f"/api/v1/reports/{name}/{file_format}"), 409)
            assert "not built yet" in said["detail"]
    with world.engine.connect() as connection:
        assert reports.currencies(connection, None) == ()
