"""Commerce events: what happened in a store, independent of its platform.

A commerce event is a frozen value. Platforms make it from bytes, the matching reads it, the database keeps it as JSON
(`to_json` / `from_json` are exact inverses). Money is `Decimal` in the order's currency, times are aware UTC.
Personal data is hashed before it gets here; nothing in a commerce event names a person in clear.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

import msgspec

from custom_events.values import packed_facts
from custom_events.values.clicks import Click, Consent


class EventType(StrEnum):
    """The closed list of commerce event types; a definition's trigger names one or more of them."""

    ORDER_CREATED = "order.created"
    ORDER_PAID = "order.paid"
    ORDER_FULFILLED = "order.fulfilled"
    ORDER_CANCELLED = "order.cancelled"
    ORDER_REFUNDED = "order.refunded"  # one for each refund
    CHECKOUT_STARTED = "checkout.started"
    CART_ITEM_ADDED = "cart.item_added"
    CUSTOMER_CREATED = "customer.created"
    SUBSCRIPTION_STARTED = "subscription.started"
    SUBSCRIPTION_RENEWED = "subscription.renewed"
    SUBSCRIPTION_PAYMENT_FAILED = "subscription.payment_failed"
    SUBSCRIPTION_CANCELLED = "subscription.cancelled"


class LineItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One line of an order, checkout or cart. `total` is after line discounts, without tax unless the store's prices include it."""

    product_id: str | None = None
    variant_id: str | None = None
    sku: str | None = None
    title: str | None = None
    vendor: str | None = None
    product_type: str | None = None
    quantity: int = 0
    price: Decimal | None = None  # of one unit
    total: Decimal | None = None
    discount: Decimal | None = None
    tax: Decimal | None = None  # of `total`, whether `total` holds it or not: the order's `taxes_included` says
    categories: tuple[str, ...] = ()
    properties: dict[str, str] = {}


class Customer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Who ordered. `key` joins a customer's events: `c:<platform id>`, else `e:<email_sha256>`; None for nobody known."""

    key: str | None = None
    id: str | None = None
    email_sha256: str | None = None  # lower-case hex, normalised as Google asks (docs/reference/google-ads.md 2.4)
    phone_sha256: str | None = None  # of the E.164 form
    tags: tuple[str, ...] = ()
    country: str | None = None
    created_at: datetime | None = None
    accepts_marketing: bool | None = None  # newsletter consent; not consent to ads


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """An order's facts as one body showed them. `total` is what was sold, `current_total` what is left of it by the store's own
    count (exchanges, edits, removed items); refunds are events of their own."""

    id: str
    number: str | None = None
    created_at: datetime
    updated_at: datetime
    paid_at: datetime | None = None
    cancelled_at: datetime | None = None
    currency: str | None = None
    total: Decimal | None = None
    subtotal: Decimal | None = None
    current_total: Decimal | None = None  # None: the body does not say, refunds alone lower `total`
    tax: Decimal | None = None
    shipping: Decimal | None = None  # what was paid for it
    shipping_tax: Decimal | None = None
    discount: Decimal | None = None
    discount_tax: Decimal | None = None
    shipping_discount: Decimal | None = None  # the part of `discount` that fell on shipping
    taxes_included: bool | None = None  # whether shipping, discount and items hold their tax; `total` always does
    gift_card: Decimal | None = None  # the part of `total` that gift cards paid
    tip: Decimal | None = None  # a part of `total`
    paid_amount: Decimal | None = None  # what was paid so far (deposits)
    status: str | None = None  # the platform's own word
    financial_status: str | None = None
    fulfillment_status: str | None = None
    cancel_reason: str | None = None
    items: tuple[LineItem, ...] = ()
    discount_codes: tuple[str, ...] = ()
    payment_methods: tuple[str, ...] = ()
    shipping_methods: tuple[str, ...] = ()
    billing_country: str | None = None
    billing_postcode: str | None = None
    shipping_country: str | None = None
    shipping_postcode: str | None = None
    tags: tuple[str, ...] = ()
    source_name: str | None = None  # web, pos, subscription_contract, checkout, admin ...
    landing_site: str | None = None
    referring_site: str | None = None
    cart_token: str | None = None
    checkout_token: str | None = None
    refunded: Decimal | None = None  # sum of the refunds this body knows
    lists_refunds: bool = False  # the body names every refund of the order, so that one it does not name is gone
    payment_lost_at: datetime | None = None  # paid, then failed, voided, charged back or disputed, by the store's clock
    payment_known: bool = True  # False: `paid_at` of None says nothing, what other bodies told stays
    cancellation_known: bool = True  # the same of `cancelled_at`
    parent_id: str | None = None  # the order or subscription that this one was made from (marketplaces, renewals)
    is_exchange: bool = False  # items were exchanged for others


