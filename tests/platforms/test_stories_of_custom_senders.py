"""What custom senders are told, and rules of theirs that a single expected file would not explain."""

from collections.abc import Callable
from typing import Any

import msgspec

from custom_events.values.deliveries import Platform, Understood
from custom_events.values.events import EventType

CUSTOM = Platform.CUSTOM
Sample = Callable[[Platform, str], bytes]
Understand = Callable[..., Understood]


def changed(body: bytes, **fields: Any) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(body) | fields)


def test_custom_senders_are_told_what_is_wrong(sample: Sample, understand: Understand) -> None:
    full = sample(CUSTOM, "order.paid--full")
    assert understand(CUSTOM, "order.created", full).reason == "topic_mismatch"
    assert understand(CUSTOM, None, full).events == understand(CUSTOM, "order.paid", full).events
    many = changed(full, properties={str(n): n for n in range(101)})
    assert "at most 100" in (understand(CUSTOM, None, many).detail or "")
    for wrong in ({"x": "y" * 5000}, {"": 1}, {"n" * 200: 1}):
        assert "$.properties" in (understand(CUSTOM, None, changed(full, properties=wrong)).detail or "")
    plain = understand(CUSTOM, None, changed(full, clicks={}, consent=None, utm=None, customer=None))
    assert (plain.events[0].clicks, plain.events[0].consent, plain.events[0].customer) == ((), None, None)


def test_numbers_in_properties_stay_exact(sample: Sample, understand: Understand) -> None:
    body = sample(CUSTOM, "order.paid--full").replace(b"0.31", b"0.3100000000000000000001")
    assert bytes(understand(CUSTOM, None, body).events[0].properties["margin"]) == b"0.3100000000000000000001"


def test_order_events_beside_a_subscription_are_about_the_order(sample: Sample, understand: Understand) -> None:
    events = understand(CUSTOM, None, sample(CUSTOM, "subscription.renewed--with_order")).events
    assert {event.type: str(event.amount) for event in events} == {
        EventType.ORDER_CREATED: "120.00",
        EventType.ORDER_PAID: "120.00",
        EventType.SUBSCRIPTION_RENEWED: "19.00",
    }
