"""The way to a route without trying each of some two hundred: by method, noun and number of parts of the path.

Stands before all routes of an app. It finds only what one of them would have been found for as well; whatever else is asked for (another
method, no such path, files) goes on to them.
"""

from collections.abc import Iterable
from typing import Final

from fastapi import APIRouter
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

_API: Final = (
    "api"  # paths of operations begin with /api/v1, and their noun follows; those of pages begin with the noun
)
_NOUN: Final = 3
_OPEN_ENDED: Final = ":path}"  # a parameter that may hold slashes

_Key = tuple[str, int, str]


class RouteIndex(BaseRoute):
    """Routes by what tells them apart without their patterns. Each group is a router, which finds one of its few routes as an app's router does."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._groups: dict[_Key, APIRouter] = {}
        for route in routes:
            if isinstance(route, Route) and _OPEN_ENDED not in route.path:
                for key in (_key(method, route.path) for method in route.methods or ()):
                    if "{" not in key[-1]:
                        self._groups.setdefault(key, APIRouter(redirect_slashes=False)).routes.append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a route of the index would take the request whole."""
        group = self.group(scope)
        if group is not None and any(route.matches(scope)[0] is Match.FULL for route in group.routes):
            return Match.FULL, {}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to the route."""
        group = self.group(scope)
        assert group is not None  # noqa: S101  (it matched)
        await group.app(scope, receive, send)

    def group(self, scope: Scope) -> APIRouter | None:
        """The few routes among which that of a request is; None: the index knows none."""
        if scope["type"] != "http":
            return None
        path: str = scope["path"]
        return self._groups.get(_key(scope["method"], path.removeprefix(scope.get("root_path", ""))))


def _key(method: str, path: str) -> _Key:
    """What a request and its route have in common, whatever the values of the path's parameters are."""
    parts = path.split("/")
    noun = parts[_NOUN] if len(parts) > _NOUN and parts[1] == _API else parts[1] if len(parts) > 1 else ""
    return method, len(parts), noun
