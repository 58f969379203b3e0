"""The JSON API for people's tools. It calls the same services as the command line; nothing here knows a rule of its own."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache
from importlib.metadata import version
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog
from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi
from fastapi_offline import FastAPIOffline
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from console.api.scrapes import Scrapes
from custom_events.pipeline.status import Status, status
from custom_events.postgres import connect, migrate

STATEMENT_LIMIT_MS = 30_000  # a page that counts longer than this has lost its reader
LOCK_LIMIT_MS = 4_000
ANSWERS = (Status,)  # msgspec types that routes answer with
_REFERENCE = "#/components/schemas/{name}"

_LOG = structlog.get_logger(__name__)


def create_app(url: str) -> FastAPI:
    """The app on one database (libpq URL). Nothing is connected to before the first request."""
    engine = connect.engine(
        url, name="custom-events console", lock_limit_ms=LOCK_LIMIT_MS, statement_limit_ms=STATEMENT_LIMIT_MS
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        engine.dispose()

    # Its pages come from this machine, not from a content network: consoles stand in closed nets.
    app = FastAPIOffline(
        title="Custom Events",
        version=version("custom-events"),
        description="What came in from the stores, what went out to the ad platforms, and why.",
        lifespan=lifespan,
        redoc_url=None,
    )
    _health(app, engine)
    _figures(app, engine)
    _metrics(app, Scrapes(engine))
    document = cache(lambda: _describe(app))
    app.openapi = document
    return app


def _health(app: FastAPI, engine: sa.Engine) -> None:
    @app.get("/healthz", tags=["health"])
    async def healthz() -> dict[str, str]:
        """The process is alive; says nothing of the database."""
        return {"status": "alive"}

    @app.get("/readyz", tags=["health"], responses={503: {"description": "Not ready; `reason` says why."}})
    async def readyz(response: Response) -> dict[str, str]:
        """The database answers and has the tables of this version."""
        reason = await run_in_threadpool(_unready, engine)
        if reason is None:
            return {"status": "ready"}
        response.status_code = 503
        return {"status": "not ready", "reason": reason}


def _unready(engine: sa.Engine) -> str | None:
    try:
        with engine.connect() as connection:
            current = migrate.revision_of(connection)
    except SQLAlchemyError as error:
        _LOG.warning("console_not_ready", error=type(error).__name__)
        return "the database does not answer"
    return None if current == migrate.head() else "the database needs to be migrated: custom-events migrate"


def _figures(app: FastAPI, engine: sa.Engine) -> None:
    @app.get("/api/v1/status", tags=["figures"], responses={200: {"content": {"application/json": _schema_of(Status)}}})
    def read_status() -> Response:
        """The figures of every stage, the open work, and whether the sums agree."""
        with engine.connect() as connection:
            found = status(connection)
        return Response(msgspec.json.encode(found), media_type="application/json")


def _metrics(app: FastAPI, scrapes: Scrapes) -> None:
    @app.get("/metrics", tags=["figures"], response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    def read_metrics() -> Response:
        """Figures of the pipeline and the ledger for Prometheus; the receiver has its own at its /metrics."""
        return Response(scrapes.text(), media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _schema_of(answer: type[msgspec.Struct]) -> dict[str, Any]:
    return {"schema": {"$ref": _REFERENCE.format(name=answer.__name__)}}


def _describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document. FastAPI knows no msgspec types: their schemas are added to its components."""
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    _, components = msgspec.json.schema_components(ANSWERS, ref_template=_REFERENCE)
    document.setdefault("components", {}).setdefault("schemas", {}).update(components)
    return document
