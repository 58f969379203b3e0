"""The index finds the route that the app would find without it, for every operation and page."""

import re

import pytest
from fastapi import FastAPI
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from console.api.route_index import RouteIndex


def _scope(method: str, path: str, **more: str) -> Scope:
    return {"type": "http", "method": method, "path": path, "root_path": "", "headers": [], **more}


def _first(app: FastAPI, scope: Scope) -> object:
    """The endpoint of the first route after the index that takes the request."""
    for route in app.routes[1:]:
        match, child = route.matches(scope)
        if match is Match.FULL:
            return child.get("endpoint")
    return None


def _by_index(index: RouteIndex, scope: Scope) -> object:
    group = index.group(scope)
    assert group is not None
    found = (
        child.get("endpoint")
        for match, child in (route.matches(scope) for route in group.routes)
        if match is Match.FULL
    )
    return next(found, None)


def test_the_index_finds_what_the_routes_find(app: FastAPI) -> None:
    index = app.routes[0]
    assert isinstance(index, RouteIndex)
    routes = [route for route in app.routes[1:] if isinstance(route, Route) and ":path}" not in route.path]
    assert len(routes) > 150
    for route in routes:
        path = re.sub(r"\{\w+\}", "7", route.path)
        for method in route.methods or ():
            scope = _scope(method, path)
            assert index.matches(scope)[0] is Match.FULL, f"{method} {path}"
            assert _by_index(index, scope) == _first(app, scope), f"{method} {path}"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nowhere"),
        ("TRACE", "/api/v1/sites"),
        ("GET", "/api/v1"),
        ("GET", "x"),
        ("GET", "/static/console/palette.css"),
    ],
)
def test_what_it_does_not_know_goes_on_to_the_routes(app: FastAPI, method: str, path: str) -> None:
    assert app.routes[0].matches(_scope(method, path))[0] is Match.NONE


def test_a_prefix_is_no_part_of_the_path_and_other_connections_pass(app: FastAPI) -> None:
    index = app.routes[0]
    assert index.matches(_scope("GET", "/console/api/v1/sites", root_path="/console"))[0] is Match.FULL
    assert index.matches({"type": "websocket", "path": "/api/v1/sites"})[0] is Match.NONE


def test_paths_that_begin_with_a_parameter_are_left_to_the_routes() -> None:
    async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("it is not asked")

    index = RouteIndex(
        [Route("/{anything}", nothing, methods=["GET"]), Route("/files/{name:path}", nothing, methods=["GET"])]
    )
    assert index.matches(_scope("GET", "/sites"))[0] is Match.NONE
    assert index.matches(_scope("GET", "/files/7"))[0] is Match.NONE
