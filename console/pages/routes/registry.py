"""Every noun of the pages: a new one is a file here and a line below. What stands first is looked for first."""

from typing import Final

from console.pages.page import Pages
from console.pages.routes import (
    ads_accounts,
    alarms,
    api_keys,
    assignments,
    custom_events,
    definitions,
    deliveries,
    manual,
    orders,
    overview,
    parked,
    people,
    reports,
    settings,
    sign_in,
    sites,
    styleguide,
    upload_changes,
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
    upload_changes.PAGES,
    alarms.PAGES,
    reports.PAGES,
    sites.PAGES,
    definitions.PAGES,
    assignments.PAGES,
    ads_accounts.PAGES,
    people.PAGES,
    api_keys.PAGES,
    settings.PAGES,
    manual.PAGES,
    styleguide.PAGES,
)
