"""Orders as they were read from BigCommerce's API: every body is the whole order with all that belongs to it, so each proposes all that has
happened by now. What has no time of its own (a cancellation, a dispute) has that of the order's last change."""

from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from custom_events.platforms import order_events, people
from custom_events.platforms.attributes import Pair, flattened
from custom_events.platforms.attribution import attribution
from custom_events.platforms.bigcommerce import bodies
from custom_events.platforms.bigcommerce.order_facts import Times, order_of, refunds_of, times_of
from custom_events.platforms.bigcommerce.payments import is_in_test_mode
from custom_events.platforms.parse import required_id
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood, ignored
from custom_events.values.events import CommerceEvent, Customer, EventType, Order

READ: Final = msgspec.json.Decoder(bodies.Read)
_INCOMPLETE: Final = 0  # the shopper has reached the payment and may never come back
_MIGRATED: Final = "M-MIG"  # `external_source` of orders that were brought over from another system
_NOTHING: Final = Decimal(0)


def understand_order(delivery: RawDelivery, site: SiteContext) -> Understood:
    """order.read: the state of an order, and what it proves."""
    read = READ.decode(delivery.body)
    body = read.order
    if body.status_id == _INCOMPLETE:
        return ignored("draft_order", "An incomplete order: the shopper has not paid and may never come back")
    if body.external_source == _MIGRATED:
        return ignored("no_conversion", "An order of another shop system that was brought over")
    times = times_of(read)
    order_id = required_id(body.id, "$.order.id")
    refunds = refunds_of(read, order_id, times, site)
    order = order_of(read, order_id, times, refunds, site)
    pairs = _pairs(read.metafields)
    origin = attribution(pairs, time_zone=site.time_zone)
    template = CommerceEvent(
        type=EventType.ORDER_CREATED,
        key="",
        occurred_at=order.created_at,
        evidence_at=times.shown,
        is_test=is_in_test_mode(read),
        order=order,
        customer=_customer(body, site),
        clicks=origin.clicks,
        consent=origin.consent,
        utm=origin.utm,
        meta=flattened(pairs),
    )
    given_back = [refund for refund in refunds if not refund.has_failed and refund.amount > _NOTHING]
    return Understood(
        events=(
            *order_events.happened(template, order.id, _moments(order, times)),
            *(order_events.refunded(template, refund) for refund in given_back),
        ),
        order=order,
        refunds=refunds,
        is_snapshot=True,
        shown_at=times.shown,
    )


def _moments(order: Order, times: Times) -> dict[EventType, datetime | None]:
    return {
        EventType.ORDER_CREATED: order.created_at,
        EventType.ORDER_PAID: order.paid_at,
        EventType.ORDER_FULFILLED: (times.shipped or times.modified)
        if order.fulfillment_status == "fulfilled"
        else None,
        EventType.ORDER_CANCELLED: order.cancelled_at,
    }


def _customer(body: bodies.Order, site: SiteContext) -> Customer | None:
    """Who paid; a guest's id is 0, which is none."""
    address = body.billing_address or bodies.Address()
    return people.customer(
        id=body.customer_id,
        emails=(address.email,),
        phones=(address.phone,),
        countries=(address.country_iso2, site.default_country),
        accepts_marketing=body.is_email_opt_in,
    )


def _pairs(metafields: list[bodies.Metafield] | None) -> list[Pair]:
    return [(field.key, field.value) for field in metafields or () if field.key]
