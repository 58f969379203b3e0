"""What a person leaves at three stores, in every kind of body and in every place of it."""

from typing import Any

from tests.redaction.conftest import Bodies, Planted, Somebody


def address(who: Somebody) -> dict[str, Any]:
    return {
        "first_name": who.first,
        "last_name": who.last,
        "address1": who.street,
        "zip": str(who.number),
        "country_code": "US",
        "country": "US",
        "phone": who.phone,
        "email": who.email,
    }


def shopify_order(planted: Planted, who: Somebody, place: int = 1, **fields: Any) -> dict[str, Any]:
    order = who.order(place)
    click = planted.click(who, "shopify")
    return {
        "id": order,
        "created_at": planted.at(40),
        "updated_at": planted.at(39),
        "processed_at": planted.at(40),
        "total_price": "100.00",
        "currency": "EUR",
        "financial_status": "paid",
        "name": f"#{order}",
        "order_number": order,
        "email": who.email,
        "phone": who.phone,
        "note": f"for {who.first}",
        "tags": f"{who.last}, vip",
        "customer": {"id": who.number, "email": who.email, "phone": who.phone, **address(who)},
        "billing_address": address(who),
        "shipping_address": address(who),
        "landing_site": f"/?gclid={click}&email={who.email.replace('@', '%40')}",
        "referring_site": f"https://mail.example/?to={who.email}",
        "cart_token": f"cart-{who.number}",
        "checkout_token": f"checkout-{who.number}",
        "discount_codes": [{"code": f"FOR-{who.last}", "amount": "0.00"}],
        "note_attributes": [
            {"name": "gclid", "value": click},
            {"name": "consent_ad_user_data", "value": "granted"},
            {"name": "greeting", "value": f"Dear {who.first}"},
        ],
        "line_items": [
            {
                "id": order * 10,
                "sku": "A-1",
                "quantity": 1,
                "price": "100.00",
                "properties": [{"name": "engraving", "value": f"{who.first} {who.last}"}],
            }
        ],
        "refunds": [],
    } | fields


def refund(planted: Planted, who: Somebody) -> dict[str, Any]:
    order = who.order(1)
    return {
        "id": order * 100,
        "order_id": order,
        "created_at": planted.at(30),
        "note": f"{who.first} did not like it",
        "refund_line_items": [],
        "transactions": [
            {"id": order * 1000, "kind": "refund", "status": "success", "amount": "10.00", "currency": "EUR"}
        ],
    }


def at_shopify(planted: Planted, who: Somebody) -> Bodies:
    refunded = shopify_order(planted, who, updated_at=planted.at(29), refunds=[refund(planted, who)])
    contract = who.number * 1000
    bodies = {
        "customers/create": {
            "id": who.number,
            "created_at": planted.at(70),
            "updated_at": planted.at(70),
            **address(who),
        },
        "carts/create": {
            "token": f"cart-{who.number}",
            "created_at": planted.at(41),
            "updated_at": planted.at(41),
            "line_items": [{"key": f"line-{who.number}", "variant_id": 5, "quantity": 1, "price": "100.00"}],
        },
        "checkouts/create": {
            "token": f"checkout-{who.number}",
            "created_at": planted.at(41),
            "updated_at": planted.at(41),
            "total_price": "100.00",
            "currency": "EUR",
            "email": who.email,
            "customer": {"id": who.number},
            "landing_site": f"/?gclid={planted.click(who, 'shopify')}",
            "line_items": [],
        },
        "orders/paid": shopify_order(planted, who),
        "refunds/create": refund(planted, who),
        "orders/updated": refunded,
        "subscription_contracts/create": {
            "id": contract,
            "status": "active",
            "currency_code": "EUR",
            "customer_id": who.number,
            "origin_order_id": who.order(1),
        },
        "subscription_billing_attempts/failure": {
            "subscription_contract_id": contract,
            "order_id": None,
            "idempotency_key": f"key-{who.number}",
            "error_code": "card_declined",
        },
        "fulfillments/create": {"id": 1, "order_id": who.order(1), "email": who.email, "destination": address(who)},
        "something/new": {"shipping": address(who)},
    }
    return [("shopify", topic, body) for topic, body in bodies.items()]


