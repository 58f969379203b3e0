"""The parts that we read of an order as it was read from BigCommerce's API (`orders_api.py`): the order of V2 with its products, and of V3 its
transactions, refunds and metafields (developer.bigcommerce.com, Orders V2 and V3).

Amounts of V2 are text with four decimals, those of V3 numbers. Times of V2 are as in mails (RFC 2822), those of V3 ISO 8601. What the
shopper or the staff wrote (`customer_message`, `staff_notes`) is not among the fields.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from custom_events.platforms.parse import Id


class Address(msgspec.Struct, gc=False):
    """Who pays: for hashes, and where."""

    email: str | None = None
    phone: str | None = None
    zip: str | None = None
    country_iso2: str | None = None


class Order(msgspec.Struct, gc=False):
    """GET /v2/orders/{id}. `default_currency_code`: what the shopper pays in, and what all amounts are in; `currency_code`: what prices
    were shown in."""

    id: Id
    status_id: int
    date_created: str
    date_modified: str
    total_inc_tax: Decimal
    status: str | None = None
    payment_status: str | None = None
    date_shipped: str | None = None
    default_currency_code: str | None = None
    currency_code: str | None = None
    is_tax_inclusive_pricing: bool | None = None
    subtotal_ex_tax: Decimal | None = None
    subtotal_inc_tax: Decimal | None = None
    total_tax: Decimal | None = None
    shipping_cost_ex_tax: Decimal | None = None
    shipping_cost_inc_tax: Decimal | None = None
    shipping_cost_tax: Decimal | None = None
    discount_amount: Decimal | None = None
    coupon_discount: Decimal | None = None
    payment_method: str | None = None
    customer_id: Id | None = None
    billing_address: Address | None = None
    is_email_opt_in: bool | None = None
    cart_id: str | None = None
    order_source: str | None = None
    external_source: str | None = None


class Product(msgspec.Struct, gc=False):
    """A line, of GET /v2/orders/{id}/products."""

    product_id: Id | None = None
    variant_id: Id | None = None
    sku: str | None = None
    name: str | None = None
    brand: str | None = None
    quantity: float | None = None
    price_ex_tax: Decimal | None = None
    price_inc_tax: Decimal | None = None
    total_ex_tax: Decimal | None = None
    total_inc_tax: Decimal | None = None
    total_tax: Decimal | None = None


class Transaction(msgspec.Struct, gc=False):
    """A movement of money, of GET /v3/orders/{id}/transactions."""

    event: str | None = None
    status: str | None = None
    gateway: str | None = None
    date_created: datetime | None = None
    test: bool | None = None


class RefundPayment(msgspec.Struct, gc=False):
    """The part of a refund that went back by one way of paying."""

    amount: Decimal
    is_declined: bool | None = None


class Refund(msgspec.Struct, gc=False):
    """GET /v3/orders/{id}/payment_actions/refunds."""

    id: Id
    total_amount: Decimal
    created: str | None = None
    reason: str | None = None
    payments: list[RefundPayment] | None = None


class Metafield(msgspec.Struct, gc=False):
    """GET /v3/orders/{id}/metafields."""

    key: str | None = None
    value: Any = None


class Read(msgspec.Struct, gc=False):
    """An order as it was read. `read_at`: nothing in it was read before, by the store's clock."""

    read_at: datetime
    order: Order
    products: list[Product] | None = None
    transactions: list[Transaction] | None = None
    refunds: list[Refund] | None = None
    metafields: list[Metafield] | None = None
