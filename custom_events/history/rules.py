"""The rules of sites as a draft would have them, or as they were at a moment; by the functions that batches load them with."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from custom_events.catalog.configurations import check
from custom_events.errors import InvalidConfiguration, NeedsAction, NotFound
from custom_events.history.drafts import (
    NEW_DEFINITION,
    NOT_STORED,
    PUBLISHED,
    Draft,
    DraftedAssignment,
    DraftedDefinition,
    assignment_revisions,
    definition_revisions,
    drafted_assignment,
    drafted_definition,
)
from custom_events.history.groups import Memberships, concerned, memberships
from custom_events.matching.compiled_rules import CompiledRules
from custom_events.pipeline.bulk_rows import Connection, texts_of
from custom_events.pipeline.configuration import Defined, action_of, assignment_of, read_rule, site_of
from custom_events.pipeline.conversion import AdsAction
from custom_events.queries import history as sql
from custom_events.queries import matching as matching_sql
from custom_events.values.definitions import Assignment, DefinitionConfig, Overrides
from custom_events.values.deliveries import SiteContext

NOT_ASSIGNED = "(not assigned)"
MAX_NAMED = 20  # assignments named in a note; more are counted


class SiteRules(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One site. `compiled_rules` holds the assignments (`assignments`, by id) whose results are asked about, as they would be: those chosen,
    and those that are or were in a group with one of them. A negative id is a draft that the site does not have."""

    site: SiteContext
    compiled_rules: CompiledRules
    assignments: Mapping[int, Assignment]


