"""What each table knows of people: how somebody is found in it and what is done when they are forgotten, or why it knows nobody.

Every table stands here once; a test fails for one that does not, and docs/reference/personal-data.md is made of this.
"""

from enum import StrEnum
from typing import Final

import msgspec


class Done(StrEnum):
    """What is done to the rows of somebody who is forgotten."""

    BLANKED = "blanked"  # the row stays, without what names or re-identifies them
    RENAMED = "renamed"  # the row stays under a pseudonym
    DELETED = "deleted"
    KEPT = "kept"  # with the reason


class Personal(msgspec.Struct, frozen=True):
    """A table that knows people: by what they are found, what is done, what it holds of them, and for how long it is kept."""

    found_by: str
    done: Done
    holds: str
    kept: str


class Nobody(msgspec.Struct, frozen=True):
    """A table that knows no customer of a shop, and why."""

    because: str


_RAW: Final = "CUSTOM_EVENTS_RAW_RETENTION_DAYS"
_EVENTS: Final = "CUSTOM_EVENTS_EVENT_RETENTION_DAYS"
_ALWAYS: Final = "for ever"
_QUARANTINE: Final = "CUSTOM_EVENTS_QUARANTINE_RETENTION_DAYS"
_CUSTOMERS: Final = "CUSTOM_EVENTS_CUSTOMER_RETENTION_DAYS"
_IDENTIFIERS: Final = "CUSTOM_EVENTS_LEDGER_IDENTIFIERS_DAYS"
_CONFIGURED: Final = Nobody("what people of the shop or the agency have configured")
_OF_EVENT: Final = "its commerce event"
_OF_ORDER: Final = "its order"

