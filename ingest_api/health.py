"""What operators ask: alive, able to land. Behind FastAPI, away from the hot path."""

import asyncpg
import structlog
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from custom_events.postgres import roles
from ingest_api.database import Database
from ingest_api.writer import Writer

_LOG = structlog.get_logger(__name__)


def add_routes(rest: FastAPI, database: Database, writer: Writer) -> None:
    """/healthz and /readyz. Figures have a port of their own (`serve`)."""

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
            lacking.append(_sentence_of(fault))
        if lacking:
            return JSONResponse({"status": "not ready", "lacking": lacking}, status_code=503)
        return JSONResponse({"status": "ready"})


def _sentence_of(fault: Exception) -> str:
    """What is missing, by what the database said when we came in."""
    message = fault.as_dict().get("message", "") if isinstance(fault, asyncpg.PostgresError) else ""
    if roles.RECEIVER in message:
        return (
            f"The login may not become the role {roles.RECEIVER}: `custom-events doctor` says what a person must run."
        )
    if isinstance(fault, asyncpg.InvalidAuthorizationSpecificationError):
        return "The database does not let the login in: check user and password in DATABASE_URL."
    if isinstance(fault, asyncpg.InvalidCatalogNameError):
        return "The database that DATABASE_URL names does not exist on its server."
    if isinstance(fault, asyncpg.ProtocolViolationError):
        return (
            "The address is that of a connection pool that takes no session settings (pgbouncer): "
            "give DATABASE_URL the server's own address."
        )
    return "The database does not answer."
