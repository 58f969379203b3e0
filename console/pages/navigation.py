"""The parts of the console, in the order in which people look: each is shown to whom its page's right lets in."""

from typing import Final, NamedTuple

from console.api.rights import SIGNED_IN, Right, of_all_sites, of_some_site
from custom_events.access.roles import Role

READ: Final = of_some_site(Role.VIEWER)
READ_ALL: Final = of_all_sites(Role.VIEWER)
MANAGE: Final = of_all_sites(Role.ADMINISTRATOR)
AUDIT: Final = of_some_site(Role.ADMINISTRATOR)


class Entry(NamedTuple):
    """A part: its address below the console's, its name, and what it asks of who looks."""

    address: str
    name: str
    right: Right


class Group(NamedTuple):
    """Parts that belong together."""

    name: str
    entries: tuple[Entry, ...]


GROUPS: Final[tuple[Group, ...]] = (
    Group(
        "What happens",
        (
            Entry("", "Overview", READ),
            Entry("deliveries", "Deliveries", READ),
            Entry("orders", "Orders", READ),
            Entry("custom-events", "Custom events", READ),
            Entry("parked", "Parked and withheld", READ),
            Entry("uploads", "Uploads", READ),
            Entry("operations", "Operations", READ),
            Entry("alarms", "Alarms", READ_ALL),
            Entry("reports", "Reports", READ),
        ),
    ),
    Group(
        "What is configured",
        (
            Entry("sites", "Sites", READ),
            Entry("definitions", "Definitions", READ),
            Entry("assignments", "Assignments", READ),
            Entry("bulk-changes", "Bulk changes", READ),
            Entry("ads-accounts", "Ads accounts", READ_ALL),
        ),
    ),
    Group(
        "Who and what",
        (
            Entry("people", "People", MANAGE),
            Entry("api-keys", "API keys", MANAGE),
            Entry("audit", "Audit trail", AUDIT),
            Entry("settings", "Settings", MANAGE),
            Entry("dagster", "Dagster", MANAGE),
            Entry("help", "Help", SIGNED_IN),
        ),
    ),
)
