"""Where what an entry of the audit trail is about has a page."""

from typing import Final

# By the noun before a subject's colon: the page of what the name behind it is.
_PAGES: Final = {
    "site": "sites/{name}",
    "assignment": "assignments/{name}",
    "definition": "definitions/{name}",
    "ads_account": "ads-accounts/{name}",
    "bulk_change": "bulk-changes/{name}",
    "raw_event": "deliveries/{name}",
    "report": "report-specifications/{name}",
    "report_schedule": "report-schedules/{name}",
}


def address_of(subject: str) -> str:
    """The address of a subject's page below the console's; "" where it has none: site:12 is at sites/12."""
    noun, _, name = subject.partition(":")
    return _PAGES[noun].format(name=name) if noun in _PAGES and name.replace("_", "").isalnum() else ""
