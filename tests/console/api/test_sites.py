"""Sites by the API: listed, made, changed by several people, paused; their secrets."""

import base64
import json
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from custom_events import secrets
from custom_events.catalog import connecting, signing, sites
from custom_events.values.deliveries import Platform
from tests.console.api.conftest import problem
from tests.console.api.world import World

NEW = {"platform": "custom", "name": "Berlin", "currency": "EUR", "settings": {"default_country": "DE"}}


def make(admin: httpx.Client, **fields: Any) -> httpx.Response:
    answer = admin.post("/api/v1/sites", json={**NEW, **fields})
    assert answer.status_code == 201, answer.text
    return answer


def test_a_site_is_made_and_read(admin: httpx.Client) -> None:
    made = make(admin, site_key="berlin-shop")
    site = made.json()
    assert site["address"].endswith("/webhooks/custom/berlin-shop")
    assert site["state"] == "active"
    assert site["settings"]["default_country"] == "DE"
    assert site["settings"]["take_test_orders"] is False  # what was not given has its default
    answer = admin.get(made.headers["location"])
    assert answer.json() == site
    assert answer.headers["etag"] == made.headers["etag"]


def test_everything_that_is_wrong_with_a_site_is_said_at_once(admin: httpx.Client) -> None:
    body = {
        "platform": "custom",
        "name": " ",
        "currency": "euro",
        "time_zone": "Nowhere",
        "settings": {"default_country": "de"},
    }
    errors = problem(admin.post("/api/v1/sites", json=body), 422)["errors"]
    assert {one["field"] for one in errors} == {"name", "currency", "time_zone", "settings.default_country"}
    assert {one["value"] for one in errors} >= {"euro", "Nowhere", "de"}
    body = {"platform": "shop", "nmae": "x", "settings": {"default_county": "DE"}}
    errors = problem(admin.post("/api/v1/sites", json=body), 422)["errors"]
    assert {one["field"] for one in errors} == {"platform", "nmae", "name", "settings.default_county"}


def test_a_key_that_is_taken_is_a_conflict(admin: httpx.Client) -> None:
    make(admin, site_key="berlin-shop")
    answer = admin.post("/api/v1/sites", json={**NEW, "site_key": "berlin-shop"})
    assert 'the site_key "berlin-shop"' in problem(answer, 409)["detail"]


def test_a_change_of_one_setting_leaves_the_others(admin: httpx.Client) -> None:
    made = make(admin, settings={"default_country": "DE", "take_test_orders": True})
    path, tag = made.headers["location"], made.headers["etag"]
    answer = admin.patch(
        path, json={"settings": {"default_country": "AT"}, "currency": None}, headers={"If-Match": tag}
    )
    assert answer.status_code == 200, answer.text
    site = answer.json()
    assert (site["settings"]["default_country"], site["settings"]["take_test_orders"]) == ("AT", True)
    assert (site["currency"], site["name"]) == (None, "Berlin")
    assert admin.get(path).headers["etag"] == answer.headers["etag"] != tag


def test_a_replacement_puts_what_is_not_given_at_its_default(admin: httpx.Client) -> None:
    made = make(admin, settings={"default_country": "DE", "take_test_orders": True})
    answer = admin.put(made.headers["location"], json={"name": "Vienna"}, headers={"If-Match": "*"})
    site = answer.json()
    assert (site["name"], site["currency"], site["settings"]["default_country"]) == ("Vienna", None, None)


def test_of_two_who_change_the_same_the_second_sees_both_sides(admin: httpx.Client) -> None:
    made = make(admin)
    path, tag = made.headers["location"], {"If-Match": made.headers["etag"]}
    assert admin.patch(path, json={"name": "Hamburg"}, headers=tag).status_code == 200
    answer = admin.patch(path, json={"name": "Munich"}, headers=tag)
    found = problem(answer, 412)
    assert found["theirs"]["name"] == "Hamburg"
    assert found["yours"] == {"name": "Munich"}
    assert admin.patch(path, json={"name": "Munich"}, headers={"If-Match": answer.headers["etag"]}).status_code == 200


