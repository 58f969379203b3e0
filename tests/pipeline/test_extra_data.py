"""What is told of an order beside its value."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from custom_events.pipeline import extra_data
from custom_events.values.definitions import CartRule, ConversionExtras
from custom_events.values.events import CommerceEvent, EventType, LineItem, Order

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
SHOPIFY = CartRule(merchant_id="55", country="DE", language="de", item_id="shopify_DE_{product_id}_{variant_id}")
WHOLE = LineItem(product_id="7", variant_id="8", sku="MUG", quantity=2, price=Decimal("12.50"))


def event(*items: LineItem, **order: object) -> CommerceEvent:
    made = Order(id="1", created_at=AT, updated_at=AT, items=items, **order)
    return CommerceEvent(type=EventType.ORDER_PAID, key="k", occurred_at=AT, evidence_at=AT, order=made)


def no_order() -> CommerceEvent:
    return CommerceEvent(type=EventType.CUSTOMER_CREATED, key="k", occurred_at=AT, evidence_at=AT)


def test_a_cart_has_the_merchant_centres_ids() -> None:
    told = extra_data.cart(SHOPIFY, event(WHOLE, discount=Decimal("3.00")))
    assert json.loads(told or "") == {
        "merchant_id": "55",
        "country": "DE",
        "language": "de",
        "discount": "3.00",
        "items": [{"id": "shopify_DE_7_8", "quantity": 2, "unit_price": "12.50"}],
    }


@pytest.mark.parametrize(
    "found",
    [
        no_order(),
        event(),
        event(LineItem(product_id="7", quantity=1)),
        event(LineItem(product_id="7", variant_id="8", quantity=0)),
    ],
    ids=["no order", "no items", "half an id", "nothing of it"],
)
def test_without_an_id_there_is_no_cart(found: CommerceEvent) -> None:
    assert extra_data.cart(SHOPIFY, found) is None


def test_a_line_without_id_leaves_the_others() -> None:
    told = extra_data.cart(
        CartRule(merchant_id="55"), event(WHOLE, LineItem(quantity=1), LineItem(sku="CUP", quantity=1))
    )
    assert [item["id"] for item in json.loads(told or "")["items"]] == ["MUG", "CUP"]


def test_an_apps_orders_are_told_as_such() -> None:
    extras = ConversionExtras(app_sources=("mobile",))
    assert extra_data.environment(extras, event(source_name="mobile")) == "app"
    assert extra_data.environment(extras, event(source_name="web")) is None
    assert extra_data.environment(extras, event()) is None
    assert extra_data.environment(extras, no_order()) is None