class DraftedRules(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The rules of sites. `actions` by our id, `action_names` ("<customer id>/<action id>") likewise."""

    draft: Draft
    sites: Mapping[int, SiteContext]
    actions: Mapping[int, AdsAction]
    action_names: Mapping[int, str]
    by_site: Mapping[int, Sequence[Assignment]]
    chosen: frozenset[int] | None  # the assignments asked about, also where nothing of them applies; None: all
    memberships: Memberships = {}  # of these sites, where some are chosen

    def site(self, site_id: int) -> SiteRules:
        """One site's rules, compiled."""
        context, scope = self.sites[site_id], self.scope(site_id)
        return SiteRules(
            site=context,
            compiled_rules=CompiledRules(scope, {site_id: context.time_zone}),
            assignments={assignment.assignment_id: assignment for assignment in scope},
        )

    @property
    def is_empty(self) -> bool:
        """Whether there is no result to ask about, on any site."""
        return not any(self.scope(site_id) for site_id in self.sites)

    def notes(self) -> tuple[str, ...]:
        """What is covered beside the assignments that are asked about, and which of these stop or have stopped."""
        if self.chosen is None:
            return ()
        scope = {assignment.assignment_id for site_id in self.sites for assignment in self.scope(site_id)}
        known = {number for here in self.memberships.values() for number in here}
        notes: list[str] = []
        if beside := sorted(scope - self.chosen):
            notes.append(
                f"Covered too, since a group holds or held them together with what is asked about: {_named(beside)}."
            )
        if stopped := sorted((self.chosen & known) - scope):
            notes.append(f"Nothing of {_named(stopped)} applies: what it has made stays, and it makes nothing new.")
        return tuple(notes)

    def scope(self, site_id: int) -> Sequence[Assignment]:
        """The assignments of a site whose results are asked about."""
        applying = self.by_site.get(site_id, ())
        return applying if self.chosen is None else concerned(applying, self.chosen, self.memberships.get(site_id, {}))

    def __iter__(self) -> Iterator[int]:
        """Ids of the sites."""
        return iter(self.sites)


async def site_called(connection: Connection, name: str) -> int:
    """Id of the site of this id, key or shop domain. Raises NotFound, naming those there are."""
    site_id = await connection.fetchval(sql.SITE_CALLED, name)
    if site_id is None:
        keys = ", ".join([row[0] for row in await connection.fetch(sql.SITE_KEYS)])
        raise NotFound(f'There is no site "{name}" (an id, a key or a shop domain). There are: {keys or "none"}.', what="site")  # fmt: skip
    return site_id


async def load_rules(
    connection: Connection,
    draft: Draft = PUBLISHED,
    sites: Sequence[int] | None = None,
    *,
    at: datetime | None = None,
    definition: str | None = None,
    assignment: int | None = None,
) -> DraftedRules:
    """The rules as `draft` would have them. `sites`: only these (None: all that the draft is about). `at`: as they were then,
    instead of now. `definition` and `assignment` choose one of the published rules, or one that was published until it was
    paused or retired: what others of its groups win by that is asked about. Raises NotFound, NeedsAction when nothing is left to
    ask about, InvalidConfiguration for a draft that cannot be used."""
    own_definition = await drafted_definition(connection, draft)
    own_assignment = await drafted_assignment(connection, draft)
    if sites is None:
        sites = await _sites_of(connection, own_definition, own_assignment)
    drafted = [
        name
        for name in (
            own_definition.config.ads_action if own_definition is not None else None,
            own_assignment.overrides.ads_action if own_assignment is not None else None,
        )
        if isinstance(name, str)
    ]
    contexts = await site_contexts(connection, sites)
    named = await named_actions(connection, sites, drafted)
    actions = {name: action for name, (_, action) in named.items()}
    loader = Loader(own_definition, own_assignment, actions, stops=draft.stopped)
    assignments = await loader.load(connection, list(contexts), at)
    chosen = loader.chosen
    narrowed = definition is not None or assignment is not None
    known = await memberships(connection, contexts) if narrowed or chosen is not None else {}
    if narrowed:
        chosen = await _chosen(connection, known, definition, assignment)
    book = DraftedRules(
        draft=draft,
        sites=contexts,
        actions=dict(named.values()),
        action_names={number: name for name, (number, _) in named.items()},
        by_site=assignments,
        chosen=chosen,
        memberships=known,
    )
    if narrowed and book.is_empty:
        name = f'definition "{definition}"' if definition is not None else f"assignment {assignment}"
        raise NeedsAction(
            f"Nothing of {name} is published and active on these sites, and it shares no group: there is nothing to look at. "
            "Publish or resume it, or try a draft of it with a backtest."
        )
    return book


async def site_contexts(connection: Connection, sites: Sequence[int] | None) -> dict[int, SiteContext]:
    """These sites, or all, by id. Raises NotFound."""
    rows = await connection.fetch(sql.SITES, None if sites is None else texts_of(sites))
    contexts = {row[0]: site_of(*row) for row in rows}
    if missing := set(sites or ()) - contexts.keys():
        raise NotFound(f"There is no site {min(missing)}.", what="site")
    return contexts


async def named_actions(
    connection: Connection, sites: Sequence[int] | None, drafted: Sequence[str]
) -> dict[str, tuple[int, AdsAction]]:
    """Ads actions by the name that rules use, each with our id: those of the sites' rules and of a draft's."""
    rows = (
        await connection.fetch(matching_sql.ADS_ACTIONS)
        if sites is None
        else await connection.fetch(sql.ACTIONS_OF_SITES, texts_of(sites), drafted)
    )
    return {row[0]: (row[1], action_of(*row[1:])) for row in rows}


async def _chosen(
    connection: Connection, known: Memberships, definition: str | None, assignment: int | None
) -> frozenset[int]:
    """The assignments of this definition, or this one. Raises NotFound for names that nothing has."""
    if definition is not None:
        await definition_revisions(connection, definition)
    if assignment is not None:
        await assignment_revisions(connection, assignment)
    return frozenset(
        number
        for here in known.values()
        for number, membership in here.items()
        if definition in (None, membership.definition) and assignment in (None, number)
    )


async def _sites_of(
    connection: Connection, definition: DraftedDefinition | None, assignment: DraftedAssignment | None
) -> Sequence[int] | None:
    if assignment is not None:
        return [assignment.site_id]
    if definition is None:
        return None
    sites = [row[0] for row in await connection.fetch(sql.SITES_WITH, definition.id)]
    if not sites:
        if definition.id == NEW_DEFINITION:
            raise NeedsAction("The definition is on no site yet: name the site to try it on (--site).")
        raise NeedsAction(f'No site has "{definition.key}" assigned and active: name the site to try it on (--site).')
    return sites


def _named(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:MAX_NAMED]))
    more = f" and {len(numbers) - MAX_NAMED:,} more" if len(numbers) > MAX_NAMED else ""
    return f"assignment{'' if len(numbers) == 1 else 's'} {shown}{more}"


