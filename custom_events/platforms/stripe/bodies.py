"""The parts of Stripe's events that we read (docs.stripe.com/api), of API versions before and since 2025-03-31 ("basil"), which moved an invoice's
subscription, tax and prices. Times are
seconds since 1970, amounts whole numbers of the smallest unit."""

from decimal import Decimal
from typing import Any

import msgspec

Metadata = dict[str, Any]
# Whole numbers; decimals, as what is read tolerantly where they are odd has bounds of money for those alone (`platforms/shapes.py`).
Seconds = Decimal  # since 1970
Minor = Decimal  # of a currency's smallest unit


class Address(msgspec.Struct, gc=False):
    """Of it, what says where somebody is."""

    country: str | None = None
    postal_code: str | None = None


class CustomerDetails(msgspec.Struct, gc=False):
    """Who paid, as they typed it at the checkout."""

    email: str | None = None
    phone: str | None = None
    address: Address | None = None


class SessionTotals(msgspec.Struct, gc=False):
    """Parts of a session's total."""

    amount_discount: Minor | None = None
    amount_shipping: Minor | None = None
    amount_tax: Minor | None = None


class Session(msgspec.Struct, gc=False):
    """A Checkout session. `payment_intent` in mode payment, `invoice` and `subscription` in mode subscription."""

    id: str
    created: Seconds
    mode: str
    currency: str | None = None
    amount_total: Minor | None = None
    amount_subtotal: Minor | None = None
    payment_status: str | None = None
    status: str | None = None
    payment_intent: str | None = None
    invoice: str | None = None
    subscription: str | None = None
    customer: str | None = None
    customer_details: CustomerDetails | None = None
    total_details: SessionTotals | None = None
    client_reference_id: str | None = None
    payment_method_types: list[str] | None = None
    metadata: Metadata | None = None


class Amount(msgspec.Struct, gc=False):
    """A part of an invoice's tax or discount."""

    amount: Minor | None = None


class PriceDetails(msgspec.Struct, gc=False):
    """Which price of which product, since 2025-03-31."""

    price: str | None = None
    product: str | None = None


class Pricing(msgspec.Struct, gc=False):
    """How a line is priced, since 2025-03-31."""

    price_details: PriceDetails | None = None


class Price(msgspec.Struct, gc=False):
    """Which price of which product, before 2025-03-31."""

    id: str | None = None
    product: str | None = None


class InvoiceLine(msgspec.Struct, gc=False):
    """One line of an invoice."""

    amount: Minor | None = None
    quantity: int | None = None
    description: str | None = None
    price: Price | None = None
    pricing: Pricing | None = None
    metadata: Metadata | None = None


class InvoiceLines(msgspec.Struct, gc=False):
    """The first lines of an invoice, ten at most."""

    data: list[InvoiceLine] = []


class Transitions(msgspec.Struct, gc=False):
    """When an invoice got from one state to the next."""

    finalized_at: Seconds | None = None
    paid_at: Seconds | None = None
    voided_at: Seconds | None = None
    marked_uncollectible_at: Seconds | None = None


class SubscriptionDetails(msgspec.Struct, gc=False):
    """The subscription that an invoice is of, with what it was made with."""

    subscription: str | None = None
    metadata: Metadata | None = None


class Parent(msgspec.Struct, gc=False):
    """What an invoice was made from, since 2025-03-31."""

    subscription_details: SubscriptionDetails | None = None


class Invoice(msgspec.Struct, gc=False):
    """An invoice. `subscription`, `subscription_details`, `tax`: before 2025-03-31; `parent`, `total_taxes`: since."""

    id: str
    created: Seconds
    currency: str
    total: Minor
    number: str | None = None
    status: str | None = None
    subtotal: Minor | None = None
    amount_paid: Minor | None = None
    tax: Minor | None = None
    total_taxes: list[Amount] | None = None
    total_discount_amounts: list[Amount] | None = None
    billing_reason: str | None = None
    customer: str | None = None
    customer_email: str | None = None
    customer_phone: str | None = None
    customer_address: Address | None = None
    subscription: str | None = None
    subscription_details: SubscriptionDetails | None = None
    parent: Parent | None = None
    attempt_count: int | None = None
    status_transitions: Transitions | None = None
    lines: InvoiceLines | None = None
    metadata: Metadata | None = None


