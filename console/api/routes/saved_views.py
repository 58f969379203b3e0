"""Views of the console's lists that people keep under a name; each sees their own."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

import msgspec
from fastapi import Path, Query

from console.api import problems
from console.api.calls import Answer, Call
from console.api.operations import PREFIX, Routes
from console.api.pages import Page
from console.api.problems import ProblemError
from console.api.rights import SIGNED_IN
from custom_events.access import saved_views
from custom_events.access.saved_views import SavedView
from custom_events.values.numbers import MAX_ID

ROUTES: Final = Routes("saved views", "Filters and sorting of the console's lists that people keep under a name.")

ListName = Literal["assignments", "sites"]
SavedViewId = Annotated[int, Path(ge=1, le=MAX_ID, description="A saved view's id.")]


class NewSavedView(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A view to be kept. `query`: filters and sorting as the query of an address."""

    list: ListName
    name: str
    query: str = ""


_EXAMPLE: Final = SavedView(
    id=4,
    list="assignments",
    name="Drafts",
    query="state=draft&sort=label",
    created_at=datetime(2026, 11, 30, 12, tzinfo=UTC),
)


@ROUTES.get("/saved-views", right=SIGNED_IN, answer=Page[SavedView], example=Page(items=(_EXAMPLE,), next=None))
def list_saved_views(
    call: Call,
    list_name: Annotated[ListName | None, Query(alias="list", description="Only those of this list.")] = None,
) -> Page[SavedView]:
    """Your own saved views, by list and name. An API key that belongs to nobody has none."""
    person_id = call.caller.person_id
    own = [] if person_id is None else saved_views.of_person(call.connection, person_id, list_name)
    return Page(items=tuple(own), next=None)


@ROUTES.post(
    "/saved-views",
    right=SIGNED_IN,
    status=201,
    answer=SavedView,
    example=_EXAMPLE,
    body_example=NewSavedView(list="assignments", name="Drafts", query="state=draft&sort=label"),
    raises=(problems.CONFLICT,),
)
def create_saved_view(call: Call, body: NewSavedView) -> Answer:
    """Keep filters under a name, for yourself."""
    if call.caller.person_id is None:
        raise ProblemError(
            problems.CONFLICT, "This API key belongs to nobody, who could keep a view: sign in as a person."
        )
    made = saved_views.keep(
        call.connection, call.caller.person_id, list_name=body.list, name=body.name, query=body.query
    )
    return Answer(content=made, location=f"{PREFIX}/saved-views")


@ROUTES.delete("/saved-views/{saved_view_id}", right=SIGNED_IN)
def delete_saved_view(call: Call, saved_view_id: SavedViewId) -> None:
    """Remove one of your own views."""
    if call.caller.person_id is None:
        raise problems.not_found("saved view", saved_view_id)
    saved_views.remove(call.connection, call.caller.person_id, saved_view_id)
