"""One shape for every error."""

import asyncio
from types import SimpleNamespace
from typing import Annotated, Any

import httpx
import msgspec
import psycopg
import pytest
import sqlalchemy as sa
from fastapi import FastAPI, Query
from fastapi.exceptions import RequestValidationError
from fastapi.params import Path
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from console.api import problems, routing
from console.api.calls import Call, Shared
from console.api.envelope import Envelope
from console.api.operations import Routes
from console.api.problems import ProblemError
from console.api.request_metrics import RequestMetrics
from console.api.rights import OPEN
from console.api.serving import Server
from console.api.translation import problem_of, shown_value
from custom_events.errors import (
    Conflict,
    InvalidConfiguration,
    NeedsAction,
    NotAdmitted,
    NotFound,
    Permanent,
    Throttled,
    Transient,
)
from custom_events.postgres import connect
from custom_events.settings import Settings
from tests.console.api.asking import asking
from tests.console.api.conftest import problem

ROUTES = Routes("things", "Things to go wrong with.", prefix="")


class Thing(msgspec.Struct, forbid_unknown_fields=True):
    """A thing."""

    name: str
    count: int = 1
    password: str = ""


@ROUTES.post("/things/{thing_id}", right=OPEN, answer=Thing, example=Thing(name="x"), idempotent=False)
def make_thing(
    call: Call, body: Thing, thing_id: Annotated[int, Path(ge=1)], size: Annotated[int, Query(le=9)] = 1
) -> Thing:
    """Make."""
    if body.name == "taken":
        raise NeedsAction("That name is taken.")
    if body.name == "wrong":
        raise InvalidConfiguration("it is wrong; say right", path="name")
    if body.name == "boom":
        raise RuntimeError("a secret that no log has")
    return body


@ROUTES.get("/unwell", right=OPEN, answer=Thing, example=Thing(name="x"))
async def read_unwell() -> Thing:
    """Fail."""
    raise RuntimeError("a secret that no log has")


@pytest.fixture
def things(settings: Settings) -> Any:
    from console.api import faults

    app = FastAPI(openapi_url=None)
    limited = settings.model_copy(update={"console_body_limit_bytes": 200, "console_body_limit_s": 0.2})
    requests = RequestMetrics()
    shared = Shared(connect.engine("postgresql://127.0.0.1:1/nothing"), limited, requests)
    server = Server(shared, wake=lambda: None)
    routing.install(app, ROUTES, server.serve)
    faults.install(app, server)
    app.add_middleware(Envelope, https=False, metrics=requests)
    with asking(app) as client:
        yield client


def fields(answer: httpx.Response) -> dict[tuple[str, str], Any]:
    return {(one["place"], one["field"]): one.get("value") for one in problem(answer, 422)["errors"]}


def test_everything_that_is_wrong_is_said_at_once(things: httpx.Client) -> None:
    answer = things.post("/things/0?size=x&sise=1", json={"count": "many", "password": 7, "other": True})
    assert fields(answer) == {
        ("path", "thing_id"): "0",
        ("query", "size"): "x",
        ("query", "sise"): None,
        ("body", "name"): None,
        ("body", "count"): "many",
        ("body", "password"): None,
        ("body", "other"): True,
    }
    assert all(one["problem"] and one["remedy"] for one in answer.json()["errors"])


def test_parameters_are_refused_beside_a_body_that_is_right(things: httpx.Client) -> None:
    assert fields(things.post("/things/1?sise=1", json={"name": "x"})) == {("query", "sise"): None}
    assert fields(things.post("/things/1?size=10", json={"name": "x"})) == {("query", "size"): "10"}
    assert things.post("/things/1", json={"name": "x"}).json() == {"name": "x", "count": 1, "password": ""}


def test_errors_of_the_domain_name_the_field_and_what_was_given(things: httpx.Client) -> None:
    found = problem(things.post("/things/1", json={"name": "wrong"}), 422)["errors"]
    assert found == [
        {"field": "name", "place": "body", "problem": "it is wrong", "remedy": "say right", "value": "wrong"}
    ]
    assert problem(things.post("/things/1", json={"name": "taken"}), 409)["detail"] == "That name is taken."


