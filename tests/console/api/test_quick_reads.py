"""What is served on the event loop answers as the app does by its own way, and everything else goes on to that."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from starlette.types import Scope

from console.api import quick_reads
from console.api.app import create_app
from console.api.operations import Operation
from console.api.quick_reads import QuickReads
from console.api.routes.registry import NOUNS
from custom_events.access import api_keys
from custom_events.settings import Settings
from tests.console.api.asking import asking
from tests.console.api.conftest import problem
from tests.console.api.world import PASSWORD, World

STALE = sa.text("UPDATE app.api_keys SET last_used_at = now() - interval '1 hour'")
OPERATIONS = tuple(operation for routes in NOUNS for operation in routes.operations)


class Watched:
    """Which requests were served on the loop, by path."""

    def __init__(self) -> None:
        self.quick: dict[str, bool] = {}


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    seen = Watched()
    response = QuickReads.response

    async def watching(reads: QuickReads, scope: Scope) -> Any:
        answer = await response(reads, scope)
        if scope["type"] == "http":
            seen.quick[scope["path"]] = answer is not None
        return answer

    monkeypatch.setattr(QuickReads, "response", watching)
    return seen


@pytest.fixture
def viewer(client: httpx.Client, world: World) -> dict[str, str]:
    """Headers of a viewer of all sites, whose key was used within the last minute."""
    headers = world.headers("viewer")
    client.get("/api/v1/me", headers=headers)
    return headers


def paths(world: World) -> Iterator[tuple[Operation, str]]:
    """Every operation that can be served on the loop, with a thing that there is."""
    for operation in OPERATIONS:
        if quick_reads.folder_of(operation) is not None:
            name = operation.right.parameter
            yield operation, operation.path.format(**{name: world.places[name][0]})


def test_it_answers_as_the_app_does(
    client: httpx.Client, world: World, watched: Watched, viewer: dict[str, str]
) -> None:
    asked = list(paths(world))
    assert {operation.name for operation, _ in asked} >= {"read_site", "read_assignment"}
    for _, path in asked:
        quick = client.get(path, headers=viewer)
        assert (quick.status_code, watched.quick.pop(path)) == (200, True), quick.text
        folder, _, name = path.rpartition("/")
        slow = client.get(f"{folder}/0{name}", headers=viewer)
        assert not watched.quick[f"{folder}/0{name}"]
        assert quick.content == slow.content
        of_one = ("x-request-id", "ratelimit")
        quick_headers, slow_headers = (
            {name: value for name, value in answer.headers.items() if name not in of_one} for answer in (quick, slow)
        )
        assert quick_headers == slow_headers


def test_a_session_reads_by_its_cookie(client: httpx.Client, world: World, watched: Watched) -> None:
    assert client.post("/api/v1/sessions", json={"login": "ana@example.org", "password": PASSWORD}).status_code == 201
    path = f"/api/v1/sites/{world.mine.id}"
    assert client.get(path).status_code == 200
    assert watched.quick[path]
    session = next(one["id"] for one in client.get("/api/v1/sessions").json()["items"] if one["is_current"])
    client.delete(f"/api/v1/sessions/{session}", headers={"Sec-Fetch-Site": "same-origin"})
    problem(client.get(path), 401)


def test_a_key_that_is_revoked_stops_at_once(
    client: httpx.Client, world: World, engine: sa.Engine, viewer: dict[str, str]
) -> None:
    path = f"/api/v1/sites/{world.mine.id}"
    assert client.get(path, headers=viewer).status_code == 200
    prefix = viewer["Authorization"].removeprefix("Bearer ")[:11]
    with engine.begin() as connection:
        api_keys.revoke(connection, api_keys.called(connection, prefix).id, actor="test")
    problem(client.get(path, headers=viewer), 401)


def test_a_use_is_noted_by_the_long_way(
    client: httpx.Client, world: World, watched: Watched, engine: sa.Engine, viewer: dict[str, str]
) -> None:
    path = f"/api/v1/sites/{world.mine.id}"
    with engine.begin() as connection:
        connection.execute(STALE)
    assert client.get(path, headers=viewer).status_code == 200
    assert not watched.quick[path]
    client.get(path, headers=viewer)
    assert watched.quick[path], "once a minute"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/sites/999999", 404),
        ("/api/v1/sites/0", 422),
        ("/api/v1/sites/007", 200),
        (f"/api/v1/sites/{2**63}", 422),
        ("/api/v1/sites/x", 422),
        ("/api/v1/nowhere/1", 404),
    ],
)
def test_what_is_unusual_goes_on_to_the_app(
    client: httpx.Client, world: World, watched: Watched, viewer: dict[str, str], path: str, status: int
) -> None:
    path = path.replace("007", f"00{world.mine.id}")
    assert client.get(path, headers=viewer).status_code == status
    assert not watched.quick[path]


def test_who_may_not_is_told_so_by_the_app(client: httpx.Client, world: World, watched: Watched) -> None:
    path = f"/api/v1/sites/{world.theirs.id}"
    client.get("/api/v1/me", headers=world.headers("viewer of mine"))
    problem(client.get(path, headers=world.headers("viewer of mine")), 404)
    problem(client.get(path), 401)
    problem(client.get(path, headers={"Authorization": "Basic eDp4"}), 401)
    problem(client.get(path, headers={**world.headers("viewer"), "Accept": "text/csv"}), 406)
    assert not watched.quick[path]


def test_above_the_quota_the_app_says_so(database: str, settings: Settings, world: World) -> None:
    few = settings.model_copy(update={"api_limit_window_s": 86_400, "api_requests_per_caller": 2})
    path, headers = f"/api/v1/sites/{world.mine.id}", world.headers("viewer")
    with asking(create_app(database, few)) as client:
        answers = [client.get(path, headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[1].headers["ratelimit"].startswith('"caller";r=0;')


def test_a_lost_connection_is_not_seen(
    client: httpx.Client, world: World, watched: Watched, engine: sa.Engine, viewer: dict[str, str]
) -> None:
    path = f"/api/v1/sites/{world.mine.id}"
    assert client.get(path, headers=viewer).status_code == 200
    ended = sa.text(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'custom-events console%'"
    )
    with engine.begin() as connection:
        assert connection.execute(ended).all()
    assert client.get(path, headers=viewer).status_code == 200
    assert not watched.quick[path], "the app has another connection"
    client.get(path, headers=viewer)
    assert watched.quick[path]
