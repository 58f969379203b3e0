"""Lists through time and the search: filtered, page by page, of the sites that whoever asks may see."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from tests.console.api.conftest import problem
from tests.console.api.ledger_rows import upload
from tests.console.api.world import ABSENT, THEIRS, World

NOW = datetime.now(UTC)
LISTS = ("raw-events", "commerce-events", "custom-events", "uploads", "refused-events")


@pytest.fixture
def lists(world: World) -> World:
    """Three of everything for the first site, and one for the second, a day apart."""
    statements = (
        (
            "INSERT INTO app.commerce_events (occurred_at, site_id, type, key, evidence_at, order_id, is_test, facts)"
            " VALUES (:at, :site, 'order.paid', :name, :at, :name, false, '{}')"
        ),
        (
            "INSERT INTO app.custom_events (occurred_at, site_id, assignment_id, definition_revision_id, assignment_revision_id,"
            " commerce_event_id, dedup_key, order_id, value, currency) VALUES (:at, :site, 1, 1, 1, 1, :name, :name, 5, 'EUR')"
        ),
        (
            "INSERT INTO landing.refused_events (received_at, site_id, platform, reason, topic)"
            " VALUES (:at, :site, 'custom', 'wrong_signature', :name)"
        ),
        "INSERT INTO app.orders (site_id, order_id, number, status) VALUES (:site, :name, :name, 'open')",
    )
    rows = [(world.mine.id, f"o{number}", number) for number in range(3)] + [(world.theirs.id, f"{THEIRS}-o", 0)]
    with world.engine.begin() as connection:
        for site, name, ago in rows:
            values = {"site": site, "name": name, "at": NOW - timedelta(days=ago, minutes=5)}
            for statement in statements:
                connection.execute(sa.text(statement), values)
        for number in range(2):
            upload(connection, world.mine.id, f"o{number}", state="rejected", reason="EXPIRED_EVENT")
    return world


def ask(client: httpx.Client, name: str, **query: Any) -> dict[str, Any]:
    answer = client.get(f"/api/v1/{name}", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def count(client: httpx.Client, name: str, **query: Any) -> int:
    return len(ask(client, name, **query)["items"])


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_filtered_by_site_and_time(admin: httpx.Client, lists: World, name: str) -> None:
    whole = count(admin, name)
    mine = count(admin, name, site_id=lists.mine.id)
    assert 0 < mine < whole
    assert count(admin, name, site_id=lists.theirs.id) == whole - mine
    assert count(admin, name, until="2020-01-01T00:00:00Z") == 0 == count(admin, name, since="2090-01-01T00:00:00Z")
    for wrong in ({"after": "nonsense"}, {"since": "2026-01-01"}, {"until": "0001-01-01T00:00:00Z"}, {"limit": 501}):
        (error,) = problem(admin.get(f"/api/v1/{name}", params=wrong), 422)["errors"]
        assert (error["field"], error["place"]) == (next(iter(wrong)), "query")


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_pages_show_everything_once(admin: httpx.Client, lists: World, name: str, order: str) -> None:
    query: dict[str, Any] = {"limit": 1, "order": order}
    seen: list[int] = []
    while True:
        page = ask(admin, name, **query)
        seen += [row["id"] for row in page["items"]]
        if page["next"] is None:
            break
        query["after"] = page["next"]
    newest_first = [row["id"] for row in ask(admin, name)["items"]]
    assert seen == (newest_first if order == "newest" else newest_first[::-1])


@pytest.mark.parametrize("name", LISTS)
def test_of_other_sites_nothing_is_seen(client: httpx.Client, lists: World, name: str) -> None:
    client.headers.update(lists.headers("viewer of mine"))
    assert {row["site_id"] for row in ask(client, name)["items"]} == {lists.mine.id}
    details = [
        problem(client.get(f"/api/v1/{name}", params={"site_id": site}), 404)["detail"].replace(str(site), "ID")
        for site in (lists.theirs.id, ABSENT)
    ]
    assert details[0] == details[1]


def test_each_list_has_filters_of_its_own(admin: httpx.Client, lists: World) -> None:
    mine = lists.mine.id
    assert count(admin, "raw-events", outcome="parked", reason="redact_customer", topic="customers/redact") == 2
    assert count(admin, "raw-events", outcome="ignored") == 0
    assert count(admin, "commerce-events", site_id=mine, order_id="o1", type="order.paid", is_undone=False) == 1
    assert count(admin, "custom-events", site_id=mine, order_id="o2", assignment_id=1, state="queued") == 1
    assert count(admin, "uploads", state="rejected", reason="EXPIRED_EVENT", kind="conversion") == 2
    assert count(admin, "uploads", state="queued", site_id=mine) == 1
    assert count(admin, "refused-events", platform="custom", reason="wrong_signature", topic="o0") == 1
    for name, query in (
        ("raw-events", {"outcome": "lost"}),
        ("custom-events", {"state": "lost"}),
        ("uploads", {"state": "lost"}),
        ("uploads", {"kind": "lost"}),
        ("commerce-events", {"order_id": "o1"}),
        ("custom-events", {"customer_key": "c:1"}),
    ):
        (error,) = problem(admin.get(f"/api/v1/{name}", params=query), 422)["errors"]
        assert error["field"] == next(iter(query))


def test_an_upload_is_asked_for_by_its_reference(admin: httpx.Client, lists: World) -> None:
    for row in ask(admin, "uploads")["items"]:
        shown = admin.get(f"/api/v1/uploads/{row['reference']}").json()
        assert (shown["id"], shown["state"]) == (row["id"], row["state"])


def test_what_somebody_has_in_hand_is_found(admin: httpx.Client, lists: World) -> None:
    (found,) = ask(admin, "search", text="o1")["items"]
    assert (found["kind"], found["order_id"], found["site_id"]) == ("order", "o1", lists.mine.id)
    assert ask(admin, "search", text="o1", site_id=lists.theirs.id)["items"] == []
    (raw,) = ask(admin, "search", text=f"raw:{lists.raw_events[0]}")["items"]
    assert raw["kind"] == "delivery"
    (error,) = problem(admin.get("/api/v1/search", params={"text": " "}), 422)["errors"]
    assert (error["field"], error["place"]) == ("text", "query")


def test_the_search_finds_nothing_of_other_sites(client: httpx.Client, lists: World) -> None:
    client.headers.update(lists.headers("viewer of mine"))
    assert ask(client, "search", text="o1")["items"]
    for text in (f"{THEIRS}-o", f"raw:{lists.raw_events[1]}"):
        assert ask(client, "search", text=text)["items"] == []
    problem(client.get("/api/v1/search", params={"text": "o1", "site_id": lists.theirs.id}), 404)


def test_a_sites_figures_count_what_is_its_own(admin: httpx.Client, lists: World) -> None:
    path = f"/api/v1/sites/{lists.mine.id}/figures"
    found = admin.get(path).json()
    assert found["deliveries"] == {"parked": 1}
    assert found["commerce_events"] == {"order.paid": 3}
    assert found["custom_events"] == {"queued": 3}
    assert found["conversions"] == {"queued": 1, "rejected": 2}
    assert found["adjustments"] == {}
    day = {"since": (NOW - timedelta(hours=12)).isoformat(), "until": NOW.isoformat()}
    assert admin.get(path, params=day).json()["commerce_events"] == {"order.paid": 1}
    for wrong in ({"since": "2020-01-01T00:00:00Z"}, {"since": "2090-01-01T00:00:00Z"}):
        (error,) = problem(admin.get(path, params=wrong), 422)["errors"]
        assert (error["field"], error["place"]) == ("since", "query")
