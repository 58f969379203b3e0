"""What operators ask: alive, able to land, figures. Behind FastAPI, away from the hot path."""

import asyncpg
import structlog
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from ingest_api.database import Database
from ingest_api.metrics import Metrics
from ingest_api.writer import Writer

_LOG = structlog.get_logger(__name__)


def add_routes(rest: FastAPI, database: Database, writer: Writer, metrics: Metrics) -> None:
    """/healthz, /readyz and /metrics."""

    @rest.get("/healthz")
    async def alive() -> dict[str, str]:
        return {"status": "alive"}

    @rest.get("/readyz")
    async def ready() -> JSONResponse:
        """503 names what is missing: a load balancer then sends deliveries elsewhere."""
        lacking = ["The queue is full, or the database did not answer a moment ago."] if writer.is_full else []
        try:
            missing = await database.missing_tables()
            lacking += [f"{name} is missing: run `custom-events migrate`." for name in missing]
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as fault:
            _LOG.warning("not_ready", cause=type(fault).__name__)
            lacking.append("The database does not answer.")
        if lacking:
            return JSONResponse({"status": "not ready", "lacking": lacking}, status_code=503)
        return JSONResponse({"status": "ready"})

    @rest.get("/metrics")
    async def figures() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)
