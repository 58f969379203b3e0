"""Which rules a stored event is judged by: those that were published when it was understood.

A late event must not carry today's rules into last month: "also for the last 30 days" is a replay, asked for by a person. So
an event that is matched again meets the revisions of its own time; a custom event that exists, those that made it.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from custom_events.matching.compiled_rules import CompiledRules
from custom_events.pipeline.bulk_rows import Connection
from custom_events.pipeline.configuration import Configuration, Defined, assignment_of, read_rule
from custom_events.queries import rematch as sql
from custom_events.values.definitions import Assignment, DefinitionConfig, Overrides
from custom_events.values.events import EventType

Pair = tuple[int, int]  # definition revision, assignment revision


class _Revision(NamedTuple):
    """When a revision applied; None: from the beginning, or until now."""

    id: int
    since: datetime | None
    until: datetime | None

    def applied(self, at: datetime) -> bool:
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)


class _Assigned(NamedTuple):
    """One assignment's revisions; a paused one makes nothing new."""

    definition_id: int
    is_active: bool
    revisions: tuple[_Revision, ...]


class Rulebook:
    """The rules of some sites through time, or as they are published now. Make with `of_their_time` or `published`."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._assigned: dict[int, dict[int, _Assigned]] = {}  # by site, by assignment; empty: as published now
        self._defined: dict[int, tuple[_Revision, ...]] = {}  # by definition
        self._configs: dict[int, Defined] = {}  # by definition revision
        self._rows: dict[int, tuple[Any, ...]] = {}  # by assignment revision
        self._kinds: dict[int, set[EventType]] = {}  # by site
        self._assignments: dict[Pair, Assignment | None] = {}
        self._compiled: dict[tuple[int, tuple[Pair, ...], frozenset[int]], CompiledRules] = {}

    @classmethod
    def published(cls, configuration: Configuration) -> "Rulebook":
        """Every event meets what is published now."""
        return cls(configuration)

    @classmethod
    async def of_their_time(
        cls, connection: Connection, configuration: Configuration, site_ids: Iterable[int]
    ) -> "Rulebook":
        """Every event meets what was published when it was understood."""
        book = cls(configuration)
        sites = sorted(set(site_ids))
        definitions = await connection.fetch(sql.DEFINITION_REVISIONS, sites)
        book._read(definitions, await connection.fetch(sql.ASSIGNMENT_REVISIONS, sites))
        return book

    def kinds(self, site_id: int) -> list[EventType]:
        """Every type of event that any of the site's rules waits for."""
        current = self._configuration.compiled_rules.site(site_id)
        return sorted({*(current.buckets if current is not None else ()), *self._kinds.get(site_id, ())})

    def compiled_rules(
        self, site_id: int, understood_at: datetime, made: Mapping[int, Pair], standing: Collection[int] = ()
    ) -> CompiledRules:
        """The rules for an event of this site. `made`: by assignment, the revisions that made the custom events it has; `standing`: the
        assignments of those that stand."""
        if not self._assigned:
            return self._configuration.compiled_rules
        assigned = self._assigned.get(site_id, {})
        wanted = (made.get(number) or self._pair(revisions, understood_at) for number, revisions in assigned.items())
        pairs = tuple(pair for pair in wanted if pair is not None and self._assignment(pair) is not None)
        current = self._configuration.compiled_rules.site(site_id)
        if current is not None and pairs == tuple(_pair_of(rule.assignment) for rule in current.rules):
            return self._configuration.compiled_rules
        rules = [assignment for pair in pairs if (assignment := self._assignment(pair)) is not None]
        alone = self._beside_their_groups(site_id, rules, standing)
        key = site_id, pairs, alone
        if key not in self._compiled:
            site = self._configuration.sites.get(site_id)
            zones = {site_id: site.time_zone} if site is not None else {}
            self._compiled[key] = CompiledRules(
                [
                    _without_group(assignment) if assignment.assignment_id in alone else assignment
                    for assignment in rules
                ],
                zones,
            )
        return self._compiled[key]

    def _beside_their_groups(
        self, site_id: int, rules: Sequence[Assignment], standing: Collection[int]
    ) -> frozenset[int]:
        """Assignments that have stopped since, and whose custom event stands beside one of another member of their group: a replay gave
        the event to that one as well (decision 12), and a correction takes it from neither."""
        if len(standing) < 2:  # noqa: PLR2004
            return frozenset()
        groups = Counter(assignment.config.group for assignment in rules if assignment.assignment_id in standing)
        site = self._configuration.compiled_rules.site(site_id)
        applying = {rule.id for rule in site.rules} if site is not None else set[int]()
        return frozenset(
            assignment.assignment_id
            for assignment in rules
            if assignment.assignment_id in standing
            and assignment.assignment_id not in applying
            and assignment.config.group is not None
            and groups[assignment.config.group] > 1
        )

    def _assignment(self, pair: Pair) -> Assignment | None:
        """The assignment under these revisions; None when they cannot be read."""
        if pair not in self._assignments:
            defined, row = self._configs.get(pair[0]), self._rows.get(pair[1])
            assignment = None
            if defined is not None and row is not None:
                assignment = assignment_of(row, {row[3]: defined}, self._configuration.action_names)
            self._assignments[pair] = assignment
        return self._assignments[pair]

    def _pair(self, assigned: _Assigned, at: datetime) -> Pair | None:
        """The revisions that applied at a moment; None: nothing did, or the assignment is paused."""
        if not assigned.is_active:
            return None
        definition = _applied(self._defined.get(assigned.definition_id, ()), at)
        assignment = _applied(assigned.revisions, at)
        return None if definition is None or assignment is None else (definition, assignment)

    def _read(self, definitions: Iterable[Any], assignments: Iterable[Any]) -> None:
        triggers: dict[int, set[EventType]] = {}
        for definition_id, revision_id, key, config, since, until in definitions:
            read = read_rule(config, DefinitionConfig, definition=key)
            if read is not None:
                revision = _Revision(revision_id, since, until)
                self._defined[definition_id] = (*self._defined.get(definition_id, ()), revision)
                self._configs[revision_id] = revision_id, key, read
                triggers.setdefault(definition_id, set()).update(read.trigger)
        for id_, site_id, label, definition_id, revision_id, overrides, is_active, since, until in assignments:
            here = self._assigned.setdefault(site_id, {})
            earlier = here[id_].revisions if id_ in here else ()
            here[id_] = _Assigned(definition_id, is_active, (*earlier, _Revision(revision_id, since, until)))
            self._rows[revision_id] = id_, site_id, label, definition_id, revision_id, overrides
            kinds = self._kinds.setdefault(site_id, set())
            kinds |= triggers.get(definition_id, set())
            own = read_rule(overrides, Overrides, assignment=id_)
            if own is not None and own.trigger is not msgspec.UNSET:
                kinds |= set(own.trigger)


def _applied(revisions: Iterable[_Revision], at: datetime) -> int | None:
    """Of the revisions that applied at a moment the last."""
    applied = [revision.id for revision in revisions if revision.applied(at)]
    return applied[-1] if applied else None


def _without_group(assignment: Assignment) -> Assignment:
    return msgspec.structs.replace(assignment, config=msgspec.structs.replace(assignment.config, group=None))


def _pair_of(assignment: Assignment) -> Pair:
    return assignment.definition_revision_id, assignment.assignment_revision_id
