"""A shop's owner installs our app by the console's pages, and people see what became of it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from custom_events.queries import shopify_app as sql
from custom_events.settings import Settings
from sandbox.stores.shopify_admin.server import ShopifyAdmin
from sandbox.stores.shopify_admin.session_tokens import session_token
from sandbox.stores.shopify_admin.state import FaultKind
from tests.console.api.world import World
from tests.shopify_app.owner import SHOP

OTHER = "second-demo.myshopify.com"


@pytest.fixture(scope="module")
def store() -> Iterator[ShopifyAdmin]:
    with ShopifyAdmin.start() as running:
        running.admin.add_shop(SHOP)
        running.admin.add_shop(OTHER)
        yield running


@pytest.fixture(scope="module")
def settings(settings: Settings, store: ShopifyAdmin) -> Settings:
    changes = {
        "receiver_url": "https://events.example",
        "console_url": "http://testserver",
        "shopify_client_id": store.admin.client_id,
        "shopify_client_secret": SecretStr(store.admin.client_secret),
        "shopify_url": store.url,
    }
    return settings.model_copy(update=changes)


def come_back(asked: httpx.Client, shop: str) -> httpx.Response:
    """Begin, agree at the sandbox's Shopify, and be led back."""
    begun = asked.get(f"/shopify/install?shop={shop}", headers={"Accept": "text/html"})
    assert begun.status_code == 303
    cookie = begun.headers["set-cookie"]
    assert "HttpOnly; SameSite=Lax" in cookie
    assert "Path=/shopify/callback" in cookie
    agreed = httpx.get(begun.headers["location"], trust_env=False).headers["location"]
    assert agreed.startswith("http://testserver/shopify/callback?")
    nonce = cookie.partition(";")[0]
    return asked.get(f"/shopify/callback?{urlsplit(agreed).query}", headers={"Accept": "text/html", "Cookie": nonce})


def test_an_owner_is_led_to_shopify_and_back_to_a_connected_shop(
    asked: httpx.Client, browser: httpx.Client, engine: sa.Engine, world: World, store: ShopifyAdmin
) -> None:
    answer = come_back(asked, SHOP)
    assert answer.status_code == 200, answer.text
    assert f"{SHOP} is connected" in answer.text
    assert f"frame-ancestors https://{SHOP} https://admin.shopify.com" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    with engine.connect() as connection:
        site_id = connection.execute(sql.ALL).one().site_id
    page = browser.get(f"/sites/{site_id}").text
    assert "15 of 15 there" in page
    assert "read_customer_events" in page
    assert "can be renewed until" in page
    store.admin.shops[SHOP].webhooks.clear()
    with engine.begin() as connection:
        connection.execute(
            sa.text("""UPDATE app.shopify_installations SET registered = '{"webhooks": ["orders/paid"]}', watched_at = NULL,
            problems = '[{"what": "scopes_missing", "sentence": "Agree again"}]'""")
        )
    page = browser.get(f"/sites/{site_id}").text
    assert "1 of 15 there" in page
    assert "orders/create" in page
    assert "Agree again" in page
    assert "not yet" in page
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE app.shopify_installations SET state = 'uninstalled', uninstalled_at = now(), tokens_encrypted = NULL"
            )
        )
    assert f"custom-events shopify install-url {SHOP}" in browser.get(f"/sites/{site_id}").text


def test_a_page_in_the_shops_admin_connects_by_its_session_token(
    asked: httpx.Client, world: World, store: ShopifyAdmin
) -> None:
    token = session_token(OTHER, store.admin.client_id, store.admin.client_secret, datetime.now(UTC))
    answer = asked.get(f"/shopify/install?shop={OTHER}&id_token={token}", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert f"{OTHER} is connected" in answer.text


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("install", 400, "no shop of Shopify&#39;s"),
        ("install?shop=evil.example", 400, "evil.example"),
        (f"install?shop={SHOP}&hmac=00&timestamp=1", 403, "not signed by Shopify"),
        (f"install?shop={SHOP}&id_token=a.b.c", 403, "cannot be believed"),
        (f"callback?shop={SHOP}&code=1&state=2", 403, "not signed by Shopify"),
    ],
)
def test_what_shopify_has_not_signed_is_refused_in_words(
    asked: httpx.Client, world: World, path: str, status: int, says: str
) -> None:
    answer = asked.get(f"/shopify/{path}", headers={"Accept": "text/html"})
    assert answer.status_code == status
    assert says in answer.text
    assert "set-cookie" not in answer.headers


def test_what_shopify_does_not_answer_is_said(asked: httpx.Client, world: World, store: ShopifyAdmin) -> None:
    other = session_token(SHOP, store.admin.client_id, store.admin.client_secret, datetime.now(UTC))
    store.admin.arm(FaultKind.TOKEN_UNAVAILABLE)
    answer = asked.get(f"/shopify/install?shop={SHOP}&id_token={other}", headers={"Accept": "text/html"})
    assert answer.status_code == 503
