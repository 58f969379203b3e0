"""Shopify customers. Since 2025-01 a body has neither tags nor newsletter consent (docs/reference/platforms.md 1.2)."""

from custom_events.platforms import natural_keys, people
from custom_events.platforms.headers import rfc3339
from custom_events.platforms.parse import optional_utc, required_id, utc
from custom_events.platforms.shopify.bodies import CUSTOMER
from custom_events.platforms.shopify.delivery import TRIGGERED_AT
from custom_events.platforms.shopify.lines import address_of, split_tags
from custom_events.platforms.shopify.origin import check_kind
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood, ignored
from custom_events.values.events import CommerceEvent, EventType


def understand_customer(delivery: RawDelivery, site: SiteContext) -> Understood:
    """customers/create, update, enable, disable: `customer.created`, when the customer was created.

    A body without `created_at` is evidence of that only under customers/create, then by the trigger time.
    """
    body = CUSTOMER.decode(delivery.body)
    check_kind(body.admin_graphql_api_id, "Customer")
    customer_id = required_id(body.id, "$.id")
    triggered = rfc3339(delivery.headers.get(TRIGGERED_AT))
    created_at = optional_utc(body.created_at)
    if created_at is None and delivery.topic == "customers/create":
        created_at = triggered or optional_utc(body.updated_at)
    if created_at is None:
        return ignored("no_creation_time", "The body does not say when the customer was created")
    place = address_of(body.default_address)
    who = people.customer(
        id=body.id,
        emails=(body.email,),
        phones=(body.phone, place.phone if place else None),
        countries=(place.country_code if place else None, site.default_country),
        tags=split_tags(body.tags),
        created_at=created_at,
        accepts_marketing=body.accepts_marketing,
    )
    event = CommerceEvent(
        type=EventType.CUSTOMER_CREATED,
        key=natural_keys.of_one(EventType.CUSTOMER_CREATED, customer_id),
        occurred_at=created_at,
        evidence_at=utc(body.updated_at) if body.updated_at else created_at,
        customer=who,
    )
    return Understood(events=(event,))
