"""Shoppers of the demo's WooCommerce store as our plugin tells of them: carts, checkouts, orders with the facts of each moment, signed by
the second version of our own scheme (docs/reference/woocommerce-plugin.md)."""

from datetime import datetime, timedelta
from typing import Any

from sandbox.stores.clicks import Visit, landing_page, visit
from sandbox.stores.draw import Draw
from sandbox.stores.people import Person, Product, basket, person, total_of
from sandbox.stores.posts import Post, Store, woocommerce_plugin_post
from sandbox.stores.woocommerce import SHIPPING, gmt

SHOPPERS = 12
FIRST_CUSTOMER = 201  # the store's webhooks tell of those below
REFUND_AGO = timedelta(minutes=20)


def woocommerce_plugin_scenario(store: Store, draw: Draw) -> tuple[list[Post], list[Post]]:
    """First wave and second wave."""
    first: list[Post] = []
    second: list[Post] = []
    for index in range(SHOPPERS):
        posts, later = _shopper(store, draw, index)
        first.extend(posts)
        second.extend(later)
    return first, second


def _shopper(store: Store, draw: Draw, index: int) -> tuple[list[Post], list[Post]]:
    """One fills a cart, opens the checkout and orders; most pay, one in four gets a line back, one in four cancels."""
    who = person(draw.random, FIRST_CUSTOMER + index)
    lines = basket(draw.random)
    ordered_at = draw.moment(2, 60)
    seen = visit(draw.random, store.ads_customer_id, ordered_at, draw.now, draw.next_serial())
    order_id, token = draw.next_serial(), str(draw.delivery())
    origin = [{"key": "_custom_events", "value": _origin(seen)}]

    def tell(topic: str, document: dict[str, Any], at: datetime, kind: str = "plugin", **moment: Any) -> Post:
        event_id = str(draw.delivery())
        head = {"version": 1, "plugin": "1.0.0", "event": topic, "id": event_id}
        document["custom_events"] = {**head, "at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), **moment}
        return woocommerce_plugin_post(store, kind, topic, document, event_id, draw.now)

    def order(topic: str, status: str, at: datetime, paid_at: datetime | None, **moment: Any) -> Post:
        document = _order(order_id, who, lines, status, ordered_at, at, paid_at)
        document |= {"meta_data": origin, "refunds": moment.pop("refunds", [])}
        kind = "refund" if document["refunds"] else "plugin"
        return tell(topic, document, at, kind, paid_at=gmt(paid_at), is_test=False, **moment)

    def cart(topic: str, chosen: list[tuple[Product, int]], at: datetime) -> Post:
        content = {
            "token": token,
            "date_created_gmt": gmt(ordered_at - timedelta(minutes=20)),
            "currency": store.currency,
            "total": f"{total_of(chosen)}",
            "line_items": [_line(product, quantity) for product, quantity in chosen],
        }
        return tell(topic, {"cart": content, "customer_id": who.number, "meta_data": origin}, at)

    paid_at = ordered_at + timedelta(minutes=1)
    first = [
        cart("cart.item_added", lines[:1], ordered_at - timedelta(minutes=20)),
        cart("checkout.started", lines, ordered_at - timedelta(minutes=5)),
        order("order.created", "pending", ordered_at, None),
    ]
    change = {"from": "pending", "to": "processing"}
    if index % 4 == 3:
        cancelled_at = ordered_at + timedelta(minutes=60)
        first.append(order("order.cancelled", "cancelled", cancelled_at, None, **{**change, "to": "cancelled"}))
        return first, []
    first.append(order("order.paid", "processing", paid_at, paid_at, **change))
    if index % 4 != 1:
        return first, []
    refunded_at = draw.now - REFUND_AGO
    product, quantity = lines[0]
    refund = {
        "id": order_id * 10,
        "total": f"-{product.price * quantity}",
        "date_created_gmt": gmt(refunded_at),
        "line_items": [_line(product, -quantity) | _of_order(product, -quantity)],
        "shipping_lines": [],
    }
    return first, [
        order("order.refunded", "processing", refunded_at, paid_at, refunds=[refund], refund_id=refund["id"])
    ]


def _origin(seen: Visit) -> dict[str, Any]:
    """What the plugin keeps of a visit: the click, where consent is not refused, and the answer."""
    answer = seen.consent or "unknown"
    names = ("ad_storage", "ad_user_data", "ad_personalization")
    consent = {**dict.fromkeys(names, answer), "source": "wp_consent_api" if seen.consent else "setting"}
    if answer == "denied" or seen.click_id is None or seen.clicked_at is None:
        return {"consent": consent}
    return {
        seen.kind: seen.click_id,
        "utm_source": "google",
        "landing_page": landing_page(seen),
        "clicked_at": int(seen.clicked_at.timestamp()),
        "consent": consent,
    }


def _order(
    order_id: int,
    who: Person,
    lines: list[tuple[Product, int]],
    status: str,
    created_at: datetime,
    modified_at: datetime,
    paid_at: datetime | None,
) -> dict[str, Any]:
    place = {"country": who.country, "postcode": who.postcode}
    return {
        "id": order_id,
        "parent_id": 0,
        "number": str(order_id),
        "status": status,
        "currency": "EUR",
        "total": f"{total_of(lines) + SHIPPING}",
        "total_tax": "0",
        "shipping_total": f"{SHIPPING}",
        "shipping_tax": "0",
        "discount_total": "0",
        "discount_tax": "0",
        "date_created_gmt": gmt(created_at),
        "date_modified_gmt": gmt(modified_at),
        "date_paid_gmt": gmt(paid_at),
        "date_completed_gmt": None,
        "customer_id": who.number,
        "created_via": "store-api",
        "payment_method": "stripe",
        "billing": {"email": who.email, "phone": who.phone, **place},
        "shipping": place,
        "line_items": [_line(product, quantity) | _of_order(product, quantity) for product, quantity in lines],
        "shipping_lines": [{"method_title": "Flat rate"}],
        "coupon_lines": [],
    }


def _line(product: Product, quantity: int) -> dict[str, Any]:
    """A line of a cart."""
    return {
        "name": product.title,
        "product_id": product.number,
        "variation_id": 0,
        "sku": product.sku,
        "quantity": quantity,
        "total": f"{product.price * quantity}",
        "price": f"{product.price}",
    }


def _of_order(product: Product, quantity: int) -> dict[str, str]:
    """What a line of an order has beside."""
    return {"subtotal": f"{product.price * quantity}", "total_tax": "0"}
