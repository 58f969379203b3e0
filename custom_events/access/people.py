"""People: made, renamed, given roles, disabled. There is always an administrator, once there was one."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.access import passwords
from custom_events.access.roles import Grant, Role
from custom_events.catalog import audit, diff
from custom_events.catalog.configurations import refuse
from custom_events.catalog.reading import name_problems, quoted
from custom_events.conditions.problems import Problem
from custom_events.errors import Fault, InvalidConfiguration, NeedsAction, NotFound
from custom_events.queries import people as queries
from custom_events.queries import sessions, sites
from custom_events.queries.keyset import After, Order
from custom_events.tables.access import role_grants

PAGE: Final = 100  # people read at once, unless told otherwise
LOGIN_RULE: Final = "an e-mail address or a name of 2 to 254 letters, digits, and . _ - + @"

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,253}\Z")


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who signs in. `grants` are what they may; `has_password`: whether a password signs them in."""

    id: int
    login: str
    display_name: str
    has_password: bool
    grants: tuple[Grant, ...]
    disabled_at: datetime | None
    created_at: datetime
    updated_at: datetime


def add(
    connection: sa.Connection,
    *,
    login: str,
    display_name: str,
    grants: Sequence[Grant],
    actor: str,
    password: str | None = None,
) -> Person:
    """A new person. Raises InvalidConfiguration for what cannot be used, NeedsAction when the login is taken."""
    login = login.strip().lower()
    refuse([*_login_problems(login), *name_problems("display_name", display_name, "a name for people")])
    check_grants(connection, grants)
    stored = passwords.hashed(password, about=(login, display_name)) if password is not None else None
    made = queries.add(connection, login=login, display_name=display_name)
    if made is None:
        raise NeedsAction(f'There is a person "{login}" already: change them, or choose another login.')
    if stored is not None:
        queries.update(connection, made, {"password_hash": stored})
    queries.set_grants(connection, role_grants.c.person_id, made, _rows(grants))
    person = get(connection, made)
    _record(connection, actor, "create", person, after=person)
    return person


def get(connection: sa.Connection, person_id: int, *, lock: bool = False) -> Person:
    """The person of this id. Raises NotFound."""
    row = queries.by_id(connection, person_id, lock=lock)
    if row is None:
        raise NotFound(f"There is no person {person_id}.", what="person")
    return _person(row)


def called(connection: sa.Connection, login: str) -> Person:
    """The person of this login. Raises NotFound."""
    row = queries.by_login(connection, login.strip().lower())
    if row is None:
        raise NotFound(f'There is no person "{login}": `custom-events user list` shows them.', what="person")
    return _person(row)


def page(
    connection: sa.Connection,
    *,
    text: str | None = None,
    disabled: bool | None = None,
    sort: str = "login",
    descending: bool = False,
    after: After | None = None,
    limit: int = PAGE,
) -> list[Person]:
    """People whose login or name holds `text`, a page of them; `sort`: a name of `queries.people.ORDERS`."""
    rows = queries.page(
        connection,
        text=text,
        disabled=disabled,
        order=Order(queries.ORDERS[sort], descending=descending),
        after=after,
        limit=limit,
    )
    return [_person(row) for row in rows]


def change(
    connection: sa.Connection,
    person_id: int,
    *,
    actor: str,
    display_name: str | None = None,
    grants: Sequence[Grant] | None = None,
) -> Person:
    """Another name for people, other roles; None: as it was. Raises NeedsAction when no administrator would be left."""
    old = get(connection, person_id, lock=True)
    if display_name is not None:
        refuse(name_problems("display_name", display_name, "a name for people"))
        queries.update(connection, person_id, {"display_name": display_name})
    if grants is not None:
        check_grants(connection, grants)
        if Grant(role=Role.ADMINISTRATOR) not in grants:
            _keep_an_administrator(connection, old)
        queries.update(connection, person_id, {})
        queries.set_grants(connection, role_grants.c.person_id, person_id, _rows(grants))
    person = get(connection, person_id)
    changed = diff.lines(_plain(old), _plain(person))
    if changed:
        _record(connection, actor, "update", person, before=old, after=person, changes=changed)
    return person


def set_password(connection: sa.Connection, person_id: int, password: str, *, actor: str) -> None:
    """A new password; whoever was signed in as this person is not any more. Raises InvalidConfiguration."""
    person = get(connection, person_id, lock=True)
    _keep_password(connection, person, password)
    ended = sessions.revoke(connection, person_id)
    _record(connection, actor, "password", person, sessions_ended=ended)


