"""A sandbox's Shopify with one shop, and an installation of ours that reaches it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from pydantic import SecretStr

from custom_events.settings import Settings
from custom_events.shopify_app import installing
from custom_events.shopify_app.connecting import Connected
from sandbox.stores.shopify_admin.server import ShopifyAdmin
from sandbox.stores.shopify_admin.state import Admin, Shop
from tests.shopify_app.owner import SHOP, install


class Clock:
    """The sandbox's time: the database's, moved."""

    def __init__(self) -> None:
        self.moved = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.moved


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> Iterator[ShopifyAdmin]:
    with ShopifyAdmin.start(Admin(clock=clock)) as running:
        running.admin.add_shop(SHOP)
        yield running


@pytest.fixture
def shop(store: ShopifyAdmin) -> Shop:
    return store.admin.shops[SHOP]


@pytest.fixture
def settings(store: ShopifyAdmin, tmp_path: Path) -> Settings:
    return Settings(
        _env_file=None,
        local_directory=tmp_path,
        secret_key=SecretStr(Fernet.generate_key().decode()),
        receiver_url="https://events.example",
        console_url="https://console.example",
        shopify_client_id=store.admin.client_id,
        shopify_client_secret=SecretStr(store.admin.client_secret),
        shopify_url=store.url,
    )


@pytest.fixture
def connected(engine: sa.Engine, settings: Settings) -> Connected:
    """The shop with our app."""
    begun = installing.begin(engine, settings, [("shop", SHOP)])
    assert isinstance(begun, installing.Begun)
    return install(engine, settings, begun)
