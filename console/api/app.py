"""The console's app: the JSON API for people's tools, and the pages for people. Both call the same services as the command line; nothing
here knows a rule of its own."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import anyio.to_thread
from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from console.api import description, entrance, faults, quick_reads, routing
from console.api.calls import Shared
from console.api.envelope import Envelope
from console.api.prefix import BelowPrefix, prefix_of
from console.api.quick_reads import QuickReads
from console.api.replica_reads import ReplicaReads
from console.api.request_metrics import RequestMetrics
from console.api.route_index import RouteIndex
from console.api.routes.registry import NOUNS
from console.api.serving import AT_ONCE, Server
from console.pages import install as pages
from custom_events.operations.kinds import KINDS
from custom_events.operations.runner import Runner
from custom_events.postgres import connect, replica
from custom_events.postgres.async_readers import AsyncReaders
from custom_events.settings import Settings
from custom_events.settings import settings as read_settings

STATEMENT_LIMIT_MS = 30_000  # a page that counts longer than this has lost its reader
LOCK_LIMIT_MS = 4_000
# Whatever the environment says of OpenTelemetry: FastAPI's own telemetry tells queries and what errors say.
UNTRACED: Final[TelemetryConfig] = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


def create_app(url: str, settings: Settings | None = None) -> FastAPI:
    """The app on one database (libpq URL). Nothing is connected to before the first request."""
    settings = settings or read_settings()
    engine = connect.engine(
        url,
        name="custom-events console",
        kept=AT_ONCE,
        lock_limit_ms=LOCK_LIMIT_MS,
        statement_limit_ms=STATEMENT_LIMIT_MS,
    )
    limits = {"lock_limit_ms": LOCK_LIMIT_MS, "statement_limit_ms": STATEMENT_LIMIT_MS}
    readers = AsyncReaders(url, name="custom-events console reads", most=quick_reads.AT_ONCE, **limits)

    replica_url = replica.url_of(settings, url)
    reads = None if replica_url is None else ReplicaReads(replica_url, engine, settings, kept=AT_ONCE, **limits)
    runner = (
        Runner(url, settings, KINDS) if reads is None else Runner(url, settings, KINDS, on_end=reads.note_operation)
    )
    ends: list[Callable[[], None]] = [engine.dispose]
    if reads is not None:
        ends.insert(0, reads.stop)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        runner.start(settings.operations_at_once)
        if reads is not None:
            reads.start()
        yield
        await anyio.to_thread.run_sync(runner.stop)
        readers.close()
        for end in ends:
            end()

    telemetry, on_request = UNTRACED, None
    if settings.traces_endpoint is not None:
        from console.api import traces

        provider = traces.provider_of(settings)
        telemetry, on_request = traces.telemetry(provider), traces.note_request_id
        ends.append(provider.shutdown)

    app = FastAPI(
        title="Custom Events",
        version=_version(),
        lifespan=lifespan,
        openapi_url=None,  # its pages are ours, in `entrance`
        redirect_slashes=False,
        telemetry=telemetry,
    )
    requests = RequestMetrics()
    shared = Shared(engine, settings, requests, reads)
    app.state.replica = reads
    ends.insert(0, shared.close)
    server = Server(shared, runner.wake)
    page_server = pages.install(app, shared, server.limits)  # first: their files lie below those of the API
    entrance.install(app)
    for routes in NOUNS:
        routing.install(app, routes, server.serve)
    app.router.routes.insert(0, RouteIndex(app.router.routes))
    faults.install(app, server)
    pages.answer_people(app, page_server)
    https = settings.console_url.startswith("https:")
    if settings.traces_endpoint is None:  # a span is named by its route, which FastAPI finds
        operations = [operation for routes in NOUNS for operation in routes.operations]
        app.add_middleware(QuickReads, operations=operations, shared=shared, limits=server.limits, readers=readers)
    app.add_middleware(BelowPrefix, prefix=prefix_of(settings.console_url))
    app.add_middleware(Envelope, https=https, metrics=requests, on_request=on_request)
    app.openapi = cache(lambda: description.document(app, NOUNS))
    return app


def _version() -> str:
    """Of the program; 0 in a checkout that is not installed yet, since its client is made of the document before."""
    try:
        return version("custom-events")
    except PackageNotFoundError:
        return "0"
