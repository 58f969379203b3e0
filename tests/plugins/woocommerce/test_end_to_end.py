"""What the plugin posts, made by PHP now, through the receiver and the pipeline: everything once, in any order of arrival. And made by the hooks of a real
WordPress, to Google's sandbox."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from custom_events import secrets
from custom_events.ledger.sender import Lanes
from custom_events.settings import Settings
from ingest_api.app import create_app
from sandbox.google_ads.server import SandboxGoogle
from tests.ingest_api.conftest import living
from tests.ledger.conftest import _ingestion, _services, at_google, google, lanes
from tests.plugins.woocommerce.posts import KEY_ID, SECRET, SITE_KEY, Post, golden, needs_php, read, run_php
from tests.world import World

__all__ = ["_ingestion", "_services", "google", "lanes"]

pytestmark = [pytest.mark.database, needs_php]

KEY = Fernet.generate_key()
EVENTS = [
    ("cart.item_added", False),
    ("checkout.started", False),
    ("customer.created", False),
    ("order.cancelled", False),
    ("order.created", False),
    ("order.created", False),
    ("order.created", True),
    ("order.fulfilled", False),
    ("order.paid", False),
    ("order.paid", False),
    ("order.paid", True),
    ("order.refunded", False),
    ("subscription.cancelled", False),
    ("subscription.payment_failed", True),
    ("subscription.renewed", True),
    ("subscription.started", False),
]


def connected(world: World) -> int:
    """A site for the plugin's shop, with its secret and a rule; its id."""
    site = world.site(SITE_KEY, "woocommerce", default_country="PT")
    world.rule(site, ads_action=world.action("7001"))
    with world.engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO app.site_secrets (site_id, secret_encrypted, key_id) VALUES (:site, :token, :key_id)"),
            {"site": site, "token": secrets.encrypt(SECRET, KEY), "key_id": KEY_ID},
        )
    return site


def deliver(url: str, directory: Path, posts: Sequence[Post]) -> list[tuple[int, str | None]]:
    """Status and verdict of each post, one after the other."""
    settings = Settings.model_validate({"local_directory": directory, "secret_key": KEY.decode(), "database_url": url})

    async def main() -> list[tuple[int, str | None]]:
        app = create_app(settings)
        transport: Any = httpx.ASGITransport(app)  # pyright: ignore[reportArgumentType]
        answers: list[tuple[int, str | None]] = []
        async with living(app), httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
            for post in posts:
                answer = await client.post(httpx.URL(post.url).path, content=post.body, headers=post.headers)
                answers.append((answer.status_code, answer.headers.get("delivery")))
        return answers

    return asyncio.run(main())


@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
def test_all_that_the_plugin_posts_arrives_once(
    database: str, engine: sa.Engine, tmp_path: Path, *, backwards: bool
) -> None:
    world = World(database, engine)
    connected(world)
    posts = read(run_php("golden.php", str(int(datetime.now(UTC).timestamp()))))
    if backwards:
        posts.reverse()
    assert set(deliver(database, tmp_path, posts)) == {(200, "landed")}
    world.drain()
    assert set(deliver(database, tmp_path, posts)) == {(200, "duplicate")}
    another = [Post(post.url, post.headers, post.body + b" ") for post in posts[:1]]
    assert set(deliver(database, tmp_path, another)) == {(401, None)}, "the signature covers the body"
    world.drain()

    with engine.connect() as connection:

        def rows(statement: str) -> list[Any]:
            return [tuple(row) for row in connection.execute(sa.text(statement))]

        assert rows("SELECT type, is_test FROM app.commerce_events ORDER BY type, is_test") == EVENTS
        assert rows("SELECT key FROM app.commerce_events WHERE is_undone ORDER BY 1") == [
            ("order.paid:1002",),  # cash on delivery that was cancelled
            ("order.refunded:1001:2001",),  # the refund that was deleted
        ]
        assert rows("SELECT order_id, status, deleted_at FROM app.orders ORDER BY order_id") == [
            ("1001", "completed", None),
            ("1002", "cancelled", None),
            ("1003", "processing", None),
        ]
        conversions = "SELECT order_id, value, currency FROM app.conversion_uploads WHERE kind = 'conversion' AND state <> 'withheld'"
        assert rows(conversions) == [("1001", Decimal(119), "EUR")]
        assert rows("SELECT outcome, count(*) FROM app.raw_outcomes GROUP BY 1") == [("understood", len(posts))]


@pytest.mark.long
def test_all_that_real_wordpress_tells_of_ends_at_google_once(
    database: str, engine: sa.Engine, tmp_path: Path, wordpress: Path, google: SandboxGoogle, lanes: Lanes
) -> None:
    """Its hooks, its database, its HTTP functions; the receiver, the pipeline, the sender; the sandbox's Google."""
    world = World(database, engine)
    site = connected(world)
    posts = read(run_php("wordpress.php", str(wordpress), str(int(datetime.now(UTC).timestamp()))))
    assert [post.topic for post in posts] == [post.topic for post in golden()]
    assert set(deliver(database, tmp_path, posts)) == {(200, "landed")}
    world.drain()
    world.send(lanes, lambda: datetime.now(UTC))
    assert set(deliver(database, tmp_path, posts)) == {(200, "duplicate")}
    world.drain()
    world.send(lanes, lambda: datetime.now(UTC))
    # Neither cash on delivery that was cancelled, nor a renewal in the gateway's test mode; and not the refund that was deleted.
    assert at_google(google) == {f"{site}-1001": 119.0}
