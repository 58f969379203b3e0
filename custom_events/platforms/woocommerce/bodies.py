"""The fields of WooCommerce's REST resources that we read; everything else in a body is skipped without being built.

Our plugin posts the same resources with less in them, and puts `custom_events` beside: what is known at that moment and in no resource
(docs/reference/woocommerce-plugin.md).

Traps (docs/reference/platforms.md 2.9): amounts are text with the store's decimals (numbers in old shapes), `*_gmt` has no Z and
may be "" or null, ids may be 0 for nobody, PHP writes an empty object as `[]`, meta values may be of any type.
"""

from decimal import Decimal
from typing import Any

import msgspec

from custom_events.platforms.parse import Id


class Moment(msgspec.Struct, gc=False):
    """`custom_events` of our plugin's bodies. `at`: when the body was built, by the shop's clock; `paid_at`: since when the order counts
    as paid by the shop's setting, null while it does not, left out where it is no matter of an order."""

    at: str | None = None
    paid_at: str | msgspec.UnsetType | None = msgspec.UNSET
    is_test: bool = False


class Meta(msgspec.Struct, gc=False):
    """One entry of `meta_data`, hidden `_` keys included."""

    key: str | None = None
    value: Any = None


class Party(msgspec.Struct, gc=False):
    """`billing` and `shipping`: only what is coarse, and what is hashed."""

    email: str | None = None
    phone: str | None = None
    country: str | None = None
    postcode: str | None = None


class Line(msgspec.Struct, gc=False):
    """`total` is after discounts, `subtotal` before; both without tax. Plugins sell fractions of a piece."""

    name: str | None = None
    product_id: Id | None = None
    variation_id: Id | None = None
    sku: str | None = None
    quantity: int | float | None = None
    price: Decimal | None = None
    subtotal: Decimal | None = None
    total: Decimal | None = None
    total_tax: Decimal | None = None
    meta_data: list[Meta] | None = None


class ShippingLine(msgspec.Struct, gc=False):
    method_title: str | None = None


class ShippingBack(msgspec.Struct, gc=False):
    """Shipping of a refund, negative."""

    total: Decimal | None = None
    total_tax: Decimal | None = None


class GiftCard(msgspec.Struct, gc=False):
    """A card that paid a part: an entry of `gift_cards` (WooCommerce Gift Cards) or `pw_gift_cards_redeemed` (PW Gift Cards)."""

    amount: Decimal | None = None


class CouponLine(msgspec.Struct, gc=False):
    code: str | None = None


class RefundEntry(msgspec.Struct, gc=False):
    """One of an order's `refunds`: a negative total. Only our plugin gives it a date, and the newest one its lines."""

    id: Id
    total: Decimal
    reason: str | None = None
    date_created_gmt: str | None = None
    line_items: list[Line] | None = None
    shipping_lines: list[ShippingBack] | None = None


class Order(msgspec.Struct, gc=False):
    """The body of order.*. It is built when it is delivered, so it shows a later state than its topic says."""

    id: Id
    status: str
    total: Decimal
    parent_id: Id | None = None  # 0 for none, as for renewals; a marketplace's part of an order has the whole one
    date_created_gmt: str | None = None
    date_modified_gmt: str | None = None
    date_paid_gmt: str | None = None
    date_completed_gmt: str | None = None
    date_created: str | None = None  # the site's time zone; API v1 has nothing else
    date_modified: str | None = None
    date_paid: str | None = None
    date_completed: str | None = None
    number: Id | None = None
    currency: str | None = None
    total_tax: Decimal | None = None
    shipping_total: Decimal | None = None  # without tax, as `discount_total` and every line; `total` holds all taxes
    shipping_tax: Decimal | None = None
    discount_total: Decimal | None = None
    discount_tax: Decimal | None = None
    customer_id: Id | None = None
    billing: Party | list[Any] | None = None
    shipping: Party | list[Any] | None = None
    payment_method: str | None = None
    created_via: str | None = None
    meta_data: list[Meta] | None = None
    line_items: list[Line] | None = None
    shipping_lines: list[ShippingLine] | None = None
    coupon_lines: list[CouponLine] | None = None
    refunds: list[RefundEntry] | None = None
    billing_period: Any = None  # a subscription's; no order has one
    gift_cards: list[GiftCard] | None = None
    pw_gift_cards_redeemed: list[GiftCard] | None = None
    custom_events: Moment | None = None


class Subscription(msgspec.Struct, gc=False):
    """The body of subscription.* (WooCommerce Subscriptions)."""

    id: Id
    status: str
    date_created_gmt: str | None = None
    date_modified_gmt: str | None = None
    date_paid_gmt: str | None = None
    start_date_gmt: str | None = None
    cancelled_date_gmt: str | None = None
    end_date_gmt: str | None = None
    parent_id: Id | None = None
    currency: str | None = None
    total: Decimal | None = None
    billing_period: str | None = None
    billing_interval: Id | None = None
    customer_id: Id | None = None
    billing: Party | list[Any] | None = None
    shipping: Party | list[Any] | None = None
    meta_data: list[Meta] | None = None
    custom_events: Moment | None = None


class Customer(msgspec.Struct, gc=False):
    """The body of customer.*: any WordPress user, shop staff included."""

    id: Id
    date_created_gmt: str | None = None
    date_modified_gmt: str | None = None
    date_created: str | None = None
    email: str | None = None
    role: str | None = None
    billing: Party | list[Any] | None = None
    shipping: Party | list[Any] | None = None


class Link(msgspec.Struct, gc=False):
    href: str | None = None


class Links(msgspec.Struct, gc=False):
    up: list[Link] | None = None
    own: list[Link] | None = msgspec.field(default=None, name="self")


class Refund(msgspec.Struct, gc=False):
    """A refund's own REST resource: no native webhook sends it, our plugin and the reconciler may. The order is in `_links`."""

    id: Id
    amount: Decimal
    date_created_gmt: str | None = None
    date_created: str | None = None
    reason: str | None = None
    line_items: list[Line] | None = None
    shipping_lines: list[ShippingBack] | None = None
    parent_id: Id | None = None
    links: Links | None = msgspec.field(default=None, name="_links")


class OnlyId(msgspec.Struct, gc=False):
    """The body of *.deleted: an id, and of our plugin the moment. By the other two a whole order is known."""

    id: Id
    total: Any = None
    line_items: Any = None
    custom_events: Moment | None = None


class Cart(msgspec.Struct, gc=False):
    """A cart, or what is in it when its checkout begins; only our plugin tells of them. `token` is the plugin's, new for each cart."""

    token: Id
    currency: str | None = None
    total: Decimal | None = None
    line_items: list[Line] | None = None
    date_created_gmt: str | None = None


class CartEvent(msgspec.Struct, gc=False):
    """The body of cart.item_added, whose cart holds the added line alone, and of checkout.started."""

    cart: Cart
    custom_events: Moment
    customer_id: Id | None = None
    billing: Party | list[Any] | None = None
    meta_data: list[Meta] | None = None


ORDER = msgspec.json.Decoder(Order)
SUBSCRIPTION = msgspec.json.Decoder(Subscription)
CUSTOMER = msgspec.json.Decoder(Customer)
REFUND = msgspec.json.Decoder(Refund)
CART_EVENT = msgspec.json.Decoder(CartEvent)
ONLY_ID = msgspec.json.Decoder(OnlyId)
