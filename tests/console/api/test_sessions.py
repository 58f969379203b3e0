"""Signing in, being signed in, and what keeps others from it."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import structlog
import structlog.testing
from fastapi import FastAPI

from console.api.app import create_app
from custom_events.access import people
from custom_events.settings import Settings
from tests.console.api.asking import asking
from tests.console.api.conftest import problem
from tests.console.api.world import PASSWORD, World

OURS = {"Sec-Fetch-Site": "same-origin"}


def sign_in(client: httpx.Client, password: str = PASSWORD, login: str = "ana@example.org") -> httpx.Response:
    return client.post("/api/v1/sessions", json={"login": login, "password": password})


def test_whoever_signs_in_is_known_until_they_sign_out(client: httpx.Client, world: World) -> None:
    problem(client.get("/api/v1/me"), 401)
    answer = sign_in(client, login=" Ana@Example.org ")
    assert answer.status_code == 201, answer.text
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    assert client.get("/api/v1/me").json() == {
        "kind": "person",
        "name": "ana@example.org",
        "grants": [{"role": "administrator", "site_id": None}],
    }
    assert client.get("/api/v1/sessions").json()["items"][0]["is_current"] is True
    assert client.delete("/api/v1/sessions/current", headers=OURS).status_code == 204
    problem(client.get("/api/v1/me"), 401)


def test_over_https_the_cookie_goes_no_other_way(database: str, world: World, settings: Settings) -> None:
    app = create_app(database, settings.model_copy(update={"console_url": "https://events.example"}))
    with asking(app, base_url="https://events.example") as client:
        cookie = sign_in(client).headers["set-cookie"]
        assert cookie.startswith("__Host-custom_events_session=")
        assert "; Secure" in cookie
        assert client.get("/api/v1/me").status_code == 200
        token = client.cookies["__Host-custom_events_session"]
        client.cookies.clear()  # what another host of the same domain could have set is not taken
        client.cookies.set("custom_events_session", token)
        problem(client.get("/api/v1/me"), 401)


def test_where_passwords_are_not_taken_none_signs_in(database: str, world: World, settings: Settings) -> None:
    changes = {"openid_issuer": "https://login.example", "password_sign_in": False}
    with asking(create_app(database, settings.model_copy(update=changes))) as client:
        assert "by your organisation" in problem(sign_in(client), 401)["detail"]


def test_the_log_says_what_was_refused_to_whom_and_names_nobody(client: httpx.Client, world: World) -> None:
    with structlog.testing.capture_logs() as lines:
        problem(sign_in(client, password="something else"), 401)
        problem(sign_in(client, login="nobody@example.org"), 401)
        sign_in(client)
        problem(client.post("/api/v1/sites", json={}, headers={"Sec-Fetch-Site": "cross-site"}), 403)
        client.cookies.set("custom_events_session", "another")
        problem(client.get("/api/v1/me"), 401)
        problem(client.get("/api/v1/people", headers=world.headers("viewer")), 403)
        problem(client.get(f"/api/v1/sites/{world.theirs.id}", headers=world.headers("viewer of mine")), 404)
    refused = [
        {name: line[name] for name in line if name != "log_level"} for line in lines if "refused" in line["event"]
    ]
    callers = [f"api key {world.headers(name)['Authorization'][7:18]}" for name in ("viewer", "viewer of mine")]
    assert refused == [
        {"event": "sign_in_refused", "person_id": world.ana.id},
        {"event": "sign_in_refused", "person_id": None},
        {"event": "cross_site_refused", "method": "POST", "site": "cross-site"},
        {"event": "credential_refused", "kind": "session"},
        {"event": "right_refused", "method": "GET", "route": "/api/v1/people", "status": 403, "caller": callers[0]},
        {
            "event": "right_refused",
            "method": "GET",
            "route": "/api/v1/sites/{site_id}",
            "status": 404,
            "caller": callers[1],
        },
    ]
    assert "example.org" not in str(lines)


def test_a_revoked_token_does_not_come_back(client: httpx.Client, world: World) -> None:
    sign_in(client)
    token = client.cookies["custom_events_session"]
    client.delete("/api/v1/sessions/current", headers=OURS)
    client.cookies.set("custom_events_session", token)
    problem(client.get("/api/v1/me"), 401)


def test_a_session_is_ended_from_another_one(app: FastAPI, client: httpx.Client, world: World) -> None:
    sign_in(client)
    with asking(app) as other:
        sign_in(other)
        current = other.get("/api/v1/sessions").json()["items"][0]["id"]
        assert client.delete(f"/api/v1/sessions/{current}", headers=OURS).status_code == 204
        problem(other.get("/api/v1/me"), 401)
        problem(client.delete(f"/api/v1/sessions/{current}", headers=OURS), 404)


@pytest.mark.parametrize("column", ["expires_at", "idle_until"])
def test_a_session_ends_by_itself(client: httpx.Client, world: World, engine: sa.Engine, column: str) -> None:
    sign_in(client)
    assert client.get("/api/v1/me").status_code == 200
    with engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE app.sessions SET {column} = now()"))
    problem(client.get("/api/v1/me"), 401)


def test_use_keeps_a_session_from_ending(client: httpx.Client, world: World, engine: sa.Engine) -> None:
    sign_in(client)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE app.sessions SET last_used_at = now() - interval '2 min', idle_until = now() + interval '1 s'"
            )
        )
    assert client.get("/api/v1/me").status_code == 200
    with engine.begin() as connection:
        left = connection.execute(sa.text("SELECT max(idle_until) - now() FROM app.sessions")).scalar_one()
    assert left > timedelta(hours=11)


def test_whoever_is_disabled_or_has_a_new_password_is_signed_out(
    client: httpx.Client, world: World, engine: sa.Engine
) -> None:
    sign_in(client)
    with engine.begin() as connection:
        people.set_password(connection, world.ana.id, "another four words", actor="test")
    problem(client.get("/api/v1/me"), 401)
    problem(sign_in(client), 401)
    assert sign_in(client, "another four words").status_code == 201


def test_a_wrong_password_and_a_wrong_login_are_one_answer(client: httpx.Client, world: World) -> None:
    answers = [sign_in(client, "wrong"), sign_in(client, login="nobody@example.org")]
    details = {problem(answer, 401)["detail"] for answer in answers}
    assert details == {"The login or the password is wrong."}


def test_after_too_many_attempts_none_is_looked_at(
    database: str, world: World, settings: Settings, engine: sa.Engine
) -> None:
    limits = {"login_attempts_per_login": 2, "login_attempts_per_address": 4}
    with asking(create_app(database, settings.model_copy(update=limits)), address="192.0.2.1") as client:
        for _ in range(2):
            problem(sign_in(client, "wrong"), 401)
        answer = sign_in(client)  # the right one
        assert problem(answer, 429)["type"].endswith(":throttled")
        assert answer.headers["retry-after"] == str(settings.login_window_s)
        for login in ("b@example.org", "c@example.org"):
            problem(sign_in(client, login=login), 401)
        problem(sign_in(client, login="d@example.org"), 429)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE app.login_attempts SET at = at - interval '1 hour'"))
    with asking(create_app(database, settings.model_copy(update=limits)), address="192.0.2.1") as client:
        assert sign_in(client).status_code == 201
    with engine.begin() as connection:  # old ones are forgotten, and those of whoever got in
        assert connection.execute(sa.text("SELECT count(*) FROM app.login_attempts")).scalar_one() == 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
        ({"Origin": "http://127.0.0.1"}, 404),
        ({"Origin": "http://127.0.0.1:8080"}, 404),  # the setting console_url
        (OURS, 404),
    ],
)
def test_a_page_of_another_site_does_nothing_with_a_session(
    client: httpx.Client, world: World, headers: dict[str, str], status: int
) -> None:
    sign_in(client)
    problem(client.delete("/api/v1/sessions/999999", headers=headers), status)


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://elsewhere.example"}])
def test_a_page_of_another_site_signs_nobody_in(client: httpx.Client, world: World, headers: dict[str, str]) -> None:
    body = {"login": "ana@example.org", "password": PASSWORD}
    assert problem(client.post("/api/v1/sessions", json=body, headers=headers), 403)["type"].endswith(":cross-site")


def test_a_key_has_no_sessions(client: httpx.Client, world: World) -> None:
    headers = world.headers("viewer")
    assert client.get("/api/v1/sessions", headers=headers).json() == {"items": [], "next": None}
    problem(client.delete("/api/v1/sessions/current", headers=headers), 404)
    problem(client.delete("/api/v1/sessions/1", headers=headers), 404)


def test_signing_in_leaves_a_trace(client: httpx.Client, world: World, engine: sa.Engine) -> None:
    answer = client.post(
        "/api/v1/sessions",
        json={"login": "ana@example.org", "password": PASSWORD},
        headers={"X-Request-Id": "mine-0001"},
    )
    assert answer.status_code == 201
    found: Any
    with engine.begin() as connection:
        found = connection.execute(
            sa.text("SELECT actor, source, client_address FROM app.audit_entries WHERE request_id = 'mine-0001'")
        ).all()
    assert [tuple(row) for row in found] == [("ana@example.org", "console", "127.0.0.1")]


@pytest.mark.parametrize(
    ("changes", "host", "is_open"),
    [
        ({}, "127.0.0.1:8080", True),
        ({}, "localhost", True),
        ({}, "rebound.example", False),
        ({"console_url": "https://events.example"}, "127.0.0.1", False),
        ({"console_host": "0.0.0.0"}, "127.0.0.1", False),
        ({"console_figures_open": True, "console_host": "0.0.0.0"}, "events.example", True),
        ({"console_figures_open": False}, "127.0.0.1", False),
    ],
)
def test_figures_are_open_on_a_machine_of_ones_own(
    database: str, settings: Settings, changes: dict[str, Any], host: str, is_open: bool
) -> None:
    with asking(create_app(database, settings.model_copy(update=changes))) as client:
        for path in ("/api/v1/status", "/metrics"):
            assert client.get(path, headers={"Host": host}).status_code == (200 if is_open else 401)


def test_a_person_changes_their_own_password(app: FastAPI, client: httpx.Client, world: World) -> None:
    chosen = {"current": PASSWORD, "password": "four other words of hers"}
    sign_in(client)
    with asking(app) as other:
        sign_in(other)
        refused = problem(client.post("/api/v1/me/password", json={**chosen, "current": "no"}, headers=OURS), 422)
        assert refused["errors"][0]["field"] == "current"
        refused = problem(client.post("/api/v1/me/password", json={**chosen, "password": "short"}, headers=OURS), 422)
        assert refused["errors"][0]["field"] == "password"
        assert other.get("/api/v1/me").status_code == 200
        assert client.post("/api/v1/me/password", json=chosen, headers=OURS).status_code == 204
        problem(other.get("/api/v1/me"), 401)  # whoever had the old one is out
    assert client.get("/api/v1/me").status_code == 200
    problem(sign_in(client), 401)
    assert sign_in(client, password=chosen["password"]).status_code == 201


def test_the_current_password_cannot_be_tried_without_end(database: str, world: World, settings: Settings) -> None:
    app = create_app(database, settings.model_copy(update={"login_attempts_per_login": 3}))
    wrong = {"current": "no", "password": "four other words of hers"}
    with asking(app) as client:
        sign_in(client)
        answers = [client.post("/api/v1/me/password", json=wrong, headers=OURS).status_code for _ in range(4)]
    assert answers == [422, 422, 422, 429]


def test_without_a_password_there_is_none_to_change(client: httpx.Client, world: World, engine: sa.Engine) -> None:
    sign_in(client)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE app.people SET password_hash = NULL"))
    chosen = {"current": PASSWORD, "password": "four other words of hers"}
    problem(client.post("/api/v1/me/password", json=chosen, headers=OURS), 409)