class Loader:
    """Stored rows become assignments; the draft takes the place of what is stored."""

    def __init__(
        self,
        definition: DraftedDefinition | None,
        assignment: DraftedAssignment | None,
        actions: Mapping[str, AdsAction],
        *,
        stops: bool = False,
    ) -> None:
        """`stops`: nothing of the drafted one applies."""
        self._definition, self._assignment, self._actions, self._stops = definition, assignment, actions, stops
        self._changed: set[int] = set()

    @property
    def chosen(self) -> frozenset[int] | None:
        """The assignments that the draft changes; None when it changes nothing."""
        return None if self._definition is None and self._assignment is None else frozenset(self._changed)

    async def load(
        self, connection: Connection, sites: Sequence[int], at: datetime | None
    ) -> dict[int, list[Assignment]]:
        """Assignments by site."""
        definitions = await self._definitions(connection, at)
        assignments: dict[int, list[Assignment]] = {site_id: [] for site_id in sites}
        for row in await connection.fetch(sql.ASSIGNMENTS, texts_of(sites), at):
            made = self._stored(row, definitions)
            if made is not None:
                assignments[made.site_id].append(made)
        if self._definition is not None and self._assignment is None and not self._stops:
            for site_id, own in assignments.items():
                if not any(assignment.assignment_id in self._changed for assignment in own):
                    own.append(self._new(self._definition, site_id))
        return assignments

    async def _definitions(self, connection: Connection, at: datetime | None) -> dict[int, Defined]:
        definitions: dict[int, Defined] = {}
        for definition_id, revision_id, key, config in await connection.fetch(sql.DEFINITIONS, at):
            read = read_rule(config, DefinitionConfig, definition=key)
            if read is not None:
                definitions[definition_id] = (revision_id, key, read)
        if (own := self._definition) is not None:
            definitions[own.id] = (own.revision_id, own.key, own.config)
        return definitions

    def _stored(self, row: Any, definitions: Mapping[int, Defined]) -> Assignment | None:
        assignment_id, site_id, label, definition_id, revision_id, overrides, is_active = row
        is_own = self._assignment is not None and assignment_id == self._assignment.id
        is_drafted = is_own or (
            self._definition is not None and self._assignment is None and definition_id == self._definition.id
        )
        if is_drafted and self._stops:
            self._changed.add(assignment_id)
            return None
        if self._assignment is not None and is_own:
            revision_id, overrides = self._assignment.revision_id, msgspec.json.encode(self._assignment.overrides)
        elif revision_id is None or not is_active:
            return None
        made = assignment_of((assignment_id, site_id, label, definition_id, revision_id, overrides), definitions, self._actions)  # fmt: skip
        if is_drafted:
            if made is None:
                raise NeedsAction(f"Nothing of the definition of assignment {assignment_id} is published: name a draft of it too.")  # fmt: skip
            self._changed.add(assignment_id)
            _check(made)
        return made

    def _new(self, definition: DraftedDefinition, site_id: int) -> Assignment:
        """The drafted definition on a site that does not have it."""
        self._changed.add(-site_id)
        made = assignment_of(
            (-site_id, site_id, NOT_ASSIGNED, definition.id, NOT_STORED, msgspec.json.encode(Overrides())),
            {definition.id: (definition.revision_id, definition.key, definition.config)},
            self._actions,
        )
        assert made is not None  # noqa: S101  empty overrides can be read
        return made


def _check(made: Assignment) -> None:
    try:
        check(made.config)
    except InvalidConfiguration as error:
        raise InvalidConfiguration(
            f'{error.sentence} (assignment {made.assignment_id}, "{made.definition_key}" labelled "{made.label}")',
            path=error.path,
        ) from None
