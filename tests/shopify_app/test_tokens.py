"""Tokens that expire: renewed in time, one at a time, and never lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import httpx
import psycopg
import pytest
import sqlalchemy as sa

from custom_events import secrets
from custom_events.access import key_rotation
from custom_events.errors import NeedsAction, NotFound, Transient
from custom_events.platforms.shopify.admin_queries import INSTALLATION
from custom_events.postgres import connect
from custom_events.settings import Settings
from custom_events.shopify_app import asking, token_endpoint, tokens
from custom_events.shopify_app.connecting import Connected
from custom_events.shopify_app.token_endpoint import GrantRefused
from sandbox.stores.shopify_admin.server import ShopifyAdmin
from sandbox.stores.shopify_admin.state import FaultKind, Shop
from tests.shopify_app.conftest import Clock
from tests.shopify_app.owner import SHOP, expire, stored

REFRESHES = "token:refresh_token"


def test_a_token_is_used_until_shortly_before_its_end(
    engine: sa.Engine, settings: Settings, connected: Connected, store: ShopifyAdmin
) -> None:
    first = tokens.access_token(engine, settings, connected.site.id)
    assert first == (SHOP, stored(engine, settings, connected.site.id).access)
    assert store.admin.requests[REFRESHES] == 0
    expire(engine, connected.site.id)
    second = tokens.access_token(engine, settings, connected.site.id)
    assert second[1] != first[1]
    assert tokens.access_token(engine, settings, connected.site.id) == second
    assert store.admin.requests[REFRESHES] == 1


def test_many_who_need_a_token_at_once_renew_it_once(
    database: str, engine: sa.Engine, settings: Settings, connected: Connected, store: ShopifyAdmin
) -> None:
    expire(engine, connected.site.id)
    ready = Barrier(4)

    def ask(_: int) -> str:
        own = connect.engine(database, name="another process")  # a pool of its own, as another process has
        try:
            ready.wait(timeout=60)
            return tokens.access_token(own, settings, connected.site.id)[1]
        finally:
            own.dispose()

    with ThreadPoolExecutor(4) as pool:
        access_tokens = set(pool.map(ask, range(4)))
    assert access_tokens == {stored(engine, settings, connected.site.id).access}
    assert store.admin.requests[REFRESHES] == 1


def test_a_lost_answer_is_asked_for_again_with_the_same_refresh_token(
    engine: sa.Engine, settings: Settings, connected: Connected, store: ShopifyAdmin
) -> None:
    before = stored(engine, settings, connected.site.id)
    expire(engine, connected.site.id)
    store.admin.arm(FaultKind.LOST_REFRESH_ANSWER)
    with pytest.raises(Transient):
        tokens.access_token(engine, settings, connected.site.id)
    assert stored(engine, settings, connected.site.id) == before
    _, token = tokens.access_token(engine, settings, connected.site.id)
    assert stored(engine, settings, connected.site.id).access == token != before.access
    assert asking.with_api(engine, settings, connected.site.id, lambda api: api.ask(INSTALLATION))
    expire(engine, connected.site.id)
    tokens.access_token(engine, settings, connected.site.id)  # the replacement is as good as any


def test_a_refused_token_is_renewed_once_and_the_work_done(
    engine: sa.Engine, settings: Settings, connected: Connected, store: ShopifyAdmin
) -> None:
    store.admin.arm(FaultKind.UNAUTHORIZED)
    answer = asking.with_api(engine, settings, connected.site.id, lambda api: api.ask(INSTALLATION))
    assert answer["shop"]["myshopifyDomain"] == SHOP
    assert store.admin.requests[REFRESHES] == 1


def test_a_token_that_another_has_renewed_since_it_was_refused_is_taken(
    engine: sa.Engine, settings: Settings, connected: Connected, store: ShopifyAdmin
) -> None:
    refused = stored(engine, settings, connected.site.id).access
    tokens.access_token(engine, settings, connected.site.id, renew=True)
    fresh = stored(engine, settings, connected.site.id).access
    assert fresh != refused
    assert (
        tokens._renew(engine, tokens.app_of(settings), secrets.key(settings), connected.site.id, refused=refused)
        == fresh
    )
    assert store.admin.requests[REFRESHES] == 1


def test_a_refresh_token_that_is_over_needs_the_owner(
    engine: sa.Engine, settings: Settings, connected: Connected, clock: Clock
) -> None:
    clock.moved = timedelta(days=91)
    expire(engine, connected.site.id)
    with pytest.raises(GrantRefused, match="invalid_grant"):
        tokens.access_token(engine, settings, connected.site.id)


def test_who_waits_too_long_for_another_tries_later(
    database: str, engine: sa.Engine, settings: Settings, connected: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "WAIT_MS", 50)
    expire(engine, connected.site.id)
    with psycopg.connect(database) as other:
        other.execute("SELECT 1 FROM app.shopify_installations FOR UPDATE")
        with pytest.raises(Transient, match="elsewhere"):
            tokens.access_token(engine, settings, connected.site.id)


def test_a_token_that_never_expires_is_exchanged(
    engine: sa.Engine, settings: Settings, connected: Connected, store: ShopifyAdmin, shop: Shop
) -> None:
    assert not tokens.migrate(engine, settings, connected.site.id)
    old = lasting(engine, settings, connected, store, shop)
    assert tokens.access_token(engine, settings, connected.site.id)[1] == old
    store.admin.arm(FaultKind.LOST_MIGRATION_ANSWER)
    with pytest.raises(Transient):
        tokens.migrate(engine, settings, connected.site.id)
    assert tokens.migrate(engine, settings, connected.site.id)
    pair = stored(engine, settings, connected.site.id)
    assert pair.refresh is not None
    assert pair.access in shop.issued
    assert old not in shop.issued


def test_a_lasting_token_that_is_refused_needs_the_owner(
    engine: sa.Engine, settings: Settings, connected: Connected, store: ShopifyAdmin, shop: Shop
) -> None:
    lasting(engine, settings, connected, store, shop)
    with pytest.raises(GrantRefused, match="nothing to renew it by"):
        tokens.access_token(engine, settings, connected.site.id, renew=True)


def lasting(engine: sa.Engine, settings: Settings, connected: Connected, store: ShopifyAdmin, shop: Shop) -> str:
    """Give the shop a token of the old kind."""
    token = store.admin.issue(shop, expiring=False)
    grant = token_endpoint.Grant(
        tokens=tokens.installation.Tokens(token.access), scopes=(), access_expires_at=None, refresh_expires_at=None
    )
    with engine.begin() as connection:
        tokens.store(connection, connected.site.id, SHOP, grant, secrets.key(settings))
        entry = tokens.installation.get(connection, connected.site.id)
    assert entry.never_expires
    assert entry.scopes
    return token.access


def test_a_site_without_the_app_is_named(engine: sa.Engine, settings: Settings) -> None:
    for ask in (tokens.access_token, tokens.migrate):
        with pytest.raises(NotFound, match="site 7"):
            ask(engine, settings, 7)


def test_an_app_that_was_removed_has_no_token(engine: sa.Engine, settings: Settings, connected: Connected) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE app.shopify_installations SET state = 'uninstalled', uninstalled_at = now(), tokens_encrypted = NULL"
            )
        )
    with pytest.raises(NeedsAction, match="install it again"):
        tokens.access_token(engine, settings, connected.site.id)


def test_a_new_key_encrypts_tokens_anew(engine: sa.Engine, settings: Settings, connected: Connected) -> None:
    before = stored(engine, settings, connected.site.id)
    new = secrets.generate()
    rotation = key_rotation.rotate(engine, new + b"," + secrets.key(settings), actor="test")
    assert rotation.renewed == 2  # the app's secret and the tokens
    only_new = settings.model_copy(update={"secret_key": type(settings.secret_key)(new.decode())})
    assert stored(engine, only_new, connected.site.id) == before


@pytest.mark.parametrize("kind", [FaultKind.TOKEN_UNAVAILABLE, FaultKind.NO_TOKEN])
def test_a_token_endpoint_that_is_away_or_odd_is_tried_later(
    engine: sa.Engine, settings: Settings, connected: Connected, store: ShopifyAdmin, kind: FaultKind
) -> None:
    expire(engine, connected.site.id)
    store.admin.arm(kind)
    with pytest.raises(Transient):
        tokens.access_token(engine, settings, connected.site.id)
    assert tokens.access_token(engine, settings, connected.site.id)


@pytest.mark.parametrize(("content", "word"), [(b"<html>", "403"), (b'{"error": "no"}', "403 no"), (b"[]", "403")])
def test_why_shopify_refuses_is_told_by_its_word_alone(content: bytes, word: str) -> None:
    assert token_endpoint._reason(httpx.Response(403, content=content)) == word
