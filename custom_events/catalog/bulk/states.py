"""An assignment as it stands, and its newest revision published."""

import sqlalchemy as sa

from custom_events.catalog import assignments, revisions
from custom_events.catalog.bulk.outcomes import AssignmentState
from custom_events.errors import NotFound
from custom_events.queries.revisions import ASSIGNMENTS


def state_of(connection: sa.Connection, assignment_id: int) -> AssignmentState | None:
    """The assignment as it stands; None: there is none of this id."""
    try:
        owner = assignments.get(connection, assignment_id)
    except NotFound:
        return None
    newest = revisions.newest(connection, ASSIGNMENTS, assignment_id)
    published = revisions.published(connection, ASSIGNMENTS, assignment_id)
    return AssignmentState(
        is_active=owner.is_active,
        published_number=owner.published_number,
        newest_number=owner.newest_number,
        published=published.payload if published is not None else None,
        newest=newest.payload if newest is not None else {},
        is_draft=newest is not None and newest.state == "draft",
    )


def publish_newest(connection: sa.Connection, assignment_id: int, by: str) -> None:
    """Let the newest revision apply where it is a draft; one of one's own stays where a second person has to publish it."""
    newest = revisions.newest(connection, ASSIGNMENTS, assignment_id)
    if newest is None or newest.state != "draft":
        return
    if revisions.needs_second_person() and revisions.same_person(newest.author, by):
        return
    assignments.publish(connection, assignment_id, newest.number, by=by)