def test_a_change_without_a_precondition_is_refused(admin: httpx.Client) -> None:
    path = make(admin).headers["location"]
    assert "If-Match" in problem(admin.patch(path, json={"name": "x"}), 428)["detail"]
    problem(admin.put(path, json={"name": "x"}), 428)


def test_the_domain_is_for_editors_of_all_sites(client: httpx.Client, world: World) -> None:
    path, headers = f"/api/v1/sites/{world.mine.id}", {**world.headers("editor of mine"), "If-Match": "*"}
    assert client.patch(path, json={"name": "Ours"}, headers=headers).status_code == 200
    problem(client.patch(path, json={"shop_domain": "zanzibar.example"}, headers=headers), 403)
    headers.update(world.headers("editor"))
    assert client.patch(path, json={"shop_domain": "ours.example"}, headers=headers).status_code == 200


def test_a_site_is_paused_resumed_and_removed(admin: httpx.Client) -> None:
    path = make(admin).headers["location"]
    for verb, state in (("pause", "paused"), ("resume", "active"), ("remove", "removed"), ("resume", "active")):
        assert admin.post(f"{path}/{verb}", json={"reason": "because"}).json()["state"] == state
    assert admin.post(f"{path}/pause").json()["state"] == "paused"  # a reason may be left out, and so may the body


def test_sites_are_found_filtered_and_sorted(admin: httpx.Client, engine: sa.Engine) -> None:
    for name in ("Alpha", "Beta 100%", "beta two"):
        make(admin, name=name, site_key=f"key-of-{name[:2].lower()}-{len(name)}")
    with engine.begin() as connection:
        shop = sites.create(
            connection, platform=Platform.SHOPIFY, name="Shop", actor="test", shop_domain="abc.myshopify.com"
        )
        sites.pause(connection, shop.id, actor="test")

    def names(**query: str) -> list[str]:
        answer = admin.get("/api/v1/sites", params=query)
        assert answer.status_code == 200, answer.text
        return [site["name"] for site in answer.json()["items"]]

    assert sorted(names(search="BETA")) == ["Beta 100%", "beta two"]
    assert names(search="100%") == ["Beta 100%"]
    assert names(search="myshopify") == ["Shop"]
    assert names(search="of-al") == ["Alpha"]
    assert names(platform="shopify") == ["Shop"] == names(state="paused")
    assert "Shop" not in names(state="active")
    assert names(sort="-name") == names(sort="name")[::-1]
    assert names(sort="-id")[0] == "Shop"
    problem(admin.get("/api/v1/sites", params={"search": "a\0b"}), 422)


@pytest.mark.parametrize("sort", ["name", "-name", "id", "-id"])
def test_pages_show_every_site_once(admin: httpx.Client, sort: str) -> None:
    for number in range(7):
        make(admin, name=f"Shop {number % 3}")  # several of one name
    query: dict[str, Any] = {"sort": sort, "limit": 2}
    seen: list[int] = []
    while True:
        page = admin.get("/api/v1/sites", params=query).json()
        seen += [site["id"] for site in page["items"]]
        if page["next"] is None:
            break
        assert len(page["items"]) == 2
        query["after"] = page["next"]
    whole = admin.get("/api/v1/sites", params={"sort": sort}).json()
    assert seen == [site["id"] for site in whole["items"]]
    assert len(set(seen)) == 9


@pytest.mark.parametrize("after", ["x", "bm90IGpzb24", "WyJuYW1lIiwxLDJd", "WyJpZCIsIDFd", "ä"])
def test_a_cursor_that_is_not_of_the_list_is_refused(admin: httpx.Client, after: str) -> None:
    errors = problem(admin.get("/api/v1/sites", params={"after": after}), 422)["errors"]
    assert [one["field"] for one in errors] == ["after"]


def test_whoever_may_see_one_site_sees_that_one(client: httpx.Client, world: World) -> None:
    items = client.get("/api/v1/sites", headers=world.headers("viewer of mine")).json()["items"]
    assert [site["id"] for site in items] == [world.mine.id]
    assert len(client.get("/api/v1/sites", headers=world.headers("viewer")).json()["items"]) == 2


