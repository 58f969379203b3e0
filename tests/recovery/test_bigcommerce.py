"""BigCommerce: a hook names an order, the order is read from the store's API, lands, and is queued once."""

import asyncio
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import httpx
import msgspec
import pytest
import sqlalchemy as sa

from custom_events import secrets
from custom_events.catalog import signing, store_api_keys
from custom_events.errors import InvalidConfiguration, NeedsAction, NotFound, Transient
from custom_events.platforms.bigcommerce.delivery import order_of
from custom_events.platforms.bigcommerce.orders_api import BigCommerceOrders
from custom_events.platforms.bigcommerce.signature import TOKEN as TOKEN_OF_HOOKS
from custom_events.platforms.registry import PLATFORMS
from custom_events.platforms.store_client import StoreClient
from custom_events.postgres import connect, role_logins
from custom_events.postgres.role_logins import Program
from custom_events.queries import recovery as sql
from custom_events.recovery.hints import hinted_sites, read_all_hinted, read_hinted
from custom_events.recovery.run import recover
from custom_events.settings import Settings
from custom_events.values.platforms import Platform
from ingest_api.app import create_app
from sandbox.google_ads.click_ids import make_click_id
from sandbox.stores.bigcommerce import BigCommerceStore, order, serve
from tests.ingest_api.conftest import living
from tests.recovery.conftest import StoreApiWorld

HASH, TOKEN = "abc123xyz", "t" * 31
OUTCOMES = "SELECT outcome, reason FROM app.raw_outcomes ORDER BY raw_id"
EVENTS = "SELECT key FROM app.event_keys ORDER BY 1"
UPLOADS = "SELECT transaction_id, kind, state FROM app.conversion_uploads ORDER BY 1, 2"
PAID = {"id": 1, "event": "purchase", "status": "ok", "gateway": "stripe", "test": False}


class StoreWorld(StoreApiWorld):
    """A site whose hooks name orders, and the store behind it."""

    def __init__(self, url: str, engine: sa.Engine) -> None:
        super().__init__(url, engine, "bigcommerce", HASH, TOKEN)
        self.store = BigCommerceStore(HASH, TOKEN)

    def sold(self, number: int, *, ago: float = 30, changed_ago: float | None = None, **fields: Any) -> None:
        """A paid order with a click in its metafields; the store has it from now on."""
        at = self.now - timedelta(minutes=ago)
        parts = fields.pop("parts", {})
        click_id = make_click_id("gclid", "1234567890", at - timedelta(hours=2), number)
        metafields = [{"id": 1, "namespace": "custom_events", "key": "gclid", "value": click_id}]
        transactions = [{**PAID, "date_created": at.isoformat()}]
        modified_at = at if changed_ago is None else self.now - timedelta(minutes=changed_ago)
        resource = order(number, created_at=at, modified_at=modified_at, **fields)
        self.store.put(resource, **{"metafields": metafields, "transactions": transactions, **parts})

    def hook(self, number: int, scope: str = "store/order/created", **more: Any) -> int:
        """What the receiver lands of a hook's delivery."""
        body = self.store.hook(scope, number, self.now, **more)
        described = PLATFORMS[Platform.BIGCOMMERCE].describe({}, body)
        return self.land(self.site_id, described.topic, body, headers={}, triggered_at=described.triggered_at)


@pytest.fixture
def world(database: str, engine: sa.Engine) -> Iterator[StoreWorld]:
    store_world = StoreWorld(database, engine)
    with serve(store_world.store) as url:
        store_world.connect(url)
        yield store_world


