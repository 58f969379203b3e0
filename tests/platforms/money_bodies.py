"""Bodies of stores with little in them but money, as the stores write it. Whatever a test is about is given by name."""

from typing import Any

import msgspec

Body = dict[str, Any]


def both(shop: str, shopper: str | None = None, currencies: tuple[str, str] = ("EUR", "USD")) -> Body:
    """A Shopify `*_set`; without a shopper's amount both sides are in the shop's currency."""
    ours, theirs = currencies if shopper is not None else (currencies[0], currencies[0])
    return {
        "shop_money": {"amount": shop, "currency_code": ours},
        "presentment_money": {"amount": shopper or shop, "currency_code": theirs},
    }


def line(number: int, price: str, quantity: int = 1, **fields: Any) -> Body:
    """A line of a Shopify order."""
    named = {
        "id": number,
        "sku": f"SKU-{number}",
        "title": f"Thing {number}",
        "product_id": 100 + number,
        "variant_id": 200 + number,
    }
    return {**named, "price": price, "quantity": quantity, **fields}


def transaction(
    amount: str, status: str = "success", kind: str = "refund", currency: str = "EUR", **fields: Any
) -> Body:
    """A movement of money on Shopify."""
    return {"id": 900, "kind": kind, "status": status, "amount": amount, "currency": currency, **fields}


def back(of: Body, quantity: int, subtotal: str, tax: str = "0.00", **fields: Any) -> Body:
    """What came back of a line, on Shopify."""
    return {
        "id": 1,
        "line_item_id": of["id"],
        "quantity": quantity,
        "subtotal": subtotal,
        "total_tax": tax,
        "line_item": of,
        **fields,
    }


def refund(number: int, *transactions: Body, lines: tuple[Body, ...] = (), **fields: Any) -> Body:
    """A Shopify refund."""
    return {
        "id": number,
        "order_id": 7001,
        "created_at": "2026-10-02T10:00:00+02:00",
        "transactions": list(transactions),
        "refund_line_items": list(lines),
        "order_adjustments": [],
        **fields,
    }


def shopify_order(total: str, *lines: Body, **fields: Any) -> bytes:
    """The body of a Shopify order topic."""
    order = {
        "id": 7001,
        "created_at": "2026-10-01T10:00:00+02:00",
        "updated_at": "2026-10-03T10:00:00+02:00",
        "processed_at": "2026-10-01T10:00:00+02:00",
        "currency": "EUR",
        "financial_status": "paid",
        "total_price": total,
        "line_items": list(lines),
        "refunds": [],
    }
    return msgspec.json.encode(order | fields)


def woo_line(number: int, total: str, quantity: float = 1, **fields: Any) -> Body:
    """A line of a WooCommerce order or refund."""
    named = {
        "id": number,
        "product_id": 100 + number,
        "variation_id": 0,
        "sku": f"SKU-{number}",
        "name": f"Thing {number}",
    }
    return {**named, "quantity": quantity, "subtotal": total, "total": total, "total_tax": "0.00", **fields}


def woo_order(total: str, *lines: Body, **fields: Any) -> bytes:
    """The body of a WooCommerce order topic."""
    order = {
        "id": 7001,
        "parent_id": 0,
        "status": "processing",
        "currency": "EUR",
        "date_created_gmt": "2026-10-01T10:00:00",
        "date_modified_gmt": "2026-10-03T10:00:00",
        "date_paid_gmt": "2026-10-01T10:00:20",
        "total": total,
        "total_tax": "0.00",
        "shipping_total": "0.00",
        "shipping_tax": "0.00",
        "discount_total": "0.00",
        "discount_tax": "0.00",
        "payment_method": "stripe",
        "created_via": "checkout",
        "meta_data": [],
        "line_items": list(lines),
        "refunds": [],
    }
    return msgspec.json.encode(order | fields)
