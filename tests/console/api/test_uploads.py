"""One row of the ledger, and the rows of a site: shown, held, let go, sent again by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import sqlalchemy as sa

from tests.console.api.conftest import problem
from tests.console.api.ledger_rows import ACTION_ID, CUSTOMER_ID, answered, upload
from tests.console.api.world import World

PATH = "/api/v1/uploads"
LATER = datetime.now(UTC) + timedelta(hours=5)


def make(world: World, order_id: str, **columns: Any) -> str:
    with world.engine.begin() as connection:
        return upload(connection, world.mine.id, order_id, **columns)


def rejected(world: World, order_id: str, **columns: Any) -> str:
    return make(world, order_id, state="rejected", reason="EXPIRED_EVENT", sentence="Too old.", **columns)


def test_one_is_shown_with_what_google_answered(admin: httpx.Client, world: World) -> None:
    reference = rejected(world, "2")
    with world.engine.begin() as connection:
        answered(connection, reference, verdict="rejected", code="EXPIRED_EVENT")
    shown = admin.get(f"{PATH}/{reference}").json()
    assert (shown["reference"], shown["site_id"], shown["order_id"]) == (reference, world.mine.id, "2")
    assert (shown["customer_id"], shown["action_id"], shown["value"]) == (CUSTOMER_ID, ACTION_ID, "49.900000")
    (answer,) = shown["answers"]
    assert (answer["verdict"], answer["code"], answer["google_request_id"]) == ("rejected", "EXPIRED_EVENT", "g-1")
    assert admin.get(f"{PATH}/{world.uploads[0]}").json()["answers"] == []


def test_what_no_reference_can_be_is_refused_and_what_none_is_is_not_there(admin: httpx.Client) -> None:
    problem(admin.get(f"{PATH}/77"), 422)
    problem(admin.get(f"{PATH}/1-{'9' * 19}"), 404)


def test_one_is_held_and_let_go_and_the_trail_says_so(admin: httpx.Client, world: World) -> None:
    path = f"{PATH}/{world.uploads[0]}"
    held = admin.post(f"{path}/hold", json={"why": "a test"}).json()
    assert (held["state"], held["reason"], held["not_before"]) == ("held", "held_by_hand", held["deadline_at"])
    assert held["sentence"].startswith("Held by hand: a test (")
    released = admin.post(f"{path}/release").json()
    assert datetime.fromisoformat(released["not_before"]) <= datetime.now(UTC)
    assert "held goes now" in problem(admin.post(f"{path}/release"), 409)["detail"]
    entries = admin.get("/api/v1/audit-entries", params={"noun": "uploads"}).json()["items"]
    assert [entry["action"] for entry in entries] == ["uploads.release", "uploads.hold"]
    assert {entry["site_id"] for entry in entries} == {world.mine.id}
    assert entries[1]["before"]["state"] == "queued"


def test_what_was_refused_goes_again_and_nothing_else_does(admin: httpx.Client, world: World) -> None:
    reference = rejected(world, "2")
    again = admin.post(f"{PATH}/{reference}/retry").json()
    assert (again["state"], again["reason"], again["sentence"]) == (
        "queued",
        None,
        "Sent again by hand; before: Too old.",
    )
    assert "is queued" in problem(admin.post(f"{PATH}/{reference}/retry"), 409)["detail"]
    late = rejected(world, "3", deadline_at=datetime.now(UTC) - timedelta(minutes=1))
    problem(admin.post(f"{PATH}/{late}/retry"), 409)
    accepted = make(world, "4", state="accepted")
    assert "is accepted" in problem(admin.post(f"{PATH}/{accepted}/hold", json={"why": "x"}), 409)["detail"]


def test_what_waits_for_a_consent_goes_only_when_that_is_said(admin: httpx.Client, world: World) -> None:
    consent = {"state": "held", "reason": "consent_unknown_in_europe", "not_before": LATER}
    path = f"{PATH}/{make(world, '2', **consent)}/release"
    problem(admin.post(path), 409)
    assert admin.post(path, json={"reason": "consent_unknown_in_europe"}).status_code == 200


def test_held_and_released_by_hand_it_waits_for_the_consent_again(admin: httpx.Client, world: World) -> None:
    consent = {"state": "held", "reason": "consent_unknown_in_europe", "not_before": LATER, "ad_user_data": "unknown"}
    path = f"{PATH}/{make(world, '2', **consent)}"
    assert admin.post(f"{path}/hold", json={"why": "x"}).json()["reason"] == "held_by_hand"
    assert admin.post(f"{path}/release").json()["reason"] == "consent_unknown_in_europe"
    problem(admin.post(f"{path}/release"), 409)


def test_of_a_site_only_its_own_rows_are_changed(client: httpx.Client, world: World) -> None:
    client.headers.update(world.headers("publisher of mine"))
    path = f"/api/v1/sites/{world.mine.id}/uploads"
    make(world, "2")
    refused = [rejected(world, "3"), rejected(world, "4")]
    assert client.post(f"{path}/hold", json={"why": "x", "order_id": "2"}).json() == {"rows": 1}
    assert client.post(f"{path}/hold", json={"why": "x"}).json() == {"rows": 2}
    assert client.post(f"{path}/release", json={"order_id": "2"}).json() == {"rows": 1}
    assert client.post(f"{path}/release", json={"reason": "delay"}).json() == {"rows": 0}
    assert client.post(f"{path}/release", json={"reason": "held_by_hand"}).json() == {"rows": 1}
    assert client.post(f"{path}/retry", json={"order_id": "3"}).json() == {"rows": 1}
    assert client.post(f"{path}/retry").json() == {"rows": 1}
    assert {client.get(f"{PATH}/{one}").json()["state"] for one in refused} == {"queued"}
    with world.engine.connect() as connection:
        state = connection.execute(
            sa.text("SELECT state FROM app.conversion_uploads WHERE site_id = :site"), {"site": world.theirs.id}
        ).scalar_one()
    assert state == "queued"


def test_what_is_withheld_is_settled_and_named_with_who_and_why(admin: httpx.Client, world: World) -> None:
    path = f"{PATH}/{world.uploads[0]}"
    found = admin.post(f"{path}/withhold", json={"why": "a test"}).json()
    assert (found["state"], found["reason"]) == ("withheld", "withheld_by_hand")
    assert found["sentence"].startswith("Withheld by hand: a test (")
    assert "cannot have" in problem(admin.post(f"{path}/withhold", json={"why": "x"}), 409)["detail"]
    make(world, "2")
    make(world, "3")
    site = f"/api/v1/sites/{world.mine.id}/uploads/withhold"
    assert admin.post(site, json={"why": "x", "order_id": "2"}).json() == {"rows": 1}
    account = f"/api/v1/ads-accounts/{CUSTOMER_ID}/uploads/withhold"
    assert problem(admin.post(account, json={"why": "x"}), 422)["errors"][0]["field"] == "order_id"
    problem(admin.post(account, json={"why": "x", "action_id": "9"}), 409)
    problem(admin.post(account, json={"why": "x", "order_id": "nothing"}), 404)
    assert admin.post(account, json={"why": "x", "order_id": "3", "action_id": ACTION_ID}).json() == {"rows": 1}
    entries = admin.get("/api/v1/audit-entries", params={"action": "uploads.withhold"}).json()["items"]
    assert [entry["detail"].get("rows") for entry in entries] == [1, 1, None]
