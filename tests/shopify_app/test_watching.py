"""What the app has registered is watched: missing and changed things come back, and what a person must do is an alarm."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from custom_events.catalog import audit, sites
from custom_events.platforms.shopify.app_topics import topics_with
from custom_events.redaction import carry_out
from custom_events.settings import Settings
from custom_events.shopify_app import connecting, installation, installing, tokens, watching
from custom_events.shopify_app.connecting import Connected
from custom_events.watching.alarms import raised
from custom_events.watching.measure import measure
from orchestration import jobs
from sandbox.stores.shopify_admin.server import ShopifyAdmin
from sandbox.stores.shopify_admin.state import FaultKind, Shop
from tests.shopify_app.conftest import Clock
from tests.shopify_app.owner import SHOP, expire, install
from tests.shopify_app.test_tokens import lasting
from tests.world import World

Break = Callable[[Shop], Any]


def watch(engine: sa.Engine, settings: Settings, connected: Connected) -> watching.Look:
    (look,) = watching.watch_all(engine, settings, actor="test")
    assert look.shop == SHOP
    with engine.connect() as connection:
        assert installation.get(connection, connected.site.id).problems == look.problems
    return look


def alarms(engine: sa.Engine, settings: Settings, after: timedelta = timedelta()) -> dict[str, str]:
    with engine.connect() as connection:
        reading = measure(connection, settings, datetime.now(UTC) + after)
    return {alarm.name: alarm.where.get("problem", "") for alarm in raised(reading) if "shop" in alarm.where}


def what(look: watching.Look) -> list[str]:
    return [problem.what for problem in look.problems]


def one(shop: Shop, topic: str = "ORDERS_PAID") -> dict[str, Any]:
    return next(webhook for webhook in shop.webhooks.values() if webhook["topic"] == topic)


def test_where_all_is_there_nothing_is_done(
    engine: sa.Engine, settings: Settings, connected: Connected, shop: Shop
) -> None:
    before = dict(shop.webhooks)
    look = watch(engine, settings, connected)
    assert look.repaired.is_nothing
    assert not look.problems
    assert shop.webhooks == before
    assert alarms(engine, settings) == {}


def _remove(shop: Shop) -> None:
    del shop.webhooks[one(shop)["id"]]


def _move(shop: Shop) -> None:
    one(shop)["uri"] = "https://elsewhere.example"


def _narrow(shop: Shop) -> None:
    one(shop)["includeFields"] = ["id"]


def _filter(shop: Shop) -> None:
    one(shop)["filter"] = "total_price:>100"


def _age(shop: Shop) -> None:
    one(shop)["apiVersion"] = {"handle": "2025-10"}


def _double(shop: Shop) -> None:
    shop.webhooks["gid://shopify/WebhookSubscription/1"] = one(shop) | {
        "id": "gid://shopify/WebhookSubscription/1",
        "uri": "https://old.example",
    }


def _unwanted(shop: Shop) -> None:
    shop.webhooks["gid://shopify/WebhookSubscription/2"] = one(shop) | {
        "id": "gid://shopify/WebhookSubscription/2",
        "topic": "PRODUCTS_UPDATE",
    }


def _no_pixel(shop: Shop) -> None:
    shop.pixel = None


def _other_pixel(shop: Shop) -> None:
    assert shop.pixel is not None
    shop.pixel["settings"] = "{"


@pytest.mark.parametrize(
    "broken", [_remove, _move, _narrow, _filter, _age, _double, _unwanted, _no_pixel, _other_pixel]
)
def test_what_is_missing_or_changed_is_registered_again_with_an_alarm(
    engine: sa.Engine, settings: Settings, connected: Connected, shop: Shop, broken: Break
) -> None:
    def state() -> list[tuple[str, ...]]:
        return sorted(
            (each["topic"], each["uri"], str(each["includeFields"]), str(each["filter"]))
            for each in shop.webhooks.values()
        )

    whole, pixel = state(), shop.pixel and dict(shop.pixel)
    broken(shop)
    look = watch(engine, settings, connected)
    assert state() == whole
    assert pixel is not None
    assert shop.pixel is not None
    assert shop.pixel["settings"] == pixel["settings"]
    assert what(look) == [watching.REGISTERED_AGAIN]
    assert alarms(engine, settings) == {"ShopifyRegisteredAgain": watching.REGISTERED_AGAIN}
    with engine.connect() as connection:
        newest = next(entry for entry in audit.entries(connection) if entry.action == "shopify_app.register")
    assert newest.actor == "test"
    if broken is not _age:  # the sandbox's versions stay as they are
        assert not watch(engine, settings, connected).problems
        assert alarms(engine, settings) == {}


def test_webhooks_of_the_apps_own_settings_are_not_made_beside_them(
    engine: sa.Engine, settings: Settings, connected: Connected, shop: Shop
) -> None:
    in_app = settings.model_copy(update={"shopify_webhooks_per_shop": False})
    look = watch(engine, in_app, connected)
    assert len(look.repaired.removed) == len(topics_with(tuple(shop.scopes)))
    assert shop.webhooks == {}
    assert shop.pixel is not None


def test_a_shop_that_takes_rights_back_is_told_of(
    engine: sa.Engine, settings: Settings, connected: Connected, shop: Shop
) -> None:
    shop.scopes = ["read_orders"]
    assert what(watch(engine, settings, connected)) == [watching.SCOPES_MISSING, watching.REGISTERED_AGAIN]
    assert alarms(engine, settings) == {
        "ShopifyAppNeedsAction": watching.SCOPES_MISSING,
        "ShopifyRegisteredAgain": watching.REGISTERED_AGAIN,
    }


def test_a_receiver_that_shopify_cannot_reach_is_a_problem(
    engine: sa.Engine, settings: Settings, connected: Connected
) -> None:
    look = watch(engine, settings.model_copy(update={"receiver_url": None}), connected)
    assert what(look) == [watching.NOT_REGISTERED]
    assert "RECEIVER_URL" in look.problems[0].sentence


def test_what_shopify_does_not_answer_is_tried_again_and_in_the_end_alarmed(
    engine: sa.Engine, settings: Settings, connected: Connected, store: ShopifyAdmin
) -> None:
    expire(engine, connected.site.id)
    store.admin.arm(FaultKind.LOST_REFRESH_ANSWER)
    assert what(watch(engine, settings, connected)) == [watching.NOT_REACHED]
    assert alarms(engine, settings, timedelta(hours=7))["ShopNotWatched"] == ""
    assert what(watch(engine, settings, connected)) == []


def test_a_token_that_cannot_be_renewed_needs_the_owner(
    engine: sa.Engine, settings: Settings, connected: Connected, clock: Clock
) -> None:
    clock.moved = timedelta(days=91)
    expire(engine, connected.site.id)
    assert what(watch(engine, settings, connected)) == [watching.TOKEN_REFUSED]
    assert alarms(engine, settings) == {"ShopifyAppNeedsAction": watching.TOKEN_REFUSED}


def test_a_lasting_token_is_exchanged_and_one_that_cannot_be_is_alarmed(
    engine: sa.Engine, settings: Settings, connected: Connected, store: ShopifyAdmin, shop: Shop
) -> None:
    lasting(engine, settings, connected, store, shop)
    store.admin.arm(FaultKind.LOST_MIGRATION_ANSWER)
    look = watch(engine, settings, connected)
    assert what(look)[0] == watching.TOKEN_NEVER_EXPIRES
    assert "1 January 2027" in look.problems[0].sentence
    assert alarms(engine, settings)["ShopifyAppNeedsAction"]
    assert what(watch(engine, settings, connected)) == []
    assert tokens.access_token(engine, settings, connected.site.id)[1] in shop.issued


def test_a_site_whose_shop_cannot_be_asked_is_connected_all_the_same(
    engine: sa.Engine, settings: Settings, store: ShopifyAdmin, shop: Shop
) -> None:
    begun = installing.begin(engine, settings, [("shop", SHOP)])
    assert isinstance(begun, installing.Begun)
    store.admin.arm(*[FaultKind.INTERNAL_ERROR] * 8)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("custom_events.platforms.shopify.admin_api.TRIES", 1)
        connected = install(engine, settings, begun)
    assert isinstance(connected, connecting.Connected)
    assert connected.site.name == "northlight-demo"
    assert what(connected.look) == [watching.NOT_REACHED]


# ---------------------------------------------------------------- what the shop tells of the app
def land(world: World, site_id: int, topic: str, body: dict[str, Any], triggered: datetime) -> None:
    headers = {"x-shopify-triggered-at": triggered.isoformat()}
    world.land(site_id, topic, body, headers=headers)
    world.drain()


@pytest.fixture
def world(database: str, engine: sa.Engine) -> World:
    return World(database, engine)


def test_an_app_that_was_removed_loses_its_tokens(
    engine: sa.Engine, settings: Settings, connected: Connected, world: World
) -> None:
    now = datetime.now(UTC) + timedelta(minutes=1)
    land(world, connected.site.id, "app/uninstalled", {"id": 1, "myshopify_domain": SHOP}, now)
    with engine.connect() as connection:
        gone = installation.get(connection, connected.site.id)
        row = connection.execute(sa.text("SELECT tokens_encrypted FROM app.shopify_installations")).scalar_one()
    assert (gone.state, gone.uninstalled_at, row) == ("uninstalled", now, None)
    assert alarms(engine, settings) == {"ShopifyAppNeedsAction": watching.UNINSTALLED}
    assert watching.watch_all(engine, settings, actor="test") == []


def test_what_was_told_before_the_last_install_removes_nothing(
    engine: sa.Engine, connected: Connected, world: World
) -> None:
    earlier = datetime.now(UTC) - timedelta(hours=1)
    land(world, connected.site.id, "app/uninstalled", {"id": 1, "myshopify_domain": SHOP}, earlier)
    land(
        world,
        connected.site.id,
        "app/uninstalled",
        {"id": 1, "myshopify_domain": "other.myshopify.com"},
        datetime.now(UTC) + timedelta(minutes=1),
    )
    with engine.connect() as connection:
        assert installation.get(connection, connected.site.id).is_installed
        reasons = connection.execute(sa.text("SELECT reason FROM app.raw_outcomes ORDER BY raw_id")).scalars().all()
    assert reasons == ["app_uninstalled", "shop_mismatch"]


def test_other_scopes_are_looked_at_without_an_alarm(
    engine: sa.Engine, settings: Settings, connected: Connected, world: World, shop: Shop
) -> None:
    shop.scopes = [*shop.scopes, "read_own_subscription_contracts"]
    land(world, connected.site.id, "app/scopes_update", {"id": 1, "current": shop.scopes}, datetime.now(UTC))
    look = watch(engine, settings, connected)
    assert "subscription_contracts/create" in look.repaired.made
    assert not look.problems


def test_a_shop_that_is_forgotten_has_no_installation(
    engine: sa.Engine, settings: Settings, connected: Connected, world: World
) -> None:
    with engine.begin() as connection:
        sites.update(connection, connected.site.id, actor="test", name="still there")
    land(world, connected.site.id, "shop/redact", {"shop_id": 1, "shop_domain": SHOP}, datetime.now(UTC))
    (carried,) = carry_out.carry_out_all(engine, settings, actor="test")
    assert carried.is_done
    assert carried.counts["app.shopify_installations"] == 1
    with engine.connect() as connection:
        assert installation.of_site(connection, connected.site.id) is None


def test_the_job_looks_at_every_shop_and_notes_its_end(
    engine: sa.Engine,
    database: str,
    settings: Settings,
    connected: Connected,
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "settings", lambda: settings)
    shop.webhooks.clear()
    shop.scopes = ["read_orders"]
    long_ago = datetime.now(UTC) - timedelta(days=2)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE app.scheduled_jobs SET ended_at = :at"), {"at": long_ago})
    result = jobs.watch_shops.execute_in_process(
        resources={"database_url": dg.ResourceDefinition.hardcoded_resource(database)}
    )
    assert result.success
    assert shop.webhooks
    with engine.connect() as connection:
        ended = connection.execute(
            sa.text("SELECT ended_at FROM app.scheduled_jobs WHERE name = 'watch_shops'")
        ).scalar_one()
    assert ended > long_ago
