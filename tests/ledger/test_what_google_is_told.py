"""Customer type, environment and cart arrive over both lanes; without them nothing of the kind is said."""

import json
from typing import Any

import pytest

from custom_events.values.conversions import Lane
from sandbox.google_ads.server import SandboxGoogle
from tests.ledger.conftest import Ledger

CART = {
    "merchant_id": "55",
    "country": "DE",
    "language": "de",
    "discount": "3.00",
    "items": [{"id": "MUG", "quantity": 2, "unit_price": "12.50"}, {"id": "CUP", "quantity": 1}],
}


@pytest.fixture(params=list(Lane))
def lane(request: Any) -> Lane:
    return request.param


def test_all_of_it(ledger: Ledger, lanes: dict[Lane, Any], lane: Lane, google: SandboxGoogle) -> None:
    ledger.order(lane=lane, new_customer=True, environment="app", cart=json.dumps(CART))
    ledger.order(lane=lane, new_customer=False)
    ledger.order(lane=lane)
    ledger.settle(lanes)
    told = google.state.conversions
    assert [one.customer_type for one in told] == ["NEW", "RETURNING", "UNSPECIFIED"]
    assert [one.environment for one in told] == ["APP", "WEB", "WEB"]
    items = [
        {"product_id": "MUG", "quantity": 2, "unit_price": 12.5},
        {"product_id": "CUP", "quantity": 1, "unit_price": 0.0},
    ]
    if lane is Lane.GOOGLE_ADS:
        assert told[0].cart == {
            "merchant_id": 55, "feed_country_code": "DE", "feed_language_code": "de", "local_transaction_cost": 3.0,
            "items": items,
        }  # fmt: skip
    else:
        assert told[0].cart == {"merchant_id": "55", "transaction_discount": 3.0, "items": items}
    assert [one.cart for one in told[1:]] == [None, None]


def test_a_cart_without_particulars(ledger: Ledger, lanes: dict[Lane, Any], lane: Lane, google: SandboxGoogle) -> None:
    bare = {"merchant_id": "55", "items": [{"id": "MUG", "quantity": 1, "unit_price": "1"}]}
    ledger.order(lane=lane, cart=json.dumps(bare))
    ledger.settle(lanes)
    (told,) = google.state.conversions
    assert told.cart["items"] == [{"product_id": "MUG", "quantity": 1, "unit_price": 1.0}]
