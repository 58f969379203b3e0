"""An order of which no delivery came is read from its store, lands as deliveries do, and counts once."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from custom_events.errors import InvalidConfiguration, NotFound, Permanent, Transient
from custom_events.ledger.sender import Lanes
from custom_events.platforms.base import Delivery
from custom_events.platforms.dedup_keys import dedup_key
from custom_events.platforms.store_orders import FetchedOrder
from custom_events.queries import recovery as sql
from custom_events.recovery import run
from custom_events.recovery.run import Recovery, recover, recover_all
from custom_events.settings import Settings
from sandbox.google_ads.server import SandboxGoogle
from sandbox.stores.posts import minified
from tests.ledger.conftest import at_google
from tests.recovery.conftest import ShopWorld, backdate_site

LANDED = "SELECT topic, signature, triggered_at IS NOT NULL FROM landing.raw_events ORDER BY id"
EVENTS = "SELECT key FROM app.event_keys ORDER BY 1"
UPLOADS = "SELECT transaction_id, kind, state FROM app.conversion_uploads ORDER BY created_at, id"


def test_an_order_deleted_from_landing_comes_back_and_ends_at_google_once(
    world: ShopWorld, google: SandboxGoogle, lanes: Lanes
) -> None:
    world.rule(world.site_id, ads_action=world.action("7001"))
    first, second = world.order(1001), world.order(1002)
    world.webhook(first)
    world.drain()
    world.webhook(second)
    with world.engine.begin() as connection:  # before anybody understood it
        connection.execute(sa.text("DELETE FROM landing.raw_events e USING landing.raw_queue q WHERE q.raw_id = e.id"))
        connection.execute(sa.text("DELETE FROM landing.raw_queue"))
    reading = world.recover()
    assert (reading.read, reading.missing, reading.landed, reading.problem) == (2, {"order": 1}, 1, None)
    assert reading.sample_orders == ["1002"]
    assert world.rows(LANDED) == [("order.updated", "verified", False), ("order.updated", "fetched", True)]
    world.drain()
    world.webhook(second)  # the webhook comes after all
    world.drain()
    world.send(lanes, lambda: datetime.now(UTC))
    assert sorted(at_google(google)) == [f"{world.site_id}-1001", f"{world.site_id}-1002"]
    assert [row[1:] for row in world.rows(UPLOADS)] == [("conversion", "accepted")] * 2


def test_reading_again_finds_nothing_and_lands_nothing(world: ShopWorld) -> None:
    world.order(1)
    assert world.recover().landed == 1
    again = world.recover(since=world.now - timedelta(days=1))  # nobody has understood it yet
    assert (again.missing, again.landed) == ({"order": 1}, 0)
    world.drain()
    after = world.recover(now=world.now + timedelta(hours=1))
    assert (after.missing, after.landed) == ({}, 0)
    assert world.rows("SELECT kind, orders FROM app.missing_orders") == [("order", 1)]
    assert world.rows("SELECT orders_read, orders_missing, orders_landed FROM app.order_recovery_runs ORDER BY id") == [
        (1, 1, 1),
        (1, 1, 0),
        (0, 0, 0),
    ]


def test_the_same_body_by_a_late_webhook_is_a_duplicate(world: ShopWorld) -> None:
    body = world.order(1)
    world.recover()
    key = dedup_key(Delivery(topic="order.updated"), minified(body))  # as the receiver keys what a native webhook sends
    assert world.rows("SELECT encode(dedup_key, 'hex') FROM landing.raw_events") == [(key,)]


def test_a_change_that_no_delivery_told_of(world: ShopWorld) -> None:
    world.webhook(world.order(1, status="pending", paid_at=None))
    world.drain()
    world.order(1, status="processing", changed_ago=120)
    assert world.recover().missing == {"change": 1}
    world.drain()
    assert ("order.paid:1",) in world.rows(EVENTS)


def test_another_change_than_of_status_and_total_is_nobodys_business(world: ShopWorld) -> None:
    world.webhook(world.order(1))
    world.drain()
    world.order(1, changed_ago=120, customer_note="Ring twice")
    assert world.recover().missing == {}


def test_what_changed_just_now_may_still_be_on_its_way(world: ShopWorld) -> None:
    world.order(1, ago=5)
    reading = world.recover()
    assert (reading.read, reading.missing) == (1, {})
    later = world.recover(now=world.now + timedelta(minutes=20))
    assert later.missing == {"order": 1}


def test_a_refund_that_no_delivery_told_of_and_one_that_disappeared(world: ShopWorld) -> None:
    world.rule(world.site_id, ads_action=world.action("7001"))
    world.webhook(world.order(1, refunds={91: "10.00"}, changed_ago=200))
    world.drain()
    assert world.rows("SELECT refunded FROM app.orders")[0][0] == 10
    world.shop.delete_refund(1, 91)  # its date of change stays
    assert world.recover().missing == {"refund_deleted": 1}
    world.drain()
    assert world.rows("SELECT refunded FROM app.orders")[0][0] == 0
    assert world.recover(now=world.now + timedelta(days=2)).missing == {}
    world.shop.moved_s = 3_600  # two readings of one second are of one moment
    world.order(1, refunds={92: "5.00"}, changed_ago=200)
    assert world.recover(now=world.now + timedelta(days=2), since=world.now - timedelta(days=1)).missing == {
        "refund": 1
    }
    world.drain()
    assert world.rows("SELECT refunded FROM app.orders")[0][0] == 5


def test_orders_that_the_store_made_before_the_site_was_made_are_landed_only_when_somebody_asks(
    world: ShopWorld,
) -> None:
    """Another tag counted them."""
    backdate_site(world.engine, world.site_id, world.now - timedelta(hours=5))
    world.order(1, ago=36 * 60)
    world.order(2, ago=30 * 60, changed_ago=60)  # completed since
    world.order(3, ago=240)
    first = world.recover()
    assert (first.since, first.sample_orders) == (world.now - timedelta(hours=5), ["3"])
    world.drain()
    assert world.recover(now=world.now + timedelta(hours=1)).missing == {}
    later = world.recover(
        since=world.now - timedelta(hours=2)
    )  # behind the site's beginning: it asks for nothing older
    assert (later.read, later.missing) == (1, {})
    by_hand = world.recover(since=world.now - timedelta(hours=40))
    assert by_hand.missing == {"order": 2}


def test_an_older_order_that_landed_by_its_delivery_is_compared_like_any(world: ShopWorld) -> None:
    backdate_site(world.engine, world.site_id, world.now - timedelta(hours=5))
    world.webhook(world.order(1, ago=36 * 60, changed_ago=200, status="pending", paid_at=None))
    world.drain()
    world.order(1, ago=36 * 60, changed_ago=100, status="processing")
    assert world.recover().missing == {"change": 1}


def test_a_delivery_that_held_an_error_is_read_again_however_old_its_order_is(world: ShopWorld) -> None:
    world.order(1, ago=3 * 24 * 60)
    error = {"code": "woocommerce_rest_cannot_view", "message": "Sorry", "data": {"status": 401}}
    world.webhook(error)
    world.drain()
    with world.engine.begin() as connection:
        connection.execute(sa.text("UPDATE app.raw_outcomes SET received_at = now() - interval '3 days'"))
        values = {"site": world.site_id, "read_until": world.now - timedelta(days=4), "refunds_read_at": None}
        connection.execute(sql.KEEP_PROGRESS, values | {"problem": None, "now": world.now})
    assert world.recover().missing == {"order": 1}


def test_drafts_and_parts_of_other_orders_are_not_missing_and_what_cannot_be_read_lands(world: ShopWorld) -> None:
    world.order(1, status="checkout-draft")
    world.order(2, parent_id=1)
    world.order(3, total="abc")
    assert world.recover().missing == {"order": 1}
    world.drain()
    assert world.rows("SELECT outcome FROM app.raw_outcomes") == [("parked",)]


def test_a_dry_run_leaves_nothing(world: ShopWorld) -> None:
    world.order(1)
    reading = world.recover(dry_run=True)
    assert (reading.missing, reading.landed) == ({"order": 1}, 0)
    for table in ("landing.raw_events", "app.missing_orders", "app.order_recoveries", "app.order_recovery_runs"):
        assert world.rows(f"SELECT count(*) FROM {table}") == [(0,)]


def test_a_store_that_does_not_answer_is_a_problem_and_the_next_run_begins_where_this_one_did(world: ShopWorld) -> None:
    world.order(1)
    world.shop.answers.append((403, {}, {"code": "woocommerce_rest_cannot_view"}))
    reading = world.recover()
    assert reading.problem is not None
    assert "refuses the key (403)" in reading.problem
    problems = "SELECT problem IS NOT NULL, problem_since IS NOT NULL, read_until IS NULL FROM app.order_recoveries"
    assert world.rows(problems) == [(True, True, True)]
    assert world.recover().missing == {"order": 1}
    assert world.rows(problems) == [(False, False, False)]


def test_a_reading_by_hand_that_begins_later_leaves_no_hole(world: ShopWorld) -> None:
    """The store was away for two days; somebody reads the last hours by hand."""
    with world.engine.begin() as connection:
        values = {"site": world.site_id, "read_until": world.now - timedelta(days=2), "refunds_read_at": None}
        connection.execute(sql.KEEP_PROGRESS, values | {"problem": "It did not answer", "now": world.now})
    world.order(1, ago=30 * 60)
    world.order(2, ago=60)
    assert world.recover(since=world.now - timedelta(hours=3)).sample_orders == ["2"]
    world.drain()
    assert world.recover(now=world.now + timedelta(hours=1)).sample_orders == ["1"]
    marks = world.rows("SELECT read_until FROM app.order_recoveries")
    assert marks[0][0] > world.now


def test_a_site_that_was_not_read_for_longer_than_is_looked_back_goes_on(world: ShopWorld) -> None:
    with world.engine.begin() as connection:
        values = {"site": world.site_id, "read_until": world.now - timedelta(days=200), "refunds_read_at": None}
        connection.execute(sql.KEEP_PROGRESS, values | {"problem": None, "now": world.now})
    world.recover()
    assert world.rows("SELECT read_until FROM app.order_recoveries")[0][0] > world.now - timedelta(hours=1)


def test_a_change_within_the_second_of_what_landed(world: ShopWorld) -> None:
    world.webhook(world.order(1, status="pending", paid_at=None))
    world.drain()
    world.order(1, status="processing")  # made and paid within one second: of the second delivery nothing came
    assert world.recover().missing == {"change": 1}
    world.drain()
    assert ("order.paid:1",) in world.rows(EVENTS)
    assert world.recover(since=world.now - timedelta(days=1)).missing == {}


def test_an_answer_that_will_never_do_is_a_problem_that_people_see(world: ShopWorld) -> None:
    class Reader:
        def changed_since(self, since: datetime) -> Iterator[FetchedOrder]:
            del since
            raise Permanent("answer_too_large", "The answer is too large")

        def by_ids(self, order_ids: Sequence[str]) -> Iterator[FetchedOrder]:
            raise NotImplementedError(order_ids)

    assert world.recover(reader=Reader()).problem == "The answer is too large"
    assert world.rows("SELECT problem FROM app.order_recoveries") == [("The answer is too large",)]


def test_whoever_was_forgotten_is_not_brought_back(world: ShopWorld) -> None:
    from custom_events import secrets
    from custom_events.values.forgotten import SubjectKind, Subjects

    world.order(1)
    world.order(2)
    secret = b"0" * 32
    with world.engine.begin() as connection:
        token = secrets.encrypt(secret, secrets.key(world.settings))
        connection.execute(
            sa.text("INSERT INTO app.forgetting_keys (secret_encrypted) VALUES (:token)"), {"token": token}
        )
        digest = Subjects(secret, world.site_id).digest(SubjectKind.ORDER, "1")
        values = {"site": world.site_id, "digest": digest}
        connection.execute(
            sa.text("INSERT INTO app.forgotten_subjects VALUES (:site, 'order', :digest, '9999-01-01', 1)"), values
        )
    assert world.recover(dry_run=True).sample_orders == ["2"]


def test_one_reading_of_a_site_at_a_time(world: ShopWorld) -> None:
    with world.engine.connect() as other:
        other.execute(sql.TAKE_SITE, {"site": world.site_id})
        with pytest.raises(Transient, match="being read already"):
            world.recover()
        assert recover_all(world.engine, world.settings, world.now) == []
        other.execute(sql.END_SITE, {"site": world.site_id})


def test_every_site_with_a_key_is_read(world: ShopWorld) -> None:
    world.order(1)
    world.site(platform="woocommerce")  # without a key
    assert [reading.landed for reading in recover_all(world.engine, world.settings, world.now)] == [1]


def test_a_fault_at_one_site_keeps_no_other_from_its_turn(world: ShopWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    faulty = world.site(platform="woocommerce")
    world.order(1)
    read: list[int] = []

    def recover_one(engine: sa.Engine, settings: Settings, site_id: int, now: datetime) -> Recovery:
        if site_id == faulty:
            raise KeyError("orders")
        read.append(recover(engine, settings, site_id, now).landed)
        return Recovery(site_id=site_id, since=now, until=now)

    monkeypatch.setattr(run, "readable_sites", lambda _connection: [faulty, world.site_id])
    monkeypatch.setattr(run, "recover", recover_one)
    with pytest.raises(ExceptionGroup, match="some sites"):
        recover_all(world.engine, world.settings, world.now)
    assert read == [1]


@pytest.mark.parametrize("since", [timedelta(days=91), timedelta(days=-1)])
def test_since_lies_within_what_google_takes(world: ShopWorld, since: timedelta) -> None:
    with pytest.raises(InvalidConfiguration, match="at most 90 days back"):
        world.recover(since=world.now - since)


def test_what_is_not_there(world: ShopWorld) -> None:
    with pytest.raises(NotFound):
        recover(world.engine, world.settings, 99, world.now)
    custom = recover(world.engine, world.settings, world.site(platform="custom"), world.now)
    assert custom.problem == "The orders of a site of custom cannot be read: its deliveries are all there is."
    without_key = recover(world.engine, world.settings, world.site(platform="woocommerce"), world.now)
    assert "api-key set" in (without_key.problem or "")
