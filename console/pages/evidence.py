"""Where an alarm is seen: the list of what it counts, and one row of it."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from console.api.calls import Call
from console.api.routes import browsing
from console.pages.translations import N_, _, translated
from custom_events.catalog import sites
from custom_events.errors import NotFound
from custom_events.watching.alarms import EXAMPLE
from custom_events.watching.state import Episode


class Evidence(NamedTuple):
    """An address below the console's with what it shows, and one row of it as a sample ("": none)."""

    address: str
    name: str
    sample_address: str = ""
    sample: str = ""


# By alarm: the page that lists what it counts, with its filters; words in braces are what the alarm is about.
LISTS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "ConversionsExpireSoon": ("uploads", {"expiring": "yes"}),
    "AnswersMissing": ("uploads", {"state": "unknown"}),
    "UploadsStalled": ("uploads", {"state": "queued"}),
    "ActionNeededAtGoogle": ("uploads", {"reason": "{reason}"}),
    "ReasonNotKnown": ("uploads", {"reason": "{reason}"}),
    "VerdictsOverdue": ("uploads", {"state": "sent"}),
    "VerdictsMissing": ("uploads", {"state": "sent"}),
    "RefundsStalled": ("uploads", {"kind": "restatement"}),
    "PipelineStalled": ("deliveries", {"outcome": "waiting"}),
    "DeliveriesParked": ("deliveries", {"outcome": "parked", "reason": "{reason}", "site_id": "{site_id}"}),
    "StoreForbidsReading": ("deliveries", {"outcome": "parked", "reason": "{reason}", "site_id": "{site_id}"}),
    "DeliveriesRefused": ("deliveries/refused", {"reason": "{reason}"}),
}
PAGES: Final[Mapping[str, tuple[str, str]]] = {
    "AccountParked": ("ads-accounts/{account}", N_("the account")),
    "ActionParked": ("ads-accounts/{account}", N_("the account")),
    "PartStopped": ("ads-accounts/{account}", N_("the account")),
    "SuccessRateLow": ("ads-accounts/{account}/comparison", N_("the days, with Google's counts")),
    "GoogleCountsFewer": ("ads-accounts/{account}/comparison", N_("the days, with Google's counts")),
    "GoogleCountsMissing": ("ads-accounts/{account}/comparison", N_("the days, with Google's counts")),
    "PrivacyRequestOpen": ("help/how-to/privacy-requests.md", N_("how they are carried out")),
    "PrivacyRequestDue": ("help/how-to/privacy-requests.md", N_("how they are carried out")),
    "ArchiveFailing": ("help/how-to/archive.md", N_("how weeks are archived")),
    "CallsNearlyUsedUp": ("settings", N_("the limits that are set")),
    "OrdersMissing": ("sites/{site_id}#recovery", N_("what was missing, by day")),
    "OrdersNotRead": ("sites/{site_id}#recovery", "why"),
    "SiteWentQuiet": ("sites/{site_id}", N_("the site")),
    "PartOfSiteWentQuiet": ("sites/{site_id}", N_("the site")),
    "LaneWentQuiet": ("ads-accounts/{account}", N_("the account")),
    "ShopifyAppNeedsAction": ("sites?search={shop}", N_("the shop's site")),
    "ShopifyRegisteredAgain": ("sites?search={shop}", N_("the shop's site")),
    "ShopNotWatched": ("sites?search={shop}", N_("the shop's site")),
    "ReportFailed": ("report-runs", N_("the runs of reports")),
    "ReportLate": ("report-runs", N_("the runs of reports")),
    "ReplicaNotRead": ("help/how-to/read-from-a-replica.md", N_("how the replica is read")),
    "BodiesOlderThanAllowed": ("settings", N_("how long things are kept")),
    "SumsDisagree": ("./#sums", N_("both sides of the sums")),
}


def of(call: Call, alarm: Episode, *, with_sample: bool = False) -> Evidence | None:
    """Where the alarm's rows are; None where no page shows them. A sample costs a look into their list."""
    place = dict(alarm.place)
    if "site" in place:
        place["site_id"] = ""
        with suppress(NotFound):
            place["site_id"] = str(sites.by_key(call.connection, place["site"]).id)
    if alarm.name in PAGES:
        address, name = PAGES[alarm.name]
        evidence = Evidence(address.format_map(place), translated(name))
        kind, __, number = place.get(EXAMPLE, "").partition(":")
        return (
            evidence._replace(sample_address=f"deliveries/{number}", sample=_("delivery %(number)s", number=number))
            if kind == "raw"
            else evidence
        )
    if alarm.name not in LISTS:
        return None
    page, filters = LISTS[alarm.name]
    query = {name: text for name, value in filters.items() if (text := value.format_map(place))}
    evidence = Evidence(f"{page}?{urlencode(query)}", _("the rows"))
    if not with_sample:
        return evidence
    return evidence._replace(**_sample(call, page, query))


def _sample(call: Call, page: str, query: Mapping[str, str]) -> dict[str, str]:
    """The newest row of the list."""
    filters: dict[str, Any] = {name: int(value) if name == "site_id" else value for name, value in query.items()}
    if page == "deliveries":
        rows = browsing.list_raw_events(call, **filters, limit=1).items
        return (
            {"sample_address": f"deliveries/{rows[0].id}", "sample": _("delivery %(number)s", number=rows[0].id)}
            if rows
            else {}
        )
    if page == "uploads" and "expiring" not in filters:
        uploads = browsing.list_uploads(call, **filters, limit=1).items
        return (
            {"sample_address": f"uploads/{uploads[0].reference}", "sample": uploads[0].transaction_id}
            if uploads
            else {}
        )
    return {}
