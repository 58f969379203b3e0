"""The rules of sites with several changes made at once: what a plan of files looks back at."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from custom_events.history.drafts import NOT_STORED, PUBLISHED
from custom_events.history.groups import memberships
from custom_events.history.rules import DraftedRules, Loader, named_actions, site_contexts
from custom_events.pipeline.bulk_rows import Connection
from custom_events.pipeline.conversion import AdsAction
from custom_events.values.definitions import Assignment, DefinitionConfig


class Change(NamedTuple):
    """What applies of an assignment instead of what is published; a `config` of None: nothing. A negative id stands for one that is
    to be made."""

    site_id: int
    assignment_id: int
    definition: str
    label: str
    config: DefinitionConfig | None


async def changed_rules(connection: Connection, changes: Sequence[Change]) -> DraftedRules:
    """What is published on the sites of these changes, with all of them made."""
    sites = sorted({change.site_id for change in changes})
    contexts = await site_contexts(connection, sites)
    wanted = [
        change.config.ads_action
        for change in changes
        if change.config is not None and change.config.ads_action is not None
    ]
    named = await named_actions(connection, sites, wanted)
    actions = {name: action for name, (_, action) in named.items()}
    assignments = await Loader(None, None, actions).load(connection, sites, None)
    chosen = frozenset(change.assignment_id for change in changes)
    for own in assignments.values():
        own[:] = [assignment for assignment in own if assignment.assignment_id not in chosen]
    for change in changes:
        if change.config is not None:
            assignments[change.site_id].append(_changed(change, change.config, actions))
    return DraftedRules(
        draft=PUBLISHED,
        sites=contexts,
        actions=dict(named.values()),
        action_names={number: name for name, (number, _) in named.items()},
        by_site=assignments,
        chosen=chosen,
        memberships=await memberships(connection, sites),
    )


def _changed(change: Change, config: DefinitionConfig, actions: Mapping[str, AdsAction]) -> Assignment:
    action = actions.get(config.ads_action or "")
    return Assignment(
        assignment_id=change.assignment_id,
        site_id=change.site_id,
        label=change.label,
        definition_key=change.definition,
        definition_revision_id=NOT_STORED,
        assignment_revision_id=NOT_STORED,
        config=config,
        ads_account_id=action.ads_account_id if action else None,
        ads_action_id=action.id if action else None,
    )
