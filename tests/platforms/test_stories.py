"""Rules that a single expected file would not explain: the same body under other settings, and pairs of bodies."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from custom_events.platforms.lines import understood_line
from custom_events.platforms.registry import PLATFORMS
from custom_events.values.deliveries import Outcome, Platform, RawDelivery, SiteContext, Understood
from custom_events.values.events import CommerceEvent

SHOPIFY, WOO, CUSTOM = Platform.SHOPIFY, Platform.WOOCOMMERCE, Platform.CUSTOM
Sample = Callable[[Platform, str], bytes]
Understand = Callable[..., Understood]


def changed(body: bytes, **fields: Any) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(body) | fields)


def keyed(understood: Understood) -> dict[str, CommerceEvent]:
    return {event.key: event for event in understood.events}


def kinds(understood: Understood) -> list[str]:
    return [event.type.value for event in understood.events]


def test_two_bodies_that_show_the_same_event_agree_on_its_time(sample: Sample, understand: Understand) -> None:
    pairs = [
        (SHOPIFY, "orders/paid", "orders__paid--web", "orders/updated", "orders__updated--partially_refunded"),
        (WOO, "order.created", "order.created--paid_by_card", "order.updated", "order.created--paid_by_card"),
        (
            WOO,
            "order.created",
            "order.created--cash_on_delivery",
            "order.updated",
            "order.updated--cash_on_delivery_completed",
        ),
        (
            WOO,
            "subscription.updated",
            "subscription.updated--pending_cancel",
            "subscription.updated",
            "subscription.updated--cancelled",
        ),
    ]
    for platform, early_topic, early, late_topic, late in pairs:
        first = keyed(understand(platform, early_topic, sample(platform, early)))
        second = keyed(understand(platform, late_topic, sample(platform, late)))
        same = first.keys() & second.keys()
        assert len(same) >= 2
        assert all(first[key].occurred_at == second[key].occurred_at for key in same)


def test_a_refund_told_twice_is_one_event(sample: Sample, understand: Understand) -> None:
    by_order = keyed(understand(SHOPIFY, "orders/updated", sample(SHOPIFY, "orders__updated--partially_refunded")))
    by_refund = keyed(understand(SHOPIFY, "refunds/create", sample(SHOPIFY, "refunds__create--transactions")))
    (key,) = by_refund
    assert by_order[key].amount == by_refund[key].amount
    assert by_order[key].occurred_at == by_refund[key].occurred_at
    assert by_order[key].currency == by_refund[key].currency == "EUR"
    assert by_order[key].customer is not None


def test_a_renewal_told_by_its_order_and_by_the_billing_attempt_is_one_event(
    sample: Sample, understand: Understand
) -> None:
    by_order = understand(SHOPIFY, "orders/create", sample(SHOPIFY, "orders__create--renewal"))
    body = sample(SHOPIFY, "subscription_billing_attempts__success--order")
    by_attempt = understand(SHOPIFY, "subscription_billing_attempts/success", body)
    assert keyed(by_order).keys() & keyed(by_attempt).keys() == {"subscription.renewed:order:5550042:5550042"}


def test_a_renewal_carries_no_click_of_the_first_order(sample: Sample, understand: Understand) -> None:
    renewals = [
        understand(SHOPIFY, "orders/create", sample(SHOPIFY, "orders__create--renewal")),
        understand(WOO, "order.created", sample(WOO, "order.created--renewal")),
    ]
    for understood in renewals:
        assert "subscription.renewed" in kinds(understood)
        assert all(event.clicks == () and event.utm == {} for event in understood.events)
        assert all(event.consent is not None for event in understood.events)  # a refusal must not be forgotten


def test_which_sources_renew_is_the_sites_setting(sample: Sample, understand: Understand) -> None:
    body = sample(SHOPIFY, "orders__create--renewal")
    assert "subscription.renewed" not in kinds(
        understand(SHOPIFY, "orders/create", body, subscription_sources=("app7",))
    )
    body = changed(body, source_name="app7-x")
    assert "subscription.renewed" in kinds(
        understand(SHOPIFY, "orders/create", body, subscription_sources=("app7", ""))
    )


def test_the_first_order_of_a_selling_plan_is_no_renewal(sample: Sample, understand: Understand) -> None:
    body = sample(SHOPIFY, "orders__paid--renewal_by_selling_plan")
    assert "subscription.renewed" in kinds(understand(SHOPIFY, "orders/paid", body))
    for field, value in (("checkout_token", "ck"), ("cart_token", "c1"), ("source_name", "web")):
        assert "subscription.renewed" not in kinds(understand(SHOPIFY, "orders/paid", changed(body, **{field: value})))


def test_an_unpaid_renewal_is_not_renewed_yet(sample: Sample, understand: Understand) -> None:
    body = changed(sample(SHOPIFY, "orders__create--renewal"), financial_status="pending")
    assert kinds(understand(SHOPIFY, "orders/create", body)) == ["order.created"]
    body = changed(sample(WOO, "order.created--renewal"), status="pending", date_paid_gmt=None, date_paid=None)
    assert kinds(understand(WOO, "order.created", body)) == ["order.created"]


@pytest.mark.parametrize(
    ("status", "paid"),
    [
        ("pending", False),
        ("authorized", False),
        ("partially_paid", False),
        ("voided", False),
        ("expired", False),
        (None, False),
        ("paid", True),
        ("partially_refunded", True),
        ("refunded", True),
    ],
)
def test_which_financial_statuses_prove_a_payment(
    sample: Sample, understand: Understand, status: str | None, paid: bool
) -> None:
    body = changed(sample(SHOPIFY, "orders__create--pending"), financial_status=status)
    assert ("order.paid" in kinds(understand(SHOPIFY, "orders/updated", body))) == paid
    assert "order.paid" in kinds(understand(SHOPIFY, "orders/paid", body))  # the topic is evidence by itself


def test_cash_on_delivery_counts_when_the_site_says(sample: Sample, understand: Understand) -> None:
    early, late = (
        sample(WOO, "order.created--cash_on_delivery"),
        sample(WOO, "order.updated--cash_on_delivery_completed"),
    )
    assert "order.paid" in kinds(understand(WOO, "order.created", early))
    assert "order.paid" not in kinds(understand(WOO, "order.created", early, cod_paid_when="completed"))
    by_completion = keyed(understand(WOO, "order.updated", late, cod_paid_when="completed"))["order.paid:7304"]
    assert by_completion.occurred_at.isoformat() == "2026-09-16T09:00:00+00:00"


@pytest.mark.parametrize("status", ["pending", "on-hold", "failed", "cancelled", "refunded", "my-own-status"])
def test_without_a_date_only_paid_statuses_prove_a_payment(sample: Sample, understand: Understand, status: str) -> None:
    body = changed(sample(WOO, "order.updated--transfer_on_hold"), status=status)
    assert "order.paid" not in kinds(understand(WOO, "order.updated", body))
    with_date = changed(body, date_paid_gmt="2026-09-15T10:00:00")
    assert "order.paid" in kinds(understand(WOO, "order.updated", with_date))


@pytest.mark.parametrize("status", ["processing", "completed"])
def test_a_paid_status_without_a_date_counts_from_the_order(
    sample: Sample, understand: Understand, status: str
) -> None:
    body = changed(sample(WOO, "order.updated--transfer_on_hold"), status=status)
    paid = keyed(understand(WOO, "order.updated", body))["order.paid:7303"]
    assert paid.occurred_at.isoformat() == "2026-09-14T19:41:09+00:00"


def test_a_refunded_order_was_paid_only_where_a_date_says_so(sample: Sample, understand: Understand) -> None:
    failed = changed(sample(WOO, "order.updated--transfer_on_hold"), status="refunded")
    found = understand(WOO, "order.updated", failed)
    assert "order.paid" not in kinds(found)
    assert found.order is not None
    assert found.order.payment_known
    completed = changed(failed, date_completed_gmt="2026-09-16T09:00:00")
    assert "order.paid" in kinds(understand(WOO, "order.updated", completed))


@pytest.mark.parametrize(
    ("status", "date", "lost", "known"),
    [
        ("failed", "2026-09-15T10:00:00", True, True),
        ("on-hold", "2026-09-15T10:00:00", True, True),
        ("disputed", "2026-09-15T10:00:00", True, True),
        ("processing", "2026-09-15T10:00:00", False, True),
        ("failed", None, False, True),
        ("pending", None, False, True),
        ("packed", None, False, False),
        ("trash", None, False, False),
    ],
)
def test_what_a_woocommerce_body_says_of_payment(
    sample: Sample, understand: Understand, status: str, date: str | None, lost: bool, known: bool
) -> None:
    body = changed(sample(WOO, "order.updated--transfer_on_hold"), status=status, date_paid_gmt=date, refunds=None)
    order = understand(WOO, "order.updated", body, payment_lost_statuses=("disputed",)).order
    assert order is not None
    assert (order.payment_lost_at is not None, order.payment_known) == (lost, known)
    assert order.cancellation_known == (status != "trash")
    assert not order.lists_refunds


@pytest.mark.parametrize(
    ("status", "lost", "known"),
    [("voided", True, True), ("partially_paid", False, False), ("pending", False, True), ("paid", False, True)],
)
def test_what_a_shopify_body_says_of_payment(
    sample: Sample, understand: Understand, status: str, lost: bool, known: bool
) -> None:
    body = changed(sample(SHOPIFY, "orders__create--pending"), financial_status=status)
    order = understand(SHOPIFY, "orders/updated", body).order
    assert order is not None
    assert (order.payment_lost_at is not None, order.payment_known, order.lists_refunds) == (lost, known, True)
    by_topic = understand(SHOPIFY, "orders/cancelled", body).order
    assert by_topic is not None
    assert by_topic.cancelled_at == by_topic.updated_at


def test_what_a_custom_sender_takes_back_and_does_not_mention(understand: Understand) -> Any:
    def sent(kind: str, **order: Any) -> Any:
        body = {
            "type": kind,
            "occurred_at": "2026-09-15T10:00:00Z",
            "order": {"id": 1, "total": 5, "currency": "EUR"} | order,
        }
        return understand(CUSTOM, kind, msgspec.json.encode(body)).order

    said = sent("order.fulfilled", paid_at=None, cancelled_at=None)
    assert (said.payment_known, said.cancellation_known, said.paid_at) == (True, True, None)
    silent = sent("order.fulfilled")
    assert (silent.payment_known, silent.cancellation_known) == (False, False)
    assert sent("order.paid").paid_at.isoformat() == "2026-09-15T10:00:00+00:00"
    assert sent("order.cancelled").cancelled_at.isoformat() == "2026-09-15T10:00:00+00:00"


def test_a_failed_renewal_of_a_known_subscription(sample: Sample, understand: Understand) -> None:
    body = changed(
        sample(WOO, "order.updated--renewal_failed"), meta_data=[{"key": "_subscription_renewal", "value": 31}]
    )
    assert kinds(understand(WOO, "order.updated", body)) == ["order.created", "subscription.payment_failed"]
    assert understand(WOO, "order.updated", body).events[1].key == "subscription.payment_failed:31:7313"


def test_an_order_that_is_trashed_when_its_body_is_built_is_a_deleted_one(
    sample: Sample, understand: Understand
) -> None:
    body = sample(WOO, "order.created--paid_by_card")
    assert understand(WOO, "order.created", body).deleted_order_id is None
    trashed = understand(WOO, "order.created", changed(body, status="trash"))
    assert kinds(trashed) == ["order.created", "order.paid"]
    assert trashed.order is not None
    assert trashed.deleted_order_id == trashed.order.id


def test_an_order_without_any_time_is_parked(sample: Sample, understand: Understand) -> None:
    body = changed(sample(WOO, "order.created--pending"), date_created_gmt=None, date_created=None)
    assert understand(WOO, "order.created", body).detail == "Expected a date and time - at `$.date_created_gmt`"
    body = changed(sample(WOO, "subscription.updated--active"), start_date_gmt="", date_created_gmt=None)
    assert understand(WOO, "subscription.updated", body).reason == "wrong_shape"
    for name in ("order_refund--resource", "order_refund--linked"):
        body = changed(sample(WOO, name), date_created_gmt="", date_created=None)
        assert understand(WOO, "order_refund", body).reason == "wrong_shape"
    body = changed(sample(WOO, "order_refund--linked"), _links={"up": [{"href": "https://x.example/none"}]})
    assert "up" in (understand(WOO, "order_refund", body).detail or "")


def test_a_topic_that_is_not_signed_pays_no_order(sample: Sample) -> None:
    body = sample(WOO, "order.created--pending")
    native = RawDelivery(topic="order.paid", body=body, headers={"x-wc-webhook-topic": "order.paid"})
    own = RawDelivery(topic="order.paid", body=body, headers={"x-custom-events-topic": "order.paid"})
    context = SiteContext(site_id=1, platform=WOO, currency="EUR")
    assert "order.paid" not in kinds(PLATFORMS[WOO].understand(native, context))
    assert "order.paid" in kinds(PLATFORMS[WOO].understand(own, context))


def test_an_order_under_the_wrong_topic_or_shop_is_parked(sample: Sample, understand: Understand) -> None:
    order = sample(SHOPIFY, "orders__paid--web")
    assert understand(SHOPIFY, "customers/create", order).reason == "topic_mismatch"
    assert understand(SHOPIFY, "orders/delete", order).reason == "topic_mismatch", "topics are not signed"
    assert understand(WOO, "order.deleted", sample(WOO, "order.created--pending")).reason == "topic_mismatch"
    elsewhere = changed(order, order_status_url="https://other.myshopify.com/1/orders/x/authenticate")
    assert understand(SHOPIFY, "orders/paid", elsewhere).reason == "shop_mismatch"
    assert understand(SHOPIFY, "orders/paid", elsewhere, shop_domain="other.myshopify.com").events
    assert understand(SHOPIFY, "orders/paid", elsewhere, shop_domain=None).events
    assert understand(SHOPIFY, "orders/paid", elsewhere, shop_domain="shop.example").events
    for url in ("https://x.example/?r=.myshopify.com", "//[.myshopify.com", None):
        assert understand(SHOPIFY, "orders/paid", changed(order, order_status_url=url)).outcome is not None
    foreign = changed(order, admin_graphql_api_id="https://www.example.com/")
    assert understand(SHOPIFY, "orders/paid", foreign).events


def test_test_orders_are_marked_and_kept(sample: Sample, understand: Understand) -> None:
    understood = understand(SHOPIFY, "orders/cancelled", sample(SHOPIFY, "orders__cancelled--test"))
    assert kinds(understood) == ["order.created", "order.cancelled"]
    assert all(event.is_test for event in understood.events)


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("orders/paid", "orders__paid--web"),
        ("refunds/create", "refunds__create--transactions"),
        ("customers/create", "customers__create--registered"),
        ("checkouts/create", "checkouts__create--contact"),
        ("carts/update", "carts__update--two_lines"),
        ("subscription_contracts/create", "subscription_contracts__create--active"),
        ("subscription_billing_attempts/success", "subscription_billing_attempts__success--order"),
    ],
)
def test_a_test_notification_from_the_admin_is_one_whatever_its_topic(sample: Sample, topic: str, name: str) -> None:
    headers = {"x-shopify-triggered-at": "2026-11-20T10:00:00Z"}
    for more, is_test in (({}, False), ({"x-shopify-test": "true"}, True)):
        delivery = RawDelivery(topic=topic, body=sample(SHOPIFY, name), headers=headers | more)
        events = PLATFORMS[SHOPIFY].understand(delivery, SiteContext(site_id=1, platform=SHOPIFY)).events
        assert events
        assert {event.is_test for event in events} == {is_test}


@pytest.mark.parametrize(
    ("transactions", "amount"),
    [
        ([("refund", "success", "5.00"), ("refund", "success", "2.50"), ("void", "success", "1")], "7.50"),
        ([("refund", "pending", "5.00")], "5.00"),  # on its way
        ([("refund", "success", "2.00"), ("refund", "pending", "5.00"), ("refund", "failure", "9.00")], "7.00"),
        ([("void", "success", "0.00")], None),
        ([("refund", "failure", "5.00"), ("refund", "error", "5.00")], None),  # never came
        ([("sale", "success", "5.00")], "21.50"),
        ([], "21.50"),
    ],
)
def test_what_a_refund_gave_back(
    sample: Sample, understand: Understand, transactions: list[tuple[str, str, str]], amount: str | None
) -> None:
    moved = [dict(zip(("kind", "status", "amount"), found, strict=True)) for found in transactions]
    body = changed(sample(SHOPIFY, "refunds__create--transactions"), transactions=moved)
    understood = understand(SHOPIFY, "refunds/create", body)
    assert [str(event.amount) for event in understood.events] == ([amount] if amount else [])
    assert (understood.outcome is Outcome.IGNORED) == (amount is None)


def test_a_refund_known_only_in_the_shoppers_currency_is_taken_from_its_lines(
    sample: Sample, understand: Understand
) -> None:
    body = msgspec.json.decode(sample(SHOPIFY, "refunds__create--shoppers_currency"))
    assert understand(SHOPIFY, "refunds/create", msgspec.json.encode(body)).events[0].amount == 21.5
    del body["transactions"][0]["amount_set"]
    event = understand(SHOPIFY, "refunds/create", msgspec.json.encode(body)).events[0]
    assert (str(event.amount), event.currency) == ("21.50", "EUR")


def test_a_refund_without_time_takes_the_trigger_time(sample: Sample, understand: Understand) -> None:
    body = changed(sample(SHOPIFY, "refunds__create--transactions"), created_at=None, processed_at=None)
    assert understand(SHOPIFY, "refunds/create", body).events[0].occurred_at.isoformat()[:19] == "2026-11-22T10:00:00"


def test_bodies_without_time_and_headers_are_parked(sample: Sample) -> None:
    line = understood_line(
        SHOPIFY,
        "subscription_contracts/create",
        sample(SHOPIFY, "subscription_contracts__create--active"),
        headers={},
    )
    assert msgspec.json.decode(line)["parked"] == "no_store_time"


def test_lines_for_the_command(sample: Sample) -> Any:
    def line(platform: Platform, topic: str, name: str) -> dict[str, Any]:
        return msgspec.json.decode(understood_line(platform, topic, sample(platform, name)))

    contract = line(SHOPIFY, "subscription_contracts/create", "subscription_contracts__create--active")
    assert contract["events"][0]["type"] == "subscription.started"
    assert line(SHOPIFY, "products/update", "products__update--mug") == {"events": [], "ignored": "product_topic"}
    assert line(SHOPIFY, "orders/delete", "orders__delete--id_only") == {"events": [], "deleted_order_id": "5550042"}
    assert line(SHOPIFY, "shop/redact", "shop__redact--shop")["parked"] == "redact_shop"
    odd = line(WOO, "order.updated", "order.updated--odd_total")
    assert odd == {"parked": "wrong_shape", "detail": "Invalid decimal string - at `$.total`"}
    body = sample(WOO, "order.created--pending")
    site = SiteContext(site_id=1, platform=WOO, default_country="PT")
    assert b"\n" not in understood_line(WOO, "order.created", body, site=site)


def test_customers_without_a_creation_time(sample: Sample, understand: Understand) -> None:
    body = sample(SHOPIFY, "customers__create--without_time")
    assert kinds(understand(SHOPIFY, "customers/create", body)) == ["customer.created"]
    assert understand(SHOPIFY, "customers/update", body).reason == "no_creation_time"


def test_a_cart_in_an_unknown_currency_is_in_the_sites(sample: Sample, understand: Understand) -> None:
    body = msgspec.json.decode(sample(SHOPIFY, "carts__update--two_lines"))
    for line in body["line_items"]:
        del line["price_set"]
    body["line_items"][0]["key"] = None
    body["line_items"][1] |= {"key": None, "variant_id": None, "product_id": None, "id": 5, "line_price": None}
    events = understand(SHOPIFY, "carts/update", msgspec.json.encode(body), currency="DKK").events
    assert [event.key.rpartition(":")[2] for event in events] == ["9101", "5"]
    assert {event.currency for event in events} == {"DKK"}
