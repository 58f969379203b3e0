"""A shop gets our app: what is believed, what is refused, and what is there afterwards."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events import secrets
from custom_events.catalog import signing, sites
from custom_events.errors import InvalidConfiguration, NeedsAction, NotAdmitted
from custom_events.platforms.shopify.app_topics import SCOPES, enum_of, missing_scopes, topics_with
from custom_events.settings import Settings
from custom_events.shopify_app import installation, installing
from custom_events.shopify_app.connecting import Connected
from custom_events.shopify_app.token_endpoint import GrantRefused
from custom_events.values.platforms import Platform
from sandbox.stores.shopify_admin.oauth import signature
from sandbox.stores.shopify_admin.server import ShopifyAdmin
from sandbox.stores.shopify_admin.session_tokens import session_token
from sandbox.stores.shopify_admin.state import Shop
from tests.shopify_app.owner import SHOP, agreed, install, stored

pytestmark = pytest.mark.usefixtures("store")


def test_an_owner_who_agrees_has_a_site_with_all_that_it_needs(
    engine: sa.Engine, settings: Settings, connected: Connected, shop: Shop
) -> None:
    site = connected.site
    assert (site.platform, site.shop_domain, site.name) == (Platform.SHOPIFY, SHOP, "Northlight Demo")
    assert (site.currency, site.time_zone) == ("EUR", "Europe/Berlin")
    assert connected.is_new
    assert not connected.look.problems
    with engine.connect() as connection:
        assert signing.holds(connection, site.id, "demo-client-secret", key=secrets.key(settings))
        entry = installation.get(connection, site.id)
    assert entry.is_installed
    assert not entry.never_expires
    assert set(entry.scopes) == set(SCOPES)
    assert stored(engine, settings, site.id).access in shop.issued
    assert {webhook["topic"] for webhook in shop.webhooks.values()} == {enum_of(topic) for topic in topics_with(SCOPES)}
    assert {webhook["uri"] for webhook in shop.webhooks.values()} == {
        f"https://events.example/webhooks/shopify/{site.site_key}"
    }
    assert shop.pixel is not None
    assert site.site_key in shop.pixel["settings"]
    assert entry.registered.pixel


def test_a_shop_whose_site_got_another_domain_since_is_installed_at_its_new_site_alone(
    engine: sa.Engine, settings: Settings, connected: Connected
) -> None:
    with engine.begin() as connection:
        sites.update(connection, connected.site.id, actor="test", shop_domain="another-shop.myshopify.com")
    begun = installing.begin(engine, settings, [("shop", SHOP)])
    assert isinstance(begun, installing.Begun)
    again = install(engine, settings, begun)
    assert again.is_new
    with engine.connect() as connection:
        assert [entry.site_id for entry in installation.everything(connection)] == [again.site.id]


def test_tokens_are_not_in_the_database_in_clear_and_good_in_their_row_alone(
    engine: sa.Engine, settings: Settings, connected: Connected
) -> None:
    tokens = stored(engine, settings, connected.site.id)
    with engine.connect() as connection:
        row = connection.execute(sa.text("SELECT tokens_encrypted FROM app.shopify_installations")).scalar_one()
    assert tokens.access.encode() not in bytes(row)
    key = secrets.key(settings)
    for site_id, shop in ((connected.site.id + 1, SHOP), (connected.site.id, "other.myshopify.com")):
        with pytest.raises(NeedsAction, match="cannot be decrypted"):
            installation.decrypted(bytes(row), site_id, shop, key)


def test_an_owner_who_installs_again_keeps_the_site(
    engine: sa.Engine, settings: Settings, connected: Connected, store: ShopifyAdmin
) -> None:
    store.admin.uninstall(SHOP)
    with engine.begin() as connection:
        sites.remove(connection, connected.site.id, actor="test")
    begun = installing.begin(engine, settings, [("shop", SHOP)])
    assert isinstance(begun, installing.Begun)
    again = install(engine, settings, begun)
    assert (again.site.id, again.is_new) == (connected.site.id, False)
    assert again.site.is_active
    with engine.connect() as connection:
        assert len(signing.of(connection, again.site.id)) == 1


def test_the_site_of_another_platform_keeps_its_domain(engine: sa.Engine, settings: Settings) -> None:
    with engine.begin() as connection:
        sites.create(connection, platform=Platform.WOOCOMMERCE, name="x", actor="test", shop_domain=SHOP)
    begun = installing.begin(engine, settings, [("shop", SHOP)])
    assert isinstance(begun, installing.Begun)
    with pytest.raises(NeedsAction, match="woocommerce"):
        install(engine, settings, begun)


def test_a_session_token_of_the_admin_is_exchanged(engine: sa.Engine, settings: Settings, store: ShopifyAdmin) -> None:
    token = session_token(SHOP, store.admin.client_id, store.admin.client_secret, datetime.now(UTC))
    connected = installing.begin(engine, settings, [("shop", SHOP), ("id_token", token)])
    assert isinstance(connected, Connected)
    assert not connected.look.problems
    assert store.admin.requests["token:urn:ietf:params:oauth:grant-type:token-exchange"] == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"dest": "https://other.myshopify.com"},
        {"dest": "https://other.myshopify.com", "iss": "https://other.myshopify.com/admin"},
        {"dest": "https://evil.example", "iss": "https://evil.example/admin"},
        {"aud": "another app"},
        {"exp": 1_000},
        {"nbf": 4_000_000_000},
        {"iss": "https://evil.example/admin"},
        {"dest": 5},
    ],
)
def test_a_session_token_that_says_something_else_is_refused(
    engine: sa.Engine, settings: Settings, store: ShopifyAdmin, changes: dict[str, Any]
) -> None:
    token = session_token(SHOP, store.admin.client_id, store.admin.client_secret, datetime.now(UTC), **changes)
    refused_session(engine, settings, token)
    assert not store.admin.requests


@pytest.mark.parametrize("token", ["", "a.b.c", "x" * 9_000], ids=("empty", "no token", "too long"))
def test_what_is_no_session_token_is_refused(engine: sa.Engine, settings: Settings, token: str) -> None:
    if token:
        refused_session(engine, settings, token)
    forged = session_token(SHOP, str(settings.shopify_client_id), "guessed secret", datetime.now(UTC))
    refused_session(engine, settings, forged)
    head, _, rest = forged.partition(".")
    refused_session(engine, settings, f"eyJhbGciOiJub25lIn0.{rest.partition('.')[0]}.")
    assert head


def refused_session(engine: sa.Engine, settings: Settings, token: str) -> None:
    with pytest.raises(NotAdmitted):
        installing.begin(engine, settings, [("shop", SHOP), ("id_token", token)])


def signed(pairs: dict[str, str], secret: str = "demo-client-secret") -> list[tuple[str, str]]:
    return [*pairs.items(), ("hmac", signature(pairs, secret))]


def stamp(moment: datetime) -> str:
    return str(int(moment.timestamp()))


def test_a_signed_link_of_shopify_begins_an_install(engine: sa.Engine, settings: Settings, store: ShopifyAdmin) -> None:
    query = {"shop": SHOP, "timestamp": stamp(datetime.now(UTC)), "host": "abc"}
    begun = installing.begin(engine, settings, signed(query))
    assert isinstance(begun, installing.Begun)
    assert begun.url.startswith(f"{store.url}/{SHOP}/admin/oauth/authorize?")
    assert begun.nonce not in begun.url


@pytest.mark.parametrize(
    "fault", ["secret", "changed", "added", "twice", "two signatures", "old", "future", "no time", "odd time", "odd"]
)
def test_a_link_that_shopify_has_not_signed_so_is_refused(engine: sa.Engine, settings: Settings, fault: str) -> None:
    now = datetime.now(UTC)
    times = {
        "old": stamp(now - timedelta(hours=1)),
        "future": stamp(now + timedelta(hours=1)),
        "no time": "",
        "odd time": "٣",
    }
    query = {"shop": SHOP, "timestamp": times.get(fault, stamp(now)), "host": "abc"}
    pairs = signed(query, "guessed" if fault == "secret" else "demo-client-secret")
    if fault == "changed":
        pairs = [("host", "evil") if name == "host" else (name, value) for name, value in pairs]
    if fault == "added":
        pairs = [*pairs, ("x", "1")]
    if fault == "twice":
        pairs = [("shop", "evil.myshopify.com"), *pairs]
    if fault == "two signatures":
        pairs = [*pairs, ("hmac", "0" * 64)]
    if fault == "odd":
        pairs = [(name, "é\udc80" if name == "hmac" else value) for name, value in pairs]
    with pytest.raises(NotAdmitted):
        installing.begin(engine, settings, pairs)


@pytest.mark.parametrize("fault", ["state", "nonce", "other shop", "hmac", "code", "no code"])
def test_who_comes_back_otherwise_than_they_went_is_refused(
    engine: sa.Engine, settings: Settings, store: ShopifyAdmin, fault: str
) -> None:
    begun = installing.begin(engine, settings, [("shop", SHOP)])
    assert isinstance(begun, installing.Begun)
    back = dict(agreed(begun.url))
    back.pop("hmac")
    nonce, error = begun.nonce, NotAdmitted if fault in ("state", "nonce", "other shop", "hmac") else GrantRefused
    if fault == "state":
        back["state"] = "made up"
    if fault == "nonce":
        nonce = "another browser's"
    if fault == "other shop":
        store.admin.add_shop("other.myshopify.com")
        back["shop"] = "other.myshopify.com"
    if fault == "code":
        back["code"] = "guessed"
    if fault == "no code":
        back.pop("code")
    pairs = signed(back, "guessed" if fault == "hmac" else "demo-client-secret")
    with pytest.raises(error):
        installing.end(engine, settings, pairs, nonce)
    with engine.connect() as connection:
        assert installation.everything(connection) == []


def test_only_shops_are_led_to(engine: sa.Engine, settings: Settings) -> None:
    for shop in ("evil.example", "", "a.myshopify.com.evil.example"):
        with pytest.raises(InvalidConfiguration, match="no shop of Shopify's"):
            installing.begin(engine, settings, [("shop", shop)])
        with pytest.raises(InvalidConfiguration):
            installing.install_url(settings, shop)
    assert installing.install_url(settings, SHOP.upper()) == f"https://console.example/shopify/install?shop={SHOP}"


@pytest.mark.parametrize("missing", ["shopify_client_id", "shopify_client_secret"])
def test_without_an_app_it_is_said_what_to_set(engine: sa.Engine, settings: Settings, missing: str) -> None:
    without = settings.model_copy(update={missing: None})
    with pytest.raises(InvalidConfiguration, match=missing.upper()):
        installing.begin(engine, without, [("shop", SHOP)])


def test_scopes_to_write_hold_those_to_read() -> None:
    assert missing_scopes(("write_orders", "read_customers", "write_pixels", "read_customer_events")) == ()
    assert missing_scopes(()) == SCOPES
    assert "subscription_contracts/create" in topics_with(("read_own_subscription_contracts",))
    assert topics_with(()) == ("app/uninstalled", "app/scopes_update")
