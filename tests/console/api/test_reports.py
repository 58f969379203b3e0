"""Reports over days: as the marts have them, of the sites that whoever asks may see, page and export alike."""

import base64
import csv
import hashlib
import io
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import openpyxl
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI

from custom_events.browse import reports
from custom_events.report_files.table import MEDIA_TYPES
from custom_events.settings import Settings
from tests import marts
from tests.console.api.asking import asking
from tests.console.api.conftest import problem
from tests.console.api.world import World
from tests.console.pages.conftest import app, database, engine, settings, world

__all__ = ["app", "database", "engine", "settings", "world"]  # fixtures: one world for the file

TODAY, YESTERDAY = date(2026, 11, 29), date(2026, 11, 28)
DAYS = {"since": str(YESTERDAY), "until": str(TODAY)}


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[httpx.Client]:
    with asking(app) as made:
        yield made


@pytest.fixture
def admin(client: httpx.Client, world: World) -> httpx.Client:
    client.headers.update(world.headers("administrator"))
    return client


@pytest.fixture(scope="module")
def filled(world: World) -> World:
    """Two days of both sites."""
    with world.engine.begin() as connection:
        marts.make(connection)
        for site, name, factor in ((world.mine.id, "Mine", 1), (world.theirs.id, world.theirs.name, 10)):
            of_site: dict[str, Any] = {"site_id": site, "site_name": name}
            for day in (YESTERDAY, TODAY):
                marts.add(connection, "fct_funnel_daily", **of_site, day=day, received=5 * factor, matched=3 * factor)
                marts.add(
                    connection,
                    "fct_accuracy_daily",
                    **of_site,
                    day=day,
                    orders=4 * factor,
                    sent=2 * factor,
                    withheld=factor,
                )
                for currency in ("EUR", "SEK"):
                    marts.add(
                        connection,
                        "fct_conversions_by_definition",
                        **of_site,
                        day=day,
                        definition_key="big_order",
                        definition_name="=Big",
                        assignment_label="mine",
                        campaign="autumn" if factor == 1 else None,
                        currency=currency,
                        matched=factor,
                        value_matched=Decimal(10 * factor),
                    )
    return world


def ask(client: httpx.Client, name: str, **query: Any) -> dict[str, Any]:
    answer = client.get(f"/api/v1/reports/{name}", params={**DAYS, **query})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_days_are_added_up_over_sites_and_narrowed_to_one(admin: httpx.Client, filled: World) -> None:
    assert [row["received"] for row in ask(admin, "funnel")["rows"]] == [55, 55]
    mine = ask(admin, "funnel", site_id=filled.mine.id, since=str(TODAY))
    assert [(row["day"], row["received"]) for row in mine["rows"]] == [(str(TODAY), 5)]
    (first, *_) = ask(admin, "accuracy")["rows"]
    assert (first["orders"], first["sent"], first["withheld"]) == (44, 22, 11)
    assert len(ask(admin, "accuracy-by-site")["rows"]) == 4
    assert ask(admin, "funnel", since="2026-01-01", until="2026-01-31")["rows"] == []


def test_conversions_are_grouped_and_currencies_never_added(admin: httpx.Client, filled: World) -> None:
    groups = ask(admin, "conversions", currency="EUR")["rows"]
    assert [(row["key"], row["matched"], row["value_matched"]) for row in groups] == [("big_order", 22, "220")]
    assert len(ask(admin, "conversions")["rows"]) == 2
    by_site = ask(admin, "conversions", by="site", currency="SEK")["rows"]
    assert [(row["site_id"], row["matched"]) for row in by_site] == [(filled.theirs.id, 20), (filled.mine.id, 2)]
    by_day = ask(admin, "conversions", by="day", currency="SEK")["rows"]
    assert [row["day"] for row in by_day] == [str(YESTERDAY), str(TODAY)]
    assert len(ask(admin, "conversions", by="assignment")["rows"]) == 4
    by_campaign = ask(admin, "conversions", by="campaign", currency="SEK")["rows"]
    assert [(row["key"], row["name"], row["matched"]) for row in by_campaign] == [
        ("", "no campaign", 20),
        ("autumn", "autumn", 2),
    ]
    with filled.engine.connect() as connection:
        assert reports.currencies(connection, filled.mine.id) == ("EUR", "SEK")


def test_configuration_that_made_nothing_is_seen(admin: httpx.Client, filled: World) -> None:
    rows = {row["key"]: row for row in ask(admin, "configuration")["rows"]}
    used = rows["big_order"]
    assert (used["assignments"], used["used"], used["unused"]) == (2, 1, 1)  # the other site's has another label
    assert (used["matched"], used["last_day"]) == (4, str(TODAY))