class Refund(msgspec.Struct, gc=False):
    """A refund of a payment."""

    id: str
    amount: Minor
    currency: str
    created: Seconds
    payment_intent: str | None = None
    charge: str | None = None
    status: str | None = None
    reason: str | None = None


class RefundList(msgspec.Struct, gc=False):
    """The refunds of a charge, in versions that list them."""

    data: list[Refund] = []


class Charge(msgspec.Struct, gc=False):
    """A charge. `invoice` and `refunds`: in API versions before 2025-03-31 and 2022-11-15."""

    id: str
    currency: str
    created: Seconds
    payment_intent: str | None = None
    invoice: str | None = None
    refunds: RefundList | None = None


class CreditNote(msgspec.Struct, gc=False):
    """What an invoice was lowered by after it was paid; `total` with its tax. `refund`: by which the money went back, before API version
    2025-03-31."""

    id: str
    currency: str
    created: Seconds
    total: Minor
    invoice: str
    status: str | None = None
    reason: str | None = None
    voided_at: Seconds | None = None
    pre_payment_amount: Minor | None = None
    refund: str | None = None


class Recurring(msgspec.Struct, gc=False):
    """How often a price is paid."""

    interval: str | None = None
    interval_count: int | None = None


class ItemPrice(msgspec.Struct, gc=False):
    """The price of a subscription's item, of one unit."""

    unit_amount: Minor | None = None
    recurring: Recurring | None = None


class SubscriptionItem(msgspec.Struct, gc=False):
    """What is subscribed to, and how many of it."""

    quantity: int | None = None
    price: ItemPrice | None = None


class SubscriptionItems(msgspec.Struct, gc=False):
    """The first items of a subscription."""

    data: list[SubscriptionItem] = []


class Subscription(msgspec.Struct, gc=False):
    """A subscription. `latest_invoice` is the order of its newest period."""

    id: str
    created: Seconds
    status: str
    currency: str | None = None
    customer: str | None = None
    start_date: Seconds | None = None
    canceled_at: Seconds | None = None
    ended_at: Seconds | None = None
    cancel_at_period_end: bool = False
    latest_invoice: str | None = None
    items: SubscriptionItems | None = None
    metadata: Metadata | None = None


class Customer(msgspec.Struct, gc=False):
    """A customer."""

    id: str
    created: Seconds
    email: str | None = None
    phone: str | None = None
    address: Address | None = None
    metadata: Metadata | None = None


class Event(msgspec.Struct, kw_only=True, gc=False):
    """What every event has. `livemode` false: of Stripe's test mode or a sandbox."""

    id: str
    type: str
    created: Seconds
    livemode: bool = True


class SessionData(msgspec.Struct, gc=False):
    """Data of a session's event."""

    object: Session


class InvoiceData(msgspec.Struct, gc=False):
    """Data of an invoice's event."""

    object: Invoice


class ChargeData(msgspec.Struct, gc=False):
    """Data of a charge's event."""

    object: Charge


class RefundData(msgspec.Struct, gc=False):
    """Data of a refund's event."""

    object: Refund


class CreditNoteData(msgspec.Struct, gc=False):
    """Data of a credit note's event."""

    object: CreditNote


class SubscriptionData(msgspec.Struct, gc=False):
    """Data of a subscription's event."""

    object: Subscription


class CustomerData(msgspec.Struct, gc=False):
    """Data of a customer's event."""

    object: Customer


class SessionEvent(Event, kw_only=True):
    """checkout.session.*"""

    data: SessionData


class InvoiceEvent(Event, kw_only=True):
    """invoice.*"""

    data: InvoiceData


class ChargeEvent(Event, kw_only=True):
    """charge.refunded"""

    data: ChargeData


class RefundEvent(Event, kw_only=True):
    """refund.*"""

    data: RefundData


class CreditNoteEvent(Event, kw_only=True):
    """credit_note.*"""

    data: CreditNoteData


class SubscriptionEvent(Event, kw_only=True):
    """customer.subscription.*"""

    data: SubscriptionData


class CustomerEvent(Event, kw_only=True):
    """customer.created"""

    data: CustomerData
