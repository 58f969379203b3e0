"""The parts of the console, in the order in which people look: each is shown to whom its page's right lets in."""

from typing import Final, NamedTuple

from console.api.rights import SIGNED_IN, Right, of_all_sites, of_some_site
from console.pages.translations import N_
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
        N_("What happens"),
        (
            Entry("", N_("Overview"), READ),
            Entry("deliveries", N_("Deliveries"), READ),
            Entry("orders", N_("Orders"), READ),
            Entry("custom-events", N_("Custom events"), READ),
            Entry("parked", N_("Parked and withheld"), READ),
            Entry("uploads", N_("Uploads"), READ),
            Entry("operations", N_("Operations"), READ),
            Entry("alarms", N_("Alarms"), READ_ALL),
            Entry("reports", N_("Reports"), READ),
        ),
    ),
    Group(
        N_("What is configured"),
        (
            Entry("sites", N_("Sites"), READ),
            Entry("definitions", N_("Definitions"), READ),
            Entry("assignments", N_("Assignments"), READ),
            Entry("bulk-changes", N_("Bulk changes"), READ),
            Entry("ads-accounts", N_("Ads accounts"), READ_ALL),
        ),
    ),
    Group(
        N_("Who and what"),
        (
            Entry("people", N_("People"), MANAGE),
            Entry("api-keys", N_("API keys"), MANAGE),
            Entry("audit", N_("Audit trail"), AUDIT),
            Entry("settings", N_("Settings"), MANAGE),
            Entry("dagster", N_("Dagster"), MANAGE),
            Entry("help", N_("Help"), SIGNED_IN),
        ),
    ),
)

# Pages that belong to a part without standing below its address.
PARTS: Final = {"report-runs": "reports", "report-schedules": "reports", "report-specifications": "reports"}