def test_an_unexpected_error_says_nothing_of_the_inside(
    things: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    for answer in (things.post("/things/1", json={"name": "boom"}), things.get("/unwell")):
        found = problem(answer, 500)
        assert "secret" not in answer.text
        assert found["type"].endswith(":internal")
    logged = capsys.readouterr().out
    assert "request_failed" in logged
    assert "secret" not in logged


def test_bodies_are_bounded_in_kind_size_and_form(things: httpx.Client) -> None:
    kinds = {"content-type": "text/plain"}
    problem(things.post("/things/1", content=b"x", headers=kinds), 415)
    problem(things.post("/things/1", content=b"x"), 415)
    kinds = {"content-type": "application/json"}
    assert "no JSON" in problem(things.post("/things/1", content=b"{", headers=kinds), 400)["detail"]
    for odd in (b"[" * 190, b'"\xff"', b'{"name": 1e9999999999999999999}'):
        problem(things.post("/things/1", content=odd, headers=kinds), 400)
    problem(things.post("/things/1", content=b"x" * 201, headers=kinds), 413)
    problem(things.post("/things/1", content=iter([b"x" * 150] * 2), headers=kinds), 413)


def test_a_body_that_does_not_come_ends_the_request() -> None:
    from console.api.bodies import read_bytes

    async def never() -> Any:
        await asyncio.Event().wait()
        yield b""

    request = SimpleNamespace(headers={}, stream=never)
    with pytest.raises(ProblemError) as caught:
        asyncio.run(read_bytes(request, limit_bytes=1, limit_s=0.01))  # pyright: ignore[reportArgumentType]
    assert caught.value.kind is problems.TOO_SLOW


def test_a_body_that_breaks_off_is_malformed() -> None:
    from console.api.bodies import read_bytes

    async def broken() -> Any:
        raise ClientDisconnect
        yield b""

    request = SimpleNamespace(headers={}, stream=broken)
    with pytest.raises(ProblemError) as caught:
        asyncio.run(read_bytes(request, limit_bytes=1, limit_s=1))  # pyright: ignore[reportArgumentType]
    assert caught.value.kind is problems.MALFORMED


def test_addresses_methods_and_forms_that_are_not_known(client: httpx.Client) -> None:
    assert problem(client.get("/nothing"), 404)["type"].endswith(":not-found")
    answer = client.post("/healthz")
    assert problem(answer, 405)["detail"] == "Use one of GET."
    assert answer.headers["allow"] == "GET"
    assert "application/json" in problem(client.get("/readyz", headers={"Accept": "text/csv"}), 406)["detail"]
    assert client.get("/readyz", headers={"Accept": "text/html, */*;q=0.1"}).status_code == 200


def test_a_request_has_an_id_its_own_where_it_can_be_kept(client: httpx.Client) -> None:
    assert client.get("/healthz", headers={"X-Request-Id": "mine-0001"}).headers["x-request-id"] == "mine-0001"
    for odd in ("short", "with space", "x" * 65):
        assert len(client.get("/healthz", headers={"X-Request-Id": odd}).headers["x-request-id"]) == 32


class _Failing(psycopg.OperationalError):
    def __init__(self, sqlstate: str | None) -> None:
        self._state = sqlstate

    @property
    def sqlstate(self) -> str | None:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self._state


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NotFound("There is none."), problems.NOT_FOUND),
        (Conflict("It changed.", theirs=("a: 1 -> 2",), yours=("a: 1 -> 3",)), problems.CHANGED),
        (Permanent("never", "Never."), problems.CONFLICT),
        (Transient("Busy.", retry_after_s=7), problems.UNAVAILABLE),
        (Throttled("Too many.", retry_after_s=7), problems.THROTTLED),
        (NotAdmitted("Wrong."), problems.UNAUTHENTICATED),
        (NeedsAction("Taken."), problems.CONFLICT),
        (HTTPException(413), problems.TOO_LARGE),
        (HTTPException(418), problems.MALFORMED),
        (RequestValidationError([{"type": "missing", "loc": ("query", "size"), "msg": "x"}]), problems.INVALID),
        (PoolTimeoutError("no connection"), problems.UNAVAILABLE),
        (OperationalError("", {}, _Failing("55P03")), problems.UNAVAILABLE),
        (OperationalError("", {}, _Failing("40001")), problems.UNAVAILABLE),
        (OperationalError("", {}, _Failing("42P01")), problems.INTERNAL),
        (OperationalError("", {}, _Failing("")), problems.INTERNAL),
        (sa.exc.InvalidRequestError("ours"), problems.INTERNAL),
        (ValueError("odd"), problems.INTERNAL),
    ],
)
def test_errors_are_told_apart_by_what_follows(error: Exception, kind: problems.Kind) -> None:
    assert problem_of(error).kind is kind


def test_of_a_conflict_both_sides_are_shown() -> None:
    found = problem_of(Conflict("It changed.", theirs=("a: 1 -> 2",), yours=("a: 1 -> 3",)))
    assert (found.theirs, found.yours) == (["a: 1 -> 2"], ["a: 1 -> 3"])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b[1]", "x"),
        ('a."odd.name"', 3),
        ("a.b[7]", msgspec.UNSET),
        ("a.b", msgspec.UNSET),
        ("a.password", msgspec.UNSET),
        ("", msgspec.UNSET),
    ],
)
def test_a_wrong_value_is_shown_where_it_is_plain_and_no_secret(path: str, value: Any) -> None:
    body = {"a": {"b": [0, "x"], "odd.name": 3, "password": "p"}}
    assert shown_value(body, path) == value


def test_an_answer_that_breaks_off_is_left_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    async def parts() -> Any:
        yield b"a"
        raise RuntimeError("later")

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        await StreamingResponse(parts())(scope, receive, send)

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": []}
    asyncio.run(Envelope(broken, https=False, metrics=RequestMetrics())(scope, None, send))  # pyright: ignore[reportArgumentType]
    assert [message["type"] for message in sent].count("http.response.start") == 1
    assert "request_failed" in capsys.readouterr().out
