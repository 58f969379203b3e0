"""Revisions of definitions: what was written when and by whom, drafted, published, rolled back, compared."""

from typing import Final

import msgspec

from console.api import problems
from console.api.calls import Answer, Call
from console.api.operations import PREFIX, Routes
from console.api.pages import LIMIT, After, Limit, Page, page_of, read_after
from console.api.rights import of_all_sites, of_some_site
from console.api.routes.definitions import Key
from console.api.routes.revisions import (
    CONFIG,
    DEFINITION_EXAMPLE,
    DIFFERENCE_EXAMPLE,
    NOON,
    DefinitionRevision,
    New,
    NewDefinitionRevision,
    Number,
    Old,
    RevisionDifference,
    State,
    difference,
    of_definition,
)
from console.api.routes.sites import Reason
from console.api.translation import placed
from custom_events.access.roles import Role
from custom_events.catalog import definitions, revisions
from custom_events.queries.revisions import DEFINITIONS
from custom_events.values.definitions import DefinitionConfig

ROUTES: Final = Routes(
    "definition revisions", "What definitions say and said. They never change; what applies is published."
)

_PUBLISHED: Final = msgspec.structs.replace(
    DEFINITION_EXAMPLE, state="published", published_by="bea@example.org", published_at=NOON
)


@ROUTES.get(
    "/definitions/{definition_key}/revisions",
    right=of_some_site(Role.VIEWER),
    answer=Page[DefinitionRevision],
    example=Page(items=(DEFINITION_EXAMPLE,), next=None),
)
def list_definition_revisions(
    call: Call, definition_key: Key, state: State = None, limit: Limit = LIMIT, after: After = None
) -> Page[DefinitionRevision]:
    """The revisions of a definition, newest first."""
    owner = definitions.get(call.connection, definition_key)
    listed = revisions.page(
        call.connection,
        DEFINITIONS,
        owner.id,
        state=state,
        after=read_after(after, "-number", (int,)),
        limit=limit + 1,
    )
    return page_of(listed, limit, "-number", lambda revision: (revision.number,), of_definition)


@ROUTES.post(
    "/definitions/{definition_key}/revisions",
    right=of_all_sites(Role.EDITOR),
    status=201,
    answer=DefinitionRevision,
    example=DEFINITION_EXAMPLE,
    body_example=NewDefinitionRevision(config=CONFIG, expected=1, reason="goes before the others"),
    raises=(problems.CHANGED,),
)
def draft_definition_revision(call: Call, definition_key: Key, body: NewDefinitionRevision) -> Answer:
    """Draft settings, made from revision `expected`. Where somebody else drafted in between, nothing is written, and both differences
    are answered."""
    with placed("config", DefinitionConfig):
        made = definitions.draft(
            call.connection,
            definition_key,
            body.config,
            expected=body.expected,
            author=call.actor,
            reason=body.reason,
        )
    return _made(definition_key, made)


@ROUTES.get(
    "/definitions/{definition_key}/revisions/{number}",
    right=of_some_site(Role.VIEWER),
    answer=DefinitionRevision,
    example=DEFINITION_EXAMPLE,
)
def read_definition_revision(call: Call, definition_key: Key, number: Number) -> DefinitionRevision:
    """One revision of a definition."""
    return of_definition(definitions.revision(call.connection, definition_key, number))


@ROUTES.post(
    "/definitions/{definition_key}/revisions/{number}/publish",
    right=of_all_sites(Role.PUBLISHER),
    answer=DefinitionRevision,
    example=_PUBLISHED,
    raises=(problems.CONFLICT, problems.CHANGED),
)
def publish_definition_revision(call: Call, definition_key: Key, number: Number) -> DefinitionRevision:
    """Let a draft apply, on every site that has the definition assigned. Where two people are asked for, somebody else than its author
    does."""
    with placed("config", DefinitionConfig):
        return of_definition(definitions.publish(call.connection, definition_key, number, by=call.actor))


@ROUTES.post(
    "/definitions/{definition_key}/revisions/{number}/rollback",
    right=of_all_sites(Role.PUBLISHER),
    status=201,
    answer=DefinitionRevision,
    example=_PUBLISHED,
    body_example=Reason(reason="the new one fires too often"),
    raises=(problems.CONFLICT, problems.CHANGED),
)
def roll_back_definition(call: Call, definition_key: Key, number: Number, body: Reason) -> Answer:
    """Publish this revision's settings again, as a new revision; it is a draft where a second person has to publish it."""
    with placed("config", DefinitionConfig):
        made = definitions.rollback(call.connection, definition_key, number, by=call.actor, reason=body.reason)
    return _made(definition_key, made)


@ROUTES.get(
    "/definitions/{definition_key}/difference",
    right=of_some_site(Role.VIEWER),
    answer=RevisionDifference,
    example=DIFFERENCE_EXAMPLE,
)
def compare_definition_revisions(
    call: Call, definition_key: Key, old: Old = None, new: New = None
) -> RevisionDifference:
    """What differs between two revisions; left out: between what applies and the newest one."""
    return difference(definitions.difference(call.connection, definition_key, old=old, new=new))


def _made(key: str, made: revisions.Revision) -> Answer:
    return Answer(content=of_definition(made), location=f"{PREFIX}/definitions/{key}/revisions/{made.number}")
