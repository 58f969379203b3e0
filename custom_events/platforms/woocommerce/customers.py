"""WooCommerce customers: WordPress users, so shop staff is told of as well."""

from custom_events.platforms import natural_keys
from custom_events.platforms.parse import gmt, local, required_id, zone_of
from custom_events.platforms.woocommerce.bodies import CUSTOMER
from custom_events.platforms.woocommerce.parties import customer_of, party
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood, ignored
from custom_events.values.events import CommerceEvent, EventType

_STAFF = frozenset(("administrator", "editor", "author", "contributor", "shop_manager"))


def understand_customer(delivery: RawDelivery, site: SiteContext) -> Understood:
    """customer.created, updated, restored: `customer.created`, when the account was made."""
    body = CUSTOMER.decode(delivery.body)
    customer_id = required_id(body.id, "$.id")
    if body.role in _STAFF:
        return ignored("staff_account")
    created_at = gmt(body.date_created_gmt, "$.date_created_gmt") or local(
        body.date_created, zone_of(site.time_zone), "$.date_created"
    )
    if created_at is None:
        return ignored("no_creation_time", "The body does not say when the customer was created")
    who = customer_of(body.id, party(body.billing), party(body.shipping), site, email=body.email)
    event = CommerceEvent(
        type=EventType.CUSTOMER_CREATED,
        key=natural_keys.of_one(EventType.CUSTOMER_CREATED, customer_id),
        occurred_at=created_at,
        evidence_at=gmt(body.date_modified_gmt, "$.date_modified_gmt") or created_at,
        customer=who,
    )
    return Understood(events=(event,))
