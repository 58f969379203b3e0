"""People who sign in, what they may, and their sessions."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import Path, Query

from console.api import problems
from console.api.calls import Answer, Call
from console.api.operations import PREFIX, Routes
from console.api.pages import LIMIT, After, Limit, Page, page_of, read_after
from console.api.parameters import Search
from console.api.rights import SIGNED_IN, of_all_sites
from console.api.routes.sessions import SessionId
from custom_events.access import openid, people, sessions
from custom_events.access.people import Person
from custom_events.access.roles import MAY, Grant, Role
from custom_events.access.sessions import Session
from custom_events.values.numbers import MAX_ID

ROUTES: Final = Routes("people", "People who sign in, what they may, and their sessions.")

PersonId = Annotated[int, Path(ge=1, le=MAX_ID, description="A person's id.")]
Sort = Literal["login", "-login", "created_at", "-created_at"]
MANAGE: Final = of_all_sites(Role.ADMINISTRATOR)


class RoleMeaning(msgspec.Struct, frozen=True, kw_only=True):
    """A role, and what it may: that, and all that the roles before it may."""

    role: Role
    may: str


class NewPerson(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Somebody to sign in. `display_name`: the login, unless given; without `password` nobody signs in as them until one is set."""

    login: str
    display_name: str | None = None
    grants: tuple[Grant, ...] = ()
    password: str | None = None


class PersonChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change of a person; `grants`, where given, replace all that they had."""

    display_name: str | msgspec.UnsetType = msgspec.UNSET
    grants: tuple[Grant, ...] | msgspec.UnsetType = msgspec.UNSET


class NewPassword(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The password by which a person signs in from now on."""

    password: str


_NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
_EXAMPLE: Final = Person(
    id=4,
    login="ben@example.org",
    display_name="Ben",
    has_password=True,
    grants=(Grant(role=Role.EDITOR, site_id=3),),
    disabled_at=None,
    created_at=_NOON,
    updated_at=_NOON,
)
_SESSION: Final = Session(
    id=7,
    created_at=_NOON,
    last_used_at=_NOON,
    expires_at=datetime(2026, 12, 7, 12, tzinfo=UTC),
    idle_until=datetime(2026, 12, 1, tzinfo=UTC),
    revoked_at=None,
    client_address="192.0.2.7",
    user_agent="Mozilla/5.0",
)
_ROLES: Final = tuple(RoleMeaning(role=role, may=may) for role, may in MAY.items())


@ROUTES.get("/roles", right=SIGNED_IN, answer=Page[RoleMeaning], example=Page(items=_ROLES, next=None))
def list_roles(call: Call) -> Page[RoleMeaning]:  # noqa: ARG001  (every operation takes it)
    """The roles that there are, from the least to the greatest, and what each may."""
    return Page(items=_ROLES, next=None)


@ROUTES.get("/people", right=MANAGE, answer=Page[Person], example=Page(items=(_EXAMPLE,), next=None))
def list_people(
    call: Call,
    search: Search = None,
    disabled: Annotated[bool | None, Query(description="Only those who are disabled, or only the others.")] = None,
    sort: Annotated[Sort, Query(description="By what they are sorted; with - the other way round.")] = "login",
    limit: Limit = LIMIT,
    after: After = None,
) -> Page[Person]:
    """Everybody who signs in.

    `search` finds a part of the login or the name.
    """
    by = sort.removeprefix("-")
    listed = people.page(
        call.connection,
        text=search,
        disabled=disabled,
        sort=by,
        descending=sort.startswith("-"),
        after=read_after(after, sort, (str if by == "login" else datetime, int)),
        limit=limit + 1,
    )
    return page_of(listed, limit, sort, lambda person: (getattr(person, by), person.id), lambda person: person)


