"""A person planted everywhere by the real path: signed bodies through the receiver, the drain, and the upload to the sandbox."""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import sqlalchemy as sa
import zstandard
from cryptography.fernet import Fernet

from custom_events import secrets
from custom_events.pipeline.batch import drain_batch
from custom_events.pipeline.configuration import ConfigurationCache
from custom_events.platforms import timestamped
from custom_events.platforms.shopify import delivery as shopify
from custom_events.platforms.woocommerce import delivery as woocommerce
from custom_events.postgres import connect
from custom_events.redaction.carry_out import Carried, carry_out_all
from custom_events.settings import Settings
from custom_events.tables.registry import TABLES
from custom_events.watching.sums import sums
from ingest_api.app import create_app
from tests.ingest_api.conftest import living
from tests.ledger.conftest import (
    ADS_ACTION,
    ADS_CUSTOMER,
    DM_ACTION,
    DM_CUSTOMER,
    _ingestion,  # noqa: F401  fixtures that the others ask for
    _services,  # noqa: F401
    clock,  # noqa: F401
    google,  # noqa: F401
    lanes,  # noqa: F401
    ledger,  # noqa: F401
)
from tests.world import World

KEY = Fernet.generate_key()
SECRET = b"a-secret-of-the-shop"
SHOP = "planted.myshopify.com"
ACTIONS = {"shopify": f"{ADS_CUSTOMER}/{ADS_ACTION}", "woocommerce": f"{DM_CUSTOMER}/{DM_ACTION}", "custom": None}
Bodies = list[tuple[str, str, Any]]  # platform, topic, body


class Somebody(msgspec.Struct, frozen=True, kw_only=True):
    """A person whose every trace can be told from anybody else's. `number` is nine digits."""

    number: int
    first: str
    last: str
    street: str

    @property
    def email(self) -> str:
        return f"{self.first}.{self.last}@example.org".lower()

    @property
    def phone(self) -> str:
        return f"+4930{self.number}"

    def order(self, place: int) -> int:
        return self.number * 100 + place

    def traces(self, clicks: dict[str, str]) -> dict[str, str]:
        """What must be found nowhere. All ids of theirs begin with their number."""
        own = {kind: click for kind, click in clicks.items() if kind.startswith(f"{self.number}")}
        return {
            "number": str(self.number),
            "first name": self.first,
            "last name": self.last,
            "street": self.street,
            "email": self.email,
            "email hash": sha256(self.email.encode()).hexdigest(),
            "phone hash": sha256(self.phone.encode()).hexdigest(),
            **own,
        }


ANN = Somebody(number=615243987, first="Annelotte", last="Vonderplanitz", street="Quittenweg 7b")
BEN = Somebody(number=734918265, first="Benjaminus", last="Oberschmidinger", street="Mispelgasse 12")


