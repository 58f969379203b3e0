"""Assignments: definitions applied to sites, each with its overrides."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Annotated, Any, Final, Literal

import msgspec
import sqlalchemy as sa
from fastapi import Path, Query

from console.api import problems
from console.api.calls import Answer, Call
from console.api.operations import PREFIX, Routes
from console.api.pages import LIMIT, After, Limit, Page, page_of, read_after
from console.api.parameters import LONGEST_SEARCH, Search
from console.api.problems import ProblemError, Reference
from console.api.rights import Resource, Right, of_site, of_some_site
from console.api.routes import revisions as shown_revisions
from console.api.routes.revisions import CONFIG, NOON, AssignmentRevision
from console.api.routes.sites import Reason, SiteId
from console.api.sparse import Fields, chosen, names_of, sparse
from console.api.translation import placed
from custom_events.access.roles import Role
from custom_events.catalog import assignment_lists, assignments, revisions
from custom_events.catalog.revisions import Current, Revision
from custom_events.errors import NotFound
from custom_events.matching.effective import SETTINGS, Origin
from custom_events.queries.revisions import ASSIGNMENTS
from custom_events.values.definitions import DefinitionConfig, Overrides
from custom_events.values.numbers import MAX_ID

ROUTES: Final = Routes("assignments", "Definitions applied to sites, with what each overrides.")

AssignmentId = Annotated[int, Path(ge=1, le=MAX_ID, description="An assignment's id.")]
Sort = Literal["id", "-id", "site", "-site", "label", "-label", "definition", "-definition"]
Published = Annotated[bool | None, Query(description="Only those of which a revision applies, or the others.")]
Overridden = Annotated[
    str | None,
    Query(
        pattern=f"^({'|'.join((*SETTINGS, 'also'))})$",
        description="Only those whose newest revision overrides this setting.",
    ),
]
OfAdsAccount = Annotated[
    str | None,
    Query(
        pattern="^[0-9]{3}-?[0-9]{3}-?[0-9]{4}$",
        description="Only those that apply and go to the account of this customer id.",
    ),
]
_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "id": (int,),
    "site": (int, int),
    "label": (str, int),
    "definition": (str, int),
}


class EffectiveSetting(msgspec.Struct, frozen=True, kw_only=True):
    """A setting as it applies. `origin`: the product's default, inherited from the definition, overridden here, or added to here."""

    name: str
    value: Any
    origin: Origin


class EffectiveConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """What applies: the published revisions of the definition and of the assignment, by number, and every setting they make."""

    definition_number: int
    assignment_number: int
    config: DefinitionConfig
    settings: tuple[EffectiveSetting, ...]


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """A definition on a site. `published` applies; `draft` is the newest revision while it is one. `effective` is null while nothing of
    the definition or of the assignment is published. `has_overrides` is about the newest revision."""

    id: int
    site_id: int
    definition_key: str
    label: str
    is_active: bool
    has_overrides: bool
    published_number: int | None
    newest_number: int
    published: AssignmentRevision | None
    draft: AssignmentRevision | None
    effective: EffectiveConfiguration | None
    created_at: datetime
    updated_at: datetime


class NewAssignment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A definition to be applied to a site. `label` tells assignments of one definition apart, and never changes. `publish`: let it
    apply at once, which needs the role publisher."""

    definition_key: str
    label: str
    overrides: Overrides = Overrides()
    publish: bool = False
    reason: str = ""


class AssignmentReplacement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """All overrides of an assignment; what is not given is inherited."""

    overrides: Overrides
    reason: str = ""


class AssignmentChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is to change of an assignment's overrides; the rest stays. `inherit`: settings that are overridden no longer."""

    overrides: Overrides = Overrides()
    inherit: tuple[str, ...] = ()
    reason: str = ""


EXAMPLE: Final = Assignment(
    id=12,
    site_id=3,
    definition_key="big_order",
    label="all orders",
    is_active=True,
    has_overrides=True,
    published_number=1,
    newest_number=2,
    published=msgspec.structs.replace(
        shown_revisions.ASSIGNMENT_EXAMPLE,
        number=1,
        state="published",
        overrides=Overrides(),
        published_by="bea@example.org",
        published_at=NOON,
    ),
    draft=shown_revisions.ASSIGNMENT_EXAMPLE,
    effective=EffectiveConfiguration(
        definition_number=1,
        assignment_number=1,
        config=CONFIG,
        settings=(EffectiveSetting(name="priority", value=1, origin=Origin.DEFINITION),),
    ),
    created_at=NOON,
    updated_at=NOON,
)
_NEW = {"definition_key": "big_order", "label": "all orders", "overrides": {"priority": 1}, "reason": "first try"}


