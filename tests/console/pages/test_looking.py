"""What pages show of how it goes: every number leads to its rows, what waits stands above with its count, reports say what they are made of."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import sqlalchemy as sa

from console.pages import evidence, help_pages, manual
from console.pages.navigation import GROUPS
from console.pages.overview_cards import comparisons
from custom_events.settings import Settings
from custom_events.watching.alarms import WATCHES
from custom_events.watching.day_figures import Beside, Today
from custom_events.watching.metrics import METRICS
from tests import marts
from tests.console.api.ledger_rows import ACTION_ID, CUSTOMER_ID, upload
from tests.console.api.raw_rows import parked_delivery
from tests.console.api.world import World
from tests.console.pages.test_changes import moved

LATER = datetime(2090, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
_ALARM = sa.text(
    "INSERT INTO app.alarms (key, name, severity, place, sentence, remedy, opened_at, seen_at)"
    " VALUES (:key, :name, 'warning', CAST(:place AS jsonb), :sentence, 'Look there.', now(), now())"
)
_DAY = sa.text(
    "INSERT INTO app.reconciliation_days (ads_account_id, action_id, day, sent, accepted, unattributable, events, google_successful,"
    " google_failed, google_pending, google_read_at, updated_at)"
    " SELECT id, :action, :day, 42, 42, 35, 42, 7, 35, 0, now(), now() FROM app.ads_accounts"
)


@pytest.fixture(scope="module")
def accuracy(engine: sa.Engine, world: World) -> None:
    """The marts with one day of accuracy, in which an order waits."""
    today = datetime.now(UTC).date() - timedelta(days=1)
    with engine.begin() as connection:
        marts.make(connection)
        of_site = {"site_id": world.mine.id, "site_name": "Mine", "day": today}
        marts.add(connection, "fct_accuracy_daily", **of_site, orders=4, sent=2, withheld=1, waiting=1)
        marts.add(connection, "fct_funnel_daily", **of_site, received=9, landed=8, matched=4, accepted=2)
        for currency in ("EUR", "SEK"):
            marts.add(
                connection,
                "fct_conversions_by_definition",
                **of_site,
                definition_key="big_order",
                definition_name="Big",
                assignment_label="mine",
                currency=currency,
                matched=2,
                value_matched=40,
                value_at_google=30,
            )


@pytest.mark.usefixtures("accuracy")
def test_reports_show_the_days_and_each_currency_by_itself(browser: httpx.Client, world: World) -> None:
    page = browser.get("/reports").text
    assert "75.0 %" in page
    assert 'id="worth-EUR"' in page
    assert 'id="worth-SEK"' in page
    assert "40.00 EUR" in page
    assert f'href="orders?site_id={world.mine.id}&amp;type=order.paid' in page
    one = browser.get("/reports?currency=SEK&by=day").text
    assert "40.00 EUR" not in one
    export = re.search(r'href="(api/v1/reports/conversions/csv[^"]*)"', one)
    assert export is not None
    lines = browser.get(f"/{export[1].replace('&amp;', '&')}", headers={"Accept": "text/html,*/*;q=0.8"})
    assert lines.headers["content-type"].startswith("text/csv")
    assert lines.text.count("SEK") == 1
    for by in ("site", "assignment", "campaign"):
        assert browser.get(f"/reports?by={by}&site_id={world.mine.id}").status_code == 200
    assert "No conversions" in browser.get("/reports?since=2020-01-01&until=2020-01-31").text
    for wrong in ("since=x", "since=2026-02-01&until=2026-01-01", "since=9999-01-01", "by=weather"):
        assert browser.get(f"/reports?{wrong}").status_code == 422, wrong


@pytest.mark.usefixtures("accuracy")
def test_the_overview_says_what_is_missing_and_where(browser: httpx.Client, engine: sa.Engine, world: World) -> None:
    soon = datetime.now(UTC) + timedelta(hours=9)
    with engine.begin() as connection:
        upload(connection, world.mine.id, "late", state="held", reason="delay", deadline_at=soon)
        number = parked_delivery(connection, world.mine.id, b'{"id": 3}', "malformed")
        place = f'{{"site": "{world.mine.site_key}", "reason": "malformed"}}'
        connection.execute(
            _ALARM, {"key": "p", "name": "DeliveriesParked", "place": place, "sentence": "One is parked"}
        )
        place = f'{{"account": "{CUSTOMER_ID}"}}'
        connection.execute(
            _ALARM, {"key": "s", "name": "SuccessRateLow", "place": place, "sentence": "Many were refused"}
        )
    page = browser.get("/").text
    assert "75.0 %" in page
    assert 'href="uploads?expiring=yes"' in page
    assert f"deliveries?outcome=parked&amp;reason=malformed&amp;site_id={world.mine.id}" in page
    assert f'href="deliveries/{number}"' in page  # a sample
    assert f'href="ads-accounts/{CUSTOMER_ID}/comparison"' in page
    part = browser.get("/?part=live").text
    assert 'id="live"' in part
    assert "Accuracy" not in part
    listed = browser.get("/uploads?expiring=yes").text
    assert listed.count("Google takes it until") == 1
    assert browser.get(f"/?site_id={world.mine.id}").status_code == 200


def test_today_leads_to_the_rows_of_the_same_hours() -> None:
    week = timedelta(days=7)
    today = Today(
        site_id=3,
        since=NOON.replace(hour=0),
        until=NOON,
        week_ago_since=NOON.replace(hour=0) - week,
        week_ago_until=NOON - week,
        deliveries=(Beside(name="understood", today=8, week_ago=4), Beside(name="parked", today=1, week_ago=0)),
        conversions=(Beside(name="accepted", today=3, week_ago=6),),
    )
    rows = {row.name: row for row in comparisons(today)}
    assert (rows["deliveries"].today, rows["deliveries"].week_ago, rows["deliveries"].change) == (9, 4, "+125 %")
    assert rows["deliveries parked"].change == ""
    assert rows["conversions"].change == "-50 %"
    assert rows["conversions accepted"].address == (
        "uploads?kind=conversion&state=accepted&site_id=3&since=2026-11-30T00%3A00%3A00&until=2026-11-30T12%3A00%3A00"
    )
    assert "since=2026-11-23T00" in rows["deliveries"].week_ago_address


def test_an_alarm_leads_to_a_page_for_each_that_there_is(
    browser: httpx.Client, engine: sa.Engine, world: World
) -> None:
    """Every alarm that a page can show leads to one, whatever it is about; those of Dagster's jobs do not."""
    known = {**dict.fromkeys(evidence.PAGES), **dict.fromkeys(evidence.LISTS)}
    assert known.keys() <= {watch.name for watch in WATCHES}
    assert {watch.name for watch in WATCHES} - known.keys() == {"ScheduledJobMissed"}
    values = {
        "account": CUSTOMER_ID,
        "site": world.mine.site_key,
        "reason": "wrong_signature",
        "bucket": "b",
        "kind": "k",
    }
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM app.alarms"))
        for watch in WATCHES:
            labels = METRICS[watch.metric].labels
            place = ", ".join(f'"{label}": "{values.get(label, "x")}"' for label in labels)
            connection.execute(
                _ALARM, {"key": watch.name, "name": watch.name, "place": f"{{{place}}}", "sentence": "s"}
            )
    page = browser.get("/alarms").text
    links = re.findall(r'<a class="small" href="([^"]+)">See', page)
    assert len(links) == len(known)
    for link in links:
        assert (
            browser.get(str(httpx.URL("http://127.0.0.1/alarms").join(link.replace("&amp;", "&")))).status_code == 200
        ), link
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM app.alarms"))
        place = '{"site": "gone", "reason": "x"}'
        connection.execute(_ALARM, {"key": "g", "name": "DeliveriesParked", "place": place, "sentence": "s"})
    assert "reason=x" in browser.get("/").text  # a site that is none any more narrows nothing