class Refund(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One refund of one order; `amount` is positive. `currency` may be unknown until the order is."""

    id: str
    order_id: str
    amount: Decimal
    currency: str | None = None
    reason: str | None = None
    items: tuple[LineItem, ...] = ()  # positive quantities and totals
    shipping: Decimal | None = None  # the part of `amount` that was paid for shipping, with its tax; None: nobody says
    created_at: datetime | None = None
    seen_at: datetime | None = None  # the store's clock of the body that says so: the newest decides what became of it
    is_pending: bool = False  # on its way: counts as given back until a later body says that it failed
    has_failed: bool = False  # it gave nothing back, and took nothing out of the order either


class Subscription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A subscription (Shopify: contract) and, for renewals, the order that paid the period."""

    id: str
    status: str | None = None
    order_id: str | None = None  # of the period this event is about
    origin_order_id: str | None = None
    interval: str | None = None
    interval_count: int | None = None
    created_at: datetime | None = None
    cancelled_at: datetime | None = None
    amount: Decimal | None = None
    currency: str | None = None
    error_code: str | None = None


class Cart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A cart or a checkout before it is an order."""

    token: str
    created_at: datetime | None = None
    updated_at: datetime | None = None
    currency: str | None = None
    total: Decimal | None = None
    items: tuple[LineItem, ...] = ()


class Source(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A body that an event is made of, and which parts it gave (`order`, `customer.key`, `occurred_at` ...); the oldest body, which is
    the first, gave all that no other did."""

    evidence_at: datetime  # the store's clock
    tie: str  # places bodies of the same second
    raw_id: int
    landed_week: date
    parts: tuple[str, ...]


class CommerceEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One thing that happened. `key` is its natural key inside the site, and decides what is the same event:
    `order.paid:<order id>`, `order.refunded:<order id>:<refund id>`, `subscription.renewed:<subscription id>:<order id>`.

    `occurred_at` is the store's clock. `evidence_at` is the store's clock of the body that showed it (its `updated_at`):
    of two bodies that tell of the same part the older evidence is nearer to the truth. What several bodies say together
    (`pipeline/evidence.py`) has the oldest one's, and `sources`.

    `is_undone` is no part of the evidence and not in the JSON: the state of the order decides (`pipeline/undone.py`).
    """

    type: EventType
    key: str
    occurred_at: datetime
    evidence_at: datetime
    is_test: bool = False
    order: Order | None = None
    refund: Refund | None = None
    subscription: Subscription | None = None
    cart: Cart | None = None
    customer: Customer | None = None
    clicks: tuple[Click, ...] = ()  # best first
    consent: Consent | None = None
    utm: dict[str, str] = {}  # source, medium, campaign, content, term, id
    note_attributes: dict[str, str] = {}  # Shopify cart attributes
    meta: dict[str, str] = {}  # WooCommerce meta_data, values as text
    properties: dict[str, msgspec.Raw] = {}  # custom platform: whatever the sender put in
    sources: tuple[Source, ...] = ()  # the bodies it is made of, oldest first, where it takes more than one
    is_undone: bool = False  # a later body took it back: it matches nothing and counts nowhere

    # Matching reads these of every event, and conditions more than once: each part is looked at once, without loops.
    @property
    def order_id(self) -> str | None:
        """The order this event is about, if it is about one."""
        if (order := self.order) is not None:
            return order.id
        if (refund := self.refund) is not None:
            return refund.order_id
        return subscription.order_id if (subscription := self.subscription) is not None else None

    @property
    def customer_key(self) -> str | None:
        """What joins this customer's events within the site."""
        return customer.key if (customer := self.customer) is not None else None

    @property
    def amount(self) -> Decimal | None:
        """The amount the event is about: refund, order total, subscription or cart total, in that order."""
        if (refund := self.refund) is not None:
            return refund.amount
        if (subscription := self.subscription) is not None and subscription.amount is not None:
            return subscription.amount
        if (order := self.order) is not None:
            return order.total
        return cart.total if (cart := self.cart) is not None else None

    @property
    def currency(self) -> str | None:
        """ISO 4217 code of `amount`, as far as the body said it. The amounts of the order itself are in `order_currency`."""
        if (refund := self.refund) is not None and refund.currency is not None:
            return refund.currency
        if (order := self.order) is not None and order.currency is not None:
            return order.currency
        if (subscription := self.subscription) is not None and subscription.currency is not None:
            return subscription.currency
        return cart.currency if (cart := self.cart) is not None else None

    @property
    def order_currency(self) -> str | None:
        """ISO 4217 code of the order's amounts, also where a refund of it names another; without an order that of `amount`."""
        if (order := self.order) is not None and order.currency is not None:
            return order.currency
        return self.currency

    @property
    def items_currency(self) -> str | None:
        """ISO 4217 code of the lines that the event is about: the refund's where it names any, else the order's."""
        return self.currency if (refund := self.refund) is not None and refund.items else self.order_currency


class _Head(msgspec.Struct, frozen=True, gc=False):
    """The first fields of a commerce event: what tells the events of one body apart."""

    type: EventType
    key: str
    occurred_at: datetime


class _Packed(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What of an event is packed."""

    order: Order
    customer: Customer | None = None


class Stored(NamedTuple):
    """An event as two columns hold it: `facts` is JSON, `packed` the rest of it (`packed_facts.py`); None: there is no rest."""

    facts: bytes
    packed: bytes | None


_REST = b',"evidence_at":'  # where the head ends; within a text its quotes would be escaped
_ENCODER = msgspec.json.Encoder(decimal_format="string")
_DECODER = msgspec.json.Decoder(CommerceEvent)


def to_json(event: CommerceEvent) -> bytes:
    """The event as compact JSON (UTF-8), as its body showed it: without `is_undone`."""
    if event.is_undone:
        event = msgspec.structs.replace(event, is_undone=False)
    return _ENCODER.encode(event)


def _differs_in_head_only(event: CommerceEvent, other: CommerceEvent) -> bool:
    """Whether the rest is the same objects; equal amounts may be written differently."""
    return (
        event.order is other.order
        and event.refund is other.refund
        and event.subscription is other.subscription
        and event.cart is other.cart
        and event.customer is other.customer
        and event.evidence_at is other.evidence_at
        and event.is_test is other.is_test
        and event.clicks is other.clicks
        and event.consent is other.consent
        and event.utm is other.utm
        and event.note_attributes is other.note_attributes
        and event.meta is other.meta
        and event.properties is other.properties
        and event.sources is other.sources
    )


def to_stored(event: CommerceEvent) -> Stored:
    """The event as it is stored: JSON without the order, and without the customer where its key stands in a column; these packed."""
    order, customer = event.order, event.customer
    if order is None:
        return Stored(to_json(event), None)
    if customer is not None and customer.key is None:
        customer = None  # SQL looks for it by its hashes
    packed = packed_facts.pack(_ENCODER.encode(_Packed(order=order, customer=customer)))
    rest = msgspec.structs.replace(
        event, order=None, customer=event.customer if customer is None else None, is_undone=False
    )
    return Stored(_ENCODER.encode(rest), packed)


def to_stored_beside(event: CommerceEvent, sibling: CommerceEvent, sibling_stored: Stored) -> Stored:
    """`to_stored(event)`, with the help of another event's: those of one body share all but their heads."""
    if not _differs_in_head_only(event, sibling):
        return to_stored(event)
    head = _ENCODER.encode(_Head(event.type, event.key, event.occurred_at))
    facts = sibling_stored.facts
    return Stored(head[:-1] + facts[facts.index(_REST) :], sibling_stored.packed)


def from_json(text: bytes | str, *, is_undone: bool = False) -> CommerceEvent:
    """The inverse of `to_json`, and of `to_stored` as SQL reads it (text). Raises msgspec.ValidationError for anything else."""
    event = _DECODER.decode(packed_facts.whole(text) if isinstance(text, str) else text)
    return msgspec.structs.replace(event, is_undone=True) if is_undone else event
