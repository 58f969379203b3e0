"""Every noun of the API: a new one is a file here and a line below."""

from typing import Final

from console.api.operations import Routes
from console.api.routes import (
    ads_accounts,
    ads_actions,
    alarms,
    api_keys,
    assignment_revisions,
    assignments,
    audit_entries,
    browsing,
    definition_revisions,
    definitions,
    explanations,
    figures,
    health,
    people,
    privacy_requests,
    raw_events,
    rule_tests,
    sessions,
    site_secrets,
    sites,
    uploads,
)

NOUNS: Final[tuple[Routes, ...]] = (
    health.ROUTES,
    figures.ROUTES,
    figures.METRICS,
    sessions.ROUTES,
    sites.ROUTES,
    site_secrets.ROUTES,
    people.ROUTES,
    api_keys.ROUTES,
    audit_entries.ROUTES,
    uploads.ROUTES,
    ads_accounts.ROUTES,
    ads_actions.ROUTES,
    raw_events.ROUTES,
    browsing.ROUTES,
    explanations.ROUTES,
    alarms.ROUTES,
    privacy_requests.ROUTES,
    definitions.ROUTES,
    definition_revisions.ROUTES,
    assignments.ROUTES,
    assignment_revisions.ROUTES,
    rule_tests.ROUTES,
)
