"""Forms that are checked while they are filled in: what is wrong is said as it would be when they are sent, and nothing stays."""

import httpx
import pytest
import sqlalchemy as sa

from console.pages.install import all_pages
from console.pages.serving import CHECK
from tests.console.api.world import World
from tests.console.pages.conftest import BROWSER
from tests.console.pages.test_changes import hidden, moved

CHECKING = {CHECK: "yes"}
# Rows of every table that such a form writes.
COUNTS = sa.text("""
SELECT (SELECT count(*) FROM app.audit_entries), (SELECT count(*) FROM app.people), (SELECT count(*) FROM app.api_keys),
  (SELECT count(*) FROM app.site_custom_events), (SELECT count(*) FROM app.report_specifications),
  (SELECT count(*) FROM app.report_schedules)
""")
REPORT = {"mart": "fct_accuracy_daily", "name": "Checked", "key": "checked", "columns": "day", "period": "yesterday"}
SCHEDULE = {"report_key": "daily_accuracy", "name": "x", "every": "day", "at": "06:30", "time_zone": "Europe/Berlin"}
# (path, a form that could be sent, what is wrong in another one, the field at which that stands)
FORMS = [
    ("/people/new", {"login": "checked", "role": "viewer"}, {"login": "a b"}, "login"),
    ("/api-keys/new", {"name": "checked", "role": "viewer"}, {"expires": "2020-01-01"}, "expires"),
    (
        "/assignments/new",
        {"site_id": "{site}", "definition_key": "{definition}", "label": "checked"},
        {"label": ""},
        "label",
    ),
    (
        "/report-specifications/new",
        {**REPORT, "format": "csv", "time_zone": "Europe/Berlin"},
        {"time_zone": "Mars"},
        "time_zone",
    ),
    (
        "/report-schedules/new",
        {**SCHEDULE, "retries": "5", "catch_up": "newest", "month_day": "1"},
        {"time_zone": "Mars"},
        "time_zone",
    ),
]


@pytest.fixture
def counts(engine: sa.Engine) -> list[sa.Row[tuple[int, ...]]]:
    """What is stored before a test."""
    return stored(engine)


def stored(engine: sa.Engine) -> list[sa.Row[tuple[int, ...]]]:
    with engine.connect() as connection:
        return [*connection.execute(COUNTS)]


@pytest.mark.parametrize(("path", "good", "change", "field"), FORMS, ids=[path for path, *_ in FORMS])
def test_a_form_is_checked_and_nothing_of_it_stays(
    browser: httpx.Client,
    engine: sa.Engine,
    world: World,
    counts: list[sa.Row[tuple[int, ...]]],
    path: str,
    good: dict[str, str],
    change: dict[str, str],
    field: str,
) -> None:
    places = {"site": str(world.mine.id), "definition": world.places["definition_key"][0]}
    form = {name: value.format_map(places) for name, value in good.items()}
    assert "data-checks" in browser.get(path if "mart" not in form else f"{path}?mart={form['mart']}").text
    could = browser.post(path, data=form, headers=CHECKING)
    assert (could.status_code, could.text) == (204, ""), could.text
    assert "set-cookie" not in could.headers  # no word of anything that was done
    wrong = browser.post(path, data={**form, **change}, headers=CHECKING)
    assert wrong.status_code == 422, wrong.text
    assert f'class="error" id="e-{field}"' in wrong.text
    assert stored(engine) == counts


def test_settings_of_a_site_are_checked_against_what_is_stored(
    browser: httpx.Client, engine: sa.Engine, world: World, counts: list[sa.Row[tuple[int, ...]]]
) -> None:
    path = f"/sites/{world.mine.id}/edit"
    page = browser.get(path).text
    form = {"name": "Checked", "time_zone": "UTC", "consent_default": "unknown", "payment_lost": "retract"}
    form["if_match"] = hidden(page, "if_match")
    assert browser.post(path, data=form, headers=CHECKING).status_code == 204
    assert browser.get(path).text == page  # also the state that the form was read in
    wrong = browser.post(path, data={**form, "currency": "euro", "default_country": "Denmark"}, headers=CHECKING).text
    assert 'id="e-currency"' in wrong
    assert 'id="e-default_country"' in wrong
    assert browser.post(path, data={**form, "if_match": '"other"'}, headers=CHECKING).status_code == 412
    assert stored(engine) == counts
    assert "Checked" in moved(browser, browser.post(path, data=form))  # and is taken when it is sent


def test_overrides_of_an_assignment_are_checked(
    browser: httpx.Client, engine: sa.Engine, world: World, counts: list[sa.Row[tuple[int, ...]]]
) -> None:
    path = f"/assignments/{world.places['assignment_id'][0]}/edit"
    form = {"if_match": hidden(browser.get(path).text, "if_match"), "on-priority": "on", "overrides.priority": "7"}
    assert browser.post(path, data=form, headers=CHECKING).status_code == 204
    wrong = browser.post(path, data={**form, "overrides.priority": "high"}, headers=CHECKING)
    assert 'id="e-overrides.priority"' in wrong.text
    assert stored(engine) == counts


def test_what_reaches_further_than_the_database_is_not_done_for_a_check(browser: httpx.Client, world: World) -> None:
    checked = {page.path for page in all_pages() if page.checks}
    assert checked == {
        *("/sites/{site_id}/edit", "/assignments/new", "/assignments/{assignment_id}/edit"),
        *("/people/new", "/api-keys/new", "/report-specifications/new", "/report-specifications/{report_key}/edit"),
        *("/report-schedules/new", "/report-schedules/{report_schedule_id}/edit"),
    }
    path = f"/sites/{world.mine.id}"
    refused = browser.post(f"{path}/pause", headers=CHECKING)
    assert refused.status_code == 422
    assert "cannot be checked without being sent" in refused.text
    assert "Pause the site" in browser.get(path).text


def test_a_check_asks_for_the_rights_of_the_change(client: httpx.Client, world: World) -> None:
    path, headers = f"/sites/{world.mine.id}/edit", {**BROWSER, **CHECKING}
    assert client.post(path, headers=headers).status_code == 401
    viewer = {**headers, **world.headers("viewer of mine")}
    assert client.post(path, headers=viewer, data={"name": "x"}).status_code == 403
