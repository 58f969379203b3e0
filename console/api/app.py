"""The console's app: the JSON API for people's tools, and the pages for people. Both call the same services as the command line; nothing
here knows a rule of its own."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache
from importlib.metadata import version

from fastapi import FastAPI

from console.api import description, entrance, faults, routing
from console.api.envelope import Envelope
from console.api.routes.registry import NOUNS
from console.api.serving import Server
from console.pages import install as pages
from custom_events.postgres import connect
from custom_events.settings import Settings
from custom_events.settings import settings as read_settings

STATEMENT_LIMIT_MS = 30_000  # a page that counts longer than this has lost its reader
LOCK_LIMIT_MS = 4_000


def create_app(url: str, settings: Settings | None = None) -> FastAPI:
    """The app on one database (libpq URL). Nothing is connected to before the first request."""
    settings = settings or read_settings()
    engine = connect.engine(
        url, name="custom-events console", lock_limit_ms=LOCK_LIMIT_MS, statement_limit_ms=STATEMENT_LIMIT_MS
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        engine.dispose()

    app = FastAPI(
        title="Custom Events",
        version=version("custom-events"),
        lifespan=lifespan,
        openapi_url=None,  # its pages are ours, in `entrance`
        redirect_slashes=False,
    )
    server = Server(engine, settings)
    pages.install(app, engine, settings)  # first: their files lie below those of the API
    entrance.install(app)
    for routes in NOUNS:
        routing.install(app, routes, server.serve)
    faults.install(app, server)
    pages.answer_people(app, settings, engine)
    app.add_middleware(Envelope, https=settings.console_url.startswith("https:"))
    app.openapi = cache(lambda: description.document(app, NOUNS))
    return app