def test_uploads_of_a_site_are_changed_at_once(browser: httpx.Client, engine: sa.Engine, world: World) -> None:
    with engine.begin() as connection:
        for order in ("b1", "b2"):
            upload(connection, world.theirs.id, order, state="held", reason="delay", not_before=LATER)
        upload(connection, world.theirs.id, "b3", state="rejected", reason="EXPIRED_EVENT", settled_at=NOON)
    site = f"site_id={world.theirs.id}"
    page = browser.get(f"/uploads?{site}&state=held").text
    assert 'aria-current="true"><b>2</b> held' in page
    assert f'action="sites/{world.theirs.id}/uploads/release"' in page
    assert "Release all" not in browser.get(f"/uploads?{site}&state=held&kind=conversion").text
    assert "Release all" not in browser.get("/uploads?state=held").text
    form = {"reason": "", "order_id": "b1"}
    assert "1 upload is withheld" in moved(
        browser, browser.post(f"/sites/{world.theirs.id}/uploads/withhold", data=form)
    )
    assert "1 upload is released" in moved(browser, browser.post(f"/sites/{world.theirs.id}/uploads/release"))
    assert "1 upload is sent again" in moved(browser, browser.post(f"/sites/{world.theirs.id}/uploads/retry"))
    assert "Send all again" in browser.get(f"/uploads?{site}&state=withheld&reason=withheld_by_hand").text


