"""Pages as routes of the console's app, beside the JSON API; and what people see at addresses that there are not."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from console.api import problems
from console.api.calls import Shared
from console.api.prefix import own_path
from console.api.problems import ProblemError
from console.api.rate_limits import RateLimits
from console.api.translation import problem_of
from console.pages import site_of_manual
from console.pages.manual import MANUAL
from console.pages.page import Page
from console.pages.rendering import Renderer
from console.pages.routes.registry import NOUNS
from console.pages.serving import PageServer
from console.pages.static_files import Digests, files

FILES: Final = "/static/console"
PICTURES: Final = MANUAL / "pictures"
PICTURE_FILES: Final = "/help/pictures"  # the path of their files
_NOT_FOUND: Final = 404
_PROGRAMS: Final = ("/api/", "/static/", "/metrics", "/healthz", "/readyz", "/openapi.json")
# A folder of the checkout: pages for those who build the console are there only beside it.
CHECKOUT: Final = Path(__file__).parents[2] / "workspace.yaml"


def all_pages() -> tuple[Page, ...]:
    """Every page of the console."""
    return tuple(page for noun in NOUNS for page in noun.pages)


def install(app: FastAPI, shared: Shared, limits: RateLimits) -> PageServer:
    """Make the pages' routes, and what serves them. Before the API's own files, whose folder has theirs in it."""
    digests = Digests()
    server = PageServer(shared, Renderer(digests), limits, all_pages())
    app.mount(FILES, files(digests), name="console files")
    if PICTURES.is_dir():
        app.mount(PICTURE_FILES, StaticFiles(directory=PICTURES), name="pictures of the manual")
    app.mount(site_of_manual.PATH, site_of_manual.files(shared.settings), name="the manual as a site")
    for page in all_pages():
        if not page.development or CHECKOUT.exists():
            app.router.routes.append(Route(page.path, _endpoint(page, server), methods=[page.operation.method]))
    return server


def answer_people(app: FastAPI, server: PageServer) -> None:
    """Let browsers see a page where there is nothing at an address; programs get the API's problem document as before."""
    for_programs = app.exception_handlers[HTTPException]

    async def nothing_there(request: Request, error: Exception) -> Response:
        wants_page = "text/html" in request.headers.get("accept", "")
        if wants_page and not own_path(request.scope).startswith(_PROGRAMS) and isinstance(error, HTTPException):
            missing = ProblemError(
                problems.NOT_FOUND, "There is nothing at this address: was a part of it lost on the way?"
            )
            return server.problem(request, missing if error.status_code == _NOT_FOUND else problem_of(error))
        answer = for_programs(request, error)  # pyright: ignore[reportArgumentType]
        return await answer if isinstance(answer, Awaitable) else answer

    app.add_exception_handler(HTTPException, nothing_there)


def _endpoint(page: Page, server: PageServer) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await server.serve(page, request)

    endpoint.__name__ = page.operation.name
    endpoint.__doc__ = page.handler.__doc__
    return endpoint
