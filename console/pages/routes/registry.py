"""Every noun of the pages: a new one is a file here and a line below. What stands first is looked for first."""

from typing import Final

from console.pages.page import Pages
from console.pages.routes import (
    ads_accounts,
    alarms,
    assignment_list,
    assignments,
    bulk_changes,
    custom_events,
    definition_editing,
    definition_publishing,
    definitions,
    deliveries,
    manual,
    operations,
    orders,
    overview,
    parked,
    people,
    sign_in,
    site_connecting,
    sites,
    styleguide,
    uploads,
)

NOUNS: Final[tuple[Pages, ...]] = (
    overview.PAGES,
    sign_in.PAGES,
    deliveries.PAGES,
    orders.PAGES,
    custom_events.PAGES,
    parked.PAGES,
    uploads.PAGES,
    alarms.PAGES,
    site_connecting.PAGES,
    sites.PAGES,
    definition_editing.PAGES,
    definition_publishing.PAGES,
    definitions.PAGES,
    assignment_list.PAGES,
    assignments.PAGES,
    bulk_changes.PAGES,
    operations.PAGES,
    ads_accounts.PAGES,
    people.PAGES,
    manual.PAGES,
    styleguide.PAGES,
)