def test_uploads_of_an_account_are_changed_at_once(browser: httpx.Client, engine: sa.Engine, world: World) -> None:
    with engine.begin() as connection:
        upload(connection, world.mine.id, "a1", state="held", reason="delay", not_before=LATER)
        upload(connection, world.mine.id, "a2", state="rejected", reason="EXPIRED_EVENT", settled_at=NOON)
        account = connection.execute(sa.text("SELECT id FROM app.ads_accounts")).scalar_one()
    page = browser.get(f"/uploads?account_id={account}&state=held").text
    assert f'action="ads-accounts/{CUSTOMER_ID}/uploads/release"' in page
    released = browser.post(f"/ads-accounts/{CUSTOMER_ID}/uploads/release", data={"reason": "delay"})
    assert f"account_id={account}" in released.headers["location"]
    assert "released" in moved(browser, released)
    retried = browser.post(f"/ads-accounts/{CUSTOMER_ID}/uploads/retry", data={"reason": "EXPIRED_EVENT"})
    assert "sent again" in moved(browser, retried)
    withheld = browser.post(
        f"/ads-accounts/{CUSTOMER_ID}/uploads/withhold", data={"why": "a wrong action", "action_id": ACTION_ID}
    )
    assert "withheld" in moved(browser, withheld)
    waits = _queued(engine, world)
    assert "It is withheld" in moved(browser, browser.post(f"/uploads/{waits}/withhold", data={"why": "a test"}))
    assert "Send it again" in browser.get(f"/uploads/{waits}").text


def _queued(engine: sa.Engine, world: World) -> str:
    with engine.begin() as connection:
        return upload(connection, world.mine.id, "q1")


def test_why_google_shows_fewer_is_a_page_of_the_account(browser: httpx.Client, engine: sa.Engine) -> None:
    path = f"/ads-accounts/{CUSTOMER_ID}"
    assert f'href="../ads-accounts/{CUSTOMER_ID}/comparison"' in browser.get(path).text
    assert "Nothing to compare yet" in browser.get(f"{path}/comparison").text
    day = datetime.now(UTC).date() - timedelta(days=3)
    with engine.begin() as connection:
        for action in (ACTION_ID, "7002"):
            connection.execute(_DAY, {"action": action, "day": day})
    page = browser.get(f"{path}/comparison").text
    assert "35 of the accepted are not attributable" in page
    assert "taken, as Google counts: at most 14" in page
    assert browser.get(f"{path}/comparison?action_id=7002").text.count('<li class="card"') == 1


def test_a_key_is_made_shown_once_and_revoked(browser: httpx.Client, client: httpx.Client, world: World) -> None:
    form = browser.get("/api-keys/new").text
    assert 'type="date"' in form
    new = {"name": "export", "role": "viewer", "site_id": str(world.mine.id), "expires": "2090-12-31"}
    for wrong in ({"name": ""}, {"role": "king"}, {"site_id": "x"}, {"expires": "soon"}, {"expires": "1999-01-01"}):
        answer = browser.post("/api-keys/new", data={**new, **wrong})
        assert answer.status_code == 422, wrong
        assert 'id="e-' in answer.text or "note bad" in answer.text
    made = browser.post("/api-keys/new", data=new).text
    key = re.search(r'id="key">([^<]+)<', made)
    assert key is not None
    headers = {"Authorization": f"Bearer {key[1]}"}
    assert client.get("/api/v1/uploads", headers=headers).status_code == 200
    page = browser.get("/api-keys").text
    assert key[1] not in page
    number = max(int(found) for found in re.findall(r"api-keys/(\d+)/revoke", page))
    assert "good no longer" in moved(browser, browser.post(f"/api-keys/{number}/revoke"))
    assert client.get("/api/v1/uploads", headers=headers).status_code == 401
    assert browser.post("/api-keys/new", data={**new, "site_id": "", "expires": ""}).status_code == 200


