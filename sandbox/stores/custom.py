"""Bodies as a custom sender posts them (docs/reference/custom-webhooks.md), fictional data."""

from datetime import datetime
from typing import Any

from sandbox.stores.clicks import Visit
from sandbox.stores.people import Person, Product, total_of


def _customer(who: Person) -> dict[str, Any]:
    return {"id": f"u{who.number}", "email": who.email, "phone": who.phone, "country": who.country}


def _clicks(seen: Visit) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if seen.click_id and seen.clicked_at:
        fields["clicks"] = {seen.kind: seen.click_id, "clicked_at": seen.clicked_at.isoformat()}
    if seen.consent:
        fields["consent"] = {"ad_user_data": seen.consent}
    return fields


def order_paid(
    order_id: str, who: Person, lines: list[tuple[Product, int]], seen: Visit, at: datetime
) -> dict[str, Any]:
    """An order, paid at once."""
    return {
        "type": "order.paid",
        "occurred_at": at.isoformat(),
        "order": {
            "id": order_id,
            "created_at": at.isoformat(),
            "updated_at": at.isoformat(),
            "currency": "EUR",
            "total": f"{total_of(lines):.2f}",
            "items": [
                {"sku": product.sku, "title": product.title, "quantity": quantity, "price": f"{product.price:.2f}"}
                for product, quantity in lines
            ],
        },
        "customer": _customer(who),
        "properties": {"channel": "app", "loyalty": {"level": "gold" if who.number % 2 else "basic"}},
        **_clicks(seen),
    }


def signup(who: Person, seen: Visit, at: datetime) -> dict[str, Any]:
    """A new account."""
    return {
        "type": "customer.created",
        "occurred_at": at.isoformat(),
        "customer": _customer(who),
        "properties": {"channel": "app"},
        **_clicks(seen),
    }


def item_added(token: str, who: Person, product: Product, seen: Visit, at: datetime) -> dict[str, Any]:
    """Something was put into a cart."""
    return {
        "type": "cart.item_added",
        "occurred_at": at.isoformat(),
        "cart": {
            "token": token,
            "currency": "EUR",
            "total": f"{product.price:.2f}",
            "items": [{"sku": product.sku, "title": product.title, "quantity": 1, "price": f"{product.price:.2f}"}],
        },
        "customer": _customer(who),
        **_clicks(seen),
    }


def refunded(order_id: str, refund_id: str, amount: str, at: datetime) -> dict[str, Any]:
    """A refund of an order."""
    return {
        "type": "order.refunded",
        "occurred_at": at.isoformat(),
        "refund": {
            "id": refund_id,
            "order_id": order_id,
            "amount": amount,
            "currency": "EUR",
        },
    }