def test_a_hook_names_an_order_which_is_read_landed_and_queued_once(world: StoreWorld) -> None:
    world.rule(world.site_id, ads_action=world.action("7001"))
    world.sold(118)
    world.hook(118)
    world.hook(118, "store/order/updated")
    world.drain()
    assert world.rows(OUTCOMES) == [("ignored", "order_to_be_read")] * 2
    assert world.rows(EVENTS) == []
    with world.engine.connect() as connection:
        assert hinted_sites(connection, world.now) == [world.site_id]
    (reading,) = read_all_hinted(world.engine, world.settings, world.now)
    assert (reading.named, reading.landed, reading.problem) == (1, 1, None)
    assert world.rows(OUTCOMES) == [("ignored", "order_read")] * 2
    assert world.rows("SELECT topic, signature FROM landing.raw_events ORDER BY id DESC LIMIT 1") == [
        ("order.read", "fetched")
    ]
    world.drain()
    assert world.rows(EVENTS) == [("order.created:118",), ("order.paid:118",)]
    assert [row[1:] for row in world.rows(UPLOADS)] == [("conversion", "queued")]
    with world.engine.connect() as connection:
        assert hinted_sites(connection, world.now) == []
    world.hook(118, "store/order/metafield/created", type="metafield")  # no order's id: resource_id is missing
    world.hook(118, "store/order/updated")
    world.drain()
    assert world.rows(OUTCOMES)[-2:] == [("parked", "wrong_shape"), ("ignored", "order_to_be_read")]
    assert [entry.landed for entry in read_all_hinted(world.engine, world.settings, world.now)] == [1]
    world.drain()
    assert len(world.rows(UPLOADS)) == 1
    assert world.rows("SELECT count(*) FROM app.missing_orders") == [(0,)], "nothing was missing"
    assert world.rows("SELECT total, state_at < now() FROM app.orders") == [(119, True)]


def test_a_hook_by_the_receiver_to_an_order_at_the_end(world: StoreWorld, database: str) -> None:
    settings = Settings.model_validate(
        {"database_url": database, "receiver_figures_port": None, "secret_key": secrets.key(world.settings).decode()}
    )
    with world.engine.begin() as connection:
        signing.add(
            connection, world.site_id, "a token of thirty letters, all of it", key=secrets.key(settings), actor="a"
        )
    world.sold(118)
    body = world.store.hook("store/order/created", 118, world.now)

    async def scenario() -> list[httpx.Response]:
        app = create_app(settings)
        transport = httpx.ASGITransport(app)
        async with living(app), httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
            tokens = ("another token of thirty letters", *["a token of thirty letters, all of it"] * 2)
            return [
                await client.post("/webhooks/bigcommerce/shop", content=body, headers={TOKEN_OF_HOOKS: token})
                for token in tokens
            ]

    answers = asyncio.run(scenario())
    assert [answer.status_code for answer in answers] == [401, 200, 200]
    assert [answer.headers["delivery"] for answer in answers[1:]] == ["landed", "duplicate"]
    assert TOKEN_OF_HOOKS not in str(world.rows("SELECT headers FROM landing.raw_events"))
    world.drain()
    assert read_hinted(world.engine, world.settings, world.site_id, world.now).landed == 1
    world.drain()
    assert world.rows(EVENTS) == [("order.created:118",), ("order.paid:118",)]


def test_a_refund_that_a_hook_names_lowers_the_conversion(world: StoreWorld) -> None:
    world.rule(world.site_id, ads_action=world.action("7001"))
    world.sold(118)
    world.hook(118)
    world.drain()
    read_hinted(world.engine, world.settings, world.site_id, world.now)
    world.drain()
    refund = {"id": 3, "total_amount": 20, "created": world.now.isoformat(), "payments": [{"amount": 20}]}
    world.sold(118, parts={"refunds": [refund]}, status_id=14, changed_ago=10)
    world.hook(118, "store/order/refund/created", refund={"refund_id": 3})
    world.drain()
    read_hinted(world.engine, world.settings, world.site_id, world.now)
    world.drain()
    assert ("order.refunded:118:3",) in world.rows(EVENTS)
    assert world.rows("SELECT refunded FROM app.orders") == [(20,)]


def test_a_store_that_cannot_be_read_keeps_its_orders_named(world: StoreWorld) -> None:
    world.sold(118)
    world.hook(118)
    world.drain()
    world.store.answers.append((401, {}, {}))
    (reading,) = read_all_hinted(world.engine, world.settings, world.now)
    assert (reading.landed, "refuses the key (401)" in (reading.problem or "")) == (0, True)
    assert world.rows(OUTCOMES) == [("ignored", "order_to_be_read")]
    with world.engine.connect() as connection:
        assert hinted_sites(connection, world.now + timedelta(minutes=1)) == [], "not again at once"
        assert hinted_sites(connection, world.now + timedelta(minutes=6)) == [world.site_id]
    reading = read_hinted(world.engine, world.settings, world.site_id, world.now)
    assert (reading.landed, reading.problem) == (1, None)
    assert world.rows("SELECT problem FROM app.order_recoveries") == [(None,)]