def at_woocommerce(planted: Planted, who: Somebody) -> Bodies:
    def moment(hours: float) -> str:
        return planted.at(hours).removesuffix("+00:00")

    order = {
        "id": who.order(2),
        "number": str(who.order(2)),
        "status": "processing",
        "total": "80.00",
        "currency": "EUR",
        "date_created_gmt": moment(40),
        "date_modified_gmt": moment(39),
        "date_paid_gmt": moment(40),
        "date_completed_gmt": None,
        "payment_method": "card",
        "customer_id": who.number,
        "customer_note": f"call {who.phone}",
        "billing": address(who) | {"postcode": str(who.number)},
        "shipping": address(who),
        "meta_data": [
            {"id": 1, "key": "_gclid", "value": planted.click(who, "woocommerce")},
            {"id": 2, "key": "_consent_ad_user_data", "value": "granted"},
            {"id": 3, "key": "_greeting", "value": f"Dear {who.first}"},
        ],
        "line_items": [{"id": 1, "product_id": 9, "quantity": 1, "subtotal": "80.00", "total": "80.00"}],
        "refunds": [],
    }
    customer = {
        "id": who.number,
        "date_created_gmt": moment(60),
        "date_modified_gmt": moment(60),
        "username": f"{who.first}{who.number}",
        "role": "customer",
        "billing": address(who),
        "meta_data": [],
    } | address(who)
    subscription = {
        "id": who.order(3),
        "parent_id": who.order(2),
        "status": "active",
        "currency": "EUR",
        "date_created_gmt": moment(40),
        "date_modified_gmt": moment(38),
        "start_date_gmt": moment(40),
        "total": "80.00",
        "customer_id": who.number,
        "billing": address(who),
        "billing_period": "month",
        "billing_interval": "1",
        "meta_data": [],
        "line_items": [],
    }
    bodies = {"customer.created": customer, "order.updated": order, "subscription.updated": subscription}
    return [("woocommerce", topic, body) for topic, body in bodies.items()]


def at_custom_sender(planted: Planted, who: Somebody) -> Bodies:
    customer = {"id": f"u{who.number}", "email": who.email, "phone": who.phone, "country": "US"}
    paid = {
        "type": "order.paid",
        "occurred_at": planted.at(40),
        "order": {
            "id": f"o{who.order(4)}",
            "created_at": planted.at(40),
            "updated_at": planted.at(40),
            "currency": "EUR",
            "total": "60.00",
            "items": [{"sku": "A", "quantity": 1, "price": "60.00"}],
        },
        "customer": customer,
        "properties": {"nick": who.first, "level": {"of": who.last}},
        "clicks": {"gclid": planted.click(who, "custom"), "clicked_at": planted.at(60)},
        "consent": {"ad_user_data": "granted"},
    }
    cart = {
        "type": "cart.item_added",
        "occurred_at": planted.at(41),
        "cart": {
            "token": f"basket-{who.number}",
            "currency": "EUR",
            "total": "60.00",
            "items": [{"sku": "A", "quantity": 1, "price": "60.00"}],
        },
        "customer": customer,
    }
    by_phone = {
        "type": "customer.created",
        "occurred_at": planted.at(50),
        "customer": {"phone": who.phone},
        "properties": {"id": str(who.number)},
    }
    bodies = {"order.paid": paid, "cart.item_added": cart, "customer.created": by_phone}
    return [("custom", topic, body) for topic, body in bodies.items()]


def everywhere(planted: Planted, who: Somebody) -> Bodies:
    """All bodies of a person, at the three stores."""
    return [*at_shopify(planted, who), *at_woocommerce(planted, who), *at_custom_sender(planted, who)]


def beacon(planted: Planted, who: Somebody) -> Bodies:
    """What a browser told of an order of theirs."""
    told = {
        "site": "planted-shopify",
        "order_id": str(who.order(1)),
        "clicks": {"gclid": planted.click(who, "shopify")},
    }
    return [("browser", "", told)]


def redact_customer(who: Somebody) -> Bodies:
    """Shopify's request."""
    customer = {"id": who.number, "email": who.email, "phone": who.phone}
    body = {"shop_id": 1, "shop_domain": "x", "customer": customer, "orders_to_redact": [who.order(1)]}
    return [("shopify", "customers/redact", body)]
