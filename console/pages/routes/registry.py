"""Every noun of the pages: a new one is a file here and a line below. What stands first is looked for first."""

from typing import Final

from console.pages.page import Pages
from console.pages.routes import (
    ads_accounts,
    alarms,
    assignments,
    custom_events,
    definition_editing,
    definition_publishing,
    definitions,
    deliveries,
    manual,
    orders,
    overview,
    parked,
    people,
    sign_in,
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
    sites.PAGES,
    definition_editing.PAGES,
    definition_publishing.PAGES,
    definitions.PAGES,
    assignments.PAGES,
    ads_accounts.PAGES,
    people.PAGES,
    manual.PAGES,
    styleguide.PAGES,
)
