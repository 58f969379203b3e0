"""Shopify's Admin API asked by our client, against the sandbox's Shopify."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from custom_events.errors import InvalidConfiguration, NeedsAction, Permanent, Transient
from custom_events.platforms.shopify import admin_queries
from custom_events.platforms.shopify.admin_api import MAX_ANSWER_BYTES, AdminApi, TokenRefused
from custom_events.platforms.shopify.shops import is_shop, shop_url
from sandbox.stores import shopify
from sandbox.stores.shopify_admin.server import ShopifyAdmin
from sandbox.stores.shopify_admin.state import Admin, FaultKind
from tests.platforms.shopify_orders import NOON, SHOP, order_body

WAITS: list[float] = []


@pytest.fixture
def store() -> Iterator[ShopifyAdmin]:
    with ShopifyAdmin.start(Admin(clock=lambda: NOON)) as running:
        running.admin.add_shop(SHOP)
        WAITS.clear()
        yield running


def api(store: ShopifyAdmin, token: str | None = None) -> AdminApi:
    shop = store.admin.shops[SHOP]
    good = token or store.admin.issue(shop, expiring=True).access
    return AdminApi(SHOP, good, base_url=store.url, sleep=WAITS.append)


def test_changed_orders_come_page_by_page_oldest_change_first(store: ShopifyAdmin) -> None:
    for number in (3, 1, 2):
        store.admin.shops[SHOP].put_order(order_body(number, NOON + timedelta(minutes=number)))
    with api(store) as shop:
        first = shop.changed_orders(NOON + timedelta(minutes=1), first=1)
        second = shop.changed_orders(NOON + timedelta(minutes=1), first=1, after=first.after)
    assert [order.name for order in (*first.orders, *second.orders)] == ["#2", "#3"]
    assert first.after is not None
    assert second.after is None
    assert first.orders[0].legacy_resource_id == str(shopify.ID_BASE + 2)
    assert first.orders[0].total_price_set.shop_money.amount == "14.90"
    with api(store) as shop:
        assert not shop.changed_orders(NOON, until=NOON).orders


def test_an_order_is_read_with_all_its_lines(store: ShopifyAdmin) -> None:
    store.admin.shops[SHOP].put_order(order_body(1, NOON, lines=admin_queries.LINES_AT_ONCE * 2 + 1))
    with api(store) as shop:
        order = shop.order(str(shopify.ID_BASE + 1))
        assert order is not None
        assert len(order["lineItems"]["nodes"]) == admin_queries.LINES_AT_ONCE * 2 + 1
        assert shop.order("gid://shopify/Order/9") is None


def test_a_throttled_question_waits_for_its_points(store: ShopifyAdmin) -> None:
    store.admin.arm(FaultKind.THROTTLED)
    with api(store) as shop:
        assert shop.ask(admin_queries.INSTALLATION)["shop"]["myshopifyDomain"] == SHOP
    assert len(WAITS) == 1


@pytest.mark.parametrize("kind", [FaultKind.UNAVAILABLE, FaultKind.INTERNAL_ERROR])
def test_what_is_away_is_asked_again_and_in_the_end_is_transient(store: ShopifyAdmin, kind: FaultKind) -> None:
    store.admin.arm(kind)
    with api(store) as shop:
        assert shop.ask(admin_queries.INSTALLATION)
        store.admin.arm(*[kind] * 4)
        with pytest.raises(Transient):
            shop.ask(admin_queries.INSTALLATION)
    assert WAITS == [1.0, 1.0, 2.0, 4.0]


def test_a_token_that_is_good_no_more_is_told_apart(store: ShopifyAdmin) -> None:
    with api(store, "shpat_old") as shop, pytest.raises(TokenRefused, match=SHOP):
        shop.ask(admin_queries.INSTALLATION)


def test_what_shopify_refuses_is_named(store: ShopifyAdmin) -> None:
    subscription = {"uri": "http://receiver.example", "format": "JSON"}
    with api(store) as shop:
        with pytest.raises(NeedsAction, match="callbackUrl: Address protocol"):
            shop.change(
                admin_queries.CREATE_WEBHOOK,
                "webhookSubscriptionCreate",
                {"topic": "ORDERS_PAID", "subscription": subscription},
            )
        with pytest.raises(Permanent, match="nonsense"):
            shop.ask("{ nonsense }")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(403, json={}), NeedsAction),
        (httpx.Response(302, headers={"location": "https://elsewhere.example"}), NeedsAction),
        (httpx.Response(429, headers={"retry-after": "60"}), Transient),
        (httpx.Response(500, headers={"retry-after": "soon"}), Transient),
        (httpx.Response(200, content=b"<html>"), Transient),
        (httpx.Response(200, json=[]), Transient),
        (httpx.Response(200, content=b" " * (MAX_ANSWER_BYTES + 1)), Permanent),
        (
            httpx.Response(200, json={"errors": [{"message": "no", "extensions": {"code": "ACCESS_DENIED"}}]}),
            NeedsAction,
        ),
    ],
    ids=("forbidden", "redirect", "too many", "broken", "no JSON", "no object", "too large", "denied"),
)
def test_odd_answers(answer: httpx.Response, error: type[Exception]) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        assert request.url.host == SHOP
        return answer

    with AdminApi(SHOP, "t", transport=httpx.MockTransport(away), sleep=WAITS.append) as shop, pytest.raises(error):
        shop.ask(admin_queries.INSTALLATION)


def test_no_answer_is_transient() -> None:
    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no", request=request)

    with (
        AdminApi(SHOP, "t", transport=httpx.MockTransport(silent), sleep=WAITS.append) as shop,
        pytest.raises(Transient, match="ConnectError"),
    ):
        shop.ask(admin_queries.INSTALLATION)


@pytest.mark.parametrize(
    "host",
    ["", "127.0.0.1", "shop.example", "a.b.myshopify.com", "myshopify.com", ".myshopify.com", "-a.myshopify.com", "a.myshopify.com.evil.example",
     "evil.example/a.myshopify.com", "a.myshopify.com:80", "a@b.myshopify.com", "a.myshopify.com\n", "ä.myshopify.com", "A.myshopify.com"],
)  # fmt: skip
def test_only_shops_are_called(host: str) -> None:
    assert not is_shop(host)


def test_a_stand_in_is_https_or_of_this_machine() -> None:
    assert shop_url(" Northlight-Demo.myshopify.com ") == f"https://{SHOP}"
    assert shop_url(SHOP, "https://stand-in.example/x/") == f"https://stand-in.example/x/{SHOP}"
    with pytest.raises(InvalidConfiguration, match="SHOPIFY_URL"):
        shop_url(SHOP, "http://stand-in.example")
    with pytest.raises(InvalidConfiguration, match="no shop of Shopify's"):
        shop_url("169.254.169.254")


def test_an_answer_that_is_not_compressed_as_it_says() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip"))

    transport = httpx.MockTransport(answer)
    with AdminApi(SHOP, "a-token", transport=transport, sleep=lambda _: None) as shop, pytest.raises(Transient):
        shop.ask(admin_queries.INSTALLATION)