class Planted:
    """Three sites, with rules of every kind; people's bodies go in by the receiver."""

    def __init__(self, url: str, at_google: Any, to_google: Any, directory: Path) -> None:
        self.url, self.ledger, self.lanes = url, at_google, to_google
        self.settings = Settings.model_validate(
            {
                "local_directory": directory,
                "secret_key": KEY.decode(),
                "database_url": url,
                "shards": 4,
                "batch_size": 500,
            }
        )
        self.ledger.clock.forward(seconds=(datetime.now(UTC) - self.ledger.clock()).total_seconds())
        self.engine: sa.Engine = self.ledger.engine
        self.clicks: dict[str, str] = {}
        self.delivered = 0
        self.sites: dict[str, int] = {}
        self._make_sites()

    def _make_sites(self) -> None:
        world = World(self.url, self.engine)
        for platform, action in ACTIONS.items():
            site = world.site(f"planted-{platform}", platform, default_country="DE")
            with self.engine.begin() as connection:
                connection.execute(
                    sa.text("UPDATE app.sites SET shop_domain = :domain WHERE id = :site"),
                    {"site": site, "domain": SHOP if platform == "shopify" else None},
                )
                connection.execute(
                    sa.text("INSERT INTO app.site_secrets (site_id, secret_encrypted) VALUES (:site, :token)"),
                    {"site": site, "token": secrets.encrypt(SECRET, KEY)},
                )
            self.sites[platform] = site
            world.rule(site, f"purchase_{platform}", ads_action=action)
            world.rule(
                site, f"first_{platform}", ads_action=action, dedup={"per": "customer"}, trigger=["order.created"]
            )
            world.rule(
                site,
                f"every_{platform}",
                trigger=["order.paid", "customer.created"],
                threshold={"at_least": "1", "scope": "site", "period": "lifetime", "fires": "every_nth"},
            )
            world.rule(site, f"signup_{platform}", trigger=["customer.created", "checkout.started"])

    def at(self, hours_ago: float) -> str:
        return (datetime.now(UTC) - timedelta(hours=hours_ago)).strftime("%Y-%m-%dT%H:%M:%S+00:00")

    def click(self, who: Somebody, kind: str) -> str:
        name = f"{who.number} {kind}"
        if name not in self.clicks:
            customer = DM_CUSTOMER if kind == "woocommerce" else ADS_CUSTOMER
            self.clicks[name] = self.ledger.gclid(customer, hours_before=60)
        return self.clicks[name]

    # ------------------------------------------------------------ going in
    def post(self, bodies: Bodies, *, secret: bytes = SECRET) -> list[int]:
        """Deliver these, as the stores sign them. The answers' statuses."""

        async def main() -> list[int]:
            app = create_app(self.settings)
            transport = httpx.ASGITransport(app)
            async with living(app), httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
                return [(await self._post(client, secret, *one)).status_code for one in bodies]

        return asyncio.run(main())

    async def _post(self, client: httpx.AsyncClient, secret: bytes, platform: str, topic: str, body: Any) -> Any:
        self.delivered += 1
        name, now = f"delivery-{self.delivered}", datetime.now(UTC)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        if platform == "browser":
            return await client.post("/collect", content=raw)
        if platform == "shopify":
            headers = shopify.signed_headers(
                raw, secret, topic=topic, shop_domain=SHOP, webhook_id=name, triggered_at=now
            )
            return await client.post("/webhooks/shopify", content=raw, headers=headers)
        if platform == "woocommerce":
            headers = woocommerce.signed_headers(
                raw, secret, topic=topic, source="https://woo.example/", webhook_id=3, delivery_id=name
            )
        else:
            headers = timestamped.signed_headers(raw, secret, now=now, event_id=name, topic=topic)
        return await client.post(f"/webhooks/{platform}/planted-{platform}", content=raw, headers=headers)

    def drain(self) -> None:
        async def main() -> None:
            connection = await connect.asyncpg_connect(self.url)
            try:
                cache = ConfigurationCache()
                while (await drain_batch(connection, cache, self.settings)).raw:
                    pass
            finally:
                await connection.close()

        asyncio.run(main())

    def send(self) -> None:
        """What is due goes to the sandbox; where verdicts come later, they are waited for."""
        self.ledger.clock.forward(minutes=2)
        for _ in range(3):
            self.ledger.settle(self.lanes)
            self.ledger.clock.forward(minutes=35)
        self.ledger.settle(self.lanes)

    def carry_out(self, on_batch: Callable[[], None] = lambda: None) -> list[Carried]:
        return carry_out_all(self.engine, self.settings, actor="test", on_batch=on_batch)

    # ------------------------------------------------------------ what is there
    def everything(self) -> Iterator[tuple[str, str]]:
        """Every row of every table as text, with compressed bodies read."""
        with self.engine.connect() as connection:
            for table in TABLES:
                name = f"{table.schema}.{table.name}"
                for row in connection.execute(sa.text(f"SELECT t.*, t::text AS whole_row FROM {name} t")).mappings():
                    yield name, row["whole_row"]
                    for value in row.values():
                        if isinstance(value, bytes | memoryview):
                            yield name, bytes(value).decode("utf-8", "replace")
                            yield name, _decompressed(bytes(value))

    def found(self, who: Somebody) -> dict[str, set[str]]:
        """Where which trace of somebody is found."""
        traces = who.traces(self.clicks)
        places: dict[str, set[str]] = {}
        for name, text in self.everything():
            for trace, value in traces.items():
                if value.lower() in text.lower():
                    places.setdefault(name, set()).add(trace)
        return places

    def rows_of(self, who: Somebody) -> dict[str, list[str]]:
        """Every row that says something of somebody."""
        values = [value.lower() for value in who.traces(self.clicks).values()]
        rows: dict[str, list[str]] = {}
        for name, text in self.everything():
            if any(value in text.lower() for value in values):
                rows.setdefault(name, []).append(text)
        return {name: sorted(texts) for name, texts in rows.items()}

    def snapshot(self) -> dict[str, list[str]]:
        """Every row of every table."""
        with self.engine.connect() as connection:
            return snapshot(connection)

    def figures(self) -> dict[str, Any]:
        """What must stay the same whoever is forgotten."""
        queries = {
            "orders": "SELECT count(*), sum(total), sum(refunded) FROM app.orders",
            "events": "SELECT type, count(*), sum(amount) FROM app.commerce_events GROUP BY 1 ORDER BY 1",
            "custom events": "SELECT assignment_id, count(*), sum(value) FROM app.custom_events GROUP BY 1 ORDER BY 1",
            "uploads": "SELECT ads_action_id, kind, count(*), sum(value) FROM app.conversion_uploads GROUP BY 1, 2 ORDER BY 1, 2",
            "refunds": "SELECT count(*), sum(amount) FROM app.order_refunds",
            "counted": "SELECT count(*), sum(events) FROM app.counted_days",
        }
        with self.engine.connect() as connection:
            return {name: [tuple(row) for row in connection.execute(sa.text(one))] for name, one in queries.items()}

    def gaps(self) -> list[str]:
        with self.engine.connect() as connection:
            return [gap for gap in sums(connection).gaps if not gap.startswith("received")]


def snapshot(connection: sa.Connection, *without: str) -> dict[str, list[str]]:
    """Every row of every table, but for these columns."""
    columns = "".join(f" - '{name}'" for name in without)
    return {
        f"{table.schema}.{table.name}": sorted(
            row[0]
            for row in connection.execute(
                sa.text(f"SELECT (to_jsonb(t){columns})::text FROM {table.schema}.{table.name} t")
            )
        )
        for table in TABLES
    }


def _decompressed(value: bytes) -> str:
    try:
        return zstandard.ZstdDecompressor().decompress(value, max_output_size=1 << 20).decode("utf-8", "replace")
    except zstandard.ZstdError:
        return ""


@pytest.fixture
def planted(database: str, ledger: Any, lanes: Any, tmp_path: Path) -> Planted:  # noqa: F811
    """Three sites whose conversions go to the sandbox."""
    return Planted(database, ledger, lanes, tmp_path)