def change_own_password(
    connection: sa.Connection, person_id: int, *, current: str, password: str, session_id: int, actor: str
) -> int:
    """Another password in place of the current one, chosen by the person themselves; how many other sessions of theirs it ended. The session
    by which they ask goes on. Raises InvalidConfiguration for a wrong current password or one that cannot be used, NeedsAction where they have none."""
    person = get(connection, person_id, lock=True)
    row = queries.password_hash(connection, person.login)
    if row is None:
        raise NeedsAction(
            "You have no password here: you sign in by the OpenID provider. An administrator can set one."
        )
    if not passwords.fits(row.password_hash, current):
        wrong, right = "it is not the current password", "the password that you sign in with now"
        raise InvalidConfiguration(f"{wrong}: {right}", path="current", faults=(Fault("current", wrong, right),))
    _keep_password(connection, person, password)
    ended = sessions.revoke_others(connection, person_id, session_id)
    _record(connection, actor, "password", person, sessions_ended=ended)
    return ended


def check_password(connection: sa.Connection, person_id: int, password: str) -> None:
    """Raise InvalidConfiguration for a password that this person cannot have; nothing is kept. Raises NotFound for the person."""
    passwords.check(password, about=_words_about(get(connection, person_id)))


def _words_about(person: Person) -> tuple[str, ...]:
    return person.login, person.display_name


def _keep_password(connection: sa.Connection, person: Person, password: str) -> None:
    stored = passwords.hashed(password, about=_words_about(person))
    queries.update(connection, person.id, {"password_hash": stored})


def disable(connection: sa.Connection, person_id: int, *, actor: str) -> Person:
    """Nobody signs in as this person, their sessions end, their API keys are refused. Raises NeedsAction for the last administrator."""
    old = get(connection, person_id, lock=True)
    if old.disabled_at is None:
        _keep_an_administrator(connection, old)
        queries.update(connection, person_id, {"disabled_at": sa.func.now()})
        ended = sessions.revoke(connection, person_id)
        person = get(connection, person_id)
        _record(connection, actor, "disable", old, before=old, after=person, sessions_ended=ended)
        return person
    return old


def enable(connection: sa.Connection, person_id: int, *, actor: str) -> Person:
    """The person may sign in again."""
    old = get(connection, person_id, lock=True)
    if old.disabled_at is not None:
        queries.update(connection, person_id, {"disabled_at": None})
        person = get(connection, person_id)
        _record(connection, actor, "enable", old, before=old, after=person)
        return person
    return old


def check_grants(connection: sa.Connection, grants: Sequence[Grant]) -> None:
    """Raise InvalidConfiguration for roles that cannot be given: two on one site, one on a site that is not there."""
    refuse(_grant_problems(connection, grants))


def _grant_problems(connection: sa.Connection, grants: Sequence[Grant]) -> Iterator[Problem]:
    seen: set[int | None] = set()
    for place, grant in enumerate(grants):
        where = f"grants[{place}].site_id"
        if grant.site_id in seen:
            yield Problem(path=where, wrong="another role is given on the same", right="one role for each site")
        elif grant.site_id is not None and sites.by_id(connection, grant.site_id) is None:
            yield Problem(path=where, wrong=f"there is no site {grant.site_id}", right="a site's id, or null for all")
        seen.add(grant.site_id)


def _login_problems(login: str) -> Iterator[Problem]:
    if not _LOGIN.match(login):
        yield Problem(path="login", wrong=f"{quoted(login)} is no login", right=LOGIN_RULE)


def _keep_an_administrator(connection: sa.Connection, person: Person) -> None:
    if Grant(role=Role.ADMINISTRATOR) not in person.grants or person.disabled_at is not None:
        return
    queries.take_turns(connection)
    if not queries.has_administrator(connection, but=person.id):
        raise NeedsAction(
            f"{person.login} is the last administrator: make somebody else one first, or nobody could manage people any more."
        )


def _rows(grants: Sequence[Grant]) -> list[tuple[str, int | None]]:
    return [(grant.role.value, grant.site_id) for grant in grants]


def _person(row: sa.Row[*tuple[Any, ...]]) -> Person:
    return msgspec.convert(row, Person, from_attributes=True)


def _plain(person: Person) -> dict[str, Any]:
    kept = {
        "login": person.login,
        "display_name": person.display_name,
        "grants": person.grants,
        "is_disabled": person.disabled_at is not None,
    }
    plain: dict[str, Any] = msgspec.to_builtins(kept)
    return plain


def _record(
    connection: sa.Connection,
    actor: str,
    verb: str,
    person: Person,
    *,
    before: Person | None = None,
    after: Person | None = None,
    **detail: Any,
) -> None:
    audit.record(
        connection,
        actor=actor,
        action=f"person.{verb}",
        subject=f"person:{person.login}",
        detail=detail,
        before=_plain(before) if before is not None else None,
        after=_plain(after) if after is not None else None,
    )