_CURRENT: Final = Resource(assignments.CURRENT, attrgetter("site_id"))


def right_of(role: Role) -> Right:
    """The role on the site of the assignment that the path names."""
    return of_site(role, noun="assignment", parameter="assignment_id", site_of=_site_of)


def _site_of(connection: sa.Connection, parameters: Mapping[str, Any]) -> int | None:
    return assignments.site_of(connection, parameters["assignment_id"])


@ROUTES.get(
    "/assignments",
    right=of_some_site(Role.VIEWER),
    answer=Page[sparse(Assignment)],
    example=Page(items=(EXAMPLE,), next=None),
)
def list_assignments(
    call: Call,
    *,
    search: Search = None,
    site_id: Annotated[int | None, Query(ge=1, le=MAX_ID, description="Only those of this site.")] = None,
    definition: Annotated[
        str | None, Query(pattern=r"^[a-z][a-z0-9_]{1,62}$", description="Only those of the definition of this key.")
    ] = None,
    label: Annotated[
        str | None, Query(pattern=r"^[^\x00]*$", max_length=LONGEST_SEARCH, description="Only those of this label.")
    ] = None,
    active: Annotated[bool | None, Query(description="Only those that are enabled, or the others.")] = None,
    has_overrides: Annotated[
        bool | None, Query(description="Only those whose newest revision overrides something, or the others.")
    ] = None,
    published: Published = None,
    overridden: Overridden = None,
    ads_account: OfAdsAccount = None,
    sort: Annotated[Sort, Query(description="By what they are sorted; with - the other way round.")] = "id",
    limit: Limit = LIMIT,
    after: After = None,
    fields: Fields = None,
) -> Page[Any]:
    """The assignments of the sites that you may see.

    `search` finds a part of the label or of the definition's key.
    """
    names = names_of(fields, Assignment)
    by = sort.removeprefix("-")
    listed = assignment_lists.search(
        call.connection,
        text=search,
        site_id=site_id,
        definition_key=definition,
        label=label,
        active=active,
        has_overrides=has_overrides,
        published=published,
        overridden=overridden,
        ads_account=ads_account,
        only=call.caller.sites(),
        sort=by,
        descending=sort.startswith("-"),
        after=read_after(after, sort, _KINDS[by]),
        limit=limit + 1,
    )
    show = _shower(call, listed[:limit])
    return page_of(
        listed,
        limit,
        sort,
        lambda assignment: assignment_lists.keys(assignment, by),
        lambda assignment: chosen(show(assignment), names),
    )


@ROUTES.post(
    "/sites/{site_id}/assignments",
    right=of_site(Role.EDITOR),
    status=201,
    answer=Assignment,
    example=EXAMPLE,
    body_example=_NEW,
    tagged=True,
    raises=(problems.CONFLICT, problems.BROKEN_REFERENCE),
)
def create_assignment(call: Call, site_id: SiteId, body: NewAssignment) -> Answer:
    """Apply a definition to a site, with its first overrides as a draft; `publish` lets them apply at once, unless a second person has
    to."""
    if body.publish:
        call.require(Role.PUBLISHER, site_id)
    try:
        with placed("overrides", Overrides):
            made = assignments.assign(
                call.connection,
                site_id,
                body.definition_key,
                body.label,
                author=call.actor,
                overrides=body.overrides,
                reason=body.reason,
                publish_now=body.publish,
            )
    except NotFound as error:
        if error.what != "definition":
            raise
        named = (Reference(noun="definition", id=body.definition_key[: problems.SHOWN_CHARACTERS]),)
        raise ProblemError(problems.BROKEN_REFERENCE, str(error), references=named) from None
    return Answer(content=shown(call, made), of=made, location=f"{PREFIX}/assignments/{made.id}")


@ROUTES.get(
    "/assignments/{assignment_id}",
    right=of_site(Role.VIEWER, noun="assignment", parameter="assignment_id", resource=_CURRENT),
    answer=Assignment,
    example=EXAMPLE,
    tagged=True,
)
def read_assignment(call: Call, assignment_id: AssignmentId) -> Answer:  # noqa: ARG001  (its right has read the assignment)
    """One assignment, with what applies and where each setting of it comes from."""
    current: assignments.CurrentAssignment = call.resource
    shown = _shown(current.assignment, current.published, current.draft, current.effective)
    return Answer(content=shown, of=current.assignment)


