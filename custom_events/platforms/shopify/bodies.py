"""The fields of Shopify's webhook bodies that we read; everything else in a body is skipped without being built.

Bodies keep the REST shape (docs/reference/platforms.md 1.1 and 1.11). Times must carry their offset, amounts are decimal text
(numbers in old fixtures), ids are 64-bit. What may be null, absent or of two shapes says so here.

Fields of orders, lines, addresses and customers stand in the order in which Shopify writes them: msgspec looks for each after the
one before (1.5 of 25 us an order).
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from custom_events.platforms.attributes import NameValue
from custom_events.platforms.parse import Id

Time = Annotated[datetime, msgspec.Meta(tz=True)]


class Money(msgspec.Struct, gc=False):
    """One side of a `*_set`."""

    amount: Decimal | None = None
    currency_code: str | None = None


class MoneySet(msgspec.Struct, gc=False):
    """`shop_money` is in the shop's currency, the one we use throughout."""

    shop_money: Money | None = None


class Address(msgspec.Struct, gc=False):
    """Of an address only what is coarse, and the number for its hash."""

    phone: str | None = None
    zip: str | None = None
    country_code: str | None = None


class Allocation(msgspec.Struct, gc=False):
    """A share of a discount that falls on a line."""

    amount: Decimal | None = None


class TaxLine(msgspec.Struct, gc=False):
    """One tax on a line of items or of shipping, in the shop's currency."""

    price: Decimal | None = None


class Line(msgspec.Struct, gc=False):
    """A line of an order, a checkout, a cart or a refund. `properties` is a list in orders and an object in carts."""

    id: Id | None = None
    key: str | None = None  # carts and checkouts
    price: Decimal | None = None
    product_id: Id | None = None
    properties: list[NameValue] | dict[str, Any] | None = None
    quantity: int | float | None = None
    sku: str | None = None
    title: str | None = None
    total_discount: Decimal | None = None
    variant_id: Id | None = None
    vendor: str | None = None
    line_price: Decimal | None = None  # carts and checkouts
    tax_lines: list[TaxLine] | None = None
    discount_allocations: list[Allocation] | None = None
    selling_plan_allocation: Any = None


class CartLine(Line, gc=False):
    """A line of a cart, which names its currency nowhere else."""

    price_set: MoneySet | None = None


class DiscountCode(msgspec.Struct, gc=False):
    code: str | None = None


class ShippingLine(msgspec.Struct, gc=False):
    """`price` is before discounts. `discounted_price` is after all of them since API 2024-07, before it without those that
    `discount_allocations` lists."""

    discounted_price: Decimal | None = None
    discounted_price_set: MoneySet | None = None
    price: Decimal | None = None
    title: str | None = None
    tax_lines: list[TaxLine] | None = None
    discount_allocations: list[Allocation] | None = None


class Fulfillment(msgspec.Struct, gc=False):
    created_at: Time | None = None
    status: str | None = None


class Transaction(msgspec.Struct, gc=False):
    """A movement of money. `currency` may be the shopper's; `amount_set`, where sent, holds the shop's too."""

    amount: Decimal
    kind: str
    status: str
    currency: str | None = None
    amount_set: MoneySet | None = None
    test: bool | None = None


class RefundLine(msgspec.Struct, gc=False):
    """`subtotal` is what came back for the line: its share of the discounts is off. Real bodies may hold the `*_set` alone."""

    line_item_id: Id | None = None
    quantity: int | float | None = None
    subtotal: Decimal | None = None
    total_tax: Decimal | None = None
    subtotal_set: MoneySet | None = None
    total_tax_set: MoneySet | None = None
    line_item: Line | None = None


class RefundShippingLine(msgspec.Struct, gc=False):
    """Shipping given back, since API 2024-10."""

    subtotal_amount_set: MoneySet | None = None
    tax_amount_set: MoneySet | None = None


class AmountSet(msgspec.Struct, gc=False):
    """A refunded duty, an additional fee."""

    amount_set: MoneySet | None = None
    price_set: MoneySet | None = None


class Adjustment(msgspec.Struct, gc=False):
    """What lines and shipping do not explain: negative amounts are money to the customer. `kind` is shipping_refund (before API
    2024-10, beside `refund_shipping_lines` later) or refund_discrepancy; newest bodies may have no kind."""

    amount: Decimal | None = None
    tax_amount: Decimal | None = None
    kind: str | None = None
    amount_set: MoneySet | None = None
    tax_amount_set: MoneySet | None = None


class Refund(msgspec.Struct, gc=False):
    """The body of refunds/create, and one of an order's `refunds`."""

    id: Id
    order_id: Id | None = None
    created_at: Time | None = None
    processed_at: Time | None = None
    note: str | None = None
    transactions: list[Transaction] | None = None
    refund_line_items: list[RefundLine] | None = None
    order_adjustments: list[Adjustment] | None = None
    refund_shipping_lines: list[RefundShippingLine] | None = None
    total_duties_set: MoneySet | None = None
    refund_duties: list[AmountSet] | None = None
    total_additional_fees_set: MoneySet | None = None
    additional_fees: list[AmountSet] | None = None
    admin_graphql_api_id: str | None = None


class MarketingConsent(msgspec.Struct, gc=False):
    state: str | None = None