def test_settings_are_shown_and_secrets_are_not(browser: httpx.Client, world: World) -> None:
    page = browser.get("/settings").text
    assert world.settings.secret_key is not None
    assert world.settings.secret_key.get_secret_value() not in page
    assert "a secret is set" in page
    assert "CUSTOM_EVENTS_RAW_RETENTION_DAYS" in page
    found = browser.get("/settings?search=retention&is_set=no").text
    assert "raw retention days" in found
    assert "secret key" not in found
    assert "No such setting" in browser.get("/settings?search=nothing-of-this-name").text


def test_a_body_is_covered_for_who_may_not_read_it(client: httpx.Client, engine: sa.Engine, world: World) -> None:
    with engine.begin() as connection:
        number = parked_delivery(connection, world.mine.id, b'{"id": 5, "email": "jo@example.org"}', "malformed")
        other = parked_delivery(connection, world.mine.id, b"id=5&email=jo", "malformed")
    headers = {**world.headers("viewer of mine"), "Accept": "text/html"}
    page = client.get(f"/deliveries/{number}", headers=headers).text
    assert "1 value that may name somebody is covered" in page
    assert "jo@example.org" not in page
    assert client.get(f"/deliveries/{number}/body", headers=headers).status_code == 403
    assert "It is no JSON" in client.get(f"/deliveries/{other}", headers=headers).text


def test_deliveries_are_followed_paused_and_continued_by_their_address(browser: httpx.Client) -> None:
    follows = browser.get("/deliveries?live=yes&topic=orders").text
    assert "every 3 seconds" in follows
    assert 'hx-trigger="every 3s"' in follows
    assert 'href="?topic=orders&amp;paused=yes"' in follows
    paused = browser.get("/deliveries?topic=orders&paused=yes").text
    assert "hx-trigger" not in paused
    assert "Continue" in paused
    assert 'href="?topic=orders&amp;live=yes"' in paused


def test_the_manual_is_searched_by_words_and_opened_at_the_section(browser: httpx.Client) -> None:
    found = browser.get("/help?search=quota+window").text
    assert 'href="help/reference/console.md#quotas"' in found
    page = browser.get("/help/reference/console.md").text
    assert '<h2 id="quotas">' in page
    assert "No page holds all of these words" in browser.get("/help?search=quota+zanzibar-fish").text


def test_every_part_of_the_console_has_its_page_of_the_manual(browser: httpx.Client) -> None:
    parts = {entry.address.partition("/")[0] for group in GROUPS for entry in group.entries} - {"help"}
    assert parts <= help_pages.MANUAL_OF.keys()
    for address in help_pages.MANUAL_OF.values():
        name, _, heading = address.partition("#")
        text = (manual.MANUAL / name).read_text()
        assert not heading or heading in {manual.anchor(section.heading) for section in manual.sections(text)}, address
    assert 'href="../help/reference/receiver.md"' in browser.get("/deliveries/refused").text
    assert help_pages.manual_of("/styleguide") == ""
    assert 'id="manual"' not in browser.get("/help").text


def test_what_stands_in_code_is_no_heading() -> None:
    text = "Before\n# One\n```\n# not\n```\n## Two [x](y)\nthree"
    assert [section.heading for section in manual.sections(text)] == ["", "One", "Two [x](y)"]
    assert manual.anchor("Two [x](y) `z`") == "two-x-z"
    assert manual.anchor("1.5 Delivery, again") == "15-delivery-again"
    links = "[code](../../cli/main.py) [page](../glossary.md)"
    assert manual.html_of(links, 1) == '<p><a>code</a> <a href="../glossary.md">page</a></p>\n'
    assert manual.title("no heading", "a.md") == "a.md"


def test_the_models_are_shown_as_dbt_documents_them_and_reach_nothing_of_ours(
    browser: httpx.Client, settings: Settings
) -> None:
    assert browser.get("/help/models").status_code == 404
    assert "help/models" not in browser.get("/help").text
    page = settings.local_directory / "models.html"
    page.write_text("<!doctype html><script>document.title = 'models'</script>")
    try:
        answer = browser.get("/help/models")
        assert "<script>document.title = 'models'</script>" in answer.text
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("sandbox allow-scripts;")
        assert "allow-same-origin" not in policy
        assert 'href="help/models"' in browser.get("/help").text
    finally:
        page.unlink()
