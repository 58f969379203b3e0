"""The lists and the search that the benchmark `reading` reads: first pages and pages in the middle of the year, by what people filter by."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from custom_events.browse.commerce_events import CommerceEventFilter, commerce_events
from custom_events.browse.custom_events import CustomEventFilter, custom_events
from custom_events.browse.pages import ROWS, Place, cursor_of
from custom_events.browse.raw_events import RawEventFilter, raw_events
from custom_events.browse.refused_events import RefusedEventFilter, refused_events
from custom_events.browse.search import search
from custom_events.browse.uploads import UploadFilter, uploads
from custom_events.values.numbers import MAX_ID
from custom_events.values.time_order import TimeOrder

MIDDLE: Final = timedelta(days=190)  # back from now
SITE: Final = 2  # which has orders at every size
EXPIRED: Final = "ConversionUploadError.EXPIRED_EVENT"
FILTERS: Final[dict[str, tuple[Callable[..., Any], Any]]] = {
    "raw events": (raw_events, RawEventFilter()),
    "raw events of a site": (raw_events, RawEventFilter(site_id=SITE)),
    "raw events that are parked": (raw_events, RawEventFilter(outcome="parked")),
    "commerce events": (commerce_events, CommerceEventFilter()),
    "commerce events of a site": (commerce_events, CommerceEventFilter(site_id=SITE)),
    "commerce events of a site and type": (commerce_events, CommerceEventFilter(site_id=SITE, type="order.paid")),
    "commerce events of a customer": (commerce_events, CommerceEventFilter(site_id=SITE, customer_key="c:33")),
    "custom events": (custom_events, CustomEventFilter()),
    "custom events of a site": (custom_events, CustomEventFilter(site_id=SITE)),
    "custom events of an assignment": (custom_events, CustomEventFilter(assignment_id=SITE)),
    "custom events withheld, of a site": (custom_events, CustomEventFilter(site_id=SITE, state="withheld")),
    "custom events of an order": (custom_events, CustomEventFilter(site_id=SITE, order_id="1")),
    "uploads": (uploads, UploadFilter()),
    "uploads that wait": (uploads, UploadFilter(state="held")),
    "uploads refused": (uploads, UploadFilter(state="rejected")),
    "uploads refused, of an account": (uploads, UploadFilter(state="rejected", account_id=SITE)),
    "uploads refused, of a site, by reason": (uploads, UploadFilter(site_id=SITE, reason=EXPIRED)),
    "uploads accepted, of an account": (uploads, UploadFilter(state="accepted", account_id=SITE)),
    "uploads of an order": (uploads, UploadFilter(site_id=SITE, order_id="1")),
    "quarantine": (refused_events, RefusedEventFilter()),
}
FROM_THE_OLDEST: Final = (
    *(
        "raw events",
        "raw events of a site",
        "commerce events of a site",
        "custom events",
        "custom events of an assignment",
    ),
    *("uploads", "uploads refused, of an account", "uploads accepted, of an account", "quarantine"),
)
# What the search looks for, by what it is; the last one is not there.
SEARCHED: Final = {
    "order": "1",
    "customer": "c:33",
    "nothing": "nothing-is-called-so",
}


def paths(now: datetime, limit: int = ROWS) -> dict[str, Callable[[sa.Connection], object]]:
    """What is read, by name; pages of `limit` rows."""
    middle = cursor_of(Place(now - MIDDLE, MAX_ID))
    paths_by_name: dict[str, Callable[[sa.Connection], object]] = {}
    for name, (listing, wanted) in FILTERS.items():
        paths_by_name[f"list: {name}"] = lambda connection, listing=listing, wanted=wanted: listing(
            connection, wanted, now=now, limit=limit
        )
        paths_by_name[f"list: {name}, in the middle"] = lambda connection, listing=listing, wanted=wanted: listing(
            connection, wanted, now=now, limit=limit, cursor=middle
        )
    for name in FROM_THE_OLDEST:
        listing, wanted = FILTERS[name]
        for place, cursor in (("", None), (", from the middle", middle)):
            paths_by_name[f"list: {name}, oldest first{place}"] = (
                lambda connection, listing=listing, wanted=wanted, cursor=cursor: listing(
                    connection, wanted, now=now, limit=limit, cursor=cursor, order=TimeOrder.OLDEST
                )
            )
    for name, text in SEARCHED.items():
        paths_by_name[f"search: {name}"] = lambda connection, text=text: search(connection, text, now=now)
    return paths_by_name