@ROUTES.patch(
    "/assignments/{assignment_id}",
    right=right_of(Role.EDITOR),
    answer=Assignment,
    example=EXAMPLE,
    body_example={"overrides": {"priority": 1}, "inherit": ["value"], "reason": "goes before the others"},
    tagged=True,
)
def change_assignment(call: Call, assignment_id: AssignmentId, body: AssignmentChanges) -> Answer:
    """Change the overrides that are given, as a draft made from the newest revision; it applies once it is published."""
    _check_current(call, assignment_id, body)
    merged = assignments.merged(call.connection, assignment_id, body.overrides, body.inherit)
    return _changed(call, assignment_id, merged, body.reason)


@ROUTES.put(
    "/assignments/{assignment_id}",
    right=right_of(Role.EDITOR),
    answer=Assignment,
    example=EXAMPLE,
    body_example={"overrides": {"priority": 1}, "reason": "goes before the others"},
    tagged=True,
)
def replace_assignment(call: Call, assignment_id: AssignmentId, body: AssignmentReplacement) -> Answer:
    """Replace all overrides, as a draft; settings that are not given are inherited."""
    _check_current(call, assignment_id, body)
    return _changed(call, assignment_id, body.overrides, body.reason)


@ROUTES.post(
    "/assignments/{assignment_id}/enable",
    right=right_of(Role.PUBLISHER),
    answer=Assignment,
    example=EXAMPLE,
    body_example=Reason(),
    tagged=True,
)
def enable_assignment(call: Call, assignment_id: AssignmentId, body: Reason) -> Answer:
    """Let it match, from the next batch on."""
    return _answer(call, assignments.resume(call.connection, assignment_id, actor=call.actor, reason=body.reason))


@ROUTES.post(
    "/assignments/{assignment_id}/disable",
    right=right_of(Role.PUBLISHER),
    answer=Assignment,
    example=msgspec.structs.replace(EXAMPLE, is_active=False),
    body_example=Reason(reason="fires too often"),
    tagged=True,
)
def disable_assignment(call: Call, assignment_id: AssignmentId, body: Reason) -> Answer:
    """Let it match nothing, from the next batch on; what it made stays."""
    return _answer(call, assignments.pause(call.connection, assignment_id, actor=call.actor, reason=body.reason))


@ROUTES.delete("/assignments/{assignment_id}", right=right_of(Role.EDITOR), raises=(problems.IN_USE,))
def delete_assignment(call: Call, assignment_id: AssignmentId) -> None:
    """Remove an assignment of which nothing ever applied; others are disabled."""
    assignments.delete(call.connection, assignment_id, by=call.actor)


def shown(call: Call, assignment: assignments.SiteAssignment) -> Assignment:
    """An assignment as the API shows it."""
    return _shower(call, [assignment])(assignment)


def _shower(call: Call, listed: Sequence[assignments.SiteAssignment]) -> Any:
    """A function that shows each of these, of which revisions are read at once."""
    current = revisions.current(call.connection, ASSIGNMENTS, [assignment.id for assignment in listed])
    effective = assignment_lists.effective_now(call.connection, listed, current)

    def show(assignment: assignments.SiteAssignment) -> Assignment:
        now = current.get(assignment.id, Current())
        return _shown(assignment, now.published, now.draft, effective.get(assignment.id))

    return show


def _shown(
    assignment: assignments.SiteAssignment,
    published: Revision | None,
    draft: Revision | None,
    effective: assignments.Effective | None,
) -> Assignment:
    fields = msgspec.structs.asdict(assignment)
    del fields["definition_id"]
    return Assignment(
        **fields,
        published=shown_revisions.of_assignment(published) if published is not None else None,
        draft=shown_revisions.of_assignment(draft) if draft is not None else None,
        effective=_effective(effective) if effective is not None else None,
    )


def _effective(whole: assignments.Effective) -> EffectiveConfiguration:
    return EffectiveConfiguration(
        definition_number=whole.definition_revision.number,
        assignment_number=whole.assignment_revision.number,
        config=whole.config,
        settings=tuple(
            EffectiveSetting(name=name, value=getattr(whole.config, name), origin=whole.origins[name])
            for name in SETTINGS
        ),
    )


def _answer(call: Call, assignment: assignments.SiteAssignment) -> Answer:
    return Answer(content=shown(call, assignment), of=assignment)


def _check_current(call: Call, assignment_id: int, yours: msgspec.Struct) -> None:
    """Hold the assignment. Raises 412 unless it is as the caller read it."""
    assignment = assignments.get(call.connection, assignment_id, lock=True)
    call.check_precondition(assignment, shown(call, assignment), yours=yours)


def _changed(call: Call, assignment_id: int, overrides: Mapping[str, Any] | Overrides, reason: str) -> Answer:
    with placed("overrides", Overrides):
        changed = assignments.change(call.connection, assignment_id, overrides, author=call.actor, reason=reason)
    return _answer(call, changed)
