"""Test one: a rule against one event, a body from a file or a stored event, leaf by leaf."""

from collections.abc import Sequence
from typing import Final

import msgspec

from custom_events.catalog.configurations import check
from custom_events.errors import NeedsAction
from custom_events.explain.decisions import explanations
from custom_events.explain.find import stored_event
from custom_events.history.drafts import NEW_KEY, NOT_STORED, Draft
from custom_events.history.readers import Readers, ask
from custom_events.history.reading import Stored
from custom_events.history.rules import NOT_ASSIGNED, SiteRules, load_rules, site_called
from custom_events.matching.compiled_rules import CompiledRules
from custom_events.matching.effective import effective
from custom_events.matching.explain import Explanation
from custom_events.matching.explain import explain as explain_event
from custom_events.pipeline.bulk_rows import Connection
from custom_events.platforms.registry import PLATFORMS
from custom_events.values.definitions import Assignment, DefinitionConfig, Overrides
from custom_events.values.deliveries import Outcome, Platform, RawDelivery, SiteContext

NOWHERE: Final = 0  # stands for the site of a body that belongs to none
NEVER_STORED: Final = 0  # stands for the id of an event that a body shows


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook's body, as the platform sends it under this topic."""

    platform: Platform
    topic: str
    body: bytes


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One event under one rule."""

    event_key: str
    event_type: str
    assignment_id: int
    definition: str
    label: str
    explanation: Explanation


class RuleTest(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. A body that gives no event says why in `outcome`, `reason` and `detail`; `notes` limit the answer."""

    site_id: int | None
    outcome: str
    reason: str | None = None
    detail: str | None = None
    tried: tuple[Tried, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def fires(self) -> bool:
        """Whether any of the events gives a match."""
        return any(tried.explanation.fires for tried in self.tried)


def run_on_body(body: Body, config: DefinitionConfig, overrides: Overrides | None = None) -> RuleTest:
    """A body under a configuration, without a database: nothing is known of the customer, and nothing happened before.

    Raises InvalidConfiguration for a configuration that cannot be used.
    """
    whole = effective(config, overrides or Overrides())
    check(whole)
    assignment = Assignment(
        assignment_id=NOT_STORED,
        site_id=NOWHERE,
        label=NOT_ASSIGNED,
        definition_key=NEW_KEY,
        definition_revision_id=NOT_STORED,
        assignment_revision_id=NOT_STORED,
        config=whole,
    )
    (rule,) = CompiledRules([assignment]).sites[NOWHERE].rules
    understood, events = _understood(body, SiteContext(site_id=NOWHERE, platform=body.platform))
    tried = tuple(_tried(event, assignment, explain_event(event.event, assignment)) for event in events)
    notes = (
        ("Without a site nothing is known of the customer, and nothing happened before.",)
        if rule.needs_facts or rule.needs_history
        else ()
    )
    return msgspec.structs.replace(understood, tried=tried, notes=notes)


def run_sync(
    source: str | Readers,
    subject: Body | str,
    draft: Draft,
    *,
    site: str | None = None,
    definition: str | None = None,
    assignment: int | None = None,
) -> RuleTest:
    """A body, or a stored event by its key, under a draft (or published rules, narrowed down by `definition` or `assignment`)
    of a site, with the site's stored customers and history. Raises as `load_rules` does, NotFound for the event, NeedsAction
    without a site where it does not follow from the rule. `source`: a URL, or connections that are kept."""

    async def tried_on(connection: Connection) -> RuleTest:
        sites = None if site is None else [await site_called(connection, site)]
        book = await load_rules(connection, draft, sites, definition=definition, assignment=assignment)
        if len(book.sites) != 1:
            raise NeedsAction(_which_site(draft, len(book.sites)))
        (site_id,) = book
        rules = book.site(site_id)
        if isinstance(subject, str):
            understood = RuleTest(site_id=site_id, outcome=Outcome.UNDERSTOOD)
            events: Sequence[Stored] = [await stored_event(connection, site_id, subject)]
        else:
            understood, events = _understood(subject, book.sites[site_id])
        asked = book.chosen if book.chosen is not None else frozenset(rules.assignments)
        tried = [
            _tried(event, rules.assignments[explanation.assignment_id], explanation)
            for event in events
            for explanation in await explanations(connection, rules, event)
            if explanation.assignment_id in asked
        ]
        return msgspec.structs.replace(understood, tried=tuple(tried), notes=_notes(subject, rules))

    return ask(source, tried_on)


def _which_site(draft: Draft, number: int) -> str:
    if draft.definition is None and draft.assignment is None and draft.config is None:
        return "Name the site whose rules to try (--site), or a rule (--definition, --assignment or --config)."
    return f"{number} sites have this rule: name the one to try it on (--site)."


def _understood(body: Body, site: SiteContext) -> tuple[RuleTest, list[Stored]]:
    """What a body says; events as if they were stored."""
    context = msgspec.structs.replace(site, platform=body.platform)
    understood = PLATFORMS[body.platform].understand(RawDelivery(topic=body.topic, body=body.body), context)
    answer = RuleTest(
        site_id=site.site_id or None, outcome=understood.outcome, reason=understood.reason, detail=understood.detail
    )
    return answer, [Stored(NEVER_STORED, site.site_id, event.key, event) for event in understood.events]


def _tried(stored: Stored, assignment: Assignment, explanation: Explanation) -> Tried:
    return Tried(
        event_key=stored.key,
        event_type=stored.event.type,
        assignment_id=assignment.assignment_id,
        definition=assignment.definition_key,
        label=assignment.label,
        explanation=explanation,
    )


def _notes(subject: Body | str, rules: SiteRules) -> tuple[str, ...]:
    if isinstance(subject, str) or not any(
        rule.needs_history for rule in rules.compiled_rules.sites[rules.site.site_id].rules
    ):
        return ()
    return ("What is stored of this event's customer counts as what happened before; the body itself is not stored.",)


def rule_test_json(result: RuleTest) -> bytes:
    """The answer as JSON; amounts as text, times in ISO 8601."""
    return msgspec.json.encode(result)