def test_what_is_seen_is_exported_whole_and_no_formula_in_it(admin: httpx.Client, filled: World) -> None:
    answer = admin.get("/api/v1/reports/conversions/csv", params={**DAYS, "by": "definition", "currency": "EUR"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert f"conversions-{YESTERDAY}-{TODAY}.csv" in answer.headers["content-disposition"]
    header, row = csv.reader(io.StringIO(answer.text))
    assert dict(zip(header, row, strict=True))["name"] == "'=Big"
    lines = admin.get("/api/v1/reports/accuracy-by-site/csv", params=DAYS).text.splitlines()
    assert len(lines) == 1 + 4
    problem(admin.get("/api/v1/reports/nothing/csv"), 404)


def test_a_report_is_a_sheet_or_parquet_with_its_digest(
    admin: httpx.Client, filled: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {**DAYS, "by": "definition", "currency": "EUR", "site_id": filled.mine.id}
    sheet = admin.get("/api/v1/reports/conversions/xlsx", params=asked)
    parquet = admin.get("/api/v1/reports/conversions/parquet", params=asked)
    for answer, suffix in ((sheet, "xlsx"), (parquet, "parquet")):
        assert answer.headers["content-type"] == MEDIA_TYPES[suffix]
        assert f"conversions-{YESTERDAY}-{TODAY}.{suffix}" in answer.headers["content-disposition"]
        digest = base64.b64encode(hashlib.sha256(answer.content).digest()).decode()
        assert answer.headers["content-digest"] == f"sha-256=:{digest}:"
    book = openpyxl.load_workbook(io.BytesIO(sheet.content))
    assert [cell.value for cell in book["Data"]["B"]] == ["Name", "=Big"]
    assert (book["Data"]["B2"].data_type, book["Data"]["D1"].value) == ("s", "Day (each site's own zone)")
    about = [str(cell.value) for cell in book["About"]["B"]]
    assert {f"Only of site {filled.mine.id}.", "Only in EUR.", "by each site's own zone"} <= set(about)
    (row,) = pq.read_table(io.BytesIO(parquet.content)).to_pylist()
    (shown,) = ask(admin, "conversions", **asked)["rows"]
    assert (row["key"], row["matched"], row["value_matched"]) == (
        "big_order",
        shown["matched"],
        Decimal(shown["value_matched"]),
    )
    monkeypatch.setattr("console.api.routes.reports.MOST_ROWS", 0)
    for suffix in ("xlsx", "parquet"):
        problem(admin.get("/api/v1/reports/nothing/" + suffix), 404)
        assert "more than 0 rows" in problem(admin.get(f"/api/v1/reports/funnel/{suffix}", params=DAYS), 409)["detail"]
    assert list((settings.local_directory / "exports").iterdir()) == []


def test_of_other_sites_nothing_is_reported(client: httpx.Client, filled: World) -> None:
    client.headers.update(filled.headers("viewer of mine"))
    assert [row["received"] for row in ask(client, "funnel")["rows"]] == [5, 5]
    assert filled.theirs.name not in client.get("/api/v1/reports/accuracy-by-site/csv", params=DAYS).text
    problem(client.get(f"/api/v1/reports/funnel?site_id={filled.theirs.id}"), 404)


@pytest.mark.parametrize(
    "query",
    [
        {"since": "2026-12-01", "until": "2026-11-01"},
        {"since": "2020-01-01", "until": "2026-11-01"},
        {"since": "yesterday"},
        {"by": "weather"},
        {"currency": "euro"},
    ],
)
def test_what_cannot_be_asked_for_says_why(admin: httpx.Client, query: dict[str, str]) -> None:
    (error,) = problem(admin.get("/api/v1/reports/conversions", params=query), 422)["errors"]
    assert error["field"] in query


def test_accuracy_is_what_was_sent_or_withheld_of_all_orders() -> None:
    day = reports.AccuracyDay(day=date(2026, 11, 1), orders=4, sent=2, withheld=1, waiting=1, expired=0, no_match=0)
    assert day.accuracy == 0.75
    assert (
        reports.AccuracyDay(day=day.day, orders=0, sent=0, withheld=0, waiting=0, expired=0, no_match=0).accuracy
        is None
    )


def test_a_period_that_lies_ahead_is_one_of_its_own() -> None:
    asked = reports.wanted(date(2026, 11, 1), since=date(2026, 12, 1))
    assert (asked.since, asked.until) == (date(2026, 12, 1), date(2026, 12, 1))
