"""A receiver on a real PostgreSQL, with one site of each platform."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import structlog
import structlog.testing
from cryptography.fernet import Fernet

from custom_events import secrets
from custom_events.platforms import timestamped
from custom_events.platforms.shopify import delivery as shopify
from custom_events.platforms.woocommerce import delivery as woocommerce
from custom_events.settings import Settings
from ingest_api.app import Receiver, create_app

SHOP = "acme.myshopify.com"
SECRET = b"shopify-secret"
OLD_SECRET = b"shopify-secret-before-rotation"
WOO_SECRET = b"woo & secret"
CUSTOM_SECRET = b"custom-secret"
KEY = Fernet.generate_key()
SITES = (
    (1, "shop-key", "shopify", SHOP, True, ((None, SECRET), (None, OLD_SECRET))),
    (2, "woo-key", "woocommerce", "woo.example", True, ((None, WOO_SECRET),)),
    (3, "custom-key", "custom", None, True, (("k1", CUSTOM_SECRET),)),
    (4, "removed-key", "shopify", "removed.myshopify.com", False, ((None, SECRET),)),
)


@dataclass
class Posts:
    """Sends signed deliveries of the sites above to a receiver."""

    client: httpx.AsyncClient

    async def shopify(self, body: bytes, webhook_id: str, *, secret: bytes = SECRET, **changed: Any) -> httpx.Response:
        topic = changed.pop("topic", "orders/paid")
        path = changed.pop("path", "/webhooks/shopify/shop-key")
        headers = shopify.signed_headers(
            body, secret, topic=topic, shop_domain=SHOP, webhook_id=webhook_id, triggered_at=datetime.now(UTC)
        )
        headers |= {name.replace("_", "-"): value for name, value in changed.items()}
        return await self.client.post(path, content=body, headers={k: v for k, v in headers.items() if v is not None})

    async def woocommerce(self, body: bytes, delivery_id: str = "d1", topic: str = "order.updated") -> httpx.Response:
        headers = woocommerce.signed_headers(
            body, WOO_SECRET, topic=topic, source="https://woo.example/", webhook_id=3, delivery_id=delivery_id
        )
        return await self.client.post("/webhooks/woocommerce/woo-key", content=body, headers=headers)

    async def custom(self, body: bytes, event_id: str, now: datetime | None = None) -> httpx.Response:
        headers = timestamped.signed_headers(
            body, CUSTOM_SECRET, now=now or datetime.now(UTC), event_id=event_id, topic="order.paid", key_id="k1"
        )
        return await self.client.post("/webhooks/custom/custom-key", content=body, headers=headers)


@pytest.fixture
def receiver_settings(database: str, tmp_path: Path) -> Callable[..., Settings]:
    """Makes settings on the test's database; keyword arguments change them."""

    def make(**changed: Any) -> Settings:
        given = {
            "local_directory": tmp_path,
            "secret_key": KEY.decode(),
            "database_url": database,
            "receiver_figures_port": None,
        }
        return Settings.model_validate(given | changed)

    return make


@pytest.fixture
def sites(engine: sa.Engine) -> None:
    """The sites above, in the test's database."""
    with engine.begin() as connection:
        for site_id, key, platform, domain, active, values in SITES:
            connection.execute(
                sa.text(
                    "INSERT INTO app.sites (id, site_key, platform, name, shop_domain, is_active, removed_at) "
                    "OVERRIDING SYSTEM VALUE VALUES (:id, :key, :platform, 'Test', :domain, :active, CASE WHEN NOT :active THEN now() END)"
                ),
                {"id": site_id, "key": key, "platform": platform, "domain": domain, "active": active},
            )
            for key_id, value in values:
                add_secret(connection, site_id, secrets.encrypt(value, KEY), key_id)


def add_secret(connection: sa.Connection, site_id: int, token: bytes, key_id: str | None = None) -> None:
    """One encrypted secret of a site."""
    statement = "INSERT INTO app.site_secrets (site_id, key_id, secret_encrypted) VALUES (:site, :key_id, :token)"
    connection.execute(sa.text(statement), {"site": site_id, "key_id": key_id, "token": token})


@asynccontextmanager
async def living(app: Receiver) -> AsyncGenerator[None]:
    """Drives the lifespan as a server does."""
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    task = asyncio.create_task(app(scope, incoming.get, outgoing.put))
    for event in ("startup", "shutdown"):
        await incoming.put({"type": f"lifespan.{event}"})
        said = await asyncio.wait_for(outgoing.get(), 20)
        assert said["type"] == f"lifespan.{event}.complete", said
        if event == "startup":
            try:
                yield
            except BaseException:
                task.cancel()
                raise
    await task


@pytest.fixture
def alive() -> Any:
    """`async with alive(app)`: drives the lifespan."""
    return living


@pytest.fixture
def receive(receiver_settings: Callable[..., Settings], sites: None) -> Callable[..., None]:
    """Runs an async scenario `(posts) -> None` against a receiver on the test's database; keyword arguments are settings."""

    def run(scenario: Callable[[Posts], Awaitable[None]], **changed: Any) -> None:
        async def main() -> None:
            app = create_app(receiver_settings(**changed))
            async with (
                living(app),
                httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://receiver") as client,
            ):
                await scenario(Posts(client))

        asyncio.run(main())

    return run


@pytest.fixture
def rows(engine: sa.Engine) -> Callable[..., list[Any]]:
    """Runs a query on the test's database."""

    def query(statement: str, **given: Any) -> list[Any]:
        with engine.connect() as connection:
            return list(connection.execute(sa.text(statement), given))

    return query


def request_bytes(body: bytes, webhook_id: str, *, secret: bytes = SECRET, **changed: str | None) -> bytes:
    """A Shopify delivery as it comes over the wire. `changed`: headers, `method`, `path`, `version`; None leaves a header out."""
    method, version = changed.pop("method", "POST"), changed.pop("version", "1.1")
    path = changed.pop("path", "/webhooks/shopify/shop-key")
    headers: dict[str, str | None] = {"host": "receiver", "content-length": str(len(body))}
    headers |= shopify.signed_headers(
        body, secret, topic="orders/paid", shop_domain=SHOP, webhook_id=webhook_id, triggered_at=datetime.now(UTC)
    )
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [f"{method} {path} HTTP/{version}"]
    lines += [f"{name.title()}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@pytest.fixture
def wire() -> Callable[..., bytes]:
    """Makes requests as bytes: `(body, webhook_id, **changed)`."""
    return request_bytes


@pytest.fixture
def old_secret() -> bytes:
    """The secret before the rotation that is under way at the Shopify site."""
    return OLD_SECRET


@pytest.fixture
def log() -> Iterator[list[Any]]:
    """What is logged meanwhile."""
    with structlog.testing.capture_logs() as lines:
        yield lines
