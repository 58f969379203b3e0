"""Changing a person: their name and roles, another password, an end to their sessions."""

import re
from typing import Any, Final

from console.api.bodies import typed
from console.api.calls import Call
from console.api.preconditions import tag_of
from console.api.problems import FieldError, invalid
from console.api.routes import people as operations
from console.api.routes.people import NewPassword, PersonChanges
from console.pages.ask import Ask
from console.pages.navigation import MANAGE
from console.pages.page import Moved, Pages, Shown
from console.pages.translations import _
from console.pages.visible import site_choice
from custom_events.access import people
from custom_events.access.people import Person
from custom_events.access.roles import MAY

PAGES: Final = Pages()
SPARE_ROWS: Final = 2  # for roles that somebody is given beside those that they have
_ROLE: Final = "role."
_GRANT: Final = re.compile(r"grants\[(\d+)\](?:\.(\w+))?")


@PAGES.show("/people/{person_id}/edit", right=MANAGE, template="person_edit.html")
def edit_page(call: Call, ask: Ask) -> Shown:
    """The form of a person's name and roles: a row for each role, and some to spare."""
    stored = people.get(call.connection, ask.path["person_id"])
    rows = max(len(stored.grants) + SPARE_ROWS, *(number + 1 for number in _rows(ask)), 0)
    content: dict[str, Any] = {
        "person": stored,
        "form": {**(ask.form or _filled(stored)), "if_match": tag_of(stored)},
        "errors": {_field_of(path, ask): error for path, error in ask.errors.items()},
        "rows": range(rows),
        "role_choices": [(role.value, f"{role}: {may}") for role, may in MAY.items()],
        "sites": site_choice(call),
    }
    return Shown(title=_("Change %(name)s", name=stored.display_name), content=content)


@PAGES.change("/people/{person_id}/edit", right=MANAGE, form=edit_page, template="person_edit.html", checks=True)
def edit(call: Call, ask: Ask) -> Moved:
    """Keep name and roles; refused where somebody else changed them since they were read."""
    person_id = ask.path["person_id"]
    changes = {"display_name": ask.field("display_name"), "grants": _grants(ask)}
    operations.change_person(call, person_id, typed(changes, PersonChanges))
    return Moved(to=f"people/{person_id}", said=_("It applies from their next request on."))


@PAGES.show("/people/{person_id}/password", right=MANAGE, template="person_password.html")
def password_page(call: Call, ask: Ask) -> Shown:
    """The form of another password for somebody, or of their first one."""
    person = people.get(call.connection, ask.path["person_id"])
    content = {"person": person, "errors": ask.errors}
    return Shown(title=_("A password for %(name)s", name=person.display_name), content=content)


def check_password(call: Call, ask: Ask) -> str:
    """Look at the password by its rules; it is neither hashed nor kept, and nobody is signed out."""
    if password := ask.form.get("password"):
        people.check_password(call.connection, ask.path["person_id"], password)
    return ""


@PAGES.change(
    "/people/{person_id}/password",
    right=MANAGE,
    form=password_page,
    template="person_password.html",
    checks=check_password,
)
def set_password(call: Call, ask: Ask) -> Moved:
    """Another password; whoever was signed in as this person is not any more."""
    person_id = ask.path["person_id"]
    operations.set_password(call, person_id, NewPassword(password=ask.form.get("password", "")))
    return Moved(to=f"people/{person_id}", said=_("The password is set: they sign in by it from now on."))


@PAGES.change("/people/{person_id}/sessions/{session_id}/end", right=MANAGE)
def end_session(call: Call, ask: Ask) -> Moved:
    """End one of their sessions."""
    person_id = ask.path["person_id"]
    operations.end_session_of_person(call, person_id, ask.path["session_id"])
    return Moved(to=f"people/{person_id}", said=_("The session is ended."))


def _filled(person: Person) -> dict[str, str]:
    """The form of what somebody has."""
    filled = {"display_name": person.display_name}
    for number, grant in enumerate(person.grants):
        filled |= {f"role.{number}": grant.role.value, f"site.{number}": str(grant.site_id or "")}
    return filled


def _grants(ask: Ask) -> list[dict[str, Any]]:
    """The rows that have a role. Raises 422."""
    grants = list[dict[str, Any]]()
    for number in _rows(ask):
        site = ask.field(f"site.{number}")
        if site and not site.isdecimal():
            wrong = FieldError(field=f"site.{number}", problem="it is no number of ours", remedy="a site's number")
            raise invalid(wrong)
        grants.append({"role": ask.field(f"{_ROLE}{number}"), "site_id": int(site) if site else None})
    return grants


def _rows(ask: Ask) -> list[int]:
    """The numbers of the rows that have a role, in the order of the roles that are sent."""
    numbers = (name.removeprefix(_ROLE) for name in ask.form if name.startswith(_ROLE) and ask.field(name))
    return sorted(int(number) for number in numbers if number.isdecimal())


def _field_of(path: str, ask: Ask) -> str:
    """The form's field at which a fault of the API stands."""
    part = _GRANT.match(path)
    rows = _rows(ask)
    if part is None or int(part[1]) >= len(rows):
        return path
    return f"{'role' if part[2] == 'role' else 'site'}.{rows[int(part[1])]}"
