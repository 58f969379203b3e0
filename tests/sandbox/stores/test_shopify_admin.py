"""The sandbox's Shopify says no where Shopify does."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.stores.shopify_admin import graphql_api
from sandbox.stores.shopify_admin.server import ShopifyAdmin
from sandbox.stores.shopify_admin.state import Admin, Shop
from tests.platforms.shopify_orders import NOON, SHOP, order_body

APP = {"client_id": "demo-client-id", "client_secret": "demo-client-secret"}
WEBHOOK = 'webhookSubscription: {uri: "https://events.example"}'


@pytest.fixture
def store() -> Iterator[ShopifyAdmin]:
    with ShopifyAdmin.start() as running:
        running.admin.add_shop(SHOP)
        yield running


def ask(query: str) -> dict[str, Any]:
    admin = Admin(clock=lambda: NOON)
    shop = admin.add_shop(SHOP)
    shop.put_order(order_body(1, NOON))
    return graphql_api.answer(admin, shop, {"query": query})


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{", "Syntax Error"),
        ("{ shop { nothing } }", "Cannot query field"),
        ("{ orders { nodes { id } } }", "first or last"),
        ("{ orders(first: 500) { nodes { id } } }", "first or last"),
        ('{ orders(first: 1, query: "name:1") { nodes { id } } }', "cannot search by"),
        ("{ orders(first: 250) { nodes { lineItems(first: 250) { nodes { product { id } } } } } }", "cost"),
        ("{ webPixel { id } }", "No web pixel"),
    ],
)
def test_a_question_that_shopify_would_not_take(query: str, message: str) -> None:
    assert message in ask(query)["errors"][0]["message"]


@pytest.mark.parametrize("sign", [">", ">=", "<", "<="])
def test_orders_are_searched_by_when_they_changed(sign: str) -> None:
    answer = ask(
        f"{{ orders(first: 9, query: \"updated_at:{sign}'2026-11-01T12:00:00Z'\", sortKey: CREATED_AT) {{ nodes {{ id }} }} }}"
    )
    assert len(answer["data"]["orders"]["nodes"]) == ("=" in sign)


@pytest.mark.parametrize(
    "order",
    [
        f'webhookSubscriptionUpdate(id: "gid://x", {WEBHOOK})',
        'webhookSubscriptionDelete(id: "gid://x")',
        'webPixelUpdate(id: "gid://x", webPixel: {settings: "{}"})',
    ],
)
def test_what_is_not_there_is_not_changed(order: str) -> None:
    name = order.partition("(")[0]
    assert ask(f"mutation {{ {order} {{ userErrors {{ message }} }} }}")["data"][name]["userErrors"]


def test_one_address_of_a_topic_and_one_pixel_are_enough() -> None:
    admin = Admin()
    shop = admin.add_shop(SHOP)
    for order in (
        f"webhookSubscriptionCreate(topic: ORDERS_PAID, {WEBHOOK})",
        'webPixelCreate(webPixel: {settings: "{}"})',
    ):
        name = order.partition("(")[0]
        answers = [
            graphql_api.answer(admin, shop, {"query": f"mutation {{ {order} {{ userErrors {{ message }} }} }}"})[
                "data"
            ][name]
            for _ in range(2)
        ]
        assert [bool(answer["userErrors"]) for answer in answers] == [False, True]


def test_an_order_that_is_deleted_is_gone() -> None:
    shop = Shop(SHOP, [])
    body = order_body(1, NOON) | {"customer": None, "billing_address": None}
    shop.put_order(body)
    assert next(iter(shop.orders.values()))["customer"] is None
    shop.delete_order(body["id"])
    assert not shop.orders


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"client_secret": "guessed"}, 401),
        ({"code": "guessed"}, 400),
        ({"grant_type": "refresh_token", "refresh_token": "guessed"}, 400),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange"}, 400),
    ],
)
def test_tokens_are_for_who_may_have_them(store: ShopifyAdmin, changes: dict[str, str], status: int) -> None:
    for how in ({"data": APP | changes}, {"json": APP | changes}):
        answer = httpx.post(f"{store.url}/{SHOP}/admin/oauth/access_token", trust_env=False, **how)  # type: ignore[arg-type]
        assert answer.status_code == status


def test_nothing_answers_elsewhere(store: ShopifyAdmin) -> None:
    for method, path in (
        ("GET", "/"),
        ("GET", f"/{SHOP}/admin"),
        ("POST", "/other.myshopify.com/admin"),
        ("POST", f"/{SHOP}/admin"),
    ):
        assert httpx.request(method, store.url + path, trust_env=False).status_code == 404