def test_an_order_that_is_not_there_is_named_no_more_and_a_redacted_body_names_none(world: StoreWorld) -> None:
    world.hook(404)
    raw_id = world.hook(118)
    world.drain()
    with world.engine.begin() as connection:
        connection.execute(sa.text("UPDATE landing.raw_events SET body = '' WHERE id = :id"), {"id": raw_id})
    reading = read_hinted(world.engine, world.settings, world.site_id, world.now)
    assert (reading.named, reading.landed) == (1, 0)
    assert world.rows(OUTCOMES) == [("ignored", "order_read")] * 2


def test_what_no_hook_named_is_found_within_the_hour(world: StoreWorld) -> None:
    world.sold(118, ago=300)
    world.sold(119, ago=300, status_id=0)
    recovered = recover(world.engine, world.settings, world.site_id, world.now)
    assert (recovered.read, recovered.missing, recovered.landed) == (1, {"order": 1}, 1)
    world.drain()
    requests = len(world.store.requests)
    again = recover(world.engine, world.settings, world.site_id, world.now, since=world.now - timedelta(days=1))
    assert (again.missing, len(world.store.requests) - requests) == ({}, 1), "nothing is read whole"
    world.sold(118, ago=300, status_id=5, changed_ago=60)
    later = recover(world.engine, world.settings, world.site_id, world.now, since=world.now - timedelta(days=1))
    assert later.missing == {"change": 1}
    world.drain()
    assert ("order.cancelled:118",) in world.rows(EVENTS)


def test_lost_bodies_name_no_order(world: StoreWorld) -> None:
    assert order_of(b"") is None
    with pytest.raises(NotFound):
        read_hinted(world.engine, world.settings, 999, world.now)


def test_one_reading_of_a_site_at_a_time(world: StoreWorld) -> None:
    world.hook(118)
    world.drain()
    with world.engine.connect() as other:
        other.execute(sql.TAKE_SITE, {"site": world.site_id})
        with pytest.raises(Transient, match="being read already"):
            read_hinted(world.engine, world.settings, world.site_id, world.now)
        assert read_all_hinted(world.engine, world.settings, world.now) == []
        other.execute(sql.END_SITE, {"site": world.site_id})


