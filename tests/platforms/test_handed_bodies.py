"""Small bodies with what is right of each (../shared/cases beside the repository; they are not copied here)."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from custom_events.matching.value import compile_rule, value_of
from custom_events.platforms.registry import PLATFORMS
from custom_events.values.definitions import ValueRule
from custom_events.values.deliveries import Outcome, Platform, RawDelivery, SiteContext, Understood
from custom_events.values.events import CommerceEvent

CASES = Path(__file__).parents[3] / "shared" / "cases" / "bodies"
ODD = sorted((CASES / "odd-leaf").glob("*.json"))

pytestmark = pytest.mark.skipif(not ODD, reason=f"no shared cases at {CASES}")


def understood(name: str, **settings: Any) -> Understood:
    path = CASES / f"{name}.json"
    platform_word, topic = name.partition("--")[0].split("__", 1)
    platform = Platform(platform_word)
    topic = (
        topic.replace("__", "/") if platform is Platform.SHOPIFY else topic.replace("order_updated", "order.updated")
    )
    site = SiteContext(site_id=1, platform=platform, currency="EUR", **settings)
    delivery = RawDelivery(
        topic=topic, body=path.read_bytes(), headers={"x-shopify-triggered-at": "2026-11-22T10:00:00Z"}
    )
    return PLATFORMS[platform].understand(delivery, site)


def event(found: Understood, kind: str = "order.paid") -> CommerceEvent:
    (event,) = [event for event in found.events if event.type == kind]
    return event


def value(found: Understood, **rule: Any) -> Decimal | None:
    return value_of(compile_rule(ValueRule(**rule)), event(found)).amount


def pending_refund_counts(found: Understood) -> None:
    refund = event(found, "order.refunded").refund
    assert refund is not None
    assert (refund.amount, refund.is_pending) == (Decimal("1366.02"), True)
    assert [item.total for item in refund.items] == [Decimal("1240.71")]


def refund_in_shop_currency(found: Understood) -> None:
    refund = event(found, "order.refunded").refund
    assert refund is not None
    assert (refund.amount, refund.currency) == (Decimal("110.00"), "EUR")


def refund_line_speaks_for_itself(found: Understood) -> None:
    refund = event(found, "order.refunded").refund
    assert refund is not None
    assert [(item.total, item.discount, item.quantity) for item in refund.items] == [(Decimal(8), Decimal(2), 1)]


def void_gives_nothing_back(found: Understood) -> None:
    assert sorted(event.type for event in found.events) == ["order.cancelled", "order.created"]
    assert sum(refund.amount for refund in found.refunds) == 0


def shipping_was_free(found: Understood) -> None:
    order = event(found).order
    assert order is not None
    assert order.shipping == 0
    assert value(found, without_shipping=True) == 50


def nobody_is_named(found: Understood) -> None:
    kept = event(found).note_attributes
    assert not kept, kept


def refund_lines_are_positive(found: Understood) -> None:
    refund = event(found, "order.refunded").refund
    assert refund is not None
    assert [(item.quantity, item.total) for item in refund.items] == [(1, Decimal(25))]
    assert refund.currency is None


def shipping_goes_with_its_tax(found: Understood) -> None:
    assert value(found, without_shipping=True) == 119
    assert value(found, without_shipping=True, without_tax=True) == 100


def gift_cards_are_a_way_of_paying(found: Understood) -> None:
    order = event(found).order
    assert order is not None
    assert (order.total, order.gift_card) == (Decimal(28), Decimal(24))
    assert value(found, without_shipping=True) == 18


def counts_as_refunded(found: Understood) -> None:
    assert event(found).order is not None  # it was paid
    order = found.order
    assert order is not None
    assert order.status == "refunded"


def is_a_test(found: Understood) -> None:
    assert found.events
    assert all(event.is_test for event in found.events)


def is_no_second_purchase(found: Understood) -> None:
    assert found.outcome is Outcome.IGNORED
    assert not found.events


def price_is_what_was_meant(found: Understood) -> None:
    order = event(found).order
    assert order is not None
    assert str(order.items[0].price) in {"19.9", "19.90"}


def nobody_sent_them(found: Understood) -> None:
    assert "source" not in event(found).utm


RIGHT: dict[str, Callable[[Understood], None]] = {
    "shopify__refunds__create--pending-with-discrepancy": pending_refund_counts,
    "shopify__refunds__create--multicurrency-refund-shipping-lines": refund_in_shop_currency,
    "shopify__refunds__create--partial-quantity-of-discounted-line": refund_line_speaks_for_itself,
    "shopify__orders__cancelled--void-transaction": void_gives_nothing_back,
    "shopify__orders__paid--free-shipping-code": shipping_was_free,
    "shopify__orders__paid--personal-attribute-names": nobody_is_named,
    "woocommerce__order_refund--negative-lines": refund_lines_are_positive,
    "woocommerce__order_updated--taxed-shipping": shipping_goes_with_its_tax,
    "woocommerce__order_updated--gift-card-redeemed": gift_cards_are_a_way_of_paying,
    "woocommerce__order_updated--refunded-without-refund-entries": counts_as_refunded,
    "woocommerce__order_updated--woopayments-test-mode": is_a_test,
    "woocommerce__order_updated--marketplace-suborder": is_no_second_purchase,
    "woocommerce__order_updated--price-with-float-noise": price_is_what_was_meant,
    "woocommerce__order_updated--attribution-direct": nobody_sent_them,
}


@pytest.mark.parametrize("name", sorted(path.stem for path in CASES.glob("*.json")))
def test_a_body_says_what_is_right(name: str) -> None:
    RIGHT[name](understood(name))


@pytest.mark.parametrize("path", ODD, ids=lambda path: path.stem)
def test_an_odd_leaf_costs_itself_only(path: Path) -> None:
    platform = Platform.SHOPIFY if path.name.startswith("shopify") else Platform.WOOCOMMERCE
    topic = "orders/paid" if platform is Platform.SHOPIFY else "order.updated"
    delivery = RawDelivery(
        topic=topic, body=path.read_bytes(), headers={"x-shopify-triggered-at": "2026-11-22T10:00:00Z"}
    )
    found = PLATFORMS[platform].understand(delivery, SiteContext(site_id=1, platform=platform, currency="EUR"))
    order = event(found).order
    assert order is not None
    assert order.total == 100
    assert len(found.odd_leaves) == 1
