"""Pages of definitions: written by a form, checked and tried meanwhile, merged, backtested, published, rolled back, retired."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from console.pages.backtest_chart import chart_of, rows_of
from custom_events.backtest.result import Day
from custom_events.catalog import assignments, definitions, revisions
from custom_events.operations.kinds import KINDS
from custom_events.operations.runner import Runner
from custom_events.settings import Settings
from tests.console.api.world import World
from tests.console.pages.past_shop import make_shop
from tests.console.pages.test_changes import hidden, moved

DEAR = '{"field": "order.total", "op": ">=", "value": 200}'
FORM = {"config.trigger": "order.paid", "config.conditions": DEAR}


@pytest.fixture(scope="module")
def shop(database: str, engine: sa.Engine, world: World) -> int:
    """A site with four paid orders of 100 to 400 EUR."""
    return make_shop(database, engine, orders=4)


def made(engine: sa.Engine, key: str, **config: Any) -> str:
    with engine.begin() as connection:
        definitions.create(
            connection,
            key=key,
            name=key.title(),
            config={"trigger": ["order.paid"], **config},
            author="ana@example.org",
        )
    return key


def drafted(engine: sa.Engine, key: str, expected: int, **config: Any) -> None:
    with engine.begin() as connection:
        theirs = {"trigger": ["order.paid"], **config}
        definitions.draft(connection, key, theirs, expected=expected, author="bea@example.org", reason="goes first")


def do_all(database: str, settings: Settings) -> None:
    """Do all long operations that wait."""
    runner = Runner(database, settings, KINDS)
    try:
        while runner.run_next():
            pass
    finally:
        runner.stop()


def carried(text: str) -> dict[str, str]:
    """What a form carries along, unseen."""
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', text)
    return {name: value.replace("&#34;", '"').replace("&gt;", ">") for name, value in fields}


def test_one_is_drafted_published_rolled_back_retired_and_restored(browser: httpx.Client) -> None:
    new = {"key": "dear_order", "name": "Dear order", **FORM}
    for wrong, said in (
        ({"config.conditions": "{"}, 'id="e-config.conditions"'),
        ({"config.trigger": "order.lost"}, "trigger[0]"),
        ({"config.trigger": ""}, 'id="e-config.trigger"'),
        ({"config.click_window_days": "900"}, 'id="e-config.click_window_days"'),
        ({"key": "Dear"}, "lower-case letters"),
    ):
        answer = browser.post("/definitions/new", data={**new, **wrong})
        assert answer.status_code == 422
        assert said in answer.text
        assert 'value="Dear order"' in answer.text  # what was typed is still there
    assert "is a draft" in moved(browser, browser.post("/definitions/new", data=new))
    assert browser.post("/definitions/new", data=new).status_code == 409
    before = browser.get("/definitions/dear_order/publish/1").text
    assert "order.total &gt;= 200" in before
    assert "assigned nowhere" in before
    assert "applies from the next batch" in moved(browser, browser.post("/definitions/dear_order/publish/1"))
    assert browser.post("/definitions/dear_order/publish/1").status_code == 409
    assert "no draft any more" in browser.get("/definitions/dear_order/publish/1").text
    expected = hidden(browser.get("/definitions/dear_order/edit").text, "expected")
    higher = {**FORM, "config.conditions": DEAR.replace("200", "300"), "expected": expected, "reason": "dearer"}
    page = moved(browser, browser.post("/definitions/dear_order/edit", data=higher))
    assert "before:</span> order.total &gt;= 200</del>" in page
    assert "now:</span> order.total &gt;= 300</ins>" in page
    moved(browser, browser.post("/definitions/dear_order/publish/2"))
    second = browser.get("/definitions/dear_order/revisions/2").text
    assert "&gt;= 300" in second
    assert "What it changed of revision 1" in second
    assert "Roll back" in browser.get("/definitions/dear_order/revisions/1").text
    back = moved(browser, browser.post("/definitions/dear_order/revisions/1/rollback", data={"reason": "too dear"}))
    assert "Revision 3, with the settings of 1" in back
    retired = moved(browser, browser.post("/definitions/dear_order/retire", data={"reason": "not needed"}))
    assert "is retired" in retired
    assert browser.post("/definitions/dear_order/retire").status_code == 409
    assert "applies again" in moved(browser, browser.post("/definitions/dear_order/restore"))


def test_a_form_shows_what_is_stored_and_keeps_all_of_it(browser: httpx.Client, engine: sa.Engine) -> None:
    made(engine, "whole", value={"factor": "0.35", "by_currency": {"USD": {"factor": "0.2"}}}, group="g", priority=4)
    form = browser.get("/definitions/whole/edit").text
    assert 'value="0.35"' in form
    assert 'name="config.trigger" value="order.paid" checked' in form
    data = {
        "expected": "1",
        "config.trigger": "order.paid",
        "config.value.factor": "0.35",
        "config.value.by_currency": '{"USD": {"factor": "0.2"}}',
        "config.group": "g",
        "config.priority": "4",
    }
    page = moved(browser, browser.post("/definitions/whole/edit", data=data))
    assert "Revision 2 is a draft" in page
    with engine.connect() as connection:
        assert not definitions.difference(connection, "whole", old=1, new=2).changes


def test_history_goes_on_on_a_next_page(browser: httpx.Client, engine: sa.Engine) -> None:
    made(engine, "often")
    for number in range(1, 52):
        drafted(engine, "often", number, priority=number, group="g")
    first = browser.get("/definitions/often").text
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following is not None
    second = browser.get(f"/definitions/often{following[1].replace('&amp;', '&')}").text
    assert 'href="../definitions/often/revisions/1"' in second
    assert 'href="../definitions/often/revisions/1"' not in first


def test_settings_are_a_sentence_with_faults_while_they_are_typed(browser: httpx.Client) -> None:
    fine = browser.post("/definitions/check", data=FORM).text
    assert "<html" not in fine
    assert "order.total &gt;= 200" in fine
    assert "nothing is wrong" in fine
    wrong = browser.post("/definitions/check", data={**FORM, "config.conditions": DEAR.replace(">=", "like")}).text
    assert 'data-fault="config.conditions.op"' in wrong
    assert "1 thing to look at" in wrong
    assert 'data-fault="config.conditions"' in browser.post("/definitions/check", data={"config.conditions": "{"}).text
    warned = browser.post("/definitions/check", data={**FORM, "config.priority": "3"}).text
    assert 'data-severity="warning"' in warned
    assert "Choose what it waits for" in browser.post("/definitions/check", data={}).text


def test_settings_are_tried_on_the_newest_events_of_a_site(browser: httpx.Client, shop: int, engine: sa.Engine) -> None:
    found = browser.post("/definitions/try", data={**FORM, "try_site": str(shop)}).text
    assert "<strong>3 of the last 4</strong>" in found
    assert "subject=order.paid%3A501" in found
    assert f'value="{shop}" selected' in browser.get("/definitions/every_order/edit").text
    none = {**FORM, "config.trigger": "order.cancelled", "try_site": str(shop)}
    assert "no stored events" in browser.post("/definitions/try", data=none).text
    assert "Choose a site" in browser.post("/definitions/try", data=FORM).text
    wrong = {**FORM, "config.conditions": "{", "try_site": str(shop)}
    assert "as soon as nothing is wrong" in browser.post("/definitions/try", data=wrong).text
    assert "There is no site" in browser.post("/definitions/try", data={**FORM, "try_site": "999999"}).text


def test_settings_are_tried_only_on_sites_that_one_sees(client: httpx.Client, world: World) -> None:
    headers = {**world.headers("viewer of mine"), "Sec-Fetch-Site": "same-origin"}
    for site_id, said in ((world.theirs.id, "There is no site"), (world.mine.id, "no stored events")):
        answer = client.post("/definitions/try", data={**FORM, "try_site": str(site_id)}, headers=headers)
        assert said in answer.text


def test_of_two_who_edit_the_second_merges_what_both_did(browser: httpx.Client, engine: sa.Engine) -> None:
    made(engine, "shared")
    drafted(engine, "shared", 1, priority=7, group="value", delay_minutes=5)
    mine = {"config.trigger": "order.created", "config.delay_minutes": "9", "expected": "1", "reason": "earlier"}
    conflict = browser.post("/definitions/shared/edit", data=mine)
    assert conflict.status_code == 409
    assert "Only bea@example.org changed it" in conflict.text
    assert "Only you changed it" in conflict.text
    kept = carried(conflict.text)
    assert (kept["base"], kept["expected"], kept["reason"]) == ("1", "2", "earlier")
    going_on = browser.post("/definitions/shared/edit", data={**kept, "take.delay_minutes": "theirs", "go": "edit"})
    assert going_on.status_code == 200
    assert 'name="config.delay_minutes" type="text" value="5"' in going_on.text
    assert hidden(going_on.text, "expected") == "2"
    assert 'name="base"' not in going_on.text
    # A third one drafts meanwhile: the merge is shown again, with theirs as what it is made from.
    drafted(engine, "shared", 2, priority=8, group="value", delay_minutes=5)
    again = browser.post("/definitions/shared/edit", data={**kept, "go": "keep"})
    assert again.status_code == 409
    kept = carried(again.text)
    assert (kept["base"], kept["expected"]) == ("2", "3")
    page = moved(browser, browser.post("/definitions/shared/edit", data={**kept, "go": "keep"}))
    assert "Revision 4 is a draft" in page
    with engine.connect() as connection:
        assert definitions.revision(connection, "shared", 4).payload == {
            "trigger": ["order.created"],
            "priority": 8,
            "group": "value",
            "delay_minutes": 9,
        }
    assert browser.post("/definitions/shared/edit", data={**mine, "expected": "x"}).status_code == 404


def test_a_merge_that_makes_no_whole_is_shown_in_the_form(browser: httpx.Client, engine: sa.Engine) -> None:
    made(engine, "torn", valid_from="2026-06-01")
    drafted(engine, "torn", 1, valid_from="2026-09-01")
    mine = {"config.trigger": "order.paid", "config.valid_from": "2026-06-01", "config.valid_until": "2026-07-01"}
    conflict = browser.post("/definitions/torn/edit", data={**mine, "expected": "1"})
    assert conflict.status_code == 409
    refused = browser.post("/definitions/torn/edit", data={**carried(conflict.text), "go": "keep"})
    assert refused.status_code == 422
    assert 'id="e-config.valid_until"' in refused.text
    assert 'value="2026-09-01"' in refused.text
    # Faults of a form that is made from an old revision do not make it one of the newest.
    stale = browser.post("/definitions/torn/edit", data={**mine, "config.priority": "high", "expected": "1"})
    assert stale.status_code == 422
    assert hidden(stale.text, "expected") == "1"


def test_a_backtest_begins_on_the_page_that_publishes_and_is_found_there(
    browser: httpx.Client, shop: int, engine: sa.Engine, database: str, settings: Settings
) -> None:
    with engine.begin() as connection:
        config = {"trigger": ["order.paid"], "conditions": {"field": "order.total", "op": ">", "value": 250}}
        definitions.draft(connection, "every_order", config, expected=1, author="bea@example.org")
    path = "/definitions/every_order/publish/2"
    assert "Begin a backtest" in browser.get(path).text
    wrong = browser.post(f"{path}/backtest", data={"days": "9999"})
    assert wrong.status_code == 422
    assert "is no period" in wrong.text
    begun = moved(browser, browser.post(f"{path}/backtest", data={"days": "7"}))
    assert "It waits for its turn" in begun
    assert "data-follow" in begun
    number = re.search(r"operations/(\d+)/events", begun)
    assert number is not None
    ended = moved(browser, browser.post(f"{path}/backtest/{number[1]}/cancel"))
    assert "ended without a result" in ended
    browser.post(f"{path}/backtest", data={"days": "7"})
    do_all(database, settings)
    page = browser.get(path).text
    assert '<dd class="bad">2</dd>' in page
    assert "<svg" in page
    assert "Custom events by day" in page
    assert "subject=order.paid%3A500" in page
    assert "Publish revision 2" in page


def test_what_is_assigned_nowhere_is_tried_on_a_site_and_a_backtest_that_fails_says_why(
    browser: httpx.Client, engine: sa.Engine, database: str, settings: Settings, shop: int
) -> None:
    made(engine, "nowhere")
    path = "/definitions/nowhere/publish/1"
    wrong = browser.post(f"{path}/backtest")
    assert wrong.status_code == 422
    assert "assigned nowhere yet; choose a site to try it on" in wrong.text
    browser.post(f"{path}/backtest", data={"site_id": str(shop)})
    do_all(database, settings)
    shown = browser.get(path).text
    assert '<dd class="good">4</dd>' in shown
    assert f'<option value="{shop}" selected>' in shown
    with engine.begin() as connection:
        definitions.publish(connection, "nowhere", 1, by="bea@example.org")
        assignment = assignments.assign(
            connection, shop, "nowhere", "for a while", author="bea@example.org", publish_now=True
        )
    browser.post(f"{path}/backtest")
    with engine.begin() as connection:
        assignments.pause(connection, assignment.id, actor="bea@example.org")
    do_all(database, settings)
    assert "No site has" in browser.get(path).text


def test_the_page_says_who_must_publish(
    browser: httpx.Client, client: httpx.Client, world: World, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(engine, "for_two")
    path = "/definitions/for_two/publish/1"
    seen = client.get(path, headers={"Accept": "text/html", **world.headers("editor")}).text
    assert "A publisher for all sites publishes it" in seen
    assert '<button class="primary">Publish revision' not in seen
    monkeypatch.setattr(revisions, "needs_second_person", lambda: True)
    assert "Somebody else publishes it" in browser.get(path).text
    drafted(engine, "for_two", 1, priority=1, group="g")
    assert "you are the second person" in browser.get("/definitions/for_two/publish/2").text


def test_the_days_of_a_backtest_are_pairs_of_bars_and_a_table() -> None:
    days = [
        Day(day=date(2026, 11, 3), currency="EUR", number_now=7, value_now=Decimal(70), number_then=3),
        Day(day=date(2026, 11, 1), currency="EUR", number_now=2, number_then=2),
        Day(day=date(2026, 11, 3), currency="USD", number_then=9, value_then=Decimal(9)),
    ]
    rows = rows_of(days)
    assert [(row.day.day, row.number_now, row.number_then, len(row.amounts)) for row in rows] == [
        (1, 2, 2, 1),
        (3, 7, 12, 2),
    ]
    chart = chart_of(rows)
    assert chart.labels == ("1 Nov", "2 Nov", "3 Nov")
    assert [series.values for series in chart.series] == [(2, 0, 7), (2, 0, 12)]
    assert len(list(chart.bars())) == 4
    assert chart_of(()).is_empty
