"""Orders of the sandbox's Shopify store for tests, and the sandbox's Admin API as one shop."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sandbox.stores import shopify
from sandbox.stores.clicks import Visit
from sandbox.stores.people import Person, Product
from sandbox.stores.shopify_admin import graphql_api
from sandbox.stores.shopify_admin.state import Admin

SHOP = "northlight-demo.myshopify.com"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
LAMP = Product(number=1, sku="LAMP", title="Lamp", vendor="Northlight", price=Decimal("10.00"), kind="Lamps")


def order_body(
    number: int, updated_at: datetime, *, lines: int = 1, place: str = "attribute", **changes: Any
) -> dict[str, Any]:
    """An order as its webhook's body; `place` is where its click id stands."""
    who = Person(
        number=number,
        first="Ada",
        last="Lind",
        email=f"ada{number}@shop.example",
        phone="+4915112345678",
        country="DE",
        postcode="10115",
    )
    return shopify.order(
        order_id=shopify.ID_BASE + number, number=number, who=who, lines=[(LAMP, 1)] * lines, created_at=NOON, updated_at=updated_at,
        seen=Visit(place=place, kind="gclid", click_id="Cj0Kabc", clicked_at=NOON, consent="granted"), **changes,
    )  # fmt: skip


def read_again(body: dict[str, Any], query: str) -> dict[str, Any]:
    """The order as the GraphQL Admin API gives it for a query of one order."""
    admin = Admin(clock=lambda: NOON)
    shop = admin.add_shop(SHOP)
    shop.put_order(body)
    question = {"query": query, "variables": {"id": f"gid://shopify/Order/{body['id']}"}}
    order: dict[str, Any] = graphql_api.answer(admin, shop, question)["data"]["order"]
    return order
