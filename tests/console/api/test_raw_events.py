"""Deliveries: what became of them for viewers, their content for editors, with a note of who read it; and what people asked."""

import base64

import httpx

from custom_events.operations.runner import Runner
from tests.console.api.conftest import problem
from tests.console.api.raw_rows import parked_delivery, privacy_delivery
from tests.console.api.world import ABSENT, World

PATH = "/api/v1/raw-events"
PRIVACY = "/api/v1/privacy-requests"


def test_a_viewer_sees_what_became_of_a_delivery_and_not_what_is_in_it(client: httpx.Client, world: World) -> None:
    path = f"{PATH}/{world.raw_events[0]}"
    headers = world.headers("viewer of mine")
    shown = client.get(path, headers=headers).json()
    assert (shown["site_id"], shown["outcome"], shown["reason"]) == (world.mine.id, "parked", "redact_customer")
    assert (shown["is_waiting"], shown["body_bytes"], shown["topic"]) == (False, 9, "customers/redact")
    assert "headers" not in shown
    problem(client.get(f"{path}/content", headers=headers), 403)
    problem(client.get(f"{PATH}/{ABSENT}", headers=world.headers("viewer")), 404)


def test_who_reads_a_body_is_in_the_trail(admin: httpx.Client, world: World) -> None:
    content = admin.get(f"{PATH}/{world.raw_events[0]}/content").json()
    assert content["headers"] == {"x-topic": "customers/redact"}
    assert content["text"] == '{"id": 1}'
    assert base64.b64decode(content["body"]) == b'{"id": 1}'
    (entry,) = admin.get("/api/v1/audit-entries", params={"action": "raw_event.show"}).json()["items"]
    assert (entry["subject"], entry["site_id"]) == (f"raw_event:{world.raw_events[0]}", world.mine.id)


def test_bytes_that_are_no_text_are_shown_as_bytes(admin: httpx.Client, world: World) -> None:
    with world.engine.begin() as connection:
        number = privacy_delivery(connection, world.mine.id, b"\xff\xfe")
    content = admin.get(f"{PATH}/{number}/content").json()
    assert (content["text"], base64.b64decode(content["body"])) == (None, b"\xff\xfe")


def test_why_deliveries_are_parked(admin: httpx.Client, world: World) -> None:
    path = f"/api/v1/sites/{world.mine.id}/parked"
    (parked,) = admin.get(path).json()["items"]
    assert (parked["reason"], parked["rows"]) == ("redact_customer", 1)
    assert admin.get(path, params={"since": "2099-01-01T00:00:00Z"}).json()["items"] == []


def test_a_request_is_open_until_somebody_did_it(admin: httpx.Client, world: World) -> None:
    items = admin.get(PRIVACY).json()["items"]
    assert [item["raw_id"] for item in items] == list(world.raw_events)
    path = f"{PRIVACY}/{world.raw_events[0]}/done"
    (error,) = problem(admin.post(path, json={"note": " "}), 422)["errors"]
    assert error["field"] == "note"
    assert admin.post(path, json={"note": "by script"}).status_code == 204
    problem(admin.post(path, json={"note": "again"}), 409)
    assert [item["raw_id"] for item in admin.get(PRIVACY).json()["items"]] == [world.raw_events[1]]
    every = admin.get(PRIVACY, params={"every": "true"}).json()["items"]
    assert (every[1]["raw_id"], every[1]["note"]) == (world.raw_events[0], "by script")


def test_of_one_site_only_its_own_requests_are_seen(client: httpx.Client, world: World) -> None:
    items = client.get(PRIVACY, headers=world.headers("viewer of mine")).json()["items"]
    assert [item["site_id"] for item in items] == [world.mine.id]


def test_a_request_is_entered_and_answered(admin: httpx.Client, world: World) -> None:
    path = f"/api/v1/sites/{world.mine.id}/privacy-requests"
    made = admin.post(path, json={"emails": ["ann@example.org"], "kind": "data_request"})
    assert made.status_code == 201, made.text
    asked = made.json()
    assert (asked["site_id"], asked["kind"], asked["done_at"], asked["counts"]) == (
        world.mine.id,
        "data_request",
        None,
        {},
    )
    answer = admin.get(f"{PRIVACY}/{asked['raw_id']}/export").json()
    assert (answer["request"], answer["orders"], answer["deliveries"]) == (asked["raw_id"], [], [])
    (entry,) = admin.get("/api/v1/audit-entries", params={"action": "privacy_request.export"}).json()["items"]
    assert entry["subject"] == f"raw_event:{asked['raw_id']}"
    assert admin.post(path, json={"kind": "redact_shop"}).status_code == 201
    (error,) = problem(admin.post(path, json={"emails": ["ann"]}), 422)["errors"]
    assert error["field"] == "email"
    problem(admin.post(path, json={"kind": "redact_shop", "order_ids": ["1"]}), 422)


def test_parked_deliveries_are_replayed_as_an_operation(
    admin: httpx.Client, client: httpx.Client, world: World, runner: Runner
) -> None:
    with world.engine.begin() as connection:
        parked_delivery(connection, world.mine.id, b'{"id": 7}', "malformed")
        parked_delivery(connection, world.theirs.id, b'{"id": 8}', "malformed")
    path = f"/api/v1/sites/{world.mine.id}/parked/replay"
    asked = admin.post(path, json={"reason": "malformed"})
    assert (asked.status_code, asked.json()["total"], asked.json()["site_ids"]) == (202, 1, [world.mine.id])
    assert runner.run_next()
    result = admin.get(f"{asked.headers['location']}/result").json()
    assert result == {"replay_parked": {"rows": 1}}
    everywhere = admin.post("/api/v1/parked/replay", json={})
    assert (everywhere.status_code, everywhere.json()["total"], everywhere.json()["sites"]) == (202, 1, None)
    problem(admin.post(path, json={"reason": "a\0b"}), 422)
    problem(client.post(path, json={}, headers=world.headers("viewer of mine")), 403)


def test_one_parked_delivery_is_replayed(admin: httpx.Client, world: World) -> None:
    with world.engine.begin() as connection:
        number = parked_delivery(connection, world.mine.id, b"1", "unknown_currency")
    assert admin.post(f"{PATH}/{number}/replay").json() == {"rows": 1}
    assert "not parked" in problem(admin.post(f"{PATH}/{number}/replay"), 409)["detail"]
    assert "not parked" in problem(admin.post(f"{PATH}/{world.raw_events[0]}/replay"), 409)["detail"]  # a person's
    assert admin.get(f"{PATH}/{number}").json()["is_waiting"]
    problem(admin.post(f"{PATH}/{number}/replay", headers=world.headers("viewer")), 403)
    entries = admin.get("/api/v1/audit-entries", params={"action": "raw_event.replay"}).json()["items"]
    assert [entry["subject"] for entry in entries] == [f"raw_event:{number}"]
