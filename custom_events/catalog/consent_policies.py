"""What becomes of conversions whose customer said nothing about ads: by the rules that apply, and by the sites they apply to, in words."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec
import sqlalchemy as sa

from custom_events.catalog.files.checks import applying
from custom_events.catalog.files.documents import Catalog
from custom_events.catalog.files.meanings import CONSENT_POLICIES
from custom_events.queries import catalog as queries
from custom_events.values.clicks import ConsentStatus
from custom_events.values.definitions import ConsentNeeded, DefinitionConfig

_DEFAULT: Final = DefinitionConfig(trigger=()).consent_needed


class PolicyUse(msgspec.Struct, frozen=True, kw_only=True):
    """A consent policy, what it means, and how many assignments of how many sites have it."""

    policy: ConsentNeeded
    meaning: str
    assignments: int
    sites: int

    @property
    def sentence(self) -> str:
        """For people."""
        where = f"{self.assignments:,} assignments of {self.sites:,} sites"
        return f"{where} ({self.policy}): {self.meaning}"


def uses(connection: sa.Connection) -> list[PolicyUse]:
    """The policies of what is published and active, the most frequent first."""
    rows = connection.execute(queries.CONSENT_POLICIES, {"default": _DEFAULT.value}).all()
    return [
        PolicyUse(
            policy=ConsentNeeded(row.policy),
            meaning=CONSENT_POLICIES[ConsentNeeded(row.policy)],
            assignments=row.assignments,
            sites=row.sites,
        )
        for row in rows
        if row.policy in list(ConsentNeeded)
    ]


def granting_sites(connection: sa.Connection) -> list[str]:
    """Keys of the sites where an order that says nothing counts as a yes."""
    return list(connection.execute(queries.GRANTING_SITES).scalars())


def sentences(connection: sa.Connection) -> list[str]:
    """All of that, a sentence each."""
    return _sentences(uses(connection), granting_sites(connection))


def sentences_of(catalog: Catalog) -> list[str]:
    """The same of what files say, for the sites that they have."""
    active = {site_key: site for site_key, site in sorted(catalog.sites.items()) if site.active}
    policies = [
        (rule.consent_needed, site_key)
        for site_key, site in active.items()
        for rule in applying(catalog, site).values()
    ]
    counted = [
        PolicyUse(
            policy=policy,
            meaning=CONSENT_POLICIES[policy],
            assignments=count,
            sites=len({site_key for used, site_key in policies if used is policy}),
        )
        for policy, count in Counter(policy for policy, _ in policies).most_common()
    ]
    granting = [site_key for site_key, site in active.items() if site.settings.consent_default is ConsentStatus.GRANTED]
    return _sentences(counted, granting)


def _sentences(counted: Iterable[PolicyUse], granting: list[str]) -> list[str]:
    lines = [use.sentence for use in counted]
    if granting:
        lines.append(
            f"{len(granting):,} sites take silence for a yes (consent_default: granted), whatever the policy: {', '.join(granting[:10])}"
        )
    return lines
