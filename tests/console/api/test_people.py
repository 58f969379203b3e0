"""People and API keys: made, changed, shut out; of administrators one remains."""

from typing import Any

import httpx
import pytest

from tests.console.api.conftest import problem
from tests.console.api.test_sessions import sign_in
from tests.console.api.world import ABSENT, World

PEOPLE = "/api/v1/people"
KEYS = "/api/v1/api-keys"
VIEWER = [{"role": "viewer", "site_id": None}]


def test_somebody_is_made_and_signs_in(admin: httpx.Client, world: World) -> None:
    new = {"login": " Cem@Example.org", "grants": VIEWER, "password": "three words of his"}
    made = admin.post(PEOPLE, json=new)
    assert made.status_code == 201, made.text
    assert "three words" not in made.text
    person = made.json()
    assert (person["login"], person["has_password"], person["grants"]) == ("cem@example.org", True, VIEWER)
    assert admin.get(made.headers["location"]).json() == person
    assert problem(admin.post(PEOPLE, json=new), 409)["type"].endswith(":conflict")
    assert sign_in(admin, "three words of his", "cem@example.org").status_code == 201


def test_all_that_is_wrong_with_a_person_is_named_and_the_password_is_not_repeated(admin: httpx.Client) -> None:
    answer = admin.post(PEOPLE, json={"login": "x", "display_name": "", "password": "short-one"})
    assert {error["field"] for error in problem(answer, 422)["errors"]} == {"login", "display_name"}
    answer = admin.post(PEOPLE, json={"login": "cem", "password": "short-one", "grants": VIEWER})
    assert [error["field"] for error in problem(answer, 422)["errors"]] == ["password"]
    assert "short-one" not in answer.text
    grants = [{"role": "viewer", "site_id": ABSENT}]
    answer = admin.post(PEOPLE, json={"login": "cem", "grants": grants})
    assert [error["field"] for error in problem(answer, 422)["errors"]] == ["grants[0].site_id"]


def test_roles_are_replaced_and_names_stay(admin: httpx.Client, world: World) -> None:
    path = f"{PEOPLE}/{world.ben.id}"
    read = admin.get(path)
    headers = {"If-Match": read.headers["etag"]}
    changed = admin.patch(path, json={"grants": VIEWER}, headers=headers)
    assert (changed.json()["grants"], changed.json()["display_name"]) == (VIEWER, "Ben")
    refused = problem(admin.patch(path, json={"display_name": "Benno"}, headers=headers), 412)
    assert (refused["theirs"]["grants"], refused["yours"]) == (VIEWER, {"display_name": "Benno"})
    problem(admin.patch(path, json={"login": "benno"}, headers={"If-Match": "*"}), 422)


def test_the_last_administrator_stays_one(admin: httpx.Client, world: World) -> None:
    path = f"{PEOPLE}/{world.ana.id}"
    assert "last administrator" in problem(admin.post(f"{path}/disable"), 409)["detail"]
    answer = admin.patch(path, json={"grants": []}, headers={"If-Match": "*"})
    assert "last administrator" in problem(answer, 409)["detail"]


def test_who_is_disabled_is_out_until_they_are_enabled(admin: httpx.Client, world: World) -> None:
    path = f"{PEOPLE}/{world.ben.id}"
    words = "four other words of his"
    assert admin.post(f"{path}/password", json={"password": words}).status_code == 204
    assert sign_in(admin, words, "ben@example.org").status_code == 201
    admin.cookies.clear()
    (session,) = admin.get(f"{path}/sessions").json()["items"]
    assert admin.post(f"{path}/disable").json()["disabled_at"] is not None
    assert admin.get(f"{path}/sessions").json()["items"][0]["revoked_at"] is not None
    problem(sign_in(admin, words, "ben@example.org"), 401)
    problem(admin.delete(f"{path}/sessions/{session['id']}"), 404)
    assert admin.post(f"{path}/enable").json()["disabled_at"] is None
    assert sign_in(admin, words, "ben@example.org").status_code == 201
    admin.cookies.clear()
    newest = admin.get(f"{path}/sessions").json()["items"][0]["id"]
    assert admin.delete(f"{path}/sessions/{newest}").status_code == 204