PERSONAL_DATA: Final[dict[str, Personal | Nobody]] = {
    # ---------------------------------------------------------------- landing
    "landing.raw_events": Personal(
        "every address, number and id in the body",
        Done.BLANKED,
        "the exact bytes of deliveries, their headers and ids",
        _RAW,
    ),
    "landing.refused_events": Personal(
        "every address, number and id in the body", Done.BLANKED, "bytes and headers of refused deliveries", _QUARANTINE
    ),
    "landing.raw_queue": Nobody("numbers of deliveries that wait"),
    "landing.duplicate_deliveries": Nobody("digests of deliveries' ids"),
    "landing.receipts": Nobody("counts"),
    "app.raw_archives": Nobody(
        "counts of archived weeks; their files (CUSTOM_EVENTS_ARCHIVE_URL) are raw events, and are blanked as these are"
    ),
    # ---------------------------------------------------------------- understood
    "app.raw_outcomes": Nobody("reasons and paths of fields, never values"),
    "app.odd_leaves": Nobody("paths of fields, never values"),
    "app.commerce_events": Personal(
        "customer key, order, cart, phone hash",
        Done.BLANKED,
        "ids, hashes, clicks, codes, addresses of pages without their query; attributes, postcodes, tags where a published rule names them",
        _EVENTS,
    ),
    "app.event_keys": Personal(_OF_EVENT, Done.RENAMED, "natural keys, which hold ids", _ALWAYS),
    "app.orders": Personal(
        "order id, customer key",
        Done.RENAMED,
        "id, number and customer of an order; digest of its newest body",
        _ALWAYS,
    ),
    "app.order_consents": Personal(_OF_ORDER, Done.DELETED, "an order's consent", _ALWAYS),
    "app.order_refunds": Personal(_OF_ORDER, Done.RENAMED, "ids, and what was written on lines", _ALWAYS),
    "app.subscriptions": Personal("customer key, first order", Done.RENAMED, "ids and customer", _ALWAYS),
    "app.customers": Personal("customer key, e-mail hash", Done.DELETED, "id, hashes, when first seen", _CUSTOMERS),
    "app.clicks": Personal("the order, cart or event that carried it", Done.DELETED, "click ids and consent", _EVENTS),
    "app.beacons": Personal(
        "the order or cart that it is about", Done.DELETED, "click ids, consent and pages of browsers", "90 days"
    ),
    "app.order_recoveries": Nobody("how far a store's orders are read"),
    "app.order_recovery_runs": Nobody("counts of orders"),
    "app.missing_orders": Nobody("counts of orders, and numbers of deliveries"),
    "app.traffic_hours": Nobody("counts by hour, and numbers of deliveries"),
    "app.traffic_counted": Nobody("which hours were counted"),
    "app.quiet_traffic": Nobody("counts, and numbers of deliveries"),
    # ---------------------------------------------------------------- matched and sent
    "app.custom_events": Personal(_OF_EVENT, Done.BLANKED, "ids, customer key, deduplication key", _EVENTS),
    "app.custom_event_keys": Personal("its custom event", Done.RENAMED, "deduplication keys, which hold ids", _ALWAYS),
    "app.conversion_uploads": Personal(
        "its custom event",
        Done.BLANKED,
        "click ids, hashes, order and transaction id, cart; what was not sent is withheld (person_forgotten)",
        f"`{_IDENTIFIERS}`; order and transaction ids {_ALWAYS}",
    ),
    "app.upload_keys": Personal("its upload", Done.RENAMED, "transaction ids", _ALWAYS),
    "app.value_changes": Personal(_OF_ORDER, Done.DELETED, "order ids that wait for the adjuster", "minutes"),
    "app.withdrawn_without_order": Personal(
        "its custom event", Done.DELETED, "numbers of custom events that wait for the adjuster", "minutes"
    ),
    "app.counted_events": Personal(_OF_EVENT, Done.BLANKED, "natural key and customer key", "as long as its rule"),
    "app.counted_days": Nobody("counts and sums of whole days"),
    "app.threshold_counters": Personal(
        "customer key", Done.DELETED, "the keys of customers with many events", "as long as its rule"
    ),
    "app.upload_requests": Nobody("Google's id of a call and counts by conversion action"),
    "app.upload_attempts": Nobody("codes of Google, in our words"),
    "app.upload_stops": Nobody("codes of Google, by account"),
    "app.quota_buckets": Nobody("counts of calls"),
    "app.google_upload_status": Nobody("Google's counts by conversion action"),
    "app.reconciliation_days": Nobody("counts by conversion action and day"),
    "app.tallies": Nobody("counts"),
    "app.tally_changes": Nobody("counts"),
    "app.tally_checks": Nobody("counts that differ"),
    "app.alarms": Nobody("places are accounts, sites, reasons; figures"),
    "app.scheduled_jobs": Nobody("times of jobs"),
    "app.zone_offsets": Nobody("offsets of time zones"),
    "app.exchange_rates": Nobody("exchange rates of days"),
    # ---------------------------------------------------------------- requests
    "app.privacy_requests": Personal(
        "its number", Done.BLANKED, "who asked, encrypted, until it was carried out", _ALWAYS
    ),
    "app.forgotten_subjects": Personal(
        "keyed hash", Done.KEPT, "keyed hashes: without them deliveries would bring the person back", _ALWAYS
    ),
    "app.forgetting_keys": Nobody("the encrypted key of those hashes"),
    "app.key_ring_checks": Nobody("an encrypted sentence that says whether a key is ours"),
    # ---------------------------------------------------------------- configured, and who did it
    "app.audit_entries": Personal(
        "nothing leads there",
        Done.KEPT,
        "order ids that somebody typed to hold or resend an upload; a trigger lets the trail only grow",
        _ALWAYS,
    ),
    "app.idempotent_answers": Personal(
        "nothing leads there", Done.KEPT, "encrypted answers to POST requests of the API", "a day"
    ),
    "app.operations": Personal(
        "nothing leads there", Done.KEPT, "what backtests and replays found, with order ids", "a day"
    ),
    "app.operation_parts": Personal("nothing leads there", Done.KEPT, "exported lists, with order ids", "a day"),
    "app.shopify_installations": Nobody("tokens of our app in a shop, encrypted; deleted when the shop is forgotten"),
    **dict.fromkeys(("app.bulk_changes", "app.bulk_change_rows"), _CONFIGURED),
    **dict.fromkeys(("app.report_specifications", "app.report_schedules"), _CONFIGURED),
    "app.report_runs": Nobody(
        "which report was made when, its digest, and where its file went; files end with their retention"
    ),
    **dict.fromkeys(
        (
            "app.sites",
            "app.site_secrets",
            "app.store_api_keys",
            "app.ads_accounts",
            "app.ads_actions",
            "app.custom_event_definitions",
            "app.definition_revisions",
            "app.site_custom_events",
            "app.assignment_revisions",
        ),
        _CONFIGURED,
    ),
    **dict.fromkeys(
        (
            *("app.people", "app.role_grants", "app.api_keys", "app.sessions", "app.login_attempts"),
            *("app.openid_links", "app.saved_views"),
        ),
        Nobody("people of the shop or the agency who use the console, no customers"),
    ),
}


_PAGE: Final = """\
# Personal data

What each table knows of customers of a shop, and what is done when somebody is forgotten
([how](../how-to/privacy-requests.md)). Times are those of [settings](settings.md).

## Tables that know people

| table | what it holds of people | found by | then | kept for |
|---|---|---|---|---|
{people}

## Tables that know nobody

| table | what is in it instead |
|---|---|
{nobody}
"""


def page() -> str:
    """docs/reference/personal-data.md, whole."""
    people = [
        f"| `{name}` | {entry.holds} | {entry.found_by} | {entry.done} | {_kept(entry.kept)} |"
        for name, entry in PERSONAL_DATA.items()
        if isinstance(entry, Personal)
    ]
    nobody = [f"| `{name}` | {entry.because} |" for name, entry in PERSONAL_DATA.items() if isinstance(entry, Nobody)]
    return _PAGE.format(people="\n".join(people), nobody="\n".join(nobody))


def _kept(text: str) -> str:
    return f"`{text}`" if text.isupper() else text
