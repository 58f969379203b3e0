"""Rule tests by the API: a body or a stored event under settings, a draft, or all that a site has published."""

from typing import Any

import httpx
import pytest

from tests.console.api.conftest import problem
from tests.console.api.world import World

ORDER = {"id": "1001", "total": "120.00", "currency": "EUR", "created_at": "2026-11-30T12:00:00Z"}
BODY: dict[str, Any] = {"type": "order.paid", "occurred_at": "2026-11-30T12:00:00Z", "order": ORDER}
LARGE = {"trigger": ["order.paid"], "conditions": {"field": "order.total", "op": ">", "value": "100"}}
SMALL = {"trigger": ["order.paid"], "conditions": {"field": "order.total", "op": "<", "value": "100"}}
SETTINGS = {"platform": "custom", "topic": "order.paid", "body": BODY}


@pytest.fixture
def here(world: World) -> str:
    """Where rules of the first site are tried."""
    return f"/api/v1/sites/{world.mine.id}/rule-tests"


def ask(client: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def paid(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What was tried on the payment: the body tells of the order's creation, too."""
    return [one for one in found["tried"] if one["event_type"] == "order.paid"]


@pytest.mark.parametrize(("config", "fires"), [(LARGE, True), (SMALL, False)])
def test_settings_are_tried_on_a_body_leaf_by_leaf(admin: httpx.Client, config: dict[str, Any], fires: bool) -> None:
    found = ask(admin, "/api/v1/rule-tests", **SETTINGS, config=config)
    (tried,) = paid(found)
    assert (found["fires"], tried["fires"], found["outcome"], found["site_id"]) == (fires, fires, "understood", None)
    assert (tried["event_key"], tried["event_type"]) == ("order.paid:1001", "order.paid")
    assert tried["explanation"]["conditions"]["tree"]["holds"] is fires
    assert tried["sentence"]


def test_numbers_of_a_body_stay_numbers_and_overrides_count(admin: httpx.Client) -> None:
    body = {**BODY, "order": {**ORDER, "total": 120.5}}
    overrides = {"conditions": {"field": "order.total", "op": "=", "value": "120.5"}}
    found = ask(admin, "/api/v1/rule-tests", **{**SETTINGS, "body": body}, config=SMALL, overrides=overrides)
    assert found["fires"]


def test_a_body_that_is_not_understood_says_why(admin: httpx.Client) -> None:
    found = ask(admin, "/api/v1/rule-tests", **{**SETTINGS, "body": {}}, config=LARGE)
    assert (found["fires"], found["outcome"], found["tried"]) == (False, "parked", [])
    assert found["reason"]


def test_settings_that_cannot_be_used_are_named(admin: httpx.Client) -> None:
    config = {**LARGE, "click_window_days": 900}
    (error,) = problem(admin.post("/api/v1/rule-tests", json={**SETTINGS, "config": config}), 422)["errors"]
    assert (error["field"], error["value"]) == ("config.click_window_days", 900)


def test_all_rules_of_a_site_or_one_are_tried_on_it(admin: httpx.Client, world: World, here: str) -> None:
    event = {"topic": "order.paid", "body": BODY}
    mine = world.places["assignment_id"][0]
    published = ask(admin, here, **event)
    assert [(one["assignment_id"], one["definition_key"], one["fires"]) for one in paid(published)] == [
        (mine, "big_order", True)
    ]
    assert published["site_id"] == world.mine.id
    admin.post("/api/v1/definitions/big_order/revisions", json={"config": SMALL, "expected": 1})
    assert not ask(admin, here, **event, definition_key="big_order")["fires"]
    assert ask(admin, here, **event, definition_key="big_order", definition_number=1)["fires"]
    assert ask(admin, here, **event, definition_key="big_order", config=LARGE)["fires"]
    assert ask(admin, here, **event, config=LARGE)["fires"]
    assert ask(admin, here, **event, assignment_id=mine, assignment_number=1)["fires"]
    none = {"conditions": SMALL["conditions"]}
    assert not ask(admin, here, **event, assignment_id=mine, overrides=none)["fires"]


def test_what_cannot_be_tried_is_said(admin: httpx.Client, world: World, here: str) -> None:
    event = {"topic": "order.paid", "body": BODY}
    for wrong in ({}, {"topic": "order.paid"}, {**event, "event_key": "order.paid:1"}):
        (error,) = problem(admin.post(here, json=wrong), 422)["errors"]
        assert error["field"] == "event_key"
    (error,) = problem(admin.post(here, json={**event, "definition_number": 0}), 422)["errors"]
    assert error["field"] == "definition_number"
    problem(admin.post(here, json={"event_key": "order.paid:1"}), 404)
    problem(admin.post(here, json={**event, "definition_key": "nothing"}), 404)
    problem(admin.post(here, json={**event, "overrides": {}}), 409)
    wrong_settings = {**event, "config": {**LARGE, "click_window_days": 900}}
    (error,) = problem(admin.post(here, json=wrong_settings), 422)["errors"]
    assert error["field"] == "config.click_window_days"


def test_an_assignment_of_another_site_is_none(client: httpx.Client, world: World, here: str) -> None:
    _, theirs, absent = world.places["assignment_id"]
    headers = world.headers("viewer of mine")
    answers = [
        problem(
            client.post(here, json={"topic": "order.paid", "body": BODY, "assignment_id": one}, headers=headers), 409
        )
        for one in (theirs, absent)
    ]
    for one, found in zip((theirs, absent), answers, strict=True):
        assert found["references"] == [{"noun": "assignment", "id": str(one), "name": ""}]
        assert found["detail"] == f"Site {world.mine.id} has no assignment {one}."