class Customer(msgspec.Struct, gc=False):
    """The body of customers/*, and the `customer` of orders and checkouts. Much of it is gone since 2025-01."""

    id: Id | None = None
    email: str | None = None
    created_at: Time | None = None
    updated_at: Time | None = None
    phone: str | None = None
    tags: str | list[str] | None = None
    admin_graphql_api_id: str | None = None
    default_address: Address | list[Any] | None = None
    accepts_marketing: bool | None = None
    email_marketing_consent: MarketingConsent | None = None


class Return(msgspec.Struct, gc=False):
    """Goods on their way back, perhaps against others."""

    exchange_line_items: list[Any] | None = None


class Order(msgspec.Struct, gc=False, kw_only=True):
    """The body of every orders/* topic but edited and delete. `total_price` is all that was ever sold: edits and exchanges let it
    grow, nothing lets it shrink. `current_total_price` is what the order is worth now; bodies of old API versions lack it."""

    id: Id
    admin_graphql_api_id: str | None = None
    buyer_accepts_marketing: bool | None = None
    cancel_reason: str | None = None
    cancelled_at: Time | None = None
    cart_token: str | None = None
    checkout_token: str | None = None
    closed_at: Time | None = None
    contact_email: str | None = None
    created_at: Time
    currency: str | None = None
    current_total_price: Decimal | None = None
    discount_codes: list[DiscountCode] | None = None
    email: str | None = None
    financial_status: str | None = None
    fulfillment_status: str | None = None
    landing_site: str | None = None
    name: str | None = None
    note_attributes: list[NameValue] | dict[str, Any] | None = None
    order_status_url: str | None = None
    payment_gateway_names: list[str] | None = None
    phone: str | None = None
    processed_at: Time | None = None
    referring_site: str | None = None
    source_name: str | None = None
    subtotal_price: Decimal | None = None
    tags: str | list[str] | None = None
    taxes_included: bool | None = None
    test: bool | None = None
    total_discounts: Decimal | None = None
    total_outstanding: Decimal | None = None
    total_price: Decimal
    total_shipping_price_set: MoneySet | None = None
    total_tax: Decimal | None = None
    total_tip_received: Decimal | None = None
    updated_at: Time
    billing_address: Address | list[Any] | None = None
    customer: Customer | None = None
    fulfillments: list[Fulfillment] | None = None
    line_items: list[Line] | None = None
    refunds: list[Refund] | None = None
    shipping_address: Address | list[Any] | None = None
    shipping_lines: list[ShippingLine] | None = None
    returns: list[Return] | None = None


class Checkout(msgspec.Struct, gc=False):
    """The body of checkouts/create and checkouts/update: an abandoned checkout, until it is an order."""

    token: str
    created_at: Time
    updated_at: Time
    total_price: Decimal
    currency: str | None = None
    email: str | None = None
    phone: str | None = None
    buyer_accepts_marketing: bool | None = None
    customer: Customer | None = None
    billing_address: Address | list[Any] | None = None
    shipping_address: Address | list[Any] | None = None
    line_items: list[Line] | None = None
    landing_site: str | None = None
    note_attributes: list[NameValue] | dict[str, Any] | None = None


class Cart(msgspec.Struct, gc=False):
    """The whole body of carts/*: neither customer nor attributes nor a currency of its own."""

    created_at: Time
    updated_at: Time
    token: str | None = None
    id: str | None = None
    line_items: list[CartLine] | None = None


class BillingPolicy(msgspec.Struct, gc=False):
    interval: str | None = None
    interval_count: int | None = None


class Contract(msgspec.Struct, gc=False):
    """The body of subscription_contracts/*. It holds no time: the delivery's trigger time is the store's clock."""

    id: Id
    admin_graphql_api_id: str | None = None
    status: str | None = None
    currency_code: str | None = None
    customer_id: Id | None = None
    origin_order_id: Id | None = None
    billing_policy: BillingPolicy | None = None


class BillingAttempt(msgspec.Struct, gc=False):
    """The body of subscription_billing_attempts/*. `id` is null in the official sample; no time, no amount."""

    subscription_contract_id: Id
    idempotency_key: str | None = None
    order_id: Id | None = None
    error_code: str | None = None


class OnlyId(msgspec.Struct, gc=False):
    """The body of orders/delete: an id and nothing else. By the other two a whole order is known."""

    id: Id
    admin_graphql_api_id: str | None = None
    total_price: Any = None
    line_items: Any = None


class Shop(msgspec.Struct, gc=False):
    """The body of app/uninstalled, as far as it is compared."""

    myshopify_domain: str


class OrderTransaction(msgspec.Struct, gc=False):
    """The body of order_transactions/create, as far as it is checked."""

    id: Id
    order_id: Id
    amount: Decimal
    kind: str
    status: str


ORDER = msgspec.json.Decoder(Order)
REFUND = msgspec.json.Decoder(Refund)
CUSTOMER = msgspec.json.Decoder(Customer)
CHECKOUT = msgspec.json.Decoder(Checkout)
CART = msgspec.json.Decoder(Cart)
CONTRACT = msgspec.json.Decoder(Contract)
BILLING_ATTEMPT = msgspec.json.Decoder(BillingAttempt)
ONLY_ID = msgspec.json.Decoder(OnlyId)
SHOP = msgspec.json.Decoder(Shop)
ORDER_TRANSACTION = msgspec.json.Decoder(OrderTransaction)
