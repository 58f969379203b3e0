"""Generated Shopify `orders/paid` bodies, for every benchmark that needs webhooks.

Sizes follow what stores send (docs/reference/platforms.md 3; docs/reference/performance.md: mean 6.7 KB, 4.5-11.3): a base of about 4 KB and
about 1 KB for each line item. Nothing in them is a person's. The same `seed` gives the same bytes.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

FIRST_ORDER_ID = 5_400_000_000_000  # Shopify's ids have 13 digits today
CUSTOMERS_PER_SITE = 400  # so that people come again: about one order in five is a repeat in 100,000 over 1,000 sites
CLICK_SHARE = 0.6  # share of orders with a click id in their cart attributes
TAGS = ("vip", "wholesale", "newsletter", "gift", "preorder", "staff-pick")
SKUS = ("VIP", "STD", "SALE", "NEW", "GIFT")
CODES = ("WELCOME10", "SUMMER", "FREESHIP", "VIP20")
WORDS = ("linen", "walnut", "copper", "harbour", "meadow", "granite", "velvet", "amber", "cedar", "indigo")
_ENCODER = msgspec.json.Encoder()


def shopify_order_bodies(count: int, seed: int = 1, sites: int = 1_000) -> list[bytes]:
    """`count` bodies; number i belongs to site number `i % sites` and has an order id of its own."""
    return list(shopify_orders(count, seed, sites))


def shopify_orders(count: int, seed: int = 1, sites: int = 1_000, first: int = 0) -> Iterator[bytes]:
    """The same as `shopify_order_bodies`, one at a time; numbers count from `first`."""
    rng = random.Random(seed)  # speed, not secrecy
    start = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=6)
    for number in range(first, first + count):
        yield _ENCODER.encode(order(number, number % sites, rng, start + timedelta(seconds=rng.randrange(5 * 86_400))))


def money_set(amount: str) -> dict[str, Any]:
    """A `*_set` as Shopify writes it: shop and presentment money."""
    money = {"amount": amount, "currency_code": "EUR"}
    return {"shop_money": money, "presentment_money": money}


def line_item(number: int, place: int, rng: random.Random) -> dict[str, Any]:
    """About 1.1 KB."""
    price = f"{rng.randrange(500, 12_000) / 100:.2f}"
    title = f"{rng.choice(WORDS).title()} {rng.choice(WORDS)} {rng.randrange(900)}"
    identifier = 13_900_000_000_000 + number * 8 + place
    return {
        "id": identifier,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{identifier}",
        "attributed_staffs": [],
        "current_quantity": 1,
        "fulfillable_quantity": 1,
        "fulfillment_service": "manual",
        "fulfillment_status": None,
        "gift_card": False,
        "grams": rng.randrange(100, 4_000),
        "name": title,
        "price": price,
        "price_set": money_set(price),
        "product_exists": True,
        "product_id": 8_100_000_000_000 + rng.randrange(5_000),
        "properties": [],
        "quantity": rng.choice((1, 1, 1, 2, 3)),
        "requires_shipping": True,
        "sku": f"{rng.choice(SKUS)}-{rng.randrange(10_000):05d}",
        "taxable": True,
        "title": title,
        "total_discount": "0.00",
        "total_discount_set": money_set("0.00"),
        "variant_id": 45_000_000_000_000 + rng.randrange(20_000),
        "variant_inventory_management": "shopify",
        "variant_title": rng.choice(("S", "M", "L")),
        "vendor": rng.choice(WORDS).title(),
        "tax_lines": [],
        "duties": [],
        "discount_allocations": [],
    }


def address(rng: random.Random) -> dict[str, Any]:
    """An address of nobody."""
    return {
        "first_name": "Sample",
        "last_name": f"Person {rng.randrange(1_000)}",
        "name": "Sample Person",
        "address1": f"{rng.choice(WORDS).title()} street {rng.randrange(200)}",
        "address2": None,
        "company": None,
        "phone": f"+4930{rng.randrange(10_000_000):07d}",
        "city": "Berlin",
        "zip": f"10{rng.randrange(1_000):03d}",
        "province": None,
        "province_code": None,
        "country": "Germany",
        "country_code": rng.choice(("DE", "DE", "AT", "NL")),
        "latitude": 52.5,
        "longitude": 13.4,
    }


def customer(site: int, rng: random.Random, at: str) -> dict[str, Any]:
    """One of the site's customers."""
    who = site * CUSTOMERS_PER_SITE + rng.randrange(CUSTOMERS_PER_SITE)
    return {
        "id": 7_000_000_000_000 + who,
        "email": f"person{who}@example.org",
        "created_at": at,
        "updated_at": at,
        "first_name": "Sample",
        "last_name": "Person",
        "state": "enabled",
        "note": None,
        "verified_email": True,
        "tax_exempt": False,
        "phone": None,
        "tags": ", ".join(rng.sample(TAGS, rng.randrange(3))),
        "currency": "EUR",
        "admin_graphql_api_id": f"gid://shopify/Customer/{7_000_000_000_000 + who}",
    }


