"""Two bodies of one digest say the same, whatever is in them, but for the clock."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from custom_events.pipeline.kept_fields import KeptFields
from custom_events.pipeline.understanding import BatchState, Raw
from custom_events.platforms.registry import PLATFORMS
from custom_events.platforms.shopify.restatements import OrderRestatements
from custom_events.values.deliveries import Platform, SiteContext, Understood
from tests.world import paid_order

READER = OrderRestatements()
BORN = datetime(2026, 11, 1, 12, tzinfo=UTC)
SITE = SiteContext(site_id=1, platform=Platform.SHOPIFY, currency="EUR")
TOPIC = "orders/updated"


def compact(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def understood(body: bytes, topic: str) -> Understood:
    """What is kept of a body."""
    raw = Raw(date(2026, 10, 26), 1, BORN, 1, topic, BORN, "{}", zstandard.compress(body), len(body))
    return BatchState({1: SITE}, PLATFORMS, KeptFields(())).understand([raw])[0][1]


def without_clock(said: Understood) -> Understood:
    order = None if said.order is None else msgspec.structs.replace(said.order, updated_at=BORN)
    events = tuple(msgspec.structs.replace(event, order=order, evidence_at=BORN) for event in said.events)
    return msgspec.structs.replace(said, order=order, events=events)


def is_another_time(said: Understood, clock: datetime) -> bool:
    """Whether the clock stands for something else, too."""
    order = said.order
    assert order is not None
    moments = [order.created_at, order.paid_at, order.cancelled_at, order.payment_lost_at]
    return clock in [*moments, *(event.occurred_at for event in said.events)]


ANYTHING = st.sampled_from(
    [None, "x", "2026-11-30", "2026-13-45T00:00:00Z", "2026-11-30T10:00:00.5Z", 7, ["2026-11-30T10:00:00Z"]]
)
TIMES = st.integers(0, 400).map(lambda minutes: (BORN + timedelta(minutes=minutes)).isoformat())
ELSEWHERE = st.sampled_from(["customer", "note_attributes", "line_items", "billing_address", "another"])


@given(
    clocks=st.tuples(TIMES, TIMES),
    others=st.tuples(TIMES | ANYTHING, TIMES | ANYTHING),
    place=ELSEWHERE,
    topic=st.sampled_from(sorted(READER.topics)),
    status=st.sampled_from(["paid", "pending", "voided", None]),
    total=st.sampled_from(["5.00", "none"]),
)
def test_bodies_of_one_digest_are_understood_alike(
    clocks: tuple[str, str], others: tuple[Any, Any], place: str, topic: str, status: str | None, total: str
) -> None:
    def body(clock: str, other: Any) -> bytes:
        order = paid_order(at=BORN) | {"updated_at": clock, "financial_status": status, "total_tax": total}
        inner: dict[str, Any] = {"id": 7, "updated_at": other}
        order[place] = [inner] if place == "line_items" else inner
        return compact(order)

    first, second = (body(clock, other) for clock, other in zip(clocks, others, strict=True))
    digests = READER.digest(topic, "{}", first), READER.digest(topic, "{}", second)
    said, then = understood(first, topic), understood(second, topic)
    if digests[0] == digests[1] and said.order is not None and not is_another_time(said, said.order.updated_at):
        assert without_clock(said) == without_clock(then)
        assert then.order is not None
        assert READER.clock(second) == then.order.updated_at
        assert all(event.evidence_at == then.order.updated_at for event in then.events)
    if all(isinstance(other, str) and other.startswith("2026-11-01T") for other in others):
        assert digests[0] == digests[1]


@pytest.mark.parametrize(
    "change",
    [
        {"topic": "orders/paid"},
        {"body": {"updated_at": "2026-11-01T12:00:00.000Z"}},
        {"body": {"updated_at": ""}},
        {"body": {"updated_at": None}},
        {"body": {"note": '\\"updated_at\\":\\"2026-11-01T12:00:00Z'}},
        {"body": {"customer": {"updated_at": "2026-02-29T12:00:00Z"}}},
    ],
)
def test_what_is_no_plain_clock_counts(change: dict[str, Any]) -> None:
    order = paid_order(at=BORN)
    other = READER.digest(change.get("topic", TOPIC), "{}", compact(order | change.get("body", {})))
    assert other != READER.digest(TOPIC, "{}", compact(order))


@pytest.mark.parametrize("header", ["x-shopify-test", "shopify-webhook-id"])
def test_tests_and_events_are_not_compared(header: str) -> None:
    assert READER.digest(TOPIC, json.dumps({header: "true"}), compact(paid_order())) is None
    assert READER.digest(TOPIC, '{"x-shopify-webhook-id":"1"}', compact(paid_order())) is not None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"id":1,"updated_at":"\\ud800"}',
        b"[]",
        b"\xff",
        b'{"updated_at":"2026-11-01"}',
        b'{"updated_at":5}',
    ],
)
def test_any_bytes(body: bytes) -> None:
    assert READER.clock(body) is None
    assert READER.digest(TOPIC, "{}", body) is not None


def test_an_order_is_named_where_its_body_begins_with_its_id() -> None:
    assert READER.order_named(compact(paid_order(820982911946154508))) == "820982911946154508"
    for body in (b'{"id":"1",', b'{"id":01,', b'{ "id":1,', b'{"name":"#1","id":1,', b""):
        assert READER.order_named(body) is None
