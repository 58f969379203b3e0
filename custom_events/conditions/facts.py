"""What a condition may know that the event itself does not say.

There is no "now" among these facts, on purpose: rules decide by the store's time, so an event gives the same verdict whether
it is matched on time, late, or in a replay a year later (promise 3, docs/architecture.md 5).
"""

from datetime import UTC, datetime, tzinfo
from decimal import Decimal

import msgspec


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about one event from our own state. What is not known is None, and comparisons with it are false.

    zone          the site's time zone; decides hours, weekdays and dates
    orders_before paid orders of this customer at this site before this event, by the store's time
    spent_before  total of those orders, in the event's own currency
    first_seen    when this customer was first seen at this site (aware UTC)
    """

    zone: tzinfo = UTC
    orders_before: int | None = None
    spent_before: Decimal | None = None
    first_seen: datetime | None = None


NO_FACTS = Facts()
