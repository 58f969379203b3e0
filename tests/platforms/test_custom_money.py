"""What a custom sender leaves out of a refund or of a click is what its order and its site say."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from custom_events.platforms.registry import PLATFORMS
from custom_events.values.deliveries import Platform, RawDelivery, Understood
from tests.platforms.conftest import site

CUSTOM = Platform.CUSTOM
ID = "Cj0KCQiA-b2_0123456789"


def read(kind: str, time_zone: str = "UTC", **parts: Any) -> Understood:
    body = {"type": kind, "occurred_at": "2026-10-01T10:00:00Z", **parts}
    delivery = RawDelivery(topic=kind, body=msgspec.json.encode(body), headers={})
    return PLATFORMS[CUSTOM].understand(delivery, site(CUSTOM, time_zone=time_zone, currency="EUR"))


REFUND = {"id": "r1", "amount": "5.00", "order_id": "A-1"}
ORDER = {"id": "A-1", "total": "50.00", "currency": "USD"}


@pytest.mark.parametrize(
    ("parts", "of_state", "of_event"),
    [
        ({"refund": REFUND}, None, "EUR"),  # the order's, whatever that is; the event alone has the site's
        ({"refund": REFUND, "order": ORDER}, "USD", "USD"),
        ({"refund": REFUND | {"currency": "chf"}}, "CHF", "CHF"),
        ({"refund": REFUND | {"currency": "CHF"}, "order": ORDER}, "CHF", "CHF"),
    ],
    ids=str,
)
def test_the_currency_of_a_refund_that_names_none_is_its_orders(
    parts: dict[str, Any], of_state: str | None, of_event: str
) -> None:
    found = read("order.refunded", **parts)
    assert [one.currency for one in found.refunds] == [of_state]
    assert [event.currency for event in found.events if event.type == "order.refunded"] == [of_event]


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-10-01 14:25:00", datetime(2026, 10, 1, 8, 55, tzinfo=UTC)),
        ("2026-10-01T14:25:00", datetime(2026, 10, 1, 8, 55, tzinfo=UTC)),
        ("2026-10-01T08:55:00Z", datetime(2026, 10, 1, 8, 55, tzinfo=UTC)),
        (1790844900, datetime(2026, 10, 1, 8, 55, tzinfo=UTC)),
        (1790844900000, datetime(2026, 10, 1, 8, 55, tzinfo=UTC)),
        (None, None),
    ],
)
def test_a_clicks_time_without_offset_is_in_the_sites_zone(written: Any, moment: datetime | None) -> None:
    found = read("order.paid", "Asia/Kolkata", order=ORDER, clicks={"gclid": ID, "clicked_at": written})
    assert [(click.id, click.clicked_at) for click in found.events[0].clicks] == [(ID, moment)]
    assert found.odd_leaves == ()


@pytest.mark.parametrize("written", ["soon", "01.10.2026 14:25", {}, True])
def test_a_clicks_time_that_is_none_is_counted_and_the_click_kept(written: Any) -> None:
    found = read("order.paid", order=ORDER, clicks={"gclid": ID, "clicked_at": written})
    assert [(click.id, click.clicked_at) for click in found.events[0].clicks] == [(ID, None)]
    assert found.odd_leaves == ("$.clicks.clicked_at",)
