"""Pages and operations that need no login."""

import re
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from httpx import Client

from console.api import scrapes
from console.api.app import create_app
from console.api.routes import figures as figure_routes
from custom_events.watching.status import Status, status
from tests.console.api.asking import asking
from tests.console.api.conftest import problem
from tests.console.api.world import World


def test_alive_and_ready_are_two_answers(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_without_our_tables_it_is_alive_and_not_ready(empty_database: str) -> None:
    with asking(create_app(empty_database)) as client:
        assert client.get("/healthz").status_code == 200
        assert "custom-events migrate" in problem(client.get("/readyz"), 503)["detail"]


def test_beside_a_newer_database_it_is_not_ready_and_changes_nothing(admin: Client, world: World) -> None:
    sent = {"platform": "custom", "name": "Never made"}
    with world.engine.begin() as connection:
        connection.execute(sa.text("UPDATE public.alembic_version SET version_num = '9999'"))
    assert (
        problem(admin.get("/readyz"), 503)["detail"]
        == "the database is newer than this program: start the newer version"
    )
    assert (
        "it is older, would misunderstand what is there"
        in problem(admin.post("/api/v1/sites", json=sent), 503)["detail"]
    )


def test_without_a_database_it_is_alive_and_not_ready() -> None:
    with asking(create_app("postgresql://127.0.0.1:1/nothing")) as client:
        assert client.get("/healthz").status_code == 200
        assert problem(client.get("/readyz"), 503)["detail"] == "the database does not answer"


def test_what_needs_a_database_that_is_not_there_says_to_try_again() -> None:
    with asking(create_app("postgresql://127.0.0.1:1/nothing")) as client:
        answer = client.get("/api/v1/status")
        assert problem(answer, 503)["type"] == "urn:custom-events:problem:unavailable"
        assert answer.headers["retry-after"] == "5"


def test_the_figures_are_those_of_the_command_line(client: Client, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO landing.receipts (at, received, landed, duplicates, refused) VALUES (now(), 2, 0, 0, 2)"
            )
        )
    answer = client.get("/api/v1/status").json()
    assert answer["agree"] is True
    assert (answer["sums"]["received"], answer["sums"]["refused"]) == (2, 2)


def test_the_documentation_page_loads_files_of_ours_alone_and_has_no_script_of_its_own(client: Client) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(sources) >= 4
    for source in sources:
        assert not source.startswith(("/", "http")), source
        assert client.get(f"/{source}").status_code == 200, source
    assert re.search(r"<style|<script>|style=|onload=", page.text) is None


@pytest.mark.parametrize("path", ["/", "/docs", "/healthz", "/openapi.json", "/static/docs.js", "/nothing"])
def test_every_answer_is_protected(client: Client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "strict-transport-security" not in headers
    assert "access-control-allow-origin" not in headers


def test_files_are_kept_by_browsers_and_answers_are_not(client: Client) -> None:
    file = client.get("/static/docs.js")
    assert file.headers["cache-control"] == "no-cache"
    assert client.get("/static/docs.js", headers={"If-None-Match": file.headers["etag"]}).status_code == 304
    assert client.get("/healthz").headers["cache-control"] == "no-store"


def test_over_https_browsers_are_told_to_stay_there(database: str, app: FastAPI) -> None:
    from custom_events.settings import Settings

    with asking(create_app(database, Settings(_env_file=None, console_url="https://events.example"))) as client:
        assert client.get("/healthz").headers["strict-transport-security"].startswith("max-age=")


def figures(text: str) -> list[str]:
    """Those of the database; requests to the console are counted as they come."""
    return [line for line in text.splitlines() if "custom_events_console_request" not in line]


def test_prometheus_gets_the_figures_and_they_are_counted_once_in_a_while(client: Client, engine: sa.Engine) -> None:
    first = client.get("/metrics")
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO landing.raw_queue VALUES (1, '2026-11-16', 1)"))
    second = client.get("/metrics")
    assert first.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "custom_events_pipeline_backlog_rows 0.0\n" in first.text
    assert figures(second.text) == figures(first.text)


def test_figures_for_nobody_are_counted_once_in_a_while(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    for module in (scrapes, figure_routes):

        def count(*given: Any, place: str = module.__name__) -> Status:
            counted.append(place)
            return status(*given)

        monkeypatch.setattr(module, "status", count)
    answers = [client.get("/api/v1/status").json() for _ in range(3)]
    assert answers[0] == answers[2]
    assert counted == ["console.api.scrapes"]
    client.get("/api/v1/status", headers=world.headers("administrator"))
    assert counted[1:] == ["console.api.routes.figures"]
