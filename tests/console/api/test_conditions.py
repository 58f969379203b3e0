"""The language of conditions by the API, settings checked while they are typed, and how many of a site's newest events they match."""

from typing import Any

import asyncpg
import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from console.api.app import create_app
from custom_events.conditions.field_lookup import fields_by_name
from custom_events.conditions.fields import FieldType
from custom_events.conditions.operators import operators_of
from custom_events.explain import recent_matches
from custom_events.settings import Settings
from tests import world as worlds
from tests.console.api.asking import asking
from tests.console.api.conftest import problem
from tests.console.api.world import World

CHECKS = "/api/v1/settings-checks"
ORDERS = 6
DEAR = {"trigger": ["order.paid"], "conditions": {"field": "order.total", "op": ">", "value": "100"}}


@pytest.fixture
def shop(database: str, engine: sa.Engine) -> int:
    """A site with six paid orders of 50 to 175 EUR."""
    past = worlds.World(database, engine)
    site_id = past.site()
    past.rule(site_id, "assigned_here", priority=1, group="value")
    for number in range(ORDERS):
        past.land(site_id, "orders/paid", worlds.paid_order(100 + number, total_price=f"{50 + 25 * number}.00"))
    past.drain()
    return site_id


def check(client: httpx.Client, config: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(CHECKS, json={"config": config})
    assert answer.status_code == 200, answer.text
    checked: dict[str, Any] = answer.json()
    return checked


def test_every_field_has_its_operators_and_an_example(admin: httpx.Client) -> None:
    language = admin.get("/api/v1/condition-language").json()
    fields = {field["name"]: field for field in language["fields"]}
    assert fields.keys() >= fields_by_name().keys()
    assert fields["properties.NAME"]["is_open"]
    assert fields["order.total"]["example"] == "200.00"
    for kind, operators in language["operators"].items():
        assert [one["op"] for one in operators] == list(operators_of(FieldType(kind)))
    assert {one["op"]: one["wants"] for one in language["operators"]["open"]}["="] == ["text", "number", "boolean"]
    assert {one["word"]: one["type"] for one in language["measures"]}["total"] == "money"


def test_settings_are_a_sentence_and_have_all_their_faults_at_once(admin: httpx.Client) -> None:
    good = check(admin, DEAR)
    assert good["can_be_kept"]
    assert good["conditions"] == "order.total > 100"
    assert good["sentence"].startswith("When order.paid happens and order.total > 100")
    wrong = check(
        admin,
        {
            "trigger": ["order.paid"],
            "conditions": {"all": [{"field": "order.totl", "op": ">", "value": 1}]},
            "click_window_days": 900,
            "dedup": {"per": "order", "window_days": "x"},
        },
    )
    assert not wrong["can_be_kept"]
    paths = {fault["path"]: fault for fault in wrong["faults"]}
    assert paths.keys() == {"conditions.all[0].field", "click_window_days", "dedup.window_days"}
    assert "order.total" in paths["conditions.all[0].field"]["remedy"]
    assert check(admin, {"trigger": []})["sentence"] == ""
    assert check(admin, {"priority": 1})["faults"][0]["path"] == "trigger"
    warned = check(admin, {"trigger": ["order.paid"], "priority": 3})
    assert warned["can_be_kept"]
    assert [fault["severity"] for fault in warned["faults"]] == ["warning"]


def test_the_newest_events_of_a_site_are_tried(admin: httpx.Client, shop: int) -> None:
    answer = admin.post(f"/api/v1/sites/{shop}/recent-matches", json={"config": DEAR}).json()
    assert (answer["events"], answer["matching"], len(answer["samples"])) == (ORDERS, 3, 3)
    newest = answer["samples"][0]
    assert (newest["event_key"], newest["order_id"], newest["currency"]) == ("order.paid:105", "105", "EUR")
    # Under the overrides and in the group that the site has, in the place of what is published there.
    body = {"config": {**DEAR, "group": "value"}, "definition_key": "assigned_here"}
    assert admin.post(f"/api/v1/sites/{shop}/recent-matches", json=body).json()["matching"] == 3
    none = admin.post(f"/api/v1/sites/{shop}/recent-matches", json={"config": {"trigger": ["order.cancelled"]}}).json()
    assert (none["events"], none["matching"], none["since"]) == (0, 0, None)


def test_settings_that_cannot_be_tried_are_named(admin: httpx.Client, shop: int) -> None:
    path = f"/api/v1/sites/{shop}/recent-matches"
    wrong = problem(admin.post(path, json={"config": {**DEAR, "click_window_days": 900}}), 422)
    assert wrong["errors"][0]["field"] == "config.click_window_days"
    unknown = problem(admin.post(path, json={"config": DEAR, "definition_key": "nothing"}), 409)
    assert unknown["references"] == [{"noun": "definition", "id": "nothing", "name": ""}]


def test_what_takes_too_long_says_where_there_is_time(
    admin: httpx.Client, shop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def too_long(*_: object) -> None:
        raise asyncpg.QueryCanceledError("canceling statement due to statement timeout")

    monkeypatch.setattr(recent_matches, "match_events", too_long)
    answer = admin.post(f"/api/v1/sites/{shop}/recent-matches", json={"config": DEAR})
    assert "A backtest has the time" in problem(answer, 503)["detail"]


def test_operations_are_found_by_the_definition_that_they_are_about(admin: httpx.Client, world: World) -> None:
    asked = {"definition_key": "big_order", "definition_number": 1, "site_ids": [world.mine.id]}
    admin.post("/api/v1/backtests", json=asked)
    (found,) = admin.get("/api/v1/operations", params={"definition_key": "big_order"}).json()["items"]
    assert (found["definition_key"], found["definition_number"]) == ("big_order", 1)
    assert admin.get("/api/v1/operations", params={"definition_key": "another"}).json()["items"] == []
    problem(admin.get("/api/v1/operations", params={"definition_key": "A"}), 422)


def test_who_sees_one_site_tries_rules_on_it(database: str, settings: Settings, world: World) -> None:
    app: FastAPI = create_app(database, settings)
    with asking(app) as client:
        client.headers.update(world.headers("viewer of mine"))
        assert client.get("/api/v1/condition-language").status_code == 200
        assert client.post(f"/api/v1/sites/{world.mine.id}/recent-matches", json={"config": DEAR}).status_code == 200
        problem(client.post(f"/api/v1/sites/{world.theirs.id}/recent-matches", json={"config": DEAR}), 404)
