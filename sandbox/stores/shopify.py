"""Bodies as a Shopify store posts them: REST resource shapes of API version 2026-10, fictional data."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.stores.clicks import Visit, landing_page
from sandbox.stores.people import Person, Product, total_of

TAX_RATE = Decimal("0.19")
SHIPPING = Decimal("4.90")
ID_BASE = 5_800_000_000_000  # Shopify's ids pass 2^42; some demo orders lie beyond 2^53 on purpose
HUGE_ID_BASE = 820_982_911_946_150_000


def stamp(at: datetime) -> str:
    """A time with the shop's offset, as bodies carry it."""
    return at.isoformat(timespec="seconds")


def money(amount: Decimal, currency: str) -> dict[str, Any]:
    """A `*_set`."""
    part = {"amount": f"{amount:.2f}", "currency_code": currency}
    return {"shop_money": part, "presentment_money": part}


def customer(who: Person, created_at: datetime) -> dict[str, Any]:
    """The customer inside an order, and the body of customers/create."""
    return {
        "id": 7_100_000_000_000 + who.number,
        "email": who.email,
        "phone": who.phone,
        "first_name": who.first,
        "last_name": who.last,
        "created_at": stamp(created_at),
        "updated_at": stamp(created_at),
        "state": "enabled",
        "currency": "EUR",
        "admin_graphql_api_id": f"gid://shopify/Customer/{7_100_000_000_000 + who.number}",
        "default_address": {"country_code": who.country, "zip": who.postcode},
    }


def order(
    *,
    order_id: int,
    number: int,
    who: Person,
    lines: list[tuple[Product, int]],
    seen: Visit,
    created_at: datetime,
    updated_at: datetime,
    financial_status: str = "paid",
    cancelled_at: datetime | None = None,
    refunds: list[dict[str, Any]] | None = None,
    source_name: str = "web",
    domain: str = "northlight-demo.myshopify.com",
    swapped_for: Product | None = None,
    shipped_at: datetime | None = None,
) -> dict[str, Any]:
    """The body shared by all orders/* topics. `shipped_at`: all of it went out then. `swapped_for`: the first line went back and one of this was sent for it, as an edit of the
    order that adds to its total and lowers what it is worth."""
    bought = lines if swapped_for is None else [*lines, (swapped_for, 1)]
    total = total_of(bought) + SHIPPING
    returned = total_of(lines[:1]) if swapped_for is not None else Decimal(0)
    tax = (total * TAX_RATE / (1 + TAX_RATE)).quantize(Decimal("0.01"))
    address = {"country_code": who.country, "zip": who.postcode, "city": "Demo", "phone": who.phone}
    return {
        "id": order_id,
        "admin_graphql_api_id": f"gid://shopify/Order/{order_id}",
        "name": f"#{number}",
        "order_number": number,
        "created_at": stamp(created_at),
        "processed_at": stamp(created_at),
        "updated_at": stamp(updated_at),
        "cancelled_at": stamp(cancelled_at) if cancelled_at else None,
        "cancel_reason": "customer" if cancelled_at else None,
        "test": False,
        "currency": "EUR",
        "email": who.email,
        "phone": who.phone,
        "customer": customer(who, created_at - timedelta(days=1)),
        "financial_status": financial_status,
        "total_price": f"{total:.2f}",
        "subtotal_price": f"{total - SHIPPING:.2f}",
        "total_tax": f"{tax:.2f}",
        "total_discounts": "0.00",
        "taxes_included": True,
        "total_price_set": money(total, "EUR"),
        "total_shipping_price_set": money(SHIPPING, "EUR"),
        "current_total_price": f"{total - returned:.2f}",
        "payment_gateway_names": ["shopify_payments"],
        "shipping_lines": [{"title": "Standard", "code": "standard", "price": f"{SHIPPING:.2f}"}],
        "discount_codes": [],
        "tags": "returning, newsletter" if number % 3 == 0 else "",
        "source_name": source_name,
        "landing_site": landing_page(seen) if source_name == "web" else None,
        "referring_site": "https://www.google.com/",
        "order_status_url": f"https://{domain}/1234567/orders/{order_id}/authenticate",
        "cart_token": f"cart{order_id}",
        "checkout_token": f"chk{order_id}",
        "note_attributes": attributes(seen),
        "billing_address": address,
        "shipping_address": address,
        "line_items": [
            _line(order_id, index, product, quantity, seen, is_returned=index == 0 and swapped_for is not None)
            for index, (product, quantity) in enumerate(bought)
        ],
        "refunds": refunds or [],
        **_shipped(shipped_at),
    }


def _shipped(at: datetime | None) -> dict[str, Any]:
    """How far an order was shipped."""
    if at is None:
        return {"fulfillment_status": None}
    return {"fulfillment_status": "fulfilled", "fulfillments": [{"created_at": stamp(at), "status": "success"}]}


def attributes(seen: Visit) -> list[dict[str, str]]:
    """Cart attributes at checkout: the click id where the theme block wrote it, and consent."""
    listed = [{"name": "gift_note", "value": "no"}]
    if seen.place == "attribute" and seen.click_id and seen.clicked_at:
        listed.append({"name": seen.kind, "value": seen.click_id})
        listed.append({"name": "clicked_at", "value": seen.clicked_at.isoformat()})
    if seen.consent:
        listed.append({"name": "consent_ad_user_data", "value": seen.consent})
    return listed