def test_a_secret_is_shown_once_and_works(admin: httpx.Client, world: World) -> None:
    path = f"/api/v1/sites/{world.mine.id}/secrets"
    made = admin.post(path, json={"key_id": "2026"}).json()
    assert made["connection"] is None, "Shopify has no plugin of ours"
    with world.engine.connect() as connection:
        assert signing.holds(connection, world.mine.id, made["secret"], key=secrets.key(world.settings))
    listed = admin.get(path)
    assert made["secret"] not in listed.text
    assert [one["id"] for one in listed.json()["items"]][-1] == made["id"]
    given = admin.post(path, json={"secret": "from the store", "valid_until": "2031-01-31T09:00:00Z"}).json()
    assert given["secret"] is None
    assert given["valid_until"] == "2031-01-31T09:00:00Z"
    assert admin.delete(f"{path}/{made['id']}").status_code == 204
    problem(admin.delete(f"{path}/{made['id']}"), 404)


def test_for_our_plugin_a_new_secret_is_shown_as_a_connection_string(admin: httpx.Client) -> None:
    site = admin.post("/api/v1/sites", json={**NEW, "platform": "woocommerce"}).json()
    path = f"/api/v1/sites/{site['id']}/secrets"
    for made in (admin.post(path, json={"key_id": "k1"}).json(), admin.post(f"{path}/rotate").json()):
        encoded = made["connection"].removeprefix(connecting.CONNECTION_PREFIX)
        document = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
        named = {} if made["key_id"] is None else {"key_id": made["key_id"]}
        assert document == {"url": site["address"], "secret": made["secret"], **named}
        assert made["connection"] not in admin.get(path).text
    assert admin.post(path, json={"secret": "from the store"}).json()["connection"] is None


def test_of_a_wrong_secret_nothing_is_repeated(admin: httpx.Client, world: World) -> None:
    path = f"/api/v1/sites/{world.mine.id}/secrets"
    answer = admin.post(path, json={"secret": " short"})
    (error,) = problem(answer, 422)["errors"]
    assert error["field"] == "secret"
    assert 'short"' not in answer.text.replace("too short", "")
    for until in ("tomorrow", "2031-01-31T09:00:00", 5, "2031-13-31T09:00:00Z"):
        (error,) = problem(admin.post(path, json={"valid_until": until}), 422)["errors"]
        assert error["field"] == "valid_until"


def test_after_a_rotation_the_secrets_before_end(admin: httpx.Client, world: World) -> None:
    path = f"/api/v1/sites/{world.mine.id}/secrets"
    made = admin.post(f"{path}/rotate").json()
    items = admin.get(path).json()["items"]
    assert [one["valid_until"] is None for one in items] == [one["id"] == made["id"] for one in items]
    (error,) = problem(admin.post(f"{path}/rotate", json={"overlap_h": 721}), 422)["errors"]
    assert error["field"] == "overlap_h"
    assert admin.post(f"{path}/rotate", json={"secret": "from the store", "overlap_h": 0}).json()["secret"] is None


def test_who_connects_a_store_is_told_what_to_enter_and_what_came(admin: httpx.Client, world: World) -> None:
    path = f"/api/v1/sites/{world.mine.id}"
    told = admin.get(f"{path}/instructions").json()
    assert told["address"] in told["lines"][0]
    assert admin.get(f"{path}/arrivals", params={"since": "2100-01-01T00:00:00Z"}).json()["raw_id"] is None
    assert admin.get(f"{path}/arrivals").json()["raw_id"] in world.raw_events


def test_the_trail_says_who_from_where_and_what_it_was(admin: httpx.Client, world: World) -> None:
    headers = {"If-Match": "*", "X-Request-Id": "mine-0002"}
    admin.patch(f"/api/v1/sites/{world.mine.id}", json={"name": "Ours"}, headers=headers)
    with world.engine.connect() as connection:
        row = (
            connection.execute(sa.text("SELECT * FROM app.audit_entries WHERE request_id = 'mine-0002'"))
            .mappings()
            .one()
        )
    assert (row["action"], row["source"], row["client_address"]) == ("site.update", "api", "127.0.0.1")
    assert row["via"].startswith("api key ce_")
    assert (row["site_id"], row["before"], row["after"]) == (world.mine.id, {"name": "Mine"}, {"name": "Ours"})
