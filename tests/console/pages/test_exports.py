"""What a list shows as a file: asked for on its page, made by an operation, found there; never more than the list shows."""

import csv
import html
import io
import re

import httpx
import pytest
import sqlalchemy as sa

from custom_events.operations.runner import Runner
from tests import marts
from tests.console.api.world import World

PAGES = ("/uploads", "/deliveries", "/deliveries/refused", "/orders", "/custom-events", "/audit", "/assignments")
ANYTHING = {"Accept": "*/*"}


def moved(answer: httpx.Response) -> str:
    """Where a change leads to."""
    assert answer.status_code == 303, answer.text
    return str(answer.url.join(answer.headers["location"]))


@pytest.mark.parametrize("page", PAGES)
def test_every_list_has_its_export(browser: httpx.Client, runner: Runner, page: str) -> None:
    text = browser.get(page).text
    form = re.search(r'method="post" action="(?:\.\./)*(exports\?[^"]*)"', text)
    assert form is not None, page
    where = moved(browser.post(f"/{html.unescape(form[1])}", data={"format": "xlsx"}))
    assert runner.run_next()
    shown = browser.get(where).text
    link = re.search(r'href="(?:\.\./)*(api/v1/operations/[0-9]+/result\.xlsx)">Download it', shown)
    assert link is not None, shown
    assert browser.get(f"/{link[1]}", headers=ANYTHING).content.startswith(b"PK")


def test_filters_of_the_list_are_those_of_the_file(browser: httpx.Client, world: World, runner: Runner) -> None:
    query = f"list=assignments&site_id={world.mine.id}&state=enabled&definition=big_order"
    moved(browser.post(f"/exports?{query}", data={"format": "csv"}))
    query = f"list=custom_events&site_id={world.mine.id}&since=2026-11-01T00:00&assignment_id=3&state=queued"
    where = moved(browser.post(f"/exports?{query}", data={}))
    assert (runner.run_next(), runner.run_next()) == (True, True)
    number = int(where.rpartition("/")[2])
    assignments = browser.get(f"/api/v1/operations/{number - 1}/result.csv", headers=ANYTHING).text
    assert {row["site_id"] for row in csv.DictReader(io.StringIO(assignments))} == {str(world.mine.id)}
    assert browser.get(f"/api/v1/operations/{number}/result.csv", headers=ANYTHING).text.count("\r\n") == 1


@pytest.mark.parametrize(
    "query",
    [
        "list=uploads&expiring=yes",
        "list=commerce_events&search=1001",
        "list=assignments&label=x",
        "list=people",
        "list=uploads&state=lost",
    ],
)
def test_what_no_export_knows_is_an_error(browser: httpx.Client, query: str) -> None:
    assert browser.post(f"/exports?{query}", data={"format": "csv"}).status_code == 422
    assert browser.post("/exports?list=uploads", data={"format": "doc"}).status_code == 422


def test_reports_offer_three_formats(browser: httpx.Client, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        marts.make(connection)
    for suffix in ("xlsx", "parquet"):
        answer = browser.get(f"/api/v1/reports/funnel/{suffix}", headers={"Accept": "text/html,*/*;q=0.8"})
        assert answer.status_code == 200