def _line(
    order_id: int, index: int, product: Product, quantity: int, seen: Visit, *, is_returned: bool = False
) -> dict[str, Any]:
    properties: list[dict[str, str]] = []
    if seen.place == "item" and index == 0 and seen.click_id:
        properties.append({"name": f"_{seen.kind}", "value": seen.click_id})
    return {
        "id": order_id * 10 + index,
        "product_id": 9_000_000_000 + product.number,
        "variant_id": 9_100_000_000 + product.number,
        "sku": product.sku,
        "title": product.title,
        "vendor": product.vendor,
        "quantity": quantity,
        "current_quantity": 0 if is_returned else quantity,
        "price": f"{product.price:.2f}",
        "total_discount": "0.00",
        "properties": properties,
    }


def refund(
    order_id: int,
    refund_id: int,
    amount: Decimal,
    at: datetime,
    *,
    status: str = "success",
    line: tuple[Product, int] | None = None,
) -> dict[str, Any]:
    """The body of refunds/create; also stands in an order's `refunds`. `status` is the transaction's: one that is `pending` comes with
    an adjustment as large as itself. `line`: the order's first line went back."""
    pending = [
        {
            "id": refund_id * 10 + 1,
            "order_id": order_id,
            "refund_id": refund_id,
            "amount": f"{amount:.2f}",
            "tax_amount": "0.00",
            "kind": "refund_discrepancy",
            "reason": "Pending refund discrepancy",
            "amount_set": money(amount, "EUR"),
        }
    ]
    return {
        "id": refund_id,
        "order_id": order_id,
        "created_at": stamp(at),
        "processed_at": stamp(at),
        "note": "demo",
        "restock": True,
        "refund_line_items": [] if line is None else [_returned(order_id, refund_id, *line)],
        "order_adjustments": pending if status == "pending" else [],
        "transactions": [
            {
                "id": refund_id * 10,
                "kind": "refund",
                "status": status,
                "amount": f"{amount:.2f}",
                "currency": "EUR",
                "created_at": stamp(at),
            }
        ],
        "admin_graphql_api_id": f"gid://shopify/Refund/{refund_id}",
    }


def _returned(order_id: int, refund_id: int, product: Product, quantity: int) -> dict[str, Any]:
    subtotal = product.price * quantity
    return {
        "id": refund_id * 10 + 2,
        "quantity": quantity,
        "line_item_id": order_id * 10,
        "restock_type": "return",
        "subtotal": float(subtotal),
        "total_tax": 0.0,
        "subtotal_set": money(subtotal, "EUR"),
        "line_item": {
            "id": order_id * 10,
            "product_id": 9_000_000_000 + product.number,
            "variant_id": 9_100_000_000 + product.number,
            "sku": product.sku,
            "title": product.title,
            "quantity": quantity,
            "price": f"{product.price:.2f}",
            "total_discount": "0.00",
        },
    }


def checkout(number: int, who: Person, lines: list[tuple[Product, int]], seen: Visit, at: datetime) -> dict[str, Any]:
    """The body of checkouts/create."""
    return {
        "id": 41_000_000_000_000 + number,
        "token": f"chkdemo{number}",
        "cart_token": f"cartdemo{number}",
        "email": who.email,
        "created_at": stamp(at),
        "updated_at": stamp(at),
        "currency": "EUR",
        "presentment_currency": "EUR",
        "total_price": f"{total_of(lines):.2f}",
        "subtotal_price": f"{total_of(lines):.2f}",
        "total_tax": "0.00",
        "landing_site": landing_page(seen),
        "note_attributes": attributes(seen),
        "line_items": [_line(41_000_000_000_000 + number, i, p, q, seen) for i, (p, q) in enumerate(lines)],
        "customer_locale": "de-DE",
        "completed_at": None,
    }


def cart(number: int, lines: list[tuple[Product, int]], at: datetime) -> dict[str, Any]:
    """The body of carts/update."""
    token = f"cartdemo{number}"
    return {
        "id": token,
        "token": token,
        "note": None,
        "created_at": stamp(at),
        "updated_at": stamp(at),
        "line_items": [
            {
                "id": 9_100_000_000 + product.number,
                "key": f"{9_100_000_000 + product.number}:{number}",
                "product_id": 9_000_000_000 + product.number,
                "variant_id": 9_100_000_000 + product.number,
                "sku": product.sku,
                "title": product.title,
                "quantity": quantity,
                "price": f"{product.price:.2f}",
                "line_price": f"{product.price * quantity:.2f}",
                "properties": {},
            }
            for product, quantity in lines
        ],
    }


def contract(contract_id: int, who: Person, origin_order_id: int, status: str, at: datetime) -> dict[str, Any]:
    """The body of subscription_contracts/*."""
    customer_id = 7_100_000_000_000 + who.number
    return {
        "admin_graphql_api_id": f"gid://shopify/SubscriptionContract/{contract_id}",
        "id": contract_id,
        "billing_policy": {"interval": "month", "interval_count": 1, "min_cycles": None, "max_cycles": None},
        "currency_code": "EUR",
        "customer_id": customer_id,
        "admin_graphql_api_customer_id": f"gid://shopify/Customer/{customer_id}",
        "delivery_policy": {"interval": "month", "interval_count": 1},
        "status": status,
        "admin_graphql_api_origin_order_id": f"gid://shopify/Order/{origin_order_id}",
        "origin_order_id": origin_order_id,
        "revision_id": str(int(at.timestamp())),
    }


def billing_attempt(contract_id: int, order_id: int, ready: str) -> dict[str, Any]:
    """The body of subscription_billing_attempts/success and /failure."""
    return {
        "id": None,
        "admin_graphql_api_id": None,
        "idempotency_key": f"renewal-{contract_id}-{order_id}",
        "order_id": order_id,
        "admin_graphql_api_order_id": f"gid://shopify/Order/{order_id}",
        "subscription_contract_id": contract_id,
        "admin_graphql_api_subscription_contract_id": f"gid://shopify/SubscriptionContract/{contract_id}",
        "ready": True,
        "error_message": None,
        "error_code": None if ready == "success" else "insufficient_funds",
    }
