"""What of an event is packed comes back as it was, through PostgreSQL, and what SQL looks for is not packed."""

import json

import msgspec
import pytest
import sqlalchemy as sa
import zstandard
from hypothesis import given

from custom_events.postgres import migrate
from custom_events.queries.stored_facts import facts_of
from custom_events.values import packed_facts
from custom_events.values.events import (
    CommerceEvent,
    Customer,
    EventType,
    Order,
    from_json,
    to_json,
    to_stored,
    to_stored_beside,
)
from tests.conditions.strategies import events
from tests.world import NOON, World, paid_order

INSERT = sa.text("""
INSERT INTO app.commerce_events (occurred_at, site_id, type, key, evidence_at, is_test, facts, packed)
VALUES (:at, 1, 'order.paid', :key, :at, false, CAST(:facts AS json), :packed)
""")
READ = sa.text(f"SELECT {facts_of('e')} FROM app.commerce_events e ORDER BY key")


@given(events)
def test_a_stored_event_is_the_same_event(event: CommerceEvent) -> None:
    stored = to_stored(event)
    assert from_json(packed_facts.as_read(*stored)) == from_json(to_json(event))
    assert from_json(to_json(event)) == from_json(to_json(event).decode())
    assert to_stored_beside(event, event, stored) == stored
    assert "order" not in json.loads(stored.facts)
    assert (stored.packed is None) == (event.order is None)


@given(events, events)
def test_with_the_help_of_another_event_it_is_stored_alike(event: CommerceEvent, other: CommerceEvent) -> None:
    assert to_stored_beside(event, other, to_stored(other)) == to_stored(event)


def test_a_customer_without_a_key_is_found_by_sql() -> None:
    order = Order(id="1", created_at=NOON, updated_at=NOON)
    nameless = CommerceEvent(
        type=EventType.ORDER_PAID,
        key="order.paid:1",
        occurred_at=NOON,
        evidence_at=NOON,
        order=order,
        customer=Customer(phone_sha256="ab"),
    )
    assert json.loads(to_stored(nameless).facts)["customer"] == {"phone_sha256": "ab"}
    named = msgspec.structs.replace(nameless, customer=Customer(key="c:1", phone_sha256="ab"))
    assert "customer" not in json.loads(to_stored(named).facts)


# A frame that says in its head that it holds 2^40 bytes.
HUGE = b"\x01\x28\xb5\x2f\xfd\xc0\x00" + (1 << 40).to_bytes(8, "little")


@pytest.mark.parametrize("packed", [b"", b"\xff\x00", b"\x01damaged", HUGE])
def test_what_cannot_be_unpacked_is_refused(packed: bytes) -> None:
    with pytest.raises(
        (ValueError, zstandard.ZstdError), match=r"dictionary|frame|content size|more than 67108864 bytes"
    ):
        packed_facts.unpack(packed)


@pytest.mark.database
def test_sql_gives_both_and_as_python_expects_it(engine: sa.Engine) -> None:
    long, short = (
        b'{"order":{"id":"1","tags":[' + b",".join(b'"%d"' % number for number in range(300)) + b"]}}",
        b'{"order":{"id":"2"}}',
    )
    rows = [("a", packed_facts.pack(long)), ("b", packed_facts.pack(short)), ("c", None)]
    with engine.begin() as connection:
        for key, packed in rows:
            connection.execute(INSERT, {"at": NOON, "key": key, "facts": '{"key":"k"}', "packed": packed})
        read = list(connection.execute(READ).scalars())
    assert read == [packed_facts.as_read(b'{"key":"k"}', packed) for _, packed in rows]
    assert json.loads(packed_facts.whole(read[0]))["order"]["tags"][-1] == "299"
    assert packed_facts.whole(read[2]) == '{"key":"k"}'


@pytest.mark.database
def test_an_older_version_finds_whole_facts(engine: sa.Engine, database: str) -> None:
    world = World(database, engine)
    site = world.site()
    world.land(site, "orders/paid", paid_order(1))
    world.drain()
    with engine.begin() as connection:
        packed = list(connection.execute(READ).scalars())
    assert any(packed_facts.SEPARATOR in facts for facts in packed)
    engine.dispose()
    migrate.downgrade(database, "0046")
    with engine.begin() as connection:
        texts = list(connection.execute(sa.text("SELECT facts::text FROM app.commerce_events ORDER BY key")).scalars())
    assert [from_json(text) for text in texts] == [from_json(facts) for facts in packed]
    assert [set(json.loads(text)) >= {"order", "customer"} for text in texts] == [True, True]
    engine.dispose()
    migrate.upgrade(database)
