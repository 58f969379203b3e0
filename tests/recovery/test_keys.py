"""Keys of stores' APIs: encrypted, shown by their end alone, by the command line, the API and the pages."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from custom_events import secrets
from custom_events.access import key_rotation
from custom_events.catalog import audit, store_api_keys
from custom_events.errors import InvalidConfiguration, NotFound
from custom_events.recovery.report import report
from custom_events.settings import Settings
from custom_events.watching.alarms import raised
from custom_events.watching.measure import measure
from custom_events.watching.status import status
from tests.cli.conftest import Run, run
from tests.recovery.conftest import KEY, SECRET, ShopWorld

__all__ = ["run"]


def test_a_key_is_encrypted_and_known_by_its_end(world: ShopWorld) -> None:
    key = secrets.key(world.settings)
    with world.engine.begin() as connection:
        stored = store_api_keys.get(connection, world.site_id)
        assert stored.key_ending == KEY[-7:]
        url, credentials = store_api_keys.credentials(connection, world.site_id, key)
        assert (url, credentials.consumer_key, credentials.consumer_secret) == (stored.store_url, KEY, SECRET)
        token = connection.execute(sa.text("SELECT key_encrypted FROM app.store_api_keys")).scalar_one()
        assert SECRET.encode() not in bytes(token)
        entries = audit.page(connection, limit=10) if hasattr(audit, "page") else []
        assert SECRET not in str(entries)
        ring = Fernet.generate_key() + b"," + key
    rotation = key_rotation.rotate(world.engine, ring, actor="ana")
    assert rotation.renewed >= 1
    with world.engine.begin() as connection:
        assert store_api_keys.credentials(connection, world.site_id, ring)[1].consumer_key == KEY
        store_api_keys.remove(connection, world.site_id, actor="ana")
        for ask in (store_api_keys.get, lambda made, site: store_api_keys.credentials(made, site, ring)):
            with pytest.raises(NotFound, match="has no key of its store's API"):
                ask(connection, world.site_id)


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"consumer_key": "cs_1"}, "consumer_key"),
        ({"consumer_secret": "ck_1"}, "consumer_secret"),
        ({"consumer_key": "ck_ 1"}, "consumer_key"),
        ({"consumer_key": "ck_" + "1" * 300}, "consumer_key"),
        ({"store_url": "http://shop.example"}, "store_url"),
    ],
)
def test_what_cannot_be_a_key(world: ShopWorld, changed: dict[str, str], path: str) -> None:
    given: dict[str, Any] = {"store_url": None, "consumer_key": KEY, "consumer_secret": SECRET, **changed}
    with world.engine.begin() as connection, pytest.raises(InvalidConfiguration) as refused:
        store_api_keys.put(connection, world.site_id, **given, key=b"", actor="ana")
    assert refused.value.path == path


def test_which_sites_have_keys(world: ShopWorld) -> None:
    shopify = world.site()
    given: dict[str, Any] = {
        "store_url": None,
        "consumer_key": KEY,
        "consumer_secret": SECRET,
        "key": b"",
        "actor": "ana",
    }
    with world.engine.begin() as connection:
        with pytest.raises(InvalidConfiguration, match="a site of shopify has no key"):
            store_api_keys.put(connection, shopify, **given)
        connection.execute(sa.text("UPDATE app.sites SET shop_domain = NULL"))
        with pytest.raises(InvalidConfiguration, match="name the store's address"):
            store_api_keys.put(connection, world.site_id, **given)


def test_what_a_reading_found_is_reported_an_alarm_and_in_status(world: ShopWorld) -> None:
    world.order(1)
    world.recover()
    with world.engine.connect() as connection:
        shown = report(connection, world.site_id, "woocommerce", world.now)
        raw_id = connection.execute(sa.text("SELECT id FROM landing.raw_events")).scalar_one()
        assert [(row.kind, row.orders, row.sample_raw_id) for row in shown.missing] == [("order", 1, raw_id)]
        assert (len(shown.runs), shown.problem, shown.can_have_key) == (1, None, True)
        assert shown.read_until is not None
        alarms = {alarm.key: alarm for alarm in raised(measure(connection, Settings(), world.now))}
        alarm = alarms["OrdersMissing{site=shop,kind=order}"]
        assert alarm.where["example"] == f"raw:{raw_id}"
        assert status(connection, Settings(), world.now).missing_orders == {"shop order": 1}
    world.shop.answers.append((403, {}, {}))
    world.recover(now=world.now + timedelta(hours=1))
    with world.engine.connect() as connection:
        later = world.now + timedelta(hours=9)
        assert "OrdersNotRead{site=shop}" in {alarm.key for alarm in raised(measure(connection, Settings(), later))}


def test_the_job_reads_every_site(world: ShopWorld, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestration import jobs

    monkeypatch.setattr(jobs, "settings", lambda: world.settings)
    world.order(1)
    resources = {"database_url": dg.ResourceDefinition.hardcoded_resource(database)}
    assert jobs.recover_orders.execute_in_process(resources=resources).success
    world.shop.answers.append((403, {}, {}))
    assert jobs.recover_orders.execute_in_process(resources=resources).success
    with world.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM landing.raw_events")).scalar_one() == 1
        ended = "SELECT ended_at > now() - interval '1 minute' FROM app.scheduled_jobs WHERE name = 'recover_orders'"
        assert connection.execute(sa.text(ended)).scalar_one()


def test_verbs(world: ShopWorld, run: Run, database: str) -> None:
    key = secrets.key(world.settings).decode()

    def ask(*words: str, given: str | None = None, code: int = 0) -> str:
        variables = {
            "DATABASE_URL": database,
            "CUSTOM_EVENTS_SECRET_KEY": key,
            "CUSTOM_EVENTS_STORE_API_PRIVATE": "true",
        }
        result = run("site", *words, given=given, **variables)
        assert result.exit_code == code, result.output
        return result.output

    with world.engine.connect() as connection:
        url = store_api_keys.get(connection, world.site_id).store_url
    assert "key that ends in 1111111" in ask("api-key", "set", "shop", "--key", KEY, "--url", url, given=f"{SECRET}\n")
    assert f"{url}  key ...1111111" in ask("api-key", "show", "shop")
    world.order(1)
    dry = ask("recover-orders", "shop", "--dry-run")
    assert "no delivery had brought the order" in dry
    assert "for example order 1" in dry
    assert "that was a dry run" in dry
    since = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%d")
    assert "1 landed now" in ask("recover-orders", "shop", "--since", since)
    world.drain()
    assert "Nothing is missing." in ask("recover-orders", "shop")
    assert json.loads(ask("recover-orders", "shop", "--json"))["landed"] == 0
    world.shop.answers.append((401, {}, {}))
    assert "was not read to the end" in ask("recover-orders", "shop", code=1)
    assert "are read no more" in ask("api-key", "remove", "shop")
    assert "has no key" in ask("api-key", "show", "shop", code=1)
    raw_id = world.rows("SELECT id FROM landing.raw_events")[0][0]
    traced = run("explain", f"raw:{raw_id}", DATABASE_URL=database, CUSTOM_EVENTS_SECRET_KEY=key)
    assert "fetched by order recovery: no delivery had brought it" in traced.output
