"""Invoices: an order each, from the moment they are final. One of a running subscription's next period is its renewal as well."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import msgspec

from custom_events.platforms import natural_keys, order_events
from custom_events.platforms.attributes import flattened
from custom_events.platforms.attribution import Attribution, attribution
from custom_events.platforms.parse import country_code, required_id, text, whole_quantity
from custom_events.platforms.stripe import bodies
from custom_events.platforms.stripe.facts import customer_of, optional_time, pairs_of, time_of
from custom_events.platforms.stripe.money import currency_of, money
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood, ignored
from custom_events.values.events import CommerceEvent, EventType, LineItem, Order, Subscription

INVOICE = msgspec.json.Decoder(bodies.InvoiceEvent)
PAYMENT_FAILED = "invoice.payment_failed"
_RENEWS = "subscription_cycle"  # billing_reason of the periods after the first
_PATH = "$.data.object"
_ZERO = Decimal(0)


def understand_invoice(delivery: RawDelivery, site: SiteContext) -> Understood:
    """invoice.finalized, paid, payment_succeeded, payment_failed, voided, marked_uncollectible: the state, and what it proves."""
    event = INVOICE.decode(delivery.body)
    invoice = event.data.object
    if invoice.total < 0:
        return ignored("no_conversion", "An invoice below nothing credits the customer's balance")
    order = _order(event)
    details = _details(invoice)
    pairs = pairs_of(details.metadata, invoice.metadata)
    origin = attribution(pairs, time_zone=site.time_zone)
    is_renewal = invoice.billing_reason == _RENEWS
    if is_renewal:  # the subscription's metadata hold the click of the first order, perhaps years old
        origin = Attribution(
            clicks=attribution(pairs_of(invoice.metadata), time_zone=site.time_zone).clicks, consent=origin.consent
        )
    subscription = (
        Subscription(id=details.subscription, order_id=order.id) if is_renewal and details.subscription else None
    )
    template = CommerceEvent(
        type=EventType.ORDER_CREATED,
        key="",
        occurred_at=order.created_at,
        evidence_at=order.updated_at,
        is_test=not event.livemode,
        order=order,
        subscription=subscription,
        customer=customer_of(
            invoice.customer,
            emails=(invoice.customer_email,),
            phones=(invoice.customer_phone,),
            address=invoice.customer_address,
            site=site,
        ),
        clicks=origin.clicks,
        consent=origin.consent,
        utm=origin.utm,
        meta=flattened(pairs),
    )
    return Understood(events=tuple(_events(template, event, order, details.subscription)), order=order)


def _order(event: bodies.InvoiceEvent) -> Order:
    invoice = event.data.object
    at = time_of(event.created)
    currency = currency_of(invoice.currency, f"{_PATH}.currency")
    when = invoice.status_transitions or bodies.Transitions()
    paid_at = optional_time(when.paid_at) or (at if invoice.status == "paid" else None)
    ended_at = optional_time(when.voided_at) or optional_time(when.marked_uncollectible_at)
    address = invoice.customer_address
    return Order(
        id=required_id(invoice.id, f"{_PATH}.id"),
        number=text(invoice.number),
        created_at=optional_time(when.finalized_at) or time_of(invoice.created),
        updated_at=at,
        paid_at=paid_at,
        cancelled_at=ended_at if paid_at is None else None,
        currency=currency,
        total=money(invoice.total, currency, f"{_PATH}.total"),
        subtotal=money(invoice.subtotal, currency, f"{_PATH}.subtotal"),
        tax=_tax(invoice, currency),
        discount=_sum(invoice.total_discount_amounts, currency, f"{_PATH}.total_discount_amounts[].amount"),
        paid_amount=money(invoice.amount_paid, currency, f"{_PATH}.amount_paid"),
        status=text(invoice.status),
        items=tuple(_items(invoice, currency)),
        billing_country=country_code(address.country) if address else None,
        billing_postcode=text(address.postal_code) if address else None,
        source_name=text(invoice.billing_reason),
    )


def _events(
    template: CommerceEvent, event: bodies.InvoiceEvent, order: Order, subscription_id: str | None
) -> Iterable[CommerceEvent]:
    """What has happened to the order by now; the renewal that a paid one is, or its failed payment."""
    moments: dict[EventType, datetime | None] = {
        EventType.ORDER_CREATED: order.created_at,
        EventType.ORDER_PAID: order.paid_at,
        EventType.ORDER_CANCELLED: order.cancelled_at,
    }
    yield from order_events.happened(template, order.id, moments)
    if template.subscription is not None and order.paid_at is not None:
        kind, moment = EventType.SUBSCRIPTION_RENEWED, order.paid_at
        key = natural_keys.of_period(kind, template.subscription.id, order.id)
        yield msgspec.structs.replace(template, type=kind, key=key, occurred_at=moment)
    if event.type == PAYMENT_FAILED and subscription_id is not None:
        kind, moment = EventType.SUBSCRIPTION_PAYMENT_FAILED, time_of(event.created)
        attempt = f"{order.id}:{event.data.object.attempt_count or 1}"
        failed = Subscription(id=subscription_id, order_id=order.id)
        key = natural_keys.of_period(kind, subscription_id, attempt)
        yield msgspec.structs.replace(template, type=kind, key=key, occurred_at=moment, subscription=failed)


def _details(invoice: bodies.Invoice) -> bodies.SubscriptionDetails:
    """The subscription of an invoice, wherever its API version has it."""
    details = invoice.parent.subscription_details if invoice.parent else None
    if details is not None:
        return details
    old = invoice.subscription_details
    return bodies.SubscriptionDetails(subscription=invoice.subscription, metadata=old.metadata if old else None)


def _tax(invoice: bodies.Invoice, currency: str) -> Decimal | None:
    if invoice.total_taxes is not None:
        return _sum(invoice.total_taxes, currency, f"{_PATH}.total_taxes[].amount")
    return money(invoice.tax, currency, f"{_PATH}.tax")


def _sum(amounts: list[bodies.Amount] | None, currency: str, path: str) -> Decimal | None:
    if amounts is None:
        return None
    return sum((money(part.amount, currency, path) or _ZERO for part in amounts), _ZERO)


def _items(invoice: bodies.Invoice, currency: str) -> Iterable[LineItem]:
    for line in invoice.lines.data if invoice.lines else ():
        details = line.pricing.price_details if line.pricing else None
        price_id = details.price if details else (line.price.id if line.price else None)
        product_id = details.product if details else (line.price.product if line.price else None)
        yield LineItem(
            product_id=text(product_id),
            variant_id=text(price_id),
            title=text(line.description),
            quantity=whole_quantity(line.quantity, f"{_PATH}.lines.data[].quantity"),
            total=money(line.amount, currency, f"{_PATH}.lines.data[].amount"),
            properties=flattened(pairs_of(line.metadata)),
        )
