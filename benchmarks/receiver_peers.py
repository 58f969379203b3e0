"""What the receiver is measured against: itself without storing (run this module), and a plain application for uvicorn."""

import hmac
import json
import os
from base64 import b64decode
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from benchmarks.receiver_load import SECRET
from custom_events.platforms.base import StorePlatform
from custom_events.queries.landing import Site
from ingest_api import serve
from ingest_api.app import Receiver
from ingest_api.groups import OnResult


class WithoutStoring(Receiver):
    """The same endpoint: it reads, verifies and answers, and stores nothing."""

    def store(
        self, platform: StorePlatform, site: Site, headers: Mapping[str, str], body: bytes, on_result: OnResult
    ) -> None:
        """Only what a receiver that stores nothing would do."""
        del site
        platform.describe(headers, body)
        on_result(True)


def without_storing() -> Receiver:
    """Peer (a), served as the receiver is."""
    return serve.application(WithoutStoring)


PLAIN_TABLE = """
CREATE TABLE plain_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now(),
    site text NOT NULL,
    topic text,
    webhook_id text NOT NULL UNIQUE,
    headers json NOT NULL,
    body text NOT NULL
)
"""


def plain() -> Any:
    """Peer (b): FastAPI and SQLAlchemy's asyncio as their tutorials write it, one INSERT and commit for each request."""
    import sqlalchemy as sa
    from fastapi import Depends, FastAPI, HTTPException, Request
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

    url = "postgresql+asyncpg://" + os.environ["DATABASE_URL"].split("://", 1)[1]
    engine = create_async_engine(url, pool_size=20, max_overflow=10)
    sessions = async_sessionmaker(engine)
    table = sa.table(
        "plain_events",
        *(sa.column(name) for name in ("site", "topic", "webhook_id")),
        sa.column("headers", sa.JSON),
        sa.column("body"),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        await engine.dispose()

    async def session() -> AsyncGenerator[AsyncSession]:
        async with sessions() as made:
            yield made

    app = FastAPI(lifespan=lifespan)

    @app.post("/webhooks/shopify/{site}")
    async def webhook(site: str, request: Request, database: AsyncSession = Depends(session)) -> dict[str, str]:  # noqa: B008
        body = await request.body()
        signature = b64decode(request.headers["x-shopify-hmac-sha256"])
        if not hmac.compare_digest(hmac.digest(SECRET, body, "sha256"), signature):
            raise HTTPException(401)
        json.loads(body)
        row = {
            "site": site,
            "topic": request.headers["x-shopify-topic"],
            "webhook_id": request.headers["x-shopify-webhook-id"],
            "headers": dict(request.headers),
            "body": body.decode(),
        }
        await database.execute(sa.insert(table).values(row))
        await database.commit()
        return {"status": "stored"}

    return app


if __name__ == "__main__":
    serve.main(factory="benchmarks.receiver_peers:without_storing")
