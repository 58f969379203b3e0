"""customer.created."""

import msgspec

from custom_events.platforms import natural_keys
from custom_events.platforms.attributes import flattened
from custom_events.platforms.parse import required_id
from custom_events.platforms.stripe import bodies
from custom_events.platforms.stripe.facts import customer_of, pairs_of, time_of
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood
from custom_events.values.events import CommerceEvent, EventType

CUSTOMER = msgspec.json.Decoder(bodies.CustomerEvent)


def understand_customer(delivery: RawDelivery, site: SiteContext) -> Understood:
    """A new customer."""
    event = CUSTOMER.decode(delivery.body)
    body = event.data.object
    created_at = time_of(body.created)
    customer_id = required_id(body.id, "$.data.object.id")
    return Understood(
        events=(
            CommerceEvent(
                type=EventType.CUSTOMER_CREATED,
                key=natural_keys.of_one(EventType.CUSTOMER_CREATED, customer_id),
                occurred_at=created_at,
                evidence_at=time_of(event.created),
                is_test=not event.livemode,
                customer=customer_of(
                    customer_id,
                    emails=(body.email,),
                    phones=(body.phone,),
                    address=body.address,
                    site=site,
                    created_at=created_at,
                ),
                meta=flattened(pairs_of(body.metadata)),
            ),
        )
    )