def attributes(number: int, rng: random.Random) -> list[dict[str, str]]:
    """Cart attributes as our theme block writes them: click id, its time, consent."""
    if rng.random() > CLICK_SHARE:
        return []
    click = "".join(rng.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", k=70))
    return [
        {"name": "gclid", "value": f"Cj0KCQ{number}{click}"},
        {"name": "ad_user_data", "value": "granted"},
        {"name": "ad_personalization", "value": "granted"},
    ]


def order(number: int, site: int, rng: random.Random, at: datetime) -> dict[str, Any]:
    """One paid order."""
    created = at.isoformat()
    items = [line_item(number, place, rng) for place in range(rng.choice((1, 1, 1, 1, 2, 2, 3, 6)))]
    subtotal = sum((Decimal(item["price"]) * item["quantity"] for item in items), Decimal(0))
    total, tax = f"{subtotal + Decimal('4.90')}", f"{subtotal * Decimal('0.19'):.2f}"
    identifier = FIRST_ORDER_ID + number
    buyer = customer(site, rng, created)
    return {
        "id": identifier,
        "admin_graphql_api_id": f"gid://shopify/Order/{identifier}",
        "app_id": 580111,
        "browser_ip": "192.0.2.1",
        "buyer_accepts_marketing": rng.random() < 0.4,
        "cancel_reason": None,
        "cancelled_at": None,
        "cart_token": f"c1-{rng.getrandbits(120):030x}",
        "checkout_token": f"{rng.getrandbits(120):030x}",
        "client_details": {
            "accept_language": "de-DE",
            "browser_height": None,
            "browser_ip": "192.0.2.1",
            "session_hash": None,
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        },
        "closed_at": None,
        "confirmation_number": f"{rng.getrandbits(40):X}",
        "confirmed": True,
        "contact_email": buyer["email"],
        "created_at": created,
        "currency": "EUR",
        "current_subtotal_price": f"{subtotal}",
        "current_subtotal_price_set": money_set(f"{subtotal}"),
        "current_total_discounts": "0.00",
        "current_total_price": total,
        "current_total_price_set": money_set(total),
        "current_total_tax": tax,
        "customer_locale": "de-DE",
        "discount_codes": [{"code": rng.choice(CODES), "amount": "0.00", "type": "percentage"}]
        if rng.random() < 0.2
        else [],
        "email": buyer["email"],
        "estimated_taxes": False,
        "financial_status": "paid",
        "fulfillment_status": None,
        "landing_site": f"/collections/{rng.choice(WORDS)}?utm_source=google&utm_medium=cpc&utm_campaign={rng.choice(WORDS)}",
        "landing_site_ref": None,
        "location_id": None,
        "name": f"#{1_000 + number}",
        "note": None,
        "note_attributes": attributes(number, rng),
        "number": number,
        "order_number": 1_000 + number,
        "order_status_url": f"https://shop-{site}.myshopify.com/{site}/orders/{rng.getrandbits(120):030x}/authenticate",
        "payment_gateway_names": [rng.choice(("shopify_payments", "paypal", "klarna"))],
        "phone": None,
        "presentment_currency": "EUR",
        "processed_at": created,
        "referring_site": "https://www.google.com/",
        "source_name": "web",
        "subtotal_price": f"{subtotal}",
        "subtotal_price_set": money_set(f"{subtotal}"),
        "tags": ", ".join(rng.sample(TAGS, rng.randrange(3))),
        "tax_lines": [{"price": tax, "rate": 0.19, "title": "VAT", "price_set": money_set(tax)}],
        "taxes_included": True,
        "test": False,
        "token": f"{rng.getrandbits(120):030x}",
        "total_discounts": "0.00",
        "total_discounts_set": money_set("0.00"),
        "total_line_items_price": f"{subtotal}",
        "total_line_items_price_set": money_set(f"{subtotal}"),
        "total_outstanding": "0.00",
        "total_price": total,
        "total_price_set": money_set(total),
        "total_shipping_price_set": money_set("4.90"),
        "total_tax": tax,
        "total_tax_set": money_set(tax),
        "total_tip_received": "0.00",
        "total_weight": sum(item["grams"] for item in items),
        "updated_at": created,
        "user_id": None,
        "billing_address": address(rng),
        "customer": buyer,
        "discount_applications": [],
        "fulfillments": [],
        "line_items": items,
        "payment_terms": None,
        "refunds": [],
        "shipping_address": address(rng),
        "shipping_lines": [
            {
                "id": 4_000_000_000_000 + number,
                "code": "standard",
                "discounted_price": "4.90",
                "discounted_price_set": money_set("4.90"),
                "phone": None,
                "price": "4.90",
                "price_set": money_set("4.90"),
                "source": "shopify",
                "title": "Standard",
                "tax_lines": [],
                "discount_allocations": [],
            }
        ],
    }
