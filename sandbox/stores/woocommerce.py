"""Bodies as a WooCommerce store posts them: REST v3 shapes, money as strings, times without zone, fictional data."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.stores.clicks import Visit, landing_page
from sandbox.stores.people import Person, Product, total_of

SHIPPING = Decimal("5.90")
SITE = "https://kilnhouse.example"
LOCAL_OFFSET = timedelta(hours=1)  # the shop's own clock; bodies carry it beside the GMT one


def gmt(at: datetime | None) -> str | None:
    """`2026-11-20T10:00:00`, UTC without a Z, as WooCommerce writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S") if at else None


def local(at: datetime | None) -> str | None:
    """The same moment by the shop's clock, without offset: the trap beside the GMT field."""
    return gmt(at + LOCAL_OFFSET) if at else None


def order(
    *,
    order_id: int,
    who: Person,
    lines: list[tuple[Product, int]],
    seen: Visit,
    status: str,
    created_at: datetime,
    modified_at: datetime,
    paid_at: datetime | None,
    refunds: list[tuple[int, Decimal]] | None = None,
    created_via: str = "checkout",
    payment_method: str = "stripe",
    subscription_id: int | None = None,
) -> dict[str, Any]:
    """The body of order.created and order.updated."""
    total = total_of(lines) + SHIPPING
    address = {
        "first_name": who.first,
        "last_name": who.last,
        "country": who.country,
        "postcode": who.postcode,
        "email": who.email,
        "phone": who.phone,
    }
    return {
        "id": order_id,
        "parent_id": 0,
        "status": status,
        "currency": "EUR",
        "version": "11.0.1",
        "prices_include_tax": True,
        "date_created": local(created_at),
        "date_created_gmt": gmt(created_at),
        "date_modified": local(modified_at),
        "date_modified_gmt": gmt(modified_at),
        "date_paid": local(paid_at),
        "date_paid_gmt": gmt(paid_at),
        "date_completed": None,
        "date_completed_gmt": None,
        "discount_total": "0.00",
        "discount_tax": "0.00",
        "shipping_total": f"{SHIPPING:.2f}",
        "shipping_tax": "0.00",
        "total": f"{total:.2f}",
        "total_tax": "0.00",
        "customer_id": who.number if who.number % 4 else 0,
        "order_key": f"wc_order_demo{order_id}",
        "billing": address,
        "shipping": address,
        "payment_method": payment_method,
        "payment_method_title": payment_method.title(),
        "transaction_id": f"tx-{order_id}",
        "created_via": created_via,
        "number": str(order_id),
        "meta_data": _meta(order_id, seen, subscription_id),
        "line_items": [_line(order_id, index, product, quantity) for index, (product, quantity) in enumerate(lines)],
        "shipping_lines": [
            {"id": 1, "method_title": "Flat rate", "method_id": "flat_rate", "total": f"{SHIPPING:.2f}"}
        ],
        "fee_lines": [],
        "coupon_lines": [],
        "tax_lines": [],
        "refunds": [{"id": number, "reason": "demo", "total": f"-{amount:.2f}"} for number, amount in refunds or []],
        "currency_symbol": "€",
    }


def _meta(order_id: int, seen: Visit, subscription_id: int | None) -> list[dict[str, Any]]:
    entries: dict[str, Any] = {
        "_wc_order_attribution_source_type": "utm",
        "_wc_order_attribution_utm_source": "google",
        "_wc_order_attribution_utm_medium": "cpc",
        "_wc_order_attribution_session_entry": SITE + landing_page(seen),
    }
    if seen.place in {"attribute", "item"} and seen.click_id and seen.clicked_at:
        entries[f"_{seen.kind}"] = seen.click_id
        entries["_clicked_at"] = seen.clicked_at.isoformat()
    if seen.consent:
        entries["consent_ad_user_data"] = seen.consent
    if subscription_id is not None:
        entries["_subscription_renewal"] = str(subscription_id)
    return [
        {"id": order_id * 100 + index, "key": key, "value": value} for index, (key, value) in enumerate(entries.items())
    ]


def _line(order_id: int, index: int, product: Product, quantity: int) -> dict[str, Any]:
    return {
        "id": order_id * 10 + index,
        "name": product.title,
        "product_id": product.number,
        "variation_id": 0,
        "quantity": quantity,
        "sku": product.sku,
        "price": float(product.price),
        "subtotal": f"{product.price * quantity:.2f}",
        "total": f"{product.price * quantity:.2f}",
        "total_tax": "0.00",
        "meta_data": [],
    }


def customer(who: Person, at: datetime) -> dict[str, Any]:
    """The body of customer.created."""
    return {
        "id": who.number,
        "date_created": local(at),
        "date_created_gmt": gmt(at),
        "date_modified_gmt": gmt(at),
        "email": who.email,
        "first_name": who.first,
        "last_name": who.last,
        "role": "customer",
        "username": f"demo{who.number}",
        "billing": {"country": who.country, "postcode": who.postcode, "email": who.email, "phone": who.phone},
        "shipping": {"country": who.country, "postcode": who.postcode},
        "is_paying_customer": False,
        "meta_data": [],
    }


def subscription(
    *,
    subscription_id: int,
    parent_order_id: int,
    who: Person,
    status: str,
    created_at: datetime,
    modified_at: datetime,
    cancelled_at: datetime | None = None,
) -> dict[str, Any]:
    """The body of subscription.created and subscription.updated (WooCommerce Subscriptions). One that was cancelled runs on to the end
    of its term, `pending-cancel`, and keeps the date of its cancellation."""
    return {
        "id": subscription_id,
        "parent_id": parent_order_id,
        "status": status,
        "currency": "EUR",
        "date_created": local(created_at),
        "date_created_gmt": gmt(created_at),
        "date_modified": local(modified_at),
        "date_modified_gmt": gmt(modified_at),
        "total": "32.00",
        "total_tax": "0.00",
        "customer_id": who.number,
        "billing": {"country": who.country, "postcode": who.postcode, "email": who.email, "phone": who.phone},
        "shipping": {},
        "payment_method": "stripe",
        "created_via": "checkout",
        "billing_period": "month",
        "billing_interval": "1",
        "start_date_gmt": gmt(created_at),
        "next_payment_date_gmt": "",
        "end_date_gmt": gmt(modified_at) if status == "cancelled" else "",
        "cancelled_date_gmt": gmt(cancelled_at) or "",
        "meta_data": [],
        "line_items": [],
        "refunds": [],
    }
