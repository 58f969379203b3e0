"""Checkout sessions. One that was completed is an order: under its invoice's id where there is one (subscriptions), else its payment's, so that what the shop put into the session's metadata (clicks, consent) joins the invoice's events. `expired` ones show a checkout that began."""

import msgspec

from custom_events.platforms import natural_keys, order_events
from custom_events.platforms.attributes import flattened
from custom_events.platforms.attribution import attribution
from custom_events.platforms.parse import country_code, required_id, text
from custom_events.platforms.stripe import bodies
from custom_events.platforms.stripe.facts import customer_of, pairs_of, time_of
from custom_events.platforms.stripe.money import currency_of, money
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood, ignored
from custom_events.values.events import Cart, CommerceEvent, EventType, Order

SESSION = msgspec.json.Decoder(bodies.SessionEvent)
_PAID = frozenset(("paid", "no_payment_required"))
_SUBSCRIPTION = "subscription"


def understand_session(delivery: RawDelivery, site: SiteContext) -> Understood:
    """checkout.session.completed, async_payment_succeeded, async_payment_failed, expired."""
    event = SESSION.decode(delivery.body)
    session = event.data.object
    if session.mode == "setup":
        return ignored("no_conversion", "The session sets up a way to pay and sells nothing")
    at, created_at = time_of(event.created), time_of(session.created)
    currency = currency_of(session.currency or site.currency, "$.data.object.currency")
    token = required_id(session.id, "$.data.object.id")
    details = session.customer_details
    pairs = pairs_of(session.metadata)
    origin = attribution(pairs, time_zone=site.time_zone)
    template = CommerceEvent(
        type=EventType.CHECKOUT_STARTED,
        key=natural_keys.of_one(EventType.CHECKOUT_STARTED, token),
        occurred_at=created_at,
        evidence_at=at,
        is_test=not event.livemode,
        cart=Cart(
            token=token,
            created_at=created_at,
            currency=currency,
            total=money(session.amount_total, currency, "$.data.object.amount_total"),
        ),
        customer=customer_of(
            session.customer,
            emails=(details.email if details else None,),
            phones=(details.phone if details else None,),
            address=details.address if details else None,
            site=site,
        ),
        clicks=origin.clicks,
        consent=origin.consent,
        utm=origin.utm,
        meta=flattened(pairs),
    )
    order = _order(event, currency)
    if order is None:
        return Understood(events=(template,))
    about_order = msgspec.structs.replace(template, cart=None, order=order)
    # A subscription's order says itself when it was made and paid, with its own times.
    moments = {EventType.ORDER_CREATED: order.created_at, EventType.ORDER_PAID: order.paid_at}
    return Understood(events=(template, *order_events.happened(about_order, order.id, moments)), order=order)


def _order(event: bodies.SessionEvent, currency: str) -> Order | None:
    """The order that a completed session is; None while it is none."""
    session = event.data.object
    # A session of mode payment may make an invoice as well, whose events tell of the same order.
    one_time = None if session.mode == _SUBSCRIPTION else session.payment_intent or session.id
    order_id = session.invoice or one_time
    if session.status != "complete" or order_id is None:
        return None
    at = time_of(event.created)
    totals = session.total_details or bodies.SessionTotals()
    is_paid = session.payment_status in _PAID
    address = session.customer_details.address if session.customer_details else None
    path = "$.data.object"
    return Order(
        id=required_id(order_id, f"{path}.payment_intent"),
        number=text(session.client_reference_id),
        created_at=at,
        updated_at=at,
        paid_at=at if is_paid else None,
        payment_known=session.invoice is None,  # else the invoice knows
        cancellation_known=False,
        currency=currency,
        total=money(session.amount_total, currency, f"{path}.amount_total"),
        subtotal=money(session.amount_subtotal, currency, f"{path}.amount_subtotal"),
        tax=money(totals.amount_tax, currency, f"{path}.total_details.amount_tax"),
        shipping=money(totals.amount_shipping, currency, f"{path}.total_details.amount_shipping"),
        discount=money(totals.amount_discount, currency, f"{path}.total_details.amount_discount"),
        financial_status=text(session.payment_status),
        payment_methods=tuple(session.payment_method_types or ()),
        billing_country=country_code(address.country) if address else None,
        billing_postcode=text(address.postal_code) if address else None,
        source_name="checkout",
        checkout_token=session.id,
    )
