"""Revisions of assignments: what was written when and by whom, drafted, published, rolled back, compared."""

from typing import Final

import msgspec

from console.api import problems
from console.api.calls import Answer, Call
from console.api.operations import PREFIX, Routes
from console.api.pages import LIMIT, After, Limit, Page, page_of, read_after
from console.api.routes.assignments import AssignmentId, right_of
from console.api.routes.revisions import (
    ASSIGNMENT_EXAMPLE,
    DIFFERENCE_EXAMPLE,
    NOON,
    AssignmentRevision,
    New,
    NewAssignmentRevision,
    Number,
    Old,
    RevisionDifference,
    State,
    difference,
    of_assignment,
)
from console.api.routes.sites import Reason
from console.api.translation import placed
from custom_events.access.roles import Role
from custom_events.catalog import assignments, revisions
from custom_events.queries.revisions import ASSIGNMENTS
from custom_events.values.definitions import Overrides

ROUTES: Final = Routes(
    "assignment revisions", "What assignments override and overrode. They never change; what applies is published."
)

_PUBLISHED: Final = msgspec.structs.replace(
    ASSIGNMENT_EXAMPLE, state="published", published_by="bea@example.org", published_at=NOON
)


@ROUTES.get(
    "/assignments/{assignment_id}/revisions",
    right=right_of(Role.VIEWER),
    answer=Page[AssignmentRevision],
    example=Page(items=(ASSIGNMENT_EXAMPLE,), next=None),
)
def list_assignment_revisions(
    call: Call, assignment_id: AssignmentId, state: State = None, limit: Limit = LIMIT, after: After = None
) -> Page[AssignmentRevision]:
    """The revisions of an assignment, newest first."""
    owner = assignments.get(call.connection, assignment_id)
    listed = revisions.page(
        call.connection,
        ASSIGNMENTS,
        owner.id,
        state=state,
        after=read_after(after, "-number", (int,)),
        limit=limit + 1,
    )
    return page_of(listed, limit, "-number", lambda revision: (revision.number,), of_assignment)


@ROUTES.post(
    "/assignments/{assignment_id}/revisions",
    right=right_of(Role.EDITOR),
    status=201,
    answer=AssignmentRevision,
    example=ASSIGNMENT_EXAMPLE,
    body_example=NewAssignmentRevision(overrides=Overrides(priority=1), expected=1, reason="goes before the others"),
    raises=(problems.CHANGED,),
)
def draft_assignment_revision(call: Call, assignment_id: AssignmentId, body: NewAssignmentRevision) -> Answer:
    """Draft overrides, made from revision `expected`. Where somebody else drafted in between, nothing is written, and both differences
    are answered."""
    with placed("overrides", Overrides):
        made = assignments.override(
            call.connection,
            assignment_id,
            body.overrides,
            expected=body.expected,
            author=call.actor,
            reason=body.reason,
        )
    return _made(assignment_id, made)


@ROUTES.get(
    "/assignments/{assignment_id}/revisions/{number}",
    right=right_of(Role.VIEWER),
    answer=AssignmentRevision,
    example=ASSIGNMENT_EXAMPLE,
)
def read_assignment_revision(call: Call, assignment_id: AssignmentId, number: Number) -> AssignmentRevision:
    """One revision of an assignment."""
    return of_assignment(assignments.revision(call.connection, assignment_id, number))


@ROUTES.post(
    "/assignments/{assignment_id}/revisions/{number}/publish",
    right=right_of(Role.PUBLISHER),
    answer=AssignmentRevision,
    example=_PUBLISHED,
    raises=(problems.CONFLICT, problems.CHANGED),
)
def publish_assignment_revision(call: Call, assignment_id: AssignmentId, number: Number) -> AssignmentRevision:
    """Let a draft apply. Where two people are asked for, somebody else than its author
    does."""
    with placed("overrides", Overrides):
        return of_assignment(assignments.publish(call.connection, assignment_id, number, by=call.actor))


@ROUTES.post(
    "/assignments/{assignment_id}/revisions/{number}/rollback",
    right=right_of(Role.PUBLISHER),
    status=201,
    answer=AssignmentRevision,
    example=_PUBLISHED,
    body_example=Reason(reason="the new one fires too often"),
    raises=(problems.CONFLICT, problems.CHANGED),
)
def roll_back_assignment(call: Call, assignment_id: AssignmentId, number: Number, body: Reason) -> Answer:
    """Publish this revision's overrides again, as a new revision; it is a draft where a second person has to publish it."""
    with placed("overrides", Overrides):
        made = assignments.rollback(call.connection, assignment_id, number, by=call.actor, reason=body.reason)
    return _made(assignment_id, made)


@ROUTES.get(
    "/assignments/{assignment_id}/difference",
    right=right_of(Role.VIEWER),
    answer=RevisionDifference,
    example=DIFFERENCE_EXAMPLE,
)
def compare_assignment_revisions(
    call: Call, assignment_id: AssignmentId, old: Old = None, new: New = None
) -> RevisionDifference:
    """What differs between two revisions; left out: between what applies and the newest one."""
    return difference(assignments.difference(call.connection, assignment_id, old=old, new=new))


def _made(assignment_id: int, made: revisions.Revision) -> Answer:
    return Answer(content=of_assignment(made), location=f"{PREFIX}/assignments/{assignment_id}/revisions/{made.number}")
