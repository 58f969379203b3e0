import asyncio
import json
import re

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from console.api.app import create_app


class Client:
    """Asks the app as a server would, start and stop included, one request at a time."""

    def __init__(self, database: str) -> None:
        self.database = database

    def get(self, path: str) -> httpx.Response:
        return asyncio.run(self._get(create_app(self.database), path))

    async def _get(self, app: FastAPI, path: str) -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://x") as asked,
        ):
            return await asked.get(path)


@pytest.fixture
def client(database: str) -> Client:
    return Client(database)


def test_alive_and_ready_are_two_answers(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_without_our_tables_it_is_alive_and_not_ready(empty_database: str) -> None:
    client = Client(empty_database)
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "custom-events migrate" in answer.json()["reason"]


def test_without_a_database_it_is_alive_and_not_ready() -> None:
    client = Client("postgresql://127.0.0.1:1/nothing")
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "the database does not answer")


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


def test_the_openapi_document_describes_the_answers_and_every_reference_resolves(client: Client) -> None:
    document = client.get("/openapi.json").json()
    assert {"/healthz", "/readyz", "/api/v1/status"} <= document["paths"].keys()
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert {"Status", "Sums"} <= named <= document["components"]["schemas"].keys()


def test_the_documentation_page_loads_nothing_from_outside(client: Client) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert sources
    for source in sources:
        assert source.startswith("/"), source
        assert client.get(source).status_code == 200, source


def test_prometheus_gets_the_figures_and_they_are_counted_once_in_a_while(database: str, engine: sa.Engine) -> None:
    app = create_app(database)

    async def scrape() -> tuple[httpx.Response, httpx.Response]:
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as asked,
        ):
            first = await asked.get("/metrics")
            with engine.begin() as connection:
                connection.execute(sa.text("INSERT INTO landing.raw_queue VALUES (1, '2026-11-16', 1)"))
            return first, await asked.get("/metrics")

    first, second = asyncio.run(scrape())
    assert first.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "custom_events_pipeline_backlog_rows 0.0\n" in first.text
    assert second.text == first.text
