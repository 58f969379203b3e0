"""Forms that are checked while they are filled in: what is wrong is said as it would be when they are sent, and nothing stays."""

import re

import httpx
import pytest
import sqlalchemy as sa
import structlog

from console.api.routes import bulk_changes as bulk_operations
from console.pages.install import all_pages
from console.pages.serving import CHECK
from custom_events.catalog import sites
from custom_events.values.deliveries import Platform
from tests.console.api.world import PASSWORD, World
from tests.console.pages.conftest import BROWSER
from tests.console.pages.test_bulk import PREVIEW
from tests.console.pages.test_changes import hidden, moved

CHECKING = {CHECK: "yes"}
# Rows of every table that such a form writes.
COUNTS = sa.text("""
SELECT (SELECT count(*) FROM app.audit_entries), (SELECT count(*) FROM app.people), (SELECT count(*) FROM app.api_keys),
  (SELECT count(*) FROM app.site_custom_events), (SELECT count(*) FROM app.report_specifications),
  (SELECT count(*) FROM app.report_schedules), (SELECT count(*) FROM app.sites), (SELECT count(*) FROM app.site_secrets),
  (SELECT count(*) FROM app.store_api_keys), (SELECT count(*) FROM app.bulk_changes), (SELECT count(*) FROM app.operations),
  (SELECT count(*) FROM app.login_attempts), (SELECT max(updated_at) FROM app.people)
""")
SECRET = "s3cret of a store"
WEAK = "password1234"
REPORT = {"mart": "fct_accuracy_daily", "name": "Checked", "key": "checked", "columns": "day", "period": "yesterday"}
SCHEDULE = {"report_key": "daily_accuracy", "name": "x", "every": "day", "at": "06:30", "time_zone": "Europe/Berlin"}
# (path, a form that could be sent, what is wrong in another one, the field at which that stands)
FORMS = [
    ("/people/new", {"login": "checked", "role": "viewer"}, {"login": "a b"}, "login"),
    ("/people/new", {"login": "checked", "role": "viewer", "password": PASSWORD}, {"password": WEAK}, "password"),
    ("/people/{person}/edit", {"display_name": "Ana", "role.1": "viewer"}, {"role.2": "editor"}, "site.2"),
    ("/people/{person}/password", {"password": PASSWORD}, {"password": WEAK}, "password"),
    ("/account/password", {"current": "", "password": PASSWORD}, {"password": WEAK}, "password"),
    ("/sites/new", {"way": "custom", "name": "x", "site_key": "checked-key"}, {"currency": "euro"}, "currency"),
    ("/sites/new", {"way": "stripe", "name": "x", "secret": SECRET}, {"secret": "short"}, "secret"),
    ("/sites/{site}/secrets", {"secret": SECRET, "connecting": "yes"}, {"secret": "short"}, "secret"),
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


def form_that_checks(browser: httpx.Client, path: str, form: dict[str, str]) -> str:
    """The tag by which the page of a form says that it is checked."""
    shown = {"/account/password": "/account", "/sites/new": f"/sites/new?way={form.get('way')}"}.get(path, path)
    page = browser.get(f"{shown}?mart={form['mart']}" if "mart" in form else shown.replace("/secrets", ""))
    found = re.search(r"<form[^>]*data-checks[^>]*>", page.text)
    assert found is not None, page.text
    return found[0]


@pytest.mark.parametrize(
    ("path", "good", "change", "field"), FORMS, ids=[f"{path} {field}" for path, *_, field in FORMS]
)
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
    places = {
        "site": str(world.mine.id),
        "definition": world.places["definition_key"][0],
        "person": str(world.places["person_id"][0]),
    }
    path = path.format_map(places)
    form = {name: value.format_map(places) for name, value in good.items()}
    assert form_that_checks(browser, path, form).endswith(f'{path[1:]}">')
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
        *("/report-schedules/new", "/report-schedules/{report_schedule_id}/edit", "/bulk-changes/preview"),
        *("/sites/new", "/sites/{site_id}/secrets", "/sites/{site_id}/store-api-key"),
        *("/account/password", "/people/{person_id}/edit", "/people/{person_id}/password"),
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


def test_faults_of_a_person_and_their_password_are_told_together(browser: httpx.Client, world: World) -> None:
    form = {"login": "a b", "role": "viewer", "password": WEAK}
    page = browser.post("/people/new", data=form, headers=CHECKING).text
    assert 'id="e-login"' in page
    assert 'id="e-password"' in page
    taken = browser.post("/people/new", data={"login": "ana@example.org", "role": "viewer"}, headers=CHECKING)
    assert taken.status_code == 409


def test_the_current_password_is_neither_tried_nor_told_of(
    browser: httpx.Client, engine: sa.Engine, counts: list[sa.Row[tuple[int, ...]]]
) -> None:
    for current in (PASSWORD, "none of hers"):
        form = {"current": current, "password": "four other words, and more"}
        assert browser.post("/account/password", data=form, headers=CHECKING).status_code == 204
    assert stored(engine) == counts  # login attempts, too


def test_secrets_are_looked_at_and_kept_nowhere(
    browser: httpx.Client, engine: sa.Engine, world: World, counts: list[sa.Row[tuple[int, ...]]]
) -> None:
    with structlog.testing.capture_logs() as lines:
        for way in ("custom", "shopify", "woocommerce"):
            form = {"way": way, "name": "x", "secret": SECRET, "shop_domain": "Not a domain", "currency": "euro"}
            answer = browser.post("/sites/new", data=form, headers=CHECKING)
            assert answer.status_code == 422
            assert SECRET not in answer.text
            assert 'id="e-secret"' not in answer.text
    assert SECRET not in str(lines)
    assert stored(engine) == counts


def test_a_key_of_a_stores_api_is_looked_at(
    browser: httpx.Client, engine: sa.Engine, counts: list[sa.Row[tuple[int, ...]]]
) -> None:
    with engine.begin() as connection:
        site = sites.create(
            connection, platform=Platform.WOOCOMMERCE, name="Woo", actor="test", shop_domain="woo.example"
        ).id
    before = stored(engine)
    key = {"consumer_key": "ck_" + "1" * 40, "consumer_secret": "cs_" + "2" * 40}
    path = f"/sites/{site}/store-api-key"
    assert browser.post(path, data=key, headers=CHECKING).status_code == 204
    wrong = browser.post(path, data={**key, "consumer_key": "1", "consumer_secret": ""}, headers=CHECKING)
    assert wrong.status_code == 422
    assert 'id="e-consumer_key"' in wrong.text
    assert 'id="e-consumer_secret"' in wrong.text
    nowhere = browser.post(path, data={**key, "store_url": "ftp://woo.example"}, headers=CHECKING)
    assert 'id="e-store_url"' in nowhere.text
    assert stored(engine) == before


def test_a_bulk_change_says_what_its_preview_would(
    browser: httpx.Client, engine: sa.Engine, world: World, counts: list[sa.Row[tuple[int, ...]]]
) -> None:
    chosen = {"action": "change", "assignment_ids": str(world.places["assignment_id"][0])}
    form = {**chosen, "how-priority": "override", "overrides.priority": "7"}
    said = browser.post(PREVIEW, data=form, headers=CHECKING)
    assert (said.status_code, said.text) == (200, "1 would change.")
    wrong = browser.post(PREVIEW, data={**form, "overrides.priority": "high"}, headers=CHECKING)
    assert wrong.status_code == 422
    assert 'id="e-overrides.priority"' in wrong.text
    lines = "site_id,definition_key,label\n" + f"{world.mine.id},no_such,x\n"
    fails = browser.post(PREVIEW, data={"action": "import", "csv": lines}, headers=CHECKING)
    assert fails.text.startswith("1 would fail: There is no definition")
    unread = browser.post(PREVIEW, data={"action": "import", "csv": "site_id,label\n"}, headers=CHECKING)
    assert 'id="e-lines[1]" data-of="csv"' in unread.text
    assert stored(engine) == counts


def test_a_check_of_many_rows_begins_no_operation(
    browser: httpx.Client, engine: sa.Engine, world: World, counts: list[sa.Row[tuple[int, ...]]]
) -> None:
    rows = bulk_operations.AT_ONCE + 1
    lines = "".join(f"{world.mine.id},big_order,label {number}\n" for number in range(rows))
    form = {"action": "import", "csv": f"site_id,definition_key,label\n{lines}"}
    said = browser.post(PREVIEW, data=form, headers=CHECKING)
    assert (said.status_code, said.text) == (200, f"{rows} rows; the preview tries each of them.")
    assert stored(engine) == counts
