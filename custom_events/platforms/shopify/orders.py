"""Shopify orders: every body shows the order's whole state, so every body proposes all that has happened to it so far.

The event type of the topic and the transitions of the state are proposed together, each under its natural key; what is
known already is dropped later. Times are the order's own, chosen to be the same in every body that shows the event:
created_at, processed_at for the payment (the shopper's purchase, not the day a transfer arrived), cancelled_at.
"""

from datetime import datetime

import msgspec

from custom_events.platforms import natural_keys, people
from custom_events.platforms.attributes import flattened, named
from custom_events.platforms.attribution import Attribution, attribution
from custom_events.platforms.parse import (
    country_code,
    currency_code,
    optional_amount,
    optional_id,
    optional_utc,
    order_total,
    refunded_of,
    required_id,
    text,
    utc,
    word,
)
from custom_events.platforms.shopify import bodies
from custom_events.platforms.shopify.bodies import ORDER
from custom_events.platforms.shopify.lines import address_of, item_pairs, line_items, split_tags
from custom_events.platforms.shopify.order_money import (
    current_total_of,
    gift_card_of,
    is_exchange,
    paid_amount_of,
    shipping_of,
)
from custom_events.platforms.shopify.origin import check_kind, check_shop
from custom_events.platforms.shopify.refunds import NOT_PAID, refunds_of
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood
from custom_events.values.events import CommerceEvent, Customer, EventType, Order, Refund, Subscription

# financial_status: pending, authorized, partially_paid, paid, partially_refunded, refunded, voided, expired
_WAS_PAID = frozenset(("paid", "partially_refunded", "refunded"))
_VOIDED = "voided"
_SUBSCRIBED = "subscribed"
_NOBODY = bodies.Customer()


def understand_order(delivery: RawDelivery, site: SiteContext) -> Understood:
    """orders/* but edited and delete."""
    body = ORDER.decode(delivery.body)
    check_kind(body.admin_graphql_api_id, "Order")
    if not body.test:
        check_shop(body.order_status_url, site)
    order_id = required_id(body.id, "$.id")
    updated_at = utc(body.updated_at)
    currency = currency_code(body.currency) or site.currency
    refunds = refunds_of(body, order_id, currency, delivery.body) if body.refunds else ()
    happened = _happened(body, delivery.topic)
    order = _order(body, order_id, currency, happened, updated_at, refunds, delivery.body)
    who = _customer(body, site)
    renewal = _renewal(body, order_id, site)
    pairs = named(body.note_attributes)
    origin = attribution(pairs, body.landing_site, item_pairs(body.line_items), site.time_zone)
    if renewal is not None:
        # A renewal copies the attributes of the order that began the subscription: its click is an old one.
        origin = Attribution(consent=origin.consent)
    template = CommerceEvent(
        type=EventType.ORDER_CREATED,
        key=natural_keys.of_order(EventType.ORDER_CREATED, order_id),
        occurred_at=order.created_at,
        evidence_at=updated_at,
        is_test=bool(body.test),
        order=order,
        subscription=renewal,
        customer=who,
        clicks=origin.clicks,
        consent=origin.consent,
        utm=origin.utm,
        note_attributes=flattened(pairs) if pairs else {},
    )
    given_back = [refund for refund in refunds if refund.amount] if refunds else ()
    return Understood(
        events=(*_events(template, happened), *(_refunded(template, refund) for refund in given_back)),
        order=order,
        refunds=refunds,  # those that gave nothing back as well: an older body may have seen them on their way
    )


def _happened(body: bodies.Order, topic: str | None) -> dict[EventType, datetime]:
    """What has happened to the order by now, and when by the store's clock; the topic is evidence beside the state."""
    happened = {EventType.ORDER_CREATED: utc(body.created_at)}
    if topic == "orders/paid" or body.financial_status in _WAS_PAID:
        happened[EventType.ORDER_PAID] = utc(body.processed_at or body.created_at)
    if topic == "orders/fulfilled" or body.fulfillment_status == "fulfilled":
        shipped = [fulfillment.created_at for fulfillment in body.fulfillments or () if fulfillment.created_at]
        happened[EventType.ORDER_FULFILLED] = utc(max(shipped, default=body.updated_at))
    if topic == "orders/cancelled" or body.cancelled_at is not None:
        happened[EventType.ORDER_CANCELLED] = utc(body.cancelled_at or body.updated_at)
    return happened


def _events(template: CommerceEvent, happened: dict[EventType, datetime]) -> list[CommerceEvent]:
    """One event for each transition, and the renewal that a paid order of a subscription is."""
    order, renewal = template.order, template.subscription
    events = [template]
    for kind, moment in happened.items():
        if kind is not EventType.ORDER_CREATED and order is not None:
            events.append(_like(template, kind, natural_keys.of_order(kind, order.id), moment))
    paid_at = happened.get(EventType.ORDER_PAID)
    if renewal is not None and order is not None and paid_at is not None:
        key = natural_keys.of_period(EventType.SUBSCRIPTION_RENEWED, renewal.id, order.id)
        events.append(_like(template, EventType.SUBSCRIPTION_RENEWED, key, paid_at))
    return events


def _like(
    template: CommerceEvent, kind: EventType, key: str, moment: datetime, refund: Refund | None = None
) -> CommerceEvent:
    return msgspec.structs.replace(template, type=kind, key=key, occurred_at=moment, refund=refund)