def test_people_are_found_filtered_and_sorted(admin: httpx.Client, world: World) -> None:
    def logins(**query: Any) -> list[str]:
        answer = admin.get(PEOPLE, params=query)
        assert answer.status_code == 200, answer.text
        return [person["login"] for person in answer.json()["items"]]

    assert logins() == ["ana@example.org", "ben@example.org"] == logins(sort="created_at")
    assert logins(sort="-login") == ["ben@example.org", "ana@example.org"]
    assert logins(search="BE") == ["ben@example.org"]
    admin.post(f"{PEOPLE}/{world.ben.id}/disable")
    assert (logins(disabled="true"), logins(disabled="false")) == (["ben@example.org"], ["ana@example.org"])


@pytest.mark.parametrize(
    ("path", "sort"), [(PEOPLE, "-created_at"), (PEOPLE, "login"), (KEYS, "-id"), (KEYS, "created_at")]
)
def test_pages_show_everything_once(admin: httpx.Client, world: World, path: str, sort: str) -> None:
    whole = [row["id"] for row in admin.get(path, params={"sort": sort}).json()["items"]]
    query: dict[str, Any] = {"sort": sort, "limit": 1}
    seen: list[int] = []
    while (page := admin.get(path, params=query).json())["next"] is not None:
        seen += [row["id"] for row in page["items"]]
        query["after"] = page["next"]
    assert seen + [row["id"] for row in page["items"]] == whole
    assert len(set(whole)) == len(whole) >= 2


def test_roles_say_what_they_may(client: httpx.Client, world: World) -> None:
    items = client.get("/api/v1/roles", headers=world.headers("viewer of mine")).json()["items"]
    assert [item["role"] for item in items] == ["viewer", "editor", "publisher", "administrator"]
    assert all(item["may"] for item in items)


def test_a_key_is_shown_once_and_good_until_it_is_revoked(admin: httpx.Client, world: World) -> None:
    made = admin.post(KEYS, json={"name": "export", "grants": VIEWER})
    assert made.status_code == 201, made.text
    key, stored = made.json()["key"], made.json()["api_key"]
    assert key.startswith(stored["prefix"])
    path = made.headers["location"]
    assert key not in admin.get(KEYS).text + admin.get(path).text
    mine = {"Authorization": f"Bearer {key}"}
    assert admin.get("/api/v1/sites", headers=mine).status_code == 200
    assert admin.post(f"{path}/revoke").json()["revoked_at"] is not None
    problem(admin.get("/api/v1/sites", headers=mine), 401)
    assert stored["id"] not in {row["id"] for row in admin.get(KEYS, params={"good": "true"}).json()["items"]}
    assert [row["id"] for row in admin.get(KEYS, params={"good": "false"}).json()["items"]] == [stored["id"]]


def test_a_key_of_somebody_may_no_more_than_they(admin: httpx.Client, world: World) -> None:
    made = admin.post(KEYS, json={"name": "his", "grants": VIEWER, "person_id": world.ben.id}).json()
    assert made["api_key"]["owner"] == "ben@example.org"
    mine = {"Authorization": f"Bearer {made['key']}"}
    problem(admin.get("/api/v1/sites", headers=mine), 403)


def test_a_key_that_cannot_be_used_is_not_made(admin: httpx.Client) -> None:
    answer = admin.post(KEYS, json={"name": "", "grants": [], "expires_at": "2020-01-01T00:00:00Z"})
    assert {error["field"] for error in problem(answer, 422)["errors"]} == {"name", "grants", "expires_at"}
    answer = admin.post(KEYS, json={"name": "x", "grants": VIEWER, "person_id": ABSENT})
    assert [error["field"] for error in problem(answer, 422)["errors"]] == ["person_id"]
