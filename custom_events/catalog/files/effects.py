"""Which rules apply on which site, before a plan and after it: what a plan really changes, and who gets into whose way then."""

from collections.abc import Iterator

import msgspec

from custom_events.catalog.conflicts import REMEDY, Contention, Name, contentions
from custom_events.catalog.files.checks import configs_of
from custom_events.catalog.files.documents import AssignmentEntry, Catalogue, Kind, SiteFile
from custom_events.catalog.files.folder import file_of
from custom_events.conditions.problems import Problem, Severity
from custom_events.matching.effective import effective
from custom_events.values.definitions import DefinitionConfig


class Affected(msgspec.Struct, frozen=True, kw_only=True):
    """An assignment whose effective configuration differs. None: nothing of it applies."""

    site_key: str
    name: Name
    before: DefinitionConfig | None
    after: DefinitionConfig | None


def applying(catalogue: Catalogue, site: SiteFile) -> dict[Name, DefinitionConfig]:
    """The effective configurations that are published and active on a site."""
    configs = configs_of(catalogue)
    return {
        entry.name: effective(configs[entry.definition], entry.overrides)
        for entry in site.assignments
        if _applies(catalogue, entry) and entry.definition in configs
    }


def affected(before: Catalogue, after: Catalogue) -> Iterator[Affected]:
    """Every assignment that a change from one catalogue to another is about, through its definition, too."""
    for site_key, site in sorted(after.sites.items()):
        old = applying(before, before.sites[site_key]) if site_key in before.sites else {}
        new = applying(after, site)
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                yield Affected(site_key=site_key, name=name, before=old.get(name), after=new.get(name))


def contentions_of(catalogue: Catalogue) -> Iterator[Contention]:
    """Of every site."""
    for site_key, site in sorted(catalogue.sites.items()):
        yield from contentions(site_key, applying(catalogue, site))


def warnings(catalogue: Catalogue) -> Iterator[tuple[str, Problem]]:
    """The contentions as problems of their files, for where there is no history to count them on."""
    for one in contentions_of(catalogue):
        problem = Problem(path="assignments", wrong=str(one), right=REMEDY, severity=Severity.WARNING)
        yield file_of(Kind.SITE, one.site_key), problem


def _applies(catalogue: Catalogue, entry: AssignmentEntry) -> bool:
    known = catalogue.definitions.get(entry.definition)  # without a file: as it ships, so published
    return entry.active and entry.published and (known is None or known.published)