def test_the_job_reads_what_was_named(world: StoreWorld, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestration import jobs, sensors

    monkeypatch.setattr(jobs, "settings", lambda: world.settings)
    world.sold(118)
    world.hook(118)
    world.drain()
    with world.engine.connect() as connection:
        assert sensors.orders_are_named(connection)
    resources = {"database_url": dg.ResourceDefinition.hardcoded_resource(database)}
    world.store.answers.append((401, {}, {}))
    assert jobs.read_named_orders.execute_in_process(resources=resources).success
    assert world.rows(OUTCOMES) == [("ignored", "order_to_be_read")]
    with world.engine.begin() as connection:
        connection.execute(sa.text("UPDATE app.order_recoveries SET problem = NULL, problem_since = NULL"))
    assert jobs.read_named_orders.execute_in_process(resources=resources).success
    assert world.rows(OUTCOMES) == [("ignored", "order_read")]


def test_all_of_it_under_the_pipelines_own_login(world: StoreWorld) -> None:
    with world.engine.begin() as connection:
        url = role_logins.make(connection, [Program.PIPELINE])[Program.PIPELINE]
    world.sold(118)
    world.sold(119, ago=300)
    world.hook(118)
    world.drain()
    engine = connect.engine(url, name="tests")
    try:
        assert [reading.landed for reading in read_all_hinted(engine, world.settings, world.now)] == [1]
        world.drain()
        assert recover(engine, world.settings, world.site_id, world.now).missing == {"order": 1}
    finally:
        engine.dispose()
    assert world.rows(OUTCOMES)[0] == ("ignored", "order_read")


def test_keys_of_bigcommerce(world: StoreWorld) -> None:
    given: dict[str, Any] = {"store_url": None, "key": secrets.key(world.settings), "actor": "ana"}
    with world.engine.begin() as connection:
        stored = store_api_keys.put(connection, world.site_id, consumer_key=HASH, consumer_secret=TOKEN, **given)
        assert stored.store_url == f"https://api.bigcommerce.com/stores/{HASH}"
        for key, secret, path in ((f"stores/{HASH}", TOKEN, "consumer_key"), (HASH, "short", "consumer_secret")):
            with pytest.raises(InvalidConfiguration) as refused:
                store_api_keys.put(connection, world.site_id, consumer_key=key, consumer_secret=secret, **given)
            assert refused.value.path == path


# ---------------------------------------------------------------- the reader by itself
START = datetime(2026, 11, 20, 12, tzinfo=UTC)


@contextmanager
def reader(store: BigCommerceStore, waits: list[float] | None = None) -> Generator[BigCommerceOrders]:
    """The reader of a store that answers."""
    slept = [] if waits is None else waits
    with (
        serve(store) as url,
        StoreClient(url, allow_private=True, headers={"x-auth-token": TOKEN}, sleep=slept.append) as client,
    ):
        yield BigCommerceOrders(client)


def store_of(count: int, *, step_s: int) -> BigCommerceStore:
    store = BigCommerceStore(HASH, TOKEN)
    for number in range(1, count + 1):
        store.put(order(number, created_at=START + timedelta(seconds=number * step_s)))
    return store


@pytest.mark.parametrize(("count", "step_s", "requests"), [(0, 1, 1), (249, 1, 1), (600, 1, 3), (600, 0, 3)])
def test_pages_are_cut_by_time_and_every_order_comes(count: int, step_s: int, requests: int) -> None:
    store = store_of(count, step_s=step_s)
    with reader(store) as orders:
        read = {entry.order_id for entry in orders.changed_since(START)}
    assert read == {str(number) for number in range(1, count + 1)}
    assert len(store.requests) == requests


def test_all_lines_of_an_order_and_none_where_the_store_has_none() -> None:
    store = store_of(2, step_s=1)
    store.parts[1, "products"] = [{"id": number, "quantity": 1} for number in range(300)]
    with reader(store) as orders:
        first, second = (entry.whole() for entry in orders.by_ids(["1", "2", "3"]))
    assert first is not None
    assert second is not None
    assert first.body.count(b'"quantity"') == 300
    assert b'"products":[],"transactions":[],"refunds":[],"metafields":[]}' in second.body


def test_a_store_that_is_asked_too_often_says_when_to_ask_again() -> None:
    store, waits = store_of(1, step_s=1), []
    store.answers.append((429, {"X-Rate-Limit-Time-Reset-Ms": "7500"}, {}))
    with reader(store, waits) as orders:
        assert [entry.order_id for entry in orders.by_ids(["1"])] == ["1"]
    assert waits == [7.5]


@pytest.mark.parametrize("document", ["<html>", {"error": 1}])
def test_what_is_no_list_is_not_read(document: Any) -> None:
    store = store_of(1, step_s=1)
    store.answers.append((200, {}, document))
    with reader(store) as orders, pytest.raises(NeedsAction, match="is no list"):
        list(orders.changed_since(START))
    store.answers.append((200, {}, document))
    with reader(store) as orders:
        assert list(orders.by_ids(["1"])) == []


def test_an_order_without_a_readable_time_is_still_read() -> None:
    store = store_of(1, step_s=1)
    with reader(store) as orders:
        for value in ("soon", 7, "Fri, 99 Nov 2026 12:00:00 +0000"):
            store.orders[1]["date_modified"] = value
            (entry,) = orders.by_ids(["1"])
            assert entry.modified_at is None


def test_lists_that_know_no_pages_end() -> None:
    same = [{"id": number} for number in range(250)]
    bodies: dict[str, Any] = {"/v2/orders/1": order(1, created_at=START), "/v2/orders/1/products": same}

    def answer(request: httpx.Request) -> httpx.Response:
        body = bodies.get(request.url.path)
        return httpx.Response(404 if body is None else 200, content=iter([msgspec.json.encode(body)]))

    transport = httpx.MockTransport(answer)
    with StoreClient("https://api.example", allow_private=False, transport=transport) as client:
        order_of_250 = BigCommerceOrders(client).by_ids(["1"])
        (whole,) = [entry.whole() for entry in order_of_250]
    assert whole is not None
    assert whole.body.count(b'"id"') == 1 + 250