def _refunded(template: CommerceEvent, refund: Refund) -> CommerceEvent:
    """A refund with the order around it: customer, clicks and consent are the order's."""
    key = natural_keys.of_refund(refund.order_id, refund.id)
    return _like(template, EventType.ORDER_REFUNDED, key, refund.created_at or template.evidence_at, refund)


def _order(
    body: bodies.Order,
    order_id: str,
    currency: str | None,
    happened: dict[EventType, datetime],
    updated_at: datetime,
    refunds: tuple[Refund, ...],
    whole: bytes,
) -> Order:
    billing, shipping = address_of(body.billing_address), address_of(body.shipping_address)
    total = order_total(body.total_price, "$.total_price")
    current_total = None if body.current_total_price is None else current_total_of(body, total, whole)
    shipped = shipping_of(body)
    return Order(
        id=order_id,
        number=text(body.name),
        created_at=happened[EventType.ORDER_CREATED],
        updated_at=updated_at,
        paid_at=happened.get(EventType.ORDER_PAID),
        cancelled_at=happened.get(EventType.ORDER_CANCELLED),
        currency=currency,
        total=total,
        subtotal=optional_amount(body.subtotal_price, "$.subtotal_price"),
        current_total=current_total,
        tax=optional_amount(body.total_tax, "$.total_tax"),
        shipping=shipped.paid,
        shipping_tax=shipped.tax,
        discount=optional_amount(body.total_discounts, "$.total_discounts"),
        shipping_discount=shipped.discount,
        taxes_included=body.taxes_included,
        gift_card=gift_card_of(body, total) if body.payment_gateway_names else None,
        tip=optional_amount(body.total_tip_received, "$.total_tip_received") or None,
        paid_amount=None if body.total_outstanding is None else paid_amount_of(body, total, current_total),
        status="cancelled" if body.cancelled_at else "closed" if body.closed_at else "open",
        financial_status=word(body.financial_status),
        fulfillment_status=word(body.fulfillment_status),
        cancel_reason=word(body.cancel_reason),
        items=line_items(body.line_items),
        discount_codes=tuple([code.code for code in body.discount_codes if code.code]) if body.discount_codes else (),
        payment_methods=tuple(body.payment_gateway_names or ()),
        shipping_methods=tuple([line.title for line in body.shipping_lines or () if line.title]),
        billing_country=country_code(billing.country_code) if billing else None,
        billing_postcode=text(billing.zip) if billing else None,
        shipping_country=country_code(shipping.country_code) if shipping else None,
        shipping_postcode=text(shipping.zip) if shipping else None,
        tags=split_tags(body.tags),
        source_name=word(body.source_name),
        landing_site=text(body.landing_site),
        referring_site=word(body.referring_site),
        cart_token=optional_id(body.cart_token),
        checkout_token=optional_id(body.checkout_token),
        refunded=refunded_of(refund.amount for refund in refunds) if refunds else None,
        lists_refunds=body.refunds is not None,
        payment_lost_at=updated_at if _is_lost(body, refunds) else None,
        payment_known=EventType.ORDER_PAID in happened or body.financial_status in NOT_PAID,
        is_exchange=bool((refunds or body.returns) and is_exchange(body, refunds)),
    )


def _is_lost(body: bodies.Order, refunds: tuple[Refund, ...]) -> bool:
    """Whether its payment was voided, and not given back by a refund."""
    return body.financial_status == _VOIDED and not any(refund.amount for refund in refunds)


def _customer(body: bodies.Order, site: SiteContext) -> Customer | None:
    who = body.customer or _NOBODY
    phones, countries = [body.phone, who.phone], []
    for place in (body.billing_address, body.shipping_address, who.default_address):
        if type(place) is bodies.Address:  # an empty one comes as null or as `[]`
            phones.append(place.phone)
            countries.append(place.country_code)
    countries.append(site.default_country)
    newsletter = who.email_marketing_consent
    return people.customer(
        id=who.id,
        emails=(body.email, body.contact_email, who.email),
        phones=phones,
        countries=countries,
        tags=split_tags(who.tags),
        created_at=optional_utc(who.created_at),
        accepts_marketing=newsletter.state == _SUBSCRIBED
        if newsletter
        else body.buyer_accepts_marketing
        if who.accepts_marketing is None
        else who.accepts_marketing,
    )


def _renewal(body: bodies.Order, order_id: str, site: SiteContext) -> Subscription | None:
    """The subscription that this order renews; None for any other order, also the one that begins a subscription.

    Either the site's `subscription_sources` name the app that makes renewals, or it is the order of a selling plan that no
    shopper checked out (the first order of a plan has a checkout). The order does not name its subscription.
    """
    source = body.source_name or ""
    # The second question only where the first says yes: an empty prefix says it to everything.
    by_source = source.startswith(site.subscription_sources) and any(
        source.startswith(prefix) for prefix in site.subscription_sources if prefix
    )
    if not by_source and (body.checkout_token or body.cart_token or source in ("web", "pos")):
        return None
    if not by_source and not any(line.selling_plan_allocation for line in body.line_items or ()):
        return None
    return Subscription(id=natural_keys.subscription_of_order(order_id), order_id=order_id)
