"""Which page of the manual is about which part of the console."""

from collections.abc import Mapping
from typing import Final

# By the first part of a page's path: a page of docs/, and the heading in it.
MANUAL_OF: Final[Mapping[str, str]] = {
    "": "how-to/console.md#where-to-look",
    "account": "how-to/console.md#who-sees-what",
    "ads-accounts": "how-to/connect-google-ads.md",
    "alarms": "runbooks/alarms.md",
    "api-keys": "reference/api.md",
    "assignments": "reference/rules.md",
    "audit": "how-to/console.md#who-sees-what",
    "bulk-changes": "how-to/bulk-changes.md",
    "custom-events": "reference/rules.md",
    "dagster": "how-to/console.md#where-to-look",
    "definitions": "reference/conditions.md",
    "deliveries": "reference/receiver.md",
    "operations": "how-to/console.md#what-can-be-changed",
    "orders": "reference/understanding.md",
    "parked": "reference/understanding.md",
    "people": "how-to/console.md#who-sees-what",
    "report-runs": "how-to/reports.md#look-it-up",
    "report-schedules": "how-to/reports.md#let-it-go-out",
    "report-specifications": "how-to/reports.md#make-one",
    "reports": "how-to/console.md#reports",
    "settings": "reference/settings.md",
    "sites": "reference/platforms.md",
    "uploads": "reference/google-errors.md",
}


def manual_of(path: str) -> str:
    """The manual's address for a page, below help/; "" where none is about it."""
    return MANUAL_OF.get(path.strip("/").partition("/")[0], "")
