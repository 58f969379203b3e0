"""`custom-events shopify`: the link, what stands where, registering now, new tokens."""

import json
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from pydantic import SecretStr

from cli.check import State
from cli.main import main
from cli.safety_checks import shopify_app
from custom_events.settings import Settings
from custom_events.settings import settings as read_settings
from custom_events.shopify_app import connecting, installation, token_endpoint, tokens
from custom_events.shopify_app.app_settings import app_of
from sandbox.stores.shopify_admin.server import ShopifyAdmin
from tests.shopify_app.owner import SHOP


@pytest.fixture
def store() -> Iterator[ShopifyAdmin]:
    with ShopifyAdmin.start() as running:
        running.admin.add_shop(SHOP)
        yield running


@pytest.fixture
def settings(
    store: ShopifyAdmin, database: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    variables = {
        "DATABASE_URL": database,
        "CUSTOM_EVENTS_LOCAL_DIRECTORY": str(tmp_path_factory.mktemp("local")),
        "CUSTOM_EVENTS_RECEIVER_URL": "https://events.example",
        "CUSTOM_EVENTS_CONSOLE_URL": "https://console.example",
        "CUSTOM_EVENTS_SHOPIFY_CLIENT_ID": store.admin.client_id,
        "CUSTOM_EVENTS_SHOPIFY_CLIENT_SECRET": store.admin.client_secret,
        "CUSTOM_EVENTS_SHOPIFY_URL": store.url,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    read_settings.cache_clear()
    yield read_settings()
    read_settings.cache_clear()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["shopify", *arguments], catch_exceptions=False)


@pytest.fixture
def site_id(engine: sa.Engine, settings: Settings, store: ShopifyAdmin) -> int:
    """A shop with our app."""
    shop = store.admin.shops[SHOP]
    shop.codes.add("code")
    with engine.connect() as connection:
        now = connection.execute(sa.select(sa.func.now())).scalar_one()
    grant = token_endpoint.of_code(app_of(settings), SHOP, "code", now)
    return connecting.connect(engine, settings, SHOP, grant, actor="test").site.id


def test_the_link_names_the_shop(settings: Settings) -> None:
    assert run("install-url", SHOP).output == f"https://console.example/shopify/install?shop={SHOP}\n"
    assert "no shop of Shopify's" in run("install-url", "evil.example").output


def test_nothing_is_installed_yet(settings: Settings) -> None:
    assert "install-url" in run("status").output
    assert "nowhere" in run("register").output


def test_what_stands_where(settings: Settings, site_id: int, engine: sa.Engine) -> None:
    answer = run("status", SHOP)
    assert answer.exit_code == 0
    assert "webhooks 15 of 15, pixel there" in answer.output
    (document,) = json.loads(run("status", "--json").output)["installations"]
    assert document["shop"] == SHOP
    assert "tokens_encrypted" not in document
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE app.shopify_installations SET state = 'uninstalled', uninstalled_at = now(), tokens_encrypted = NULL"
            )
        )
    gone = run("status")
    assert gone.exit_code == 1
    assert f"install-url {SHOP}" in gone.output


def test_what_is_missing_is_registered_now(settings: Settings, site_id: int, store: ShopifyAdmin) -> None:
    assert "nothing to do" in run("register").output
    shop = store.admin.shops[SHOP]
    shop.webhooks.clear()
    shop.pixel = None
    answer = run("register", SHOP)
    assert answer.exit_code == 0
    assert "15 made, pixel made" in answer.output
    assert "registered_again" in answer.output
    shop.scopes = ["read_orders"]
    assert run("register", str(site_id)).exit_code == 1
    assert "scopes_missing" in run("status").output


def test_tokens_are_renewed_now(settings: Settings, site_id: int, store: ShopifyAdmin, engine: sa.Engine) -> None:
    assert "can be renewed until" in run("refresh", SHOP).output
    assert store.admin.requests["token:refresh_token"] == 1
    lasting = store.admin.issue(store.admin.shops[SHOP], expiring=False)
    grant = token_endpoint.Grant(installation.Tokens(lasting.access), (), None, None)
    with engine.begin() as connection:
        from custom_events import secrets

        tokens.store(connection, site_id, SHOP, grant, secrets.key(settings))
    assert "never expires" in run("status").output
    assert "can be renewed until" in run("refresh", SHOP).output


def test_webhooks_of_the_app_itself_are_said_to_be_there(
    settings: Settings, site_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUSTOM_EVENTS_SHOPIFY_WEBHOOKS_PER_SHOP", "false")
    read_settings.cache_clear()
    assert "15 removed" in run("register").output
    assert "webhooks in the app's settings" in run("status").output


def test_the_doctor_looks_at_the_app(settings: Settings, site_id: int, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        assert shopify_app(connection, settings).found == "installed in 1 shops"
        unset = settings.model_copy(update={"shopify_client_id": None, "shopify_client_secret": None})
        assert shopify_app(connection, unset).state is State.OK
        half = settings.model_copy(update={"shopify_client_secret": None})
        assert shopify_app(connection, half).state is State.FAILED
        plain = settings.model_copy(update={"receiver_url": None, "shopify_client_secret": SecretStr("x" * 9)})
        assert shopify_app(connection, plain).state is State.WARNING
        connection.execute(
            sa.text(
                """UPDATE app.shopify_installations SET problems = '[{"what": "token_refused", "sentence": "x"}]'"""
            )
        )
        assert "token_refused" in shopify_app(connection, settings).found
