"""People and the audit trail: who may what, and who did what."""

from typing import Final

from console.api.bodies import typed
from console.api.calls import Call
from console.api.problems import FieldError, invalid
from console.api.routes import audit_entries as audit_operations
from console.api.routes import people as operations
from console.api.routes.people import NewPerson
from console.pages.ask import ROWS, Ask
from console.pages.checking import check_all
from console.pages.navigation import AUDIT, MANAGE
from console.pages.page import Moved, Pages, Shown
from console.pages.subjects import address_of
from console.pages.translations import _
from console.pages.visible import site_choice, site_names
from custom_events.access import passwords, people, sessions
from custom_events.access.people import Person
from custom_events.access.roles import MAY, Role

PAGES: Final = Pages()


@PAGES.show("/people", right=MANAGE, template="people.html")
def people_page(call: Call, ask: Ask) -> Shown:
    """Everybody who signs in, and what they may."""
    sort = ask.sort("login", "created_at")
    listed = operations.list_people(
        call,
        search=ask.text("search"),
        disabled=ask.flag("disabled"),
        sort=sort,
        limit=ROWS,
        after=ask.text("after", longest=2_000),
    )
    names = site_names(call, [grant for person in listed.items for grant in person.grants])
    return Shown(title=_("People"), content={"ask": ask, "list": listed, "names": names, "sort": sort})


@PAGES.show("/people/new", right=MANAGE, template="person_new.html")
def new_person_page(call: Call, ask: Ask) -> Shown:
    """The form for somebody who is to sign in."""
    choices = [(role.value, f"{role}: {may}") for role, may in MAY.items()]
    content = {"form": ask.form, "errors": ask.errors, "role_choices": choices, "sites": site_choice(call)}
    return Shown(title=_("New person"), content=content)


def check_person(call: Call, ask: Ask) -> str:
    """Check as making them does, but for the password: it is looked at by its rules, and not hashed, which costs as much as a sign-in."""
    password, about = ask.form.get("password"), (ask.field("login"), ask.field("display_name"))
    rules = [lambda: passwords.check(password, about=about)] if password else []
    check_all(lambda: _create(call, ask, None), *rules)
    return ""


@PAGES.change("/people/new", right=MANAGE, form=new_person_page, checks=check_person)
def create_person(call: Call, ask: Ask) -> Moved:
    """Make somebody with one role, on all sites or on one."""
    made = _create(call, ask, ask.form.get("password") or None)
    return Moved(to=f"people/{made.id}", said=_("%(login)s may sign in.", login=made.login))


def _create(call: Call, ask: Ask, password: str | None) -> Person:
    role, site = ask.field("role"), ask.field("site_id")
    if role not in tuple(Role):
        raise invalid(FieldError(field="role", problem="it is missing", remedy=f"one of {', '.join(Role)}"))
    body = {
        "login": ask.field("login"),
        "display_name": ask.field("display_name") or None,
        "password": password,
        "grants": [{"role": role, "site_id": int(site) if site.isdecimal() else None}],
    }
    made: Person = operations.create_person(call, typed(body, NewPerson)).content
    return made


@PAGES.show("/people/{person_id}", right=MANAGE, template="person.html")
def person_page(call: Call, ask: Ask) -> Shown:
    """One person: their roles, and from where they are signed in."""
    person = people.get(call.connection, ask.path["person_id"])
    content = {
        "person": person,
        "names": site_names(call, person.grants),
        "may": MAY,
        "sessions": sessions.of_person(call.connection, person.id, current=call.caller.session_id),
    }
    return Shown(title=person.display_name, content=content)


@PAGES.change("/people/{person_id}/disable", right=MANAGE)
def disable(call: Call, ask: Ask) -> Moved:
    """Nobody signs in as this person; their sessions and API keys end."""
    operations.disable_person(call, ask.path["person_id"])
    return Moved(to=f"people/{ask.path['person_id']}", said=_("Nobody signs in as this person any more."))


@PAGES.change("/people/{person_id}/enable", right=MANAGE)
def enable(call: Call, ask: Ask) -> Moved:
    """They may sign in again."""
    operations.enable_person(call, ask.path["person_id"])
    return Moved(to=f"people/{ask.path['person_id']}", said=_("They may sign in again."))


@PAGES.show("/audit", right=AUDIT, template="audit.html")
def audit_page(call: Call, ask: Ask) -> Shown:
    """Who did what, when and from where, with what it was before and after."""
    listed = audit_operations.list_audit_entries(
        call,
        search=ask.text("search"),
        subject=ask.text("subject"),
        actor=ask.text("actor"),
        noun=ask.text("noun"),
        since=ask.moment("since"),
        until=ask.moment("until"),
        site_id=ask.number("site_id"),
        request_id=ask.text("request_id"),
        order=ask.order(),
        limit=ROWS,
        after=ask.text("after", longest=2_000),
    )
    content = {"ask": ask, "list": listed, "names": site_names(call, listed.items), "address_of": address_of}
    return Shown(title=_("Audit trail"), content={**content, "sites": site_choice(call, Role.ADMINISTRATOR)})