@ROUTES.post(
    "/people",
    right=MANAGE,
    status=201,
    answer=Person,
    example=_EXAMPLE,
    body_example={
        "login": "ben@example.org",
        "display_name": "Ben",
        "grants": [{"role": "viewer", "site_id": None}],
        "password": "three words of his",
    },
    tagged=True,
    raises=(problems.CONFLICT,),
)
def create_person(call: Call, body: NewPerson) -> Answer:
    """Make somebody who signs in."""
    made = people.add(
        call.connection,
        login=body.login,
        display_name=body.login if body.display_name is None else body.display_name,
        grants=body.grants,
        password=body.password,
        actor=call.actor,
    )
    return Answer(content=made, of=made, location=f"{PREFIX}/people/{made.id}")


@ROUTES.get("/people/{person_id}", right=MANAGE, answer=Person, example=_EXAMPLE, tagged=True)
def read_person(call: Call, person_id: PersonId) -> Answer:
    """One person."""
    return _answer(people.get(call.connection, person_id))


@ROUTES.patch(
    "/people/{person_id}",
    right=MANAGE,
    answer=Person,
    example=_EXAMPLE,
    body_example={"display_name": "Ben", "grants": [{"role": "viewer", "site_id": None}]},
    tagged=True,
    raises=(problems.CONFLICT,),
)
def change_person(call: Call, person_id: PersonId, body: PersonChanges) -> Answer:
    """Another name, other roles; what is not given stays. Of administrators of all sites one remains."""
    person = people.get(call.connection, person_id, lock=True)
    changes: dict[str, Any] = {
        name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET
    }
    call.check_precondition(person, person, yours=changes)
    return _answer(people.change(call.connection, person_id, actor=call.actor, **changes))


@ROUTES.post(
    "/people/{person_id}/password",
    right=MANAGE,
    status=204,
    body_example={"password": "four other words of his"},
)
def set_password(call: Call, person_id: PersonId, body: NewPassword) -> None:
    """A new password; whoever was signed in as this person is not any more."""
    people.set_password(call.connection, person_id, body.password, actor=call.actor)


@ROUTES.post(
    "/people/{person_id}/disable",
    right=MANAGE,
    answer=Person,
    example=msgspec.structs.replace(_EXAMPLE, disabled_at=_NOON),
    tagged=True,
    raises=(problems.CONFLICT,),
)
def disable_person(call: Call, person_id: PersonId) -> Answer:
    """Nobody signs in as this person, their sessions end, their API keys are refused. Of administrators one remains."""
    return _answer(people.disable(call.connection, person_id, actor=call.actor))


@ROUTES.post("/people/{person_id}/enable", right=MANAGE, answer=Person, example=_EXAMPLE, tagged=True)
def enable_person(call: Call, person_id: PersonId) -> Answer:
    """The person may sign in again."""
    return _answer(people.enable(call.connection, person_id, actor=call.actor))


@ROUTES.post("/people/{person_id}/unlink", right=MANAGE, answer=Person, example=_EXAMPLE, tagged=True)
def unlink_person(call: Call, person_id: PersonId) -> Answer:
    """Forget which account of the OpenID provider signs in as this person: the next one with their login as verified address does."""
    return _answer(openid.unlink(call.connection, person_id, actor=call.actor))


@ROUTES.get(
    "/people/{person_id}/sessions",
    right=MANAGE,
    answer=Page[Session],
    example=Page[Session](items=(_SESSION,), next=None),
)
def list_sessions_of_person(call: Call, person_id: PersonId) -> Page[Session]:
    """The sessions of a person, the newest first; ended ones are shown for a week."""
    person = people.get(call.connection, person_id)
    listed = sessions.of_person(call.connection, person.id, current=call.caller.session_id)
    return Page(items=tuple(listed), next=None)


@ROUTES.delete("/people/{person_id}/sessions/{session_id}", right=MANAGE)
def end_session_of_person(call: Call, person_id: PersonId, session_id: SessionId) -> None:
    """End a session of a person at once."""
    sessions.revoke(call.connection, people.get(call.connection, person_id).id, session_id, actor=call.actor)


def _answer(person: Person) -> Answer:
    return Answer(content=person, of=person)
