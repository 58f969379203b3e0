"""The JSON of custom senders, field by field: the source of docs/reference/custom-webhooks.md.

Unknown fields are refused with their path, so that a misspelt one is found at once; whatever has no field here goes into
`properties`. Times need an offset, amounts are decimal text or JSON numbers (both exact), ids text or whole numbers.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from custom_events.platforms.parse import Id

Time = Annotated[datetime, msgspec.Meta(tz=True)]


class Item(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One line. `total` is after discounts; without it price times quantity. `tax` is the tax of `total`, which holds it where the
    order says `taxes_included`."""

    product_id: Id | None = None
    variant_id: Id | None = None
    sku: str | None = None
    title: str | None = None
    vendor: str | None = None
    product_type: str | None = None
    quantity: int | float = 1
    price: Decimal | None = None
    total: Decimal | None = None
    discount: Decimal | None = None
    tax: Decimal | None = None
    categories: list[str] = []
    properties: dict[str, Any] = {}


class Order(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """`total` is all that was sold, with tax and shipping, before any refund. `current_total` is what the order is worth now, where it
    was edited, exchanged or returned: leave it out, and the refunds alone lower it. `taxes_included` says whether `shipping`, `discount`
    and the items hold their tax; `shipping` is what was paid for it. `gift_card` and `tip` are parts of `total`, `paid_amount` is what
    was paid so far, `parent_id` the order or subscription that this one was made from. `paid_at` and
    `cancelled_at`: null takes back, absent says nothing."""

    id: Id
    total: Decimal
    currency: str
    number: Id | None = None
    created_at: Time | None = None
    updated_at: Time | None = None
    paid_at: Time | msgspec.UnsetType | None = msgspec.UNSET
    cancelled_at: Time | msgspec.UnsetType | None = msgspec.UNSET
    subtotal: Decimal | None = None
    current_total: Decimal | None = None
    tax: Decimal | None = None
    shipping: Decimal | None = None
    shipping_tax: Decimal | None = None
    discount: Decimal | None = None
    discount_tax: Decimal | None = None
    shipping_discount: Decimal | None = None
    taxes_included: bool | None = None
    gift_card: Decimal | None = None
    tip: Decimal | None = None
    paid_amount: Decimal | None = None
    status: str | None = None
    financial_status: str | None = None
    fulfillment_status: str | None = None
    cancel_reason: str | None = None
    items: list[Item] = []
    discount_codes: list[str] = []
    payment_methods: list[str] = []
    shipping_methods: list[str] = []
    billing_country: str | None = None
    billing_postcode: str | None = None
    shipping_country: str | None = None
    shipping_postcode: str | None = None
    tags: list[str] = []
    source_name: str | None = None
    landing_site: str | None = None
    referring_site: str | None = None
    cart_token: str | None = None
    checkout_token: str | None = None
    parent_id: Id | None = None
    is_exchange: bool = False


class Refund(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """`amount` is positive, in the order's currency; `order_id` may be left out beside an `order`. `shipping` is the part of it that was
    paid for shipping. A refund on its way (`is_pending`) counts; when it failed, send it again with an `amount` of 0."""

    id: Id
    amount: Decimal
    order_id: Id | None = None
    currency: str | None = None
    reason: str | None = None
    items: list[Item] = []
    shipping: Decimal | None = None
    is_pending: bool = False


class Subscription(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """`order_id` is the order that paid the period this event is about."""

    id: Id
    status: str | None = None
    order_id: Id | None = None
    origin_order_id: Id | None = None
    interval: str | None = None
    interval_count: int | None = None
    created_at: Time | None = None
    cancelled_at: Time | None = None
    amount: Decimal | None = None
    currency: str | None = None
    error_code: str | None = None


class Cart(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A cart, or a checkout before it is an order."""

    token: Id
    created_at: Time | None = None
    updated_at: Time | None = None
    currency: str | None = None
    total: Decimal | None = None
    items: list[Item] = []


class Customer(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """`email` and `phone` in clear or as SHA-256 in hex (of the normalised form); neither is kept in clear in an event."""

    id: Id | None = None
    email: str | None = None
    phone: str | None = None
    country: str | None = None
    tags: list[str] = []
    created_at: Time | None = None
    accepts_marketing: bool | None = None


class Clicks(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Google's click ids as captured on the landing page, and when: without an offset in the site's time zone, or in seconds since
    1970."""

    gclid: str | None = None
    gbraid: str | None = None
    wbraid: str | None = None
    clicked_at: str | int | float | None = None


class ConsentBody(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """granted, denied or unknown for each, also in the words of `platforms/consent.py`; `source` says who asked."""

    ad_user_data: str | bool | int = "unknown"
    ad_personalization: str | bool | int = "unknown"
    ad_storage: str | bool | int = "unknown"
    source: str | None = None


class Utm(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The words of the landing page's query."""

    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    content: str | None = None
    term: str | None = None
    id: str | None = None


class Body(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One event. `type` decides which of the parts is needed."""

    type: str
    occurred_at: Time
    id: Id | None = None
    test: bool = False
    order: Order | None = None
    refund: Refund | None = None
    subscription: Subscription | None = None
    cart: Cart | None = None
    customer: Customer | None = None
    clicks: Clicks | None = None
    consent: ConsentBody | None = None
    utm: Utm | None = None
    properties: dict[str, Any] = {}


# Numbers inside `properties` stay exact too.
BODY = msgspec.json.Decoder(Body, float_hook=Decimal)
