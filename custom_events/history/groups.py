"""Whose results a change of the rules can alter: those of the assignments that change, and of all that are or were in a group with
one of them on the same site. Of a group one fires; when another one enters it, leaves it or stops, the rest win or lose by it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from custom_events.pipeline.bulk_rows import Connection, texts_of
from custom_events.queries import history as sql
from custom_events.values.definitions import Assignment


class Membership(NamedTuple):
    """An assignment, also a paused or retired one, with every group that it is in by what is published, or was in before."""

    assignment_id: int
    site_id: int
    definition: str
    label: str
    groups: frozenset[str]


Memberships = Mapping[int, Mapping[int, Membership]]  # by site, by assignment


async def memberships(connection: Connection, sites: Iterable[int]) -> Memberships:
    """The assignments of these sites."""
    by_site: dict[int, dict[int, Membership]] = {}
    for assignment_id, site_id, definition, label, groups in await connection.fetch(sql.GROUPS_EVER, texts_of(sites)):
        membership = Membership(assignment_id, site_id, definition, label, frozenset(groups))
        by_site.setdefault(membership.site_id, {})[membership.assignment_id] = membership
    return by_site


def concerned(
    applying: Sequence[Assignment], chosen: Collection[int], known: Mapping[int, Membership]
) -> list[Assignment]:
    """Of what would apply on one site: the chosen assignments, and those that share a group with one of them. `known` are the
    memberships of that site."""
    touched = {group for number, membership in known.items() if number in chosen for group in membership.groups}
    touched |= {
        assignment.config.group
        for assignment in applying
        if assignment.assignment_id in chosen and assignment.config.group is not None
    }
    return [
        assignment
        for assignment in applying
        if assignment.assignment_id in chosen or touched & _groups(assignment, known)
    ]


def _groups(assignment: Assignment, known: Mapping[int, Membership]) -> frozenset[str | None]:
    before = known[assignment.assignment_id].groups if assignment.assignment_id in known else frozenset[str]()
    return before | {assignment.config.group}
