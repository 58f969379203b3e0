"""Which rules apply on which site, before a plan and after it: what a plan really changes, and who gets into whose way then."""

from collections.abc import Iterator

import msgspec

from custom_events.catalog.conflicts import Name, RuleConflict, rule_conflicts
from custom_events.catalog.files.checks import applying
from custom_events.catalog.files.documents import Catalog, Kind
from custom_events.catalog.files.folder import file_of
from custom_events.conditions.problems import Problem, Severity
from custom_events.values.definitions import DefinitionConfig


class Affected(msgspec.Struct, frozen=True, kw_only=True):
    """An assignment whose effective configuration differs. None: nothing of it applies."""

    site_key: str
    name: Name
    before: DefinitionConfig | None
    after: DefinitionConfig | None


def affected(before: Catalog, after: Catalog) -> Iterator[Affected]:
    """Every assignment that a change from one catalog to another is about, through its definition, too."""
    for site_key, site in sorted(after.sites.items()):
        old = applying(before, before.sites[site_key]) if site_key in before.sites else {}
        new = applying(after, site)
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                yield Affected(site_key=site_key, name=name, before=old.get(name), after=new.get(name))


def rule_conflicts_of(catalog: Catalog) -> Iterator[RuleConflict]:
    """Of every site."""
    for site_key, site in sorted(catalog.sites.items()):
        yield from rule_conflicts(site_key, applying(catalog, site))


def warnings(catalog: Catalog) -> Iterator[tuple[str, Problem]]:
    """The conflicts as problems of their files, for where there is no history to count them on."""
    for rule_conflict in rule_conflicts_of(catalog):
        problem = Problem(
            path="assignments", wrong=str(rule_conflict), right=rule_conflict.remedy, severity=Severity.WARNING
        )
        yield file_of(Kind.SITE, rule_conflict.site_key), problem
