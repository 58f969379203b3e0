"""What Stripe's events have in common: who, from where, when."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from custom_events.platforms import people
from custom_events.platforms.attributes import Pair
from custom_events.platforms.stripe import bodies
from custom_events.values.deliveries import SiteContext
from custom_events.values.events import Customer
from custom_events.values.times import from_epoch


def time_of(seconds: bodies.Seconds) -> datetime:
    """A time of Stripe's. Raises OverflowError for what is none."""
    return from_epoch(int(seconds))


def optional_time(seconds: bodies.Seconds | None) -> datetime | None:
    """A time of Stripe's, None for null."""
    return None if seconds is None else time_of(seconds)


def pairs_of(*metadata: Mapping[str, Any] | None) -> list[Pair]:
    """Names and values of metadata; what is named twice counts as the last has it."""
    return [(name, value) for values in metadata if values for name, value in values.items()]


def customer_of(
    customer_id: str | None,
    *,
    emails: Iterable[str | None],
    phones: Iterable[str | None],
    address: bodies.Address | None,
    site: SiteContext,
    created_at: datetime | None = None,
) -> Customer | None:
    """The customer, by id and hashes; a national number is read with the address's country, else the site's."""
    country = None if address is None else address.country
    return people.customer(
        id=customer_id,
        emails=emails,
        phones=phones,
        countries=(country, site.default_country),
        created_at=created_at,
    )
